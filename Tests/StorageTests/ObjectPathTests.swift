// SPDX-License-Identifier: Apache-2.0
import Storage
import Testing

@Suite("Object paths")
struct ObjectPathTests {
  /// The text, and what Hadoop's `Path` or the engines' own file layers take it to be.
  static let readings: [(text: String, scheme: String, authority: String, path: String)] = [
    ("/tmp/t", "file", "", "/tmp/t"),
    ("file:/tmp/t", "file", "", "/tmp/t"),
    ("file:///tmp/t", "file", "", "/tmp/t"),
    ("FILE:///tmp/t/", "file", "", "/tmp/t"),
    ("file://localhost/tmp/t", "file", "", "/tmp/t"),
    ("file:////tmp//t//", "file", "", "/tmp/t"),
    ("//tmp/t", "file", "", "/tmp/t"),
    ("/", "file", "", "/"),
    ("file:///", "file", "", "/"),
    ("s3://bucket/a/b", "s3", "bucket", "/a/b"),
    ("s3a://bucket/a/b", "s3", "bucket", "/a/b"),
    ("s3://bucket", "s3", "bucket", "/"),
    ("s3://bucket/", "s3", "bucket", "/"),
    ("s3://bucket/a//b", "s3", "bucket", "/a//b"),
    ("s3://Bucket/A", "s3", "Bucket", "/A"),
    ("abfss://box@host.example/a", "abfss", "box@host.example", "/a"),
    ("hdfs://host:8020/a", "hdfs", "host:8020", "/a"),
    ("/t/ts=2026-09-01T10:00:00/x", "file", "", "/t/ts=2026-09-01T10:00:00/x"),
    ("/t/a%2Fb?c#d e+~", "file", "", "/t/a%2Fb?c#d e+~"),
    ("/t/...", "file", "", "/t/..."),
    ("/t/été", "file", "", "/t/été"),
  ]

  @Test func `locations are read as the engines read them`() throws {
    for (text, scheme, authority, path) in Self.readings {
      let parsed = try ObjectPath(text)
      #expect(parsed.scheme == scheme, "\(text)")
      #expect(parsed.authority == authority, "\(text)")
      #expect(parsed.path == path, "\(text)")
      #expect(Array(parsed.text.utf8) == Array(text.utf8), "\(text)")
    }
  }

  @Test(arguments: [
    "", "t", "a/b", "file:t", "s3:bucket", "file://", "/a/../b", "/a/./b", "/..", "s3://b/..",
    "s3://b/a/..", "/a\0b", "/a\nb", "/a\u{7f}", "/a\\b", "C:\\x", "s3://key:secret@bucket/a",
    String(repeating: "/xxxxxxx", count: 513),
  ])
  func `what is no safe absolute location is refused`(text: String) {
    #expect {
      _ = try ObjectPath(text)
    } throws: { error in
      guard case .invalidPath(let shown, _) = error as? StorageError else { return false }
      return !shown.contains("secret")
    }
  }

  @Test func `D7: spellings of one place are equal and hash alike`() throws {
    let spellings = ["/t/a", "file:/t/a", "file:///t/a", "file:///t/a/", "file://localhost/t//a"]
    let paths = try spellings.map { try ObjectPath($0) }
    #expect(Set(paths).count == 1)
    #expect(Set(paths.map(\.text)).count == spellings.count)
    #expect(try ObjectPath("s3a://b/x") == ObjectPath("s3://b/x"))
    #expect(try ObjectPath("s3://b/x") != ObjectPath("s3://c/x"))
    #expect(try ObjectPath("s3://b/x") != ObjectPath("gs://b/x"))
  }

  @Test func `differently composed letters are different places`() throws {
    let composed = try ObjectPath("/t/\u{e9}")
    let decomposed = try ObjectPath("/t/e\u{301}")
    #expect(composed.path == decomposed.path, "Swift's own strings do not tell them apart")
    #expect(composed != decomposed)
    #expect(!composed.contains(decomposed))
  }

  @Test func `a mark that combines with the slash belongs to the name`() throws {
    for text in ["/", "/t", "s3://b"] {
      let parent = try ObjectPath(text)
      let path = try parent.appending("\u{301}x")
      #expect(path.name.utf8.elementsEqual("\u{301}x".utf8), "\(text)")
      #expect(parent.relativePath(of: path)?.utf8.count == 3, "\(text)")
      #expect(path.parent == parent, "\(text)")
      #expect(path.components.last?.utf8.count == 3, "\(text)")
    }
  }

  @Test func `a child is spelled as its parent and leads back to it`() throws {
    for (text, child) in [
      ("/", "/x"), ("/t", "/t/x"), ("/t/", "/t/x"), ("file:/t", "file:/t/x"),
      ("file:///", "file:///x"), ("file:///t//", "file:///t/x"), ("s3a://b", "s3a://b/x"),
      ("s3a://b/", "s3a://b/x"), ("s3://b/a//b/", "s3://b/a//b/x"),
    ] {
      let parent = try ObjectPath(text)
      let path = try parent.appending("x")
      #expect(path.text == child)
      #expect(try path == ObjectPath(child), "\(text)")
      #expect(path.name == "x")
      #expect(path.parent == parent, "\(text)")
      #expect(try path.parent?.appending("x").text == child, "\(text)")
      #expect(parent.relativePath(of: path) == "x")
    }
    #expect(try ObjectPath("/").parent == nil)
    #expect(try ObjectPath("s3://b").parent == nil)
    #expect(try ObjectPath("/t/a").components == ["t", "a"])
    #expect(try ObjectPath("s3://b").components == [])
  }

  @Test(arguments: ["", ".", "..", "a/b", "/a", "a\0", "a\\b", "a\u{1}"])
  func `no name leads out of its parent`(name: String) throws {
    let parent = try ObjectPath("/t")
    #expect(throws: StorageError.self) { try parent.appending(name) }
  }

  @Test func `relative paths are checked component by component`() throws {
    let parent = try ObjectPath("s3://b/t")
    #expect(try parent.appending(relativePath: "a/b=1/c").text == "s3://b/t/a/b=1/c")
    for bad in ["", "/a", "a/", "a//b", "a/../b", "a/.", "../a"] {
      #expect(throws: StorageError.self, "\(bad)") { try parent.appending(relativePath: bad) }
    }
    let long = String(repeating: "x", count: 4090)
    #expect(throws: StorageError.self) { try parent.appending(long) }
  }

  @Test func `containment goes by components`() throws {
    func contains(_ a: String, _ b: String) throws -> Bool {
      try ObjectPath(a).contains(ObjectPath(b))
    }
    #expect(try contains("/a/b", "/a/b"))
    #expect(try contains("/a/b", "file:///a/b/c"))
    #expect(try contains("/", "/a"))
    #expect(try contains("s3://b", "s3a://b/x"))
    #expect(try !contains("/a/b", "/a/bc"))
    #expect(try !contains("/a/b", "/a"))
    #expect(try !contains("s3://b", "s3://bc/x"))
    #expect(try !contains("s3://b/a", "/a/x"))
    #expect(try !contains("/a", "s3://b/a/x"))
  }

  @Test func `order is that of the bytes`() throws {
    let sorted = try ["/a-", "/a.txt", "/a/b", "/a0", "/b", "/\u{e9}", "/\u{1F600}"]
      .map { try ObjectPath($0) }
    #expect(sorted.shuffled().sorted() == sorted)
  }
}

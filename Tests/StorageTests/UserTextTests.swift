// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Paths people type, and stores they bring")
struct UserTextTests {
  static let readings: [(String, String)] = [
    ("t", "/home/me/t"), ("./t", "/home/me/t"), ("a/../t/", "/home/me/t"), ("..", "/home"),
    ("../you//t", "/home/you/t"), ("../..", "/"), (".", "/home/me"), ("/tmp/../t", "/t"),
    ("/tmp/t", "/tmp/t"), ("s3://b/t", "s3://b/t"), ("file:/tmp/t", "file:/tmp/t"),
    ("a:b", "/home/me/a:b"), ("ts=10:00/x", "/home/me/ts=10:00/x"), ("~", "/home/me/~"),
  ]

  @Test func `relative paths are taken from the working directory`() throws {
    let here = try ObjectPath("/home/me")
    for (text, expected) in Self.readings {
      #expect(try ObjectPath(userText: text, workingDirectory: here).text == expected, "\(text)")
    }
    for bad in ["", "../../..", "/..", "a\nb", "s3://b/../c"] {
      #expect(throws: StorageError.self, "\(bad)") {
        try ObjectPath(userText: bad, workingDirectory: here)
      }
    }
  }

  @Test func `a link a person names leads to its file`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("rows", to: "real.csv")
    symlink("real.csv", directory.name + "/link.csv")
    let link = try directory.path.appending("link.csv")
    let target = try LocalStore.target(of: link)
    #expect(target.name == "real.csv")
    #expect(try await LocalStore().get(target, limit: 9) == Buffer(utf8: "rows"))
    let missing = try directory.path.appending("missing")
    #expect(throws: StorageError.notFound(path: missing)) { try LocalStore.target(of: missing) }
    #expect(throws: StorageError.self) { try LocalStore.target(of: ObjectPath("s3://b/x")) }
  }

  @Test func `B3: a store that ignores conditions is found out`() async throws {
    struct Careless: ForwardingStore {
      let base: any ObjectStore = MemoryStore()
      func put(
        _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
      ) async throws(StorageError) -> ObjectVersion {
        try await base.put(bytes, to: path, if: .none)
      }
    }
    let prefix = try ObjectPath("memory://b/t")
    let environment = Environment.deterministic(seed: 1)
    let careless = Careless()
    do {
      try await careless.checkConditionalWrites(under: prefix, environment: environment)
      Issue.record("not found out")
    } catch {
      guard case .unsupported = error else { throw error }
    }
    #expect(try await careless.listAll(prefix) == [])

    let directory = try TemporaryDirectory()
    for store in [MemoryStore(), LocalStore()] as [any ObjectStore] {
      try await store.checkConditionalWrites(under: directory.path, environment: environment)
      #expect(try await store.listAll(directory.path) == [])
    }
  }

  @Test func `every error says what can be done and is one line`() throws {
    let path = try ObjectPath("/t/x")
    let broken = StorageError.io(
      operation: "reading", path: path, reason: "broken", code: 5, isTransient: false)
    let errors: [(StorageError, Remedy)] = [
      (.notFound(path: path), .inspect),
      (.conditionFailed(path: path), .rebase),
      (.outcomeUnknown(broken, path: path), .inspect),
      (.permissionDenied(path: path, reason: "no"), .inspect),
      (.full(path: path, reason: "no"), .inspect),
      (.refused(path: path, reason: "no"), .changeInput),
      (.notAnObject(path: path, found: "a pipe"), .changeInput),
      (.tooLarge(path: path, byteCount: 2, limit: 1), .changeInput),
      (.unsupported(what: "x", path: path, instead: "y"), .changeInput),
      (.invalidPath("x", reason: "y"), .changeInput),
      (.unavailable(path: path, reason: "busy", retryAfter: nil), .retry),
      (broken, .inspect),
      (
        .io(operation: "reading", path: path, reason: "again", code: 11, isTransient: true),
        .retry
      ),
      (.cancelled(path: path), .retry),
    ]
    for (error, remedy) in errors {
      #expect(error.remedy == remedy, "\(error)")
      #expect(!error.description.contains("\n") && error.description.contains("x"), "\(error)")
    }
  }
}

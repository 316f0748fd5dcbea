// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Names with characters that some store, URL or file system takes for its own.
  static let oddNames = [
    "a b", "a+b", "a%2Fb", "%", "%00", "a~b", "key=value", "ts=2026-09-01T10:00:00", "a#b", "a?b=c",
    "a&b", "a'b\"c", "a*b", "[ab]", "{ab}", "a$b", "a;b", "a,b", "a@b", "a|b", "<ab>", "-rf", "...",
    ".hidden", "été", "e\u{301}te\u{301}", "日本語", "🦭", "\u{feff}bom", "null", "CON",
    String(repeating: "n", count: 200),
  ]

  /// Laws of `put`, `delete` and writers.
  static let writingLaws: [Law] = [
    Law("put where nothing must be, once") { subject in
      let path = try subject.path("object")
      _ = try await subject.store.put(Buffer(utf8: "first"), to: path, if: .absent)
      try await subject.expectError("second create", \.isConditionFailed) {
        () throws(StorageError) in
        try await subject.store.put(Buffer(utf8: "second"), to: path, if: .absent)
      }
      try subject.expect(try await subject.text(at: "object"), equals: "first", "loser's bytes")
      try await subject.store.delete(path)
      _ = try await subject.store.put(Buffer(utf8: "third"), to: path, if: .absent)
      try subject.expect(try await subject.text(at: "object"), equals: "third", "after a delete")
    },

    Law("put replaces only the version it names") { subject in
      let path = try subject.path("object")
      let one = try await subject.store.put(Buffer(utf8: "1"), to: path, if: .absent)
      let two = try await subject.store.put(Buffer(utf8: "22"), to: path, if: .matches(one))
      try await subject.expectError("stale version", \.isConditionFailed) {
        () throws(StorageError) in
        try await subject.store.put(Buffer(utf8: "333"), to: path, if: .matches(one))
      }
      try subject.expect(try await subject.text(at: "object"), equals: "22", "loser's bytes")
      _ = try await subject.store.put(Buffer(utf8: "333"), to: path, if: .matches(two))
      try await subject.store.delete(path)
      try await subject.expectError("nothing there", \.isConditionFailed) {
        () throws(StorageError) in
        try await subject.store.put(Buffer(utf8: "4444"), to: path, if: .matches(two))
      }
      try await subject.expectAbsent("object", "after a put that failed")
    },

    Law("put without condition replaces") { subject in
      for text in ["long, long ago", "short", ""] {
        try await subject.put(text, at: "object")
        try subject.expect(try await subject.text(at: "object"), equals: text, "replaced")
      }
      try subject.expect(try await subject.list(), equals: ["object"], "leftovers")
    },

    Law("delete makes absent, and that is all") { subject in
      for name in ["a", "a.b", "d/a", "d/b"] { try await subject.put(name, at: name) }
      try await subject.store.delete(subject.path("a"))
      try await subject.store.delete(subject.path("d/b"))
      try await subject.expectAbsent("a", "after its delete")
      try subject.expect(try await subject.list(), equals: ["a.b", "d/a"], "what is left")
      try await subject.store.delete(subject.path("a"))
      try await subject.store.delete(subject.path("no/such/place"))
    },

    Law("odd names are names") { subject in
      for name in oddNames { try await subject.put(name, at: "dir \(name)/\(name)") }
      for name in oddNames {
        let text = try await subject.text(at: "dir \(name)/\(name)")
        try subject.expect(Array(text.utf8) == Array(name.utf8), "'\(name)' holds '\(text)'")
        let info = try await subject.store.head(subject.path("dir \(name)/\(name)"))
        try subject.expect(info.byteCount, equals: Int64(name.utf8.count), "'\(name)'")
      }
      let listed = Set(try await subject.store.listAll(subject.root).map(\.path))
      let expected = Set(try oddNames.map { try subject.path("dir \($0)/\($0)") })
      try subject.expect(listed == expected, "listed names differ")
      for name in oddNames { try await subject.store.delete(subject.path("dir \(name)/\(name)")) }
      try subject.expect(try await subject.list(), equals: [], "after all deletes")
    },

    Law("a writer's parts are nothing until its end") { subject in
      let path = try subject.path("dir/object")
      let writer = try await subject.store.writer(to: path, if: .absent)
      var expected: [UInt8] = []
      for count in [1, 0, 300_000, 7, 262_144, 1_000_000, 3] {
        let part = subject.random.bytes(count)
        try await writer.append(Buffer(part))
        expected += part
        try await subject.expectAbsent("dir/object", "before the end")
      }
      let info = try await writer.finish()
      try subject.expect(info.path, equals: path, "path")
      try subject.expect(info.byteCount, equals: Int64(expected.count), "size")
      let head = try await subject.store.head(path)
      try subject.expect(head.version, equals: info.version, "version by head")
      // A store may know the moment of a write only by when it answered.
      let apart = head.modified.since(info.modified)
      try subject.expect(apart > .seconds(-60) && apart < .seconds(60), "\(apart) apart")
      let got = try await subject.store.get(path, limit: 1 << 30)
      try subject.expect(got.array() == expected, "the parts came back changed")
      await writer.abort()
      try subject.expect(try await subject.list(), equals: ["dir/object"], "after a late abort")
    },

    Law("a writer of nothing makes an empty object") { subject in
      let path = try subject.path("empty")
      let info = try await subject.store.writer(to: path, if: .none).finish()
      try subject.expect(info.byteCount, equals: 0, "size")
      try subject.expect(try await subject.text(at: "empty"), equals: "", "bytes")
    },

    Law("an aborted or forgotten writer leaves nothing") { subject in
      for isAborted in [true, false] {
        let writer = try await subject.store.writer(to: subject.path("gone"), if: .absent)
        try await writer.append(Buffer(subject.random.bytes(500_000)))
        if isAborted { await writer.abort() }
      }
      try await subject.expectAbsent("gone", "after an abort")
      _ = try await subject.store.put(.empty, to: subject.path("gone"), if: .absent)
    },

    Law("a writer's condition holds at its end") { subject in
      let path = try subject.path("object")
      let late = try await subject.store.writer(to: path, if: .absent)
      try await late.append(Buffer(utf8: "late"))
      let version = try await subject.store.put(Buffer(utf8: "early"), to: path, if: .absent)
      try await subject.expectError("late create", \.isConditionFailed) {
        () throws(StorageError) in try await late.finish()
      }
      try subject.expect(try await subject.text(at: "object"), equals: "early", "loser's bytes")

      let replacing = try await subject.store.writer(to: path, if: .matches(version))
      try await replacing.append(Buffer(utf8: "replaced"))
      _ = try await replacing.finish()
      let stale = try await subject.store.writer(to: path, if: .matches(version))
      try await subject.expectError("stale replacement", \.isConditionFailed) {
        () throws(StorageError) in try await stale.finish()
      }
      try subject.expect(try await subject.text(at: "object"), equals: "replaced", "bytes")
      try subject.expect(try await subject.list(), equals: ["object"], "leftovers")
    },

    Law("a large object is written and read in parts") { subject in
      let path = try subject.path("large")
      let writer = try await subject.store.writer(to: path, if: .none)
      let block = Buffer(subject.random.bytes(1 << 20))
      var written: Int64 = 0
      while written < 40 << 20 {
        let start = subject.random.int(in: 0..<(1 << 20) - 1)
        let part = block.slice(start..<1 << 20)
        try await writer.append(part)
        written += Int64(part.count)
        let mark = Buffer(utf8: "at \(written);")
        try await writer.append(mark)
        written += Int64(mark.count)
      }
      let info = try await writer.finish()
      try subject.expect(info.byteCount, equals: written, "size")
      let tail = try await subject.store.get(path, range: written - 12..<written, of: info.version)
      let text = String(decoding: tail.array(), as: UTF8.self)
      let position = written - Int64("at 00000000;".utf8.count)
      try subject.expect(text, equals: "at \(position);", "the last bytes")
      let whole = try await subject.store.get(path, range: 0..<written, of: nil)
      try subject.expect(Int64(whole.count), equals: written, "bytes read")
      let edge = try await subject.store.get(path, range: 0..<64, of: nil)
      try subject.expect(whole.slice(0..<64) == edge, "the first bytes")
    },
  ]
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Names with characters that some store, URL or file system takes for its own.
  static let oddNames = [
    "a b", "a+b", "a%2Fb", "%48%45%4C%4C%4F", "%Q", "🇦🇺", "$shenanigans@@~.txt",
    "I'm a < & weird path", "%", "%00", "a~b", "key=value", "ts=2026-09-01T10:00:00", "a#b",
    "a?b=c",
    "a&b", "a'b\"c", "a*b", "[ab]", "{ab}", "a$b", "a;b", "a,b", "a@b", "a|b", "<ab>", "-rf", "...",
    ".hidden", "été", "e\u{301}te\u{301}", "日本語", "🦭", "\u{feff}bom", "null", "CON",
    String(repeating: "n", count: 200),
  ]

  /// Laws of `put` and `delete`.
  static let writingLaws: [Law] = [
    Law("put where nothing must be, once", as: "put_opts") { trial in
      let path = try trial.path("object")
      _ = try await trial.store.put(Buffer(utf8: "first"), to: path, if: .absent)
      try await trial.expectError("second create", \.isConditionFailed) {
        () throws(StorageError) in
        try await trial.store.put(Buffer(utf8: "second"), to: path, if: .absent)
      }
      try trial.expect(try await trial.text(at: "object"), equals: "first", "loser's bytes")
      try await trial.store.delete(path)
      _ = try await trial.store.put(Buffer(utf8: "third"), to: path, if: .absent)
      try trial.expect(try await trial.text(at: "object"), equals: "third", "after a delete")
    },

    Law("put replaces only the version it names", as: "put_opts") { trial in
      let path = try trial.path("object")
      let one = try await trial.store.put(Buffer(utf8: "1"), to: path, if: .absent)
      let two = try await trial.store.put(Buffer(utf8: "22"), to: path, if: .matches(one))
      try await trial.expectError("stale version", \.isConditionFailed) {
        () throws(StorageError) in
        try await trial.store.put(Buffer(utf8: "333"), to: path, if: .matches(one))
      }
      try trial.expect(try await trial.text(at: "object"), equals: "22", "loser's bytes")
      _ = try await trial.store.put(Buffer(utf8: "333"), to: path, if: .matches(two))
      try await trial.store.delete(path)
      try await trial.expectError("nothing there", \.isConditionFailed) {
        () throws(StorageError) in
        try await trial.store.put(Buffer(utf8: "4444"), to: path, if: .matches(two))
      }
      try await trial.expectAbsent("object", "after a put that failed")
    },

    Law("put without condition replaces") { trial in
      for text in ["long, long ago", "short", ""] {
        try await trial.put(text, at: "object")
        try trial.expect(try await trial.text(at: "object"), equals: text, "replaced")
      }
      try trial.expect(try await trial.list(), equals: ["object"], "leftovers")
    },

    Law("delete makes absent, and that is all", as: "put_get_delete_list") { trial in
      try trial.expect(try await trial.list(), equals: [], "at first")
      for name in ["a", "a.b", "d/a", "d/b"] { try await trial.put(name, at: name) }
      // A folder is no object; a disk knows that it is one.
      let folder = try trial.path("d")
      try await trial.expectError("get", { $0.isNotFound || $0.remedy == .changeInput }) {
        () throws(StorageError) in try await trial.store.get(folder, limit: 100)
      }
      try await trial.store.delete(trial.path("a"))
      try await trial.store.delete(trial.path("d/b"))
      try await trial.expectAbsent("a", "after its delete")
      try trial.expect(try await trial.list(), equals: ["a.b", "d/a"], "what is left")
      try await trial.store.delete(trial.path("a"))
      try await trial.store.delete(trial.path("no/such/place"))
      let paths = try ["a.b", "does_not_exist", "d/a"].map { try trial.path($0) }
      let answers = await trial.store.delete(paths)
      try trial.expect(answers.allSatisfy { $0 == nil }, "delete of many: \(answers)")
      try trial.expect(try await trial.list(), equals: [], "after the delete of many")
    },

    Law("odd names are names", as: "put_get_delete_list") { trial in
      for name in oddNames { try await trial.put(name, at: "dir \(name)/\(name)") }
      for name in oddNames {
        let text = try await trial.text(at: "dir \(name)/\(name)")
        try trial.expect(Array(text.utf8) == Array(name.utf8), "'\(name)' holds '\(text)'")
        let info = try await trial.store.head(trial.path("dir \(name)/\(name)"))
        try trial.expect(info.byteCount, equals: Int64(name.utf8.count), "'\(name)'")
      }
      try await trial.expectAbsent("dir HELLO/HELLO", "decoded")
      let listed = Set(try await trial.store.listAll(trial.root).map(\.path))
      let expected = Set(try oddNames.map { try trial.path("dir \($0)/\($0)") })
      try trial.expect(listed == expected, "listed names differ")
      let answers = await trial.store.delete(Array(expected))
      try trial.expect(answers.allSatisfy { $0 == nil }, "delete of many: \(answers)")
      try trial.expect(try await trial.list(), equals: [], "after all deletes")
    },

    Law("a copy is another object", as: "rename_and_copy") { trial in
      for isRename in [false, true] {
        try await trial.put("cats", at: "test1")
        try await trial.put("dogs", at: "test2")
        try await trial.copy("test1", "test2", if: .none)
        try await trial.expectText("test2", "cats", "copied")
        if isRename { try await trial.store.delete(trial.path("test1")) }
        try await trial.expectText("test1", isRename ? nil : "cats", "the source")
      }
    },

    Law("a copy where nothing must be, once", as: "copy_if_not_exists") { trial in
      try await trial.put("cats", at: "test1")
      try await trial.put("dogs", at: "not_exists_nested/test2")
      let error = await trial.error { () throws(StorageError) in
        try await trial.copy("test1", "not_exists_nested/test2", if: .absent)
      }
      try trial.expect(error?.isConditionFailed == true, "\(error as Any)")
      try await trial.expectText("not_exists_nested/test2", "dogs", "not copied")
      try await trial.store.delete(trial.path("not_exists_nested/test2"))
      try await trial.copy("test1", "not_exists_nested/test2", if: .absent)
      try await trial.store.delete(trial.path("test1"))
      try await trial.expectText("not_exists_nested/test2", "cats", "copied")
      try await trial.expectAbsent("test1", "after its delete")
    },

    Law("a copy of nothing is none", as: "copy_rename_nonexistent_object") { trial in
      try await trial.put("hello", at: "test2")
      for condition in [PutCondition.none, .absent] {
        let error = await trial.error { () throws(StorageError) in
          try await trial.copy("test1", "test2", if: condition)
        }
        try trial.expect(error?.isNotFound == true, "\(error as Any)")
      }
      try await trial.expectText("test2", "hello", "the target")
    },
  ]
}

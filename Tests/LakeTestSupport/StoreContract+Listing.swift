// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of `list`.
  static let listingLaws: [Law] = [
    Law("a listing is in the order of the bytes") { trial in
      // A directory's objects come where its name with a slash sorts, not where its name does.
      var names = [
        "a!", "a-", "a-b/x", "a.txt", "a/b", "a/b-", "a/c/d", "a/c0", "a0", "a=1/b", "b", "é",
        "z/z",
        "日/本", "\u{1F600}", "Z", "_",
      ]
      for index in names.indices.dropFirst() {
        names.swapAt(index, trial.random.int(in: 0..<index + 1))
      }
      for name in names { try await trial.put(name, at: name) }
      let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      try trial.expect(try await trial.list(), equals: expected, "order")
      let infos = try await trial.store.listAll(trial.root)
      for info in infos {
        try trial.expect(info, equals: try await trial.store.head(info.path), "head")
      }
    },

    Law("a prefix is one by components", as: "list_uses_directories_correctly") { trial in
      for name in ["a/b/c", "a/b/d/e", "a/bc", "a/b.c", "a/B/c", "a/c"] {
        try await trial.put(name, at: name)
      }
      try trial.expect(
        try await trial.list("a/b"), equals: ["a/b/c", "a/b/d/e"], "under a/b")
      try trial.expect(try await trial.list("a/b/c"), equals: [], "under an object")
      try trial.expect(try await trial.list("a/b."), equals: [], "under part of a name")
      try trial.expect(try await trial.list("a/b/d"), equals: ["a/b/d/e"], "under a/b/d")
      try trial.expect(try await trial.list("nowhere/at/all"), equals: [], "under nothing")
    },

    Law("listed paths are spelled as the prefix is") { trial in
      try await trial.put("x", at: "dir/object")
      let spelled = try ObjectPath(trial.root.text + "/")
      for prefix in [trial.root, spelled] {
        let found = try await trial.store.listAll(prefix)
        try trial.expect(
          found.map(\.path.text), equals: [trial.root.text + "/dir/object"], "spelling")
      }
    },

    Law("more objects than a page holds are listed", as: "list_paginated") { trial in
      // One page of S3 holds a thousand.
      let paths = try (0..<1100).map { try trial.path("p\($0 % 7)/o\($0)") }
      _ = try await mapConcurrently(paths, limit: 16) { path throws(StorageError) in
        try await trial.store.put(Buffer(utf8: "x"), to: path, if: .none)
      }
      let found = try await trial.store.listAll(trial.root).map(\.path)
      try trial.expect(found == paths.sorted(), "1100 objects, found \(found.count)")
      try trial.expect(try await trial.list("p3").count, equals: 157, "objects under p3")
      try trial.expect(try await trial.list("p"), equals: [], "under part of a name")
    },

    Law("the folders and objects of one level are told by a listing", as: "list_with_delimiter") {
      trial in
      for name in [
        "test_file", "mydb/wb/000/000/000.segment", "mydb/wb/000/000/001.segment",
        "mydb/wb/000/000/002.segment", "mydb/wb/001/001/000.segment", "mydb/wb/foo.json",
        "mydb/wbwbwb/111/222/333.segment", "mydb/data/whatevs",
      ] {
        try await trial.put("arbitrary data", at: name)
      }
      let level = try await trial.level("mydb/wb")
      try trial.expect(level.folders, equals: ["000", "001"], "folders of mydb/wb")
      try trial.expect(level.objects, equals: ["foo.json"], "objects of mydb/wb")
      for name in ["mydb/wb/000/000/001", "not_there"] {
        let level = try await trial.level(name)
        try trial.expect(level.folders + level.objects, equals: [], "level \(name)")
      }
      _ = await trial.store.delete(try await trial.store.listAll(trial.root).map(\.path))
      try trial.expect(try await trial.list(), equals: [], "after all deletes")
    },

    Law(
      "a listing that is broken off can be taken up behind where it was",
      as: "list_with_offset_exclusivity"
    ) { trial in
      let names = ["a", "b", "c", "d", "e"].map { "test_offset/file_\($0).txt" }
      for name in names { try await trial.put("test data", at: name) }
      for (index, name) in names.enumerated() {
        // A listing that is broken off behind an object, and taken up there.
        let offset = try trial.path(name)
        var before: [ObjectPath] = []
        for try await info in trial.store.list(trial.root) {
          before.append(info.path)
          if info.path == offset { break }
        }
        let after = try await trial.store.listAll(trial.root).map(\.path)
          .filter { $0 > offset }
        try trial.expect(before.count, equals: index + 1, "up to \(name)")
        try trial.expect(
          (before + after).map(\.name), equals: names.map { String($0.dropFirst(12)) },
          "each object once, around \(name)")
      }
    },

    Law("a listing goes on while objects come and go") { trial in
      for index in 0..<40 { try await trial.put("x", at: "stays/\(index)") }
      let churn = Task {
        for index in 0..<60 {
          try await trial.put("y", at: "comes/\(index)/object")
          try await trial.store.delete(trial.path("comes/\(index)/object"))
        }
      }
      for _ in 0..<30 {
        let found = try await trial.list()
        let stayed = found.filter { $0.hasPrefix("stays/") }
        try trial.expect(stayed.count, equals: 40, "objects that were there all the time")
        try trial.expect(
          found == found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "order")
      }
      try await churn.value
    },
  ]
}

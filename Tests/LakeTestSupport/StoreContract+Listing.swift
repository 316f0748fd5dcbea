// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of `list`.
  static let listingLaws: [Law] = [
    Law("a listing is in the order of the bytes") { subject in
      // A directory's objects come where its name with a slash sorts, not where its name does.
      var names = [
        "a!", "a-", "a-b/x", "a.txt", "a/b", "a/b-", "a/c/d", "a/c0", "a0", "a=1/b", "b", "é",
        "z/z",
        "日/本", "\u{1F600}", "Z", "_",
      ]
      for index in names.indices.dropFirst() {
        names.swapAt(index, subject.random.int(in: 0..<index + 1))
      }
      for name in names { try await subject.put(name, at: name) }
      let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      try subject.expect(try await subject.list(), equals: expected, "order")
      let infos = try await subject.store.listAll(subject.root)
      for info in infos {
        try subject.expect(info, equals: try await subject.store.head(info.path), "head")
      }
    },

    Law("a prefix is one by components") { subject in
      for name in ["a/b/c", "a/b/d/e", "a/bc", "a/b.c", "a/B/c", "a/c"] {
        try await subject.put(name, at: name)
      }
      try subject.expect(
        try await subject.list("a/b"), equals: ["a/b/c", "a/b/d/e"], "under a/b")
      try subject.expect(try await subject.list("a/b/c"), equals: [], "under an object")
      try subject.expect(try await subject.list("a/b/d"), equals: ["a/b/d/e"], "under a/b/d")
      try subject.expect(try await subject.list("nowhere/at/all"), equals: [], "under nothing")
    },

    Law("listed paths are spelled as the prefix is") { subject in
      try await subject.put("x", at: "dir/object")
      let spelled = try ObjectPath(subject.root.text + "/")
      for prefix in [subject.root, spelled] {
        let found = try await subject.store.listAll(prefix)
        try subject.expect(
          found.map(\.path.text), equals: [subject.root.text + "/dir/object"], "spelling")
      }
    },

    Law("more objects than a page holds are listed") { subject in
      let paths = try (0..<1100).map { try subject.path("p\($0 % 7)/o\($0)") }
      _ = try await mapConcurrently(paths, limit: 16) { path throws(StorageError) in
        try await subject.store.put(Buffer(utf8: "x"), to: path, if: .none)
      }
      let found = try await subject.store.listAll(subject.root).map(\.path)
      try subject.expect(found == paths.sorted(), "1100 objects, found \(found.count)")
      var taken = 0
      for try await _ in subject.store.list(subject.root) {
        taken += 1
        if taken == 3 { break }
      }
    },

    Law("a listing goes on while objects come and go") { subject in
      for index in 0..<40 { try await subject.put("x", at: "stays/\(index)") }
      let churn = Task {
        for index in 0..<60 {
          try await subject.put("y", at: "comes/\(index)/object")
          try await subject.store.delete(subject.path("comes/\(index)/object"))
        }
      }
      for _ in 0..<30 {
        let found = try await subject.list()
        let stayed = found.filter { $0.hasPrefix("stays/") }
        try subject.expect(stayed.count, equals: 40, "objects that were there all the time")
        try subject.expect(
          found == found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "order")
      }
      try await churn.value
    },
  ]
}

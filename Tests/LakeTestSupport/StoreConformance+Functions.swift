// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreConformance {
  /// The 18 functions by which Rust's `object_store` crate tests its stores, made anew for what
  /// stores promise here; each is called as it is there. Differences: a range behind the end is
  /// empty and no error, prefixes are whole components, and copies, renames, delimiters and offsets
  /// are made of what a store has.
  public static let functions: [Case] = objectFunctions + listingFunctions + partFunctions

  private static let objectFunctions: [Case] = [
    Case("put_get_delete_list") { trial in
      let (subject, store) = (trial.subject, trial.store)
      try subject.expect(try await subject.list(), equals: [], "at first")
      let path = try trial.path("test_dir/test_file.json")
      _ = try await store.put(Buffer(utf8: "arbitrary data"), to: path, if: .none)
      for prefix in [nil, "test_dir"] {
        try subject.expect(
          try await subject.list(prefix), equals: ["test_dir/test_file.json"], "listed")
      }
      try subject.expect(try await subject.list("something"), equals: [], "another prefix")
      for folder in ["test_dir", "test_dir/test"] {
        let error = await trial.error { () throws(StorageError) in
          _ = try await store.get(ObjectPath(subject.root.text + "/" + folder), limit: 100)
        }
        // A disk knows that it is a folder.
        try subject.expect(
          error?.isNotFound == true || error?.remedy == .changeInput, "\(folder): \(error as Any)")
      }
      for (range, expected) in [
        (3..<7, "itra"), (2..<100, "bitrary data"), (0..<1, "a"), (12..<14, "ta"),
        (200..<300, ""), (14..<20, ""),
      ] as [(Range<Int64>, String)] {
        let bytes = try await store.get(path, range: range)
        try subject.expect(
          String(decoding: bytes.array(), as: UTF8.self), equals: expected, "range \(range)")
      }
      try subject.expect(try await store.head(path).byteCount, equals: 14, "size")
      try await store.delete(path)
      try subject.expect(try await subject.list(), equals: [], "after the delete")
      try await subject.expectAbsent("test_dir/test_file.json", "after the delete")

      // Names that mean something elsewhere.
      let names = [
        "a/b%2Fc/foo.file", "🙀/😀.parquet", "%48%45%4C%4C%4F/foo.parquet",
        "🇦🇺/$shenanigans@@~.txt", "%Q.parquet", "foo bar/I contain spaces.parquet",
        "I'm a < & weird path", "empty",
      ]
      for name in names { try await subject.put(name == "empty" ? "" : name, at: name) }
      for name in names {
        try await trial.expectText(name, name == "empty" ? "" : name, name)
      }
      try await subject.expectAbsent("HELLO/foo.parquet", "decoded")
      try await subject.expectAbsent("a/b/c/foo.file", "decoded")
      try subject.expect(try await subject.list("a/b"), equals: [], "part of a name")
      try subject.expect(
        try await subject.list(),
        equals: names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "order")
      // Many at once, one of which is not there.
      let paths = try (names + ["does_not_exist"]).map { try trial.path($0) }
      let answers = await store.delete(paths)
      try subject.expect(answers.allSatisfy { $0 == nil }, "delete of many: \(answers)")
      try subject.expect(try await subject.list(), equals: [], "after the delete of many")
    },

    Case("put_get_attributes") { trial in
      let subject = trial.subject
      guard let server = trial.under.server else {
        return try subject.expect(
          !trial.under.capabilities.contains(.attributes), "no one to ask for attributes")
      }
      // What the store leaves beside the bytes: whose write it was, another for each.
      _ = try await trial.store.put(Buffer(utf8: "foo"), to: trial.path("whole"), if: .absent)
      let writer = try await trial.store.writer(to: trial.path("parts"), if: .absent)
      try await writer.append(Buffer([UInt8](repeating: 1, count: 11 << 20)))
      _ = try await writer.finish()
      _ = try await trial.store.put(Buffer(utf8: "foo"), to: trial.path("plain"), if: .none)
      let mark = "x-amz-meta-lake-write"
      let whole = try await server.attributes(of: trial.path("whole"))[mark]
      let parts = try await server.attributes(of: trial.path("parts"))[mark]
      let plain = try await server.attributes(of: trial.path("plain"))[mark]
      try subject.expect(
        whole != nil && parts != nil && whole != parts, "\(whole as Any), \(parts as Any)")
      try subject.expect(plain == nil, "a mark where there was no condition")
    },

    Case("get_opts") { trial in
      let (subject, store) = (trial.subject, trial.store)
      let path = try trial.path("test")
      let old = try await store.put(Buffer(utf8: "foo"), to: path, if: .none)
      try subject.expect(try await store.head(path).version, equals: old, "version")
      _ = try await store.get(path, range: 0..<9, of: old)
      try await subject.expectError("another version", \.isConditionFailed) {
        () throws(StorageError) in
        try await store.get(path, range: 0..<9, of: ObjectVersion(token: "invalid"))
      }
      let new = try await store.put(Buffer(utf8: "test"), to: path, if: .none)
      try subject.expect(old != new, "two objects of one version")
      let both = try await store.getWithVersion(path, range: 0..<9)
      try subject.expect(both.version, equals: new, "version read")
      try subject.expect(both.bytes.array() == Array("test".utf8), "bytes read")
      _ = try await store.get(path, range: 0..<9, of: new)
      for range in [0..<9, 0..<0, 2..<3] as [Range<Int64>] {
        try await subject.expectError("former version", \.isConditionFailed) {
          () throws(StorageError) in try await store.get(path, range: range, of: old)
        }
      }
    },

    Case("put_opts") { trial in
      let (subject, store) = (trial.subject, trial.store)
      let path = try trial.path("put_opts")
      let one = try await store.put(Buffer(utf8: "a"), to: path, if: .absent)
      func expectRefused(_ what: String, _ path: ObjectPath, _ condition: PutCondition) async throws
      {
        try await subject.expectError(what, \.isConditionFailed) { () throws(StorageError) in
          try await store.put(Buffer(utf8: "no"), to: path, if: condition)
        }
      }
      try await expectRefused("create twice", path, .absent)
      try await trial.expectText("put_opts", "a", "after a refusal")
      let two = try await store.put(Buffer(utf8: "cc"), to: path, if: .matches(one))
      try await expectRefused("former version", path, .matches(one))
      _ = try await store.put(Buffer(utf8: "eee"), to: path, if: .matches(two))
      try await trial.expectText("put_opts", "eee", "at last")
      try await expectRefused("nothing there", trial.path("nowhere"), .matches(two))
      try await trial.countTogether("RACE", workers: 5, increments: 10)
    },

    Case("get_nonexistent_object") { trial in
      for name in ["this_file_should_not_exist", "no/folder/either"] {
        try await trial.subject.expectAbsent(name, "never there")
        let error = await trial.error { () throws(StorageError) in
          _ = try await trial.store.getWithVersion(
            ObjectPath(trial.subject.root.text + "/" + name), range: 0..<1)
        }
        try trial.subject.expect(error?.isNotFound == true, "\(error as Any)")
      }
    },

    Case("rename_and_copy") { trial in
      let subject = trial.subject
      for isRename in [false, true] {
        try await subject.put("cats", at: "test1")
        try await subject.put("dogs", at: "test2")
        try await trial.copy("test1", "test2", if: .none)
        try await trial.expectText("test2", "cats", "copied")
        if isRename { try await trial.store.delete(trial.path("test1")) }
        try await trial.expectText("test1", isRename ? nil : "cats", "the source")
      }
    },

    Case("copy_if_not_exists") { trial in
      let subject = trial.subject
      try await subject.put("cats", at: "test1")
      try await subject.put("dogs", at: "not_exists_nested/test2")
      let error = await trial.error { () throws(StorageError) in
        try await trial.copy("test1", "not_exists_nested/test2", if: .absent)
      }
      try subject.expect(error?.isConditionFailed == true, "\(error as Any)")
      try await trial.expectText("not_exists_nested/test2", "dogs", "not copied")
      try await trial.store.delete(trial.path("not_exists_nested/test2"))
      try await trial.copy("test1", "not_exists_nested/test2", if: .absent)
      try await trial.store.delete(trial.path("test1"))
      try await trial.expectText("not_exists_nested/test2", "cats", "copied")
      try await subject.expectAbsent("test1", "after its delete")
    },

    Case("copy_rename_nonexistent_object") { trial in
      try await trial.subject.put("hello", at: "test2")
      for condition in [PutCondition.none, .absent] {
        let error = await trial.error { () throws(StorageError) in
          try await trial.copy("test1", "test2", if: condition)
        }
        try trial.subject.expect(error?.isNotFound == true, "\(error as Any)")
      }
      try await trial.expectText("test2", "hello", "the target")
    },

    Case("signing") { trial in
      let subject = trial.subject
      guard let server = trial.under.server else {
        return try subject.expect(
          !trial.under.capabilities.contains(.signedAddresses), "no one to sign for")
      }
      try await subject.put("signed for", at: "dir/an object+%.txt")
      let path = try trial.path("dir/an object+%.txt")
      let read = try await server.readSigned(path, isChanged: false)
      try subject.expect(
        read.status == 200 && read.bytes == Array("signed for".utf8), "\(read.status)")
      let changed = try await server.readSigned(path, isChanged: true).status
      let isChecked = trial.under.capabilities.contains(.checksSignatures)
      try subject.expect(changed, equals: isChecked ? 403 : 200, "a changed address")
    },

    Case("tagging") { trial in
      let subject = trial.subject
      guard let server = trial.under.server else {
        return try subject.expect(!trial.under.capabilities.contains(.tags), "no one to tag")
      }
      let path = try trial.path("tagged")
      let version = try await trial.store.put(Buffer(utf8: "text"), to: path, if: .absent)
      let isTagged = try await server.tag(path, name: "team", value: "flights")
      try subject.expect(
        isTagged, equals: trial.under.capabilities.contains(.tags), "tags")
      // What others say of an object changes nothing of it.
      try subject.expect(try await trial.store.head(path).version, equals: version, "version")
      try await trial.expectText("tagged", "text", "after tagging")
      guard isTagged else { return }
      let tags = try await server.tags(of: path)
      try subject.expect(tags.contains("flights"), "tags: \(tags)")
      _ = try await trial.store.put(Buffer(utf8: "new"), to: path, if: .matches(version))
    },
  ]
}

extension StoreTrial {
  /// What `work` throws.
  func error(_ work: () async throws(StorageError) -> Void) async -> StorageError? {
    do throws(StorageError) {
      try await work()
      return nil
    } catch {
      return error
    }
  }

  func copy(
    _ source: String, _ target: String, if condition: PutCondition
  ) async throws(StorageError) {
    let root = subject.root.text
    let bytes = try await store.get(ObjectPath(root + "/" + source), limit: 1 << 20)
    _ = try await store.put(bytes, to: ObjectPath(root + "/" + target), if: condition)
  }

  /// Has `workers` add to one number by replacing its object, each `increments` times.
  func countTogether(_ name: String, workers: Int, increments: Int) async throws {
    let path = try path(name)
    let store = self.store
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<workers {
        group.addTask {
          for _ in 0..<increments {
            // Each round someone gets on, so no one is beaten more often than others count.
            for round in 0... where try await Self.increment(path, store) {
              if round > workers * increments {
                throw StoreContract.Violation(description: "no one gets on")
              }
              break
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try await expectText(name, "\(workers * increments)", "counted together")
  }

  /// False if someone was faster, or the store has no time.
  private static func increment(
    _ path: ObjectPath, _ store: any ObjectStore
  ) async throws(StorageError) -> Bool {
    var number = 0
    var condition = PutCondition.absent
    if try await store.headIfPresent(path) != nil {
      let found = try await store.getWithVersion(path, range: 0..<100)
      number = Int(String(decoding: found.bytes.array(), as: UTF8.self)) ?? -1000
      condition = .matches(found.version)
    }
    do throws(StorageError) {
      _ = try await store.put(Buffer(utf8: "\(number + 1)"), to: path, if: condition)
      return true
    } catch {
      switch error {
      case .conditionFailed, .unavailable: return false
      default: throw error
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreConformance {
  static let listingFunctions: [Case] = [
    Case("list_uses_directories_correctly") { trial in
      let subject = trial.subject
      try await subject.put("x", at: "foo/x.json")
      try await subject.put("y", at: "foo.bar/y.json")
      try subject.expect(try await subject.list("foo"), equals: ["foo/x.json"], "under foo")
      for name in ["foo/x.json", "foo/x"] {
        try subject.expect(try await subject.list(name), equals: [], "under \(name)")
      }
    },

    Case("list_with_delimiter") { trial in
      let subject = trial.subject
      for name in [
        "test_file", "mydb/wb/000/000/000.segment", "mydb/wb/000/000/001.segment",
        "mydb/wb/000/000/002.segment", "mydb/wb/001/001/000.segment", "mydb/wb/foo.json",
        "mydb/wbwbwb/111/222/333.segment", "mydb/data/whatevs",
      ] {
        try await subject.put("arbitrary data", at: name)
      }
      let level = try await trial.level("mydb/wb")
      try subject.expect(level.folders, equals: ["000", "001"], "folders of mydb/wb")
      try subject.expect(level.objects, equals: ["foo.json"], "objects of mydb/wb")
      for name in ["mydb/wb/000/000/001", "not_there"] {
        let level = try await trial.level(name)
        try subject.expect(level.folders + level.objects, equals: [], "level \(name)")
      }
      _ = await trial.store.delete(try await trial.store.listAll(subject.root).map(\.path))
      try subject.expect(try await subject.list(), equals: [], "after all deletes")
    },

    Case("list_paginated") { trial in
      let subject = trial.subject
      try subject.expect(try await subject.list(), equals: [], "at first")
      // One page of S3 holds a thousand.
      let many = try (0..<1004).map { try trial.path("many/\($0 % 3)/\($0)") }
      _ = try await mapConcurrently(many, limit: 16) { path throws(StorageError) in
        try await subject.store.put(Buffer([1]), to: path, if: .none)
      }
      let names = [
        "fob/banana", "fongle/banana", "foo/bar", "foo/bax", "foo/baz/banana", "foo/baz/bar",
      ]
      for name in names { try await subject.put("1", at: name) }
      let all = try await subject.list()
      try subject.expect(all.count, equals: 1010, "objects of two pages")
      try subject.expect(Set(all).count, equals: 1010, "objects of two pages, each once")
      try subject.expect(try await subject.list("foo"), equals: Array(names[2...]), "under foo")
      try subject.expect(try await subject.list("fo"), equals: [], "under part of a name")
      let level = try await trial.level("foo")
      try subject.expect(level.folders, equals: ["baz"], "folders of foo")
      try subject.expect(level.objects, equals: ["bar", "bax"], "objects of foo")
    },

    Case("list_with_offset_exclusivity") { trial in
      let subject = trial.subject
      let names = ["a", "b", "c", "d", "e"].map { "test_offset/file_\($0).txt" }
      for name in names { try await subject.put("test data", at: name) }
      for (index, name) in names.enumerated() {
        // A listing that is broken off behind an object, and taken up there.
        let offset = try trial.path(name)
        var before: [ObjectPath] = []
        for try await info in subject.store.list(subject.root) {
          before.append(info.path)
          if info.path == offset { break }
        }
        let after = try await subject.store.listAll(subject.root).map(\.path)
          .filter { $0 > offset }
        try subject.expect(before.count, equals: index + 1, "up to \(name)")
        try subject.expect(
          (before + after).map(\.name), equals: names.map { String($0.dropFirst(12)) },
          "each object once, around \(name)")
      }
    },
  ]

  static let partFunctions: [Case] = [
    Case("stream_get") { trial in
      let (subject, store) = (trial.subject, trial.store)
      let name = "test_dir/test_upload_file.txt"
      // In parts, of which nothing is seen before the end; then over what is there.
      for (count, size) in [(3, 5 << 20), (4, 3_200_000)] {
        let chunks = (0..<count).map { _ in trial.chunk(size) }
        let writer = try await store.writer(to: trial.path(name), if: .none)
        for chunk in chunks { try await writer.append(chunk) }
        if size == 5 << 20 { try await subject.expectAbsent(name, "before the end") }
        _ = try await writer.finish()
        try await trial.expectBytes(name, chunks)
      }
      let mixed = try await store.writer(to: trial.path("mixed"), if: .none)
      for part in [[0, 0], [1, 2, 3], [4, 5, 6, 7]] as [[UInt8]] {
        try await mixed.append(Buffer(part))
      }
      try subject.expect(try await mixed.finish().byteCount, equals: 9, "small parts")
      try await trial.expectBytes("mixed", [Buffer([0, 0, 1, 2, 3, 4, 5, 6, 7])])
      for isBegun in [false, true] {
        let writer = try await store.writer(to: trial.path("aborted"), if: .none)
        if isBegun { try await writer.append(trial.chunk(11 << 20)) }
        await writer.abort()
        try await subject.expectAbsent("aborted", "after an abort")
      }
    },

    Case("multipart") { trial in
      let chunks = [trial.chunk(5 << 20), trial.chunk(5 << 20), trial.chunk(1)]
      let writer = try await trial.store.writer(to: trial.path("parts"), if: .absent)
      for chunk in chunks { try await writer.append(chunk) }
      let info = try await writer.finish()
      try trial.subject.expect(info.byteCount, equals: 10 << 20 | 1, "size")
      try await trial.expectBytes("parts", chunks)
      let nothing = try await trial.store.writer(to: trial.path("nothing"), if: .absent)
      try trial.subject.expect(try await nothing.finish().byteCount, equals: 0, "no parts")
      try await trial.expectBytes("nothing", [])
    },

    Case("multipart_race_condition") { trial in
      let subject = trial.subject
      for condition in [PutCondition.none, .absent] {
        let name = "raced \(condition)"
        let one = try await trial.store.writer(to: trial.path(name), if: condition)
        let two = try await trial.store.writer(to: trial.path(name), if: condition)
        let ones = (0..<2).map { _ in trial.chunk(5_300_002) }
        let twos = (0..<2).map { _ in trial.chunk(5_300_002) }
        for index in 0..<2 {
          let isFirst = index % 2 == 0
          try await (isFirst ? one : two).append((isFirst ? ones : twos)[index])
          try await (isFirst ? two : one).append((isFirst ? twos : ones)[index])
        }
        _ = try await one.finish()
        let error = await trial.error { () throws(StorageError) in _ = try await two.finish() }
        if condition == .none {
          try subject.expect(error == nil, "the last: \(error as Any)")
          try await trial.expectBytes(name, twos)
        } else {
          try subject.expect(error?.isConditionFailed == true, "the last: \(error as Any)")
          try await trial.expectBytes(name, ones)
        }
        await two.abort()
      }
    },

    Case("multipart_out_of_order") { trial in
      // The first part that is sent is lost, and comes again when others are there.
      let number = 2
      let script = WriteScript { trial.settles && $0 == number ? .loseRequest : nil }
      let chunks = (0..<3).map { _ in trial.chunk(5 << 20) }
      let writer = try await trial.under.lossy(script).writer(to: trial.path("parts"), if: .none)
      for chunk in chunks { try await writer.append(chunk) }
      _ = try await writer.finish()
      try await trial.expectBytes("parts", chunks)
    },
  ]
}

extension StoreTrial {
  /// Random bytes, cheaply.
  func chunk(_ byteCount: Int) -> Buffer {
    var bytes = [UInt8](repeating: UInt8(subject.random.int(in: 0..<256)), count: byteCount)
    for _ in 0..<100 {
      bytes[subject.random.int(in: 0..<byteCount)] = UInt8(subject.random.int(in: 0..<256))
    }
    return Buffer(bytes)
  }

  func expectBytes(_ name: String, _ parts: [Buffer]) async throws {
    let count = parts.reduce(0) { $0 + $1.count }
    let found = try await store.get(path(name), limit: 1 << 30)
    try subject.expect(found.count, equals: count, "bytes of \(name)")
    var start = 0
    for (index, part) in parts.enumerated() {
      try subject.expect(
        found.slice(start..<start + part.count) == part, "part \(index) of \(name) differs")
      start += part.count
    }
  }

  /// The folders and objects that lie right in `name`.
  func level(_ name: String) async throws -> (folders: [String], objects: [String]) {
    let prefix = try path(name)
    var (folders, objects): ([String], [String]) = ([], [])
    for try await info in store.list(prefix) {
      let way = prefix.relativePath(of: info.path) ?? ""
      if let slash = way.firstIndex(of: "/") {
        let folder = String(way[..<slash])
        if folders.last != folder { folders.append(folder) }
      } else {
        objects.append(way)
      }
    }
    return (folders, objects)
  }
}

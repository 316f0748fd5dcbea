// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of `get` and `head`.
  static let readingLaws: [Law] = [
    Law("what is put is got back") { subject in
      for count in [0, 1, 63, 4096, 300_000] {
        let bytes = Buffer(subject.random.bytes(count))
        let path = try subject.path("object-\(count)")
        _ = try await subject.store.put(bytes, to: path, if: .none)
        let got = try await subject.store.get(path, range: 0..<Int64(count), of: nil)
        try subject.expect(got == bytes, "\(count) bytes came back changed")
        let whole = try await subject.store.get(path, limit: Int64(count))
        try subject.expect(whole == bytes, "\(count) bytes came back changed, as a whole")
      }
    },

    Law("a range is clamped to the object") { subject in
      let bytes = subject.random.bytes(1000)
      let path = try subject.path("object")
      _ = try await subject.store.put(Buffer(bytes), to: path, if: .none)
      let edges: [Int64] = [0, 1, 2, 499, 500, 998, 999, 1000, 1001, 5000, .max - 1, .max]
      for start in edges {
        for end in edges where start <= end {
          let got = try await subject.store.get(path, range: start..<end, of: nil)
          let from = Int(min(start, 1000))
          let expected = Array(bytes[from..<Int(min(end, 1000))])
          try subject.expect(got.array() == expected, "range \(start)..<\(end)")
        }
      }
    },

    Law("several ranges are as each by itself") { subject in
      let bytes = Buffer(subject.random.bytes(100_000))
      let path = try subject.path("object")
      let version = try await subject.store.put(bytes, to: path, if: .none)
      for gapLimit in [Int64(0), 100, 100_000] {
        let ranges = (0..<40).map { _ -> Range<Int64> in
          let start = Int64(subject.random.int(in: 0..<110_000))
          return start..<start + Int64(subject.random.int(in: 0..<5000))
        }
        let got = try await subject.store.get(
          path, ranges: ranges, of: version, gapLimit: gapLimit, byteCountLimit: 20_000)
        for (range, part) in zip(ranges, got) {
          let alone = try await subject.store.get(path, range: range, of: nil)
          try subject.expect(part == alone, "range \(range), gaps of \(gapLimit)")
        }
      }
    },

    Law("what is got does not change with the object") { subject in
      let path = try subject.path("object")
      try await subject.put(String(repeating: "a", count: 100_000), at: "object")
      let before = try await subject.store.get(path, range: 0..<100_000, of: nil)
      try await subject.put(String(repeating: "b", count: 100_000), at: "object")
      try await subject.store.delete(path)
      try subject.expect(
        before.array().allSatisfy { $0 == UInt8(ascii: "a") }, "bytes changed in hand")
    },

    Law("a version is got or nothing") { subject in
      let path = try subject.path("object")
      let old = try await subject.store.put(Buffer(utf8: "old"), to: path, if: .none)
      let got = try await subject.store.get(path, range: 0..<9, of: old)
      try subject.expect(got == Buffer(utf8: "old"), "the version that is there")
      let new = try await subject.store.put(Buffer(utf8: "newer"), to: path, if: .none)
      try subject.expect(old != new, "two objects with one version")
      try await subject.expectError("get of an old version", \.isConditionFailed) {
        () throws(StorageError) in
        try await subject.store.get(path, range: 0..<9, of: old)
      }
      _ = try await subject.store.get(path, range: 0..<9, of: new)
    },

    Law("head tells what get and put do") { subject in
      let path = try subject.path("a/object")
      let version = try await subject.store.put(Buffer(utf8: "twelve bytes"), to: path, if: .none)
      let info = try await subject.store.head(path)
      try subject.expect(info.path, equals: path, "path")
      try subject.expect(info.byteCount, equals: 12, "size")
      try subject.expect(info.version, equals: version, "version")
      let listed = try await subject.store.listAll(subject.root)
      try subject.expect(listed, equals: [info], "listing")
    },

    Law("what is absent is not found") { subject in
      try await subject.expectAbsent("never", "at first")
      try await subject.expectAbsent("never/there", "in no directory")
      try await subject.put("x", at: "here")
      try await subject.expectAbsent("her", "beside an object with a longer name")
    },

    Law("more than the limit is not taken") { subject in
      let path = try subject.path("object")
      try await subject.put("0123456789", at: "object")
      try await subject.expectError("ten bytes, limit nine", { $0.remedy == .changeInput }) {
        () throws(StorageError) in
        try await subject.store.get(path, limit: 9)
      }
      for limit in [Int64(10), 11, .max] {
        let bytes = try await subject.store.get(path, limit: limit)
        try subject.expect(bytes.count, equals: 10, "limit \(limit)")
      }
    },

    Law("who was cancelled asks for nothing") { subject in
      let path = try subject.path("object")
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await subject.expectError("put", { $0 == .cancelled(path: path) }) {
          () throws(StorageError) in
          try await subject.store.put(Buffer(utf8: "x"), to: path, if: .none)
        }
        try await subject.expectError("get", { $0 == .cancelled(path: path) }) {
          () throws(StorageError) in
          try await subject.store.get(path, range: 0..<1, of: nil)
        }
      }
      try await task.value
      try await subject.expectAbsent("object", "after a cancelled put")
    },
  ]
}

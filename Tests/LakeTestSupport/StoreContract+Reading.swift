// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of `get` and `head`.
  static let readingLaws: [Law] = [
    Law("what is put is got back") { trial in
      for count in [0, 1, 63, 4096, 300_000] {
        let bytes = Buffer(trial.random.bytes(count))
        let path = try trial.path("object-\(count)")
        _ = try await trial.store.put(bytes, to: path, if: .none)
        let got = try await trial.store.get(path, range: 0..<Int64(count), of: nil)
        try trial.expect(got == bytes, "\(count) bytes came back changed")
        let whole = try await trial.store.get(path, limit: Int64(count))
        try trial.expect(whole == bytes, "\(count) bytes came back changed, as a whole")
      }
    },

    Law("a range is clamped to the object", as: "put_get_delete_list") { trial in
      let bytes = trial.random.bytes(1000)
      let path = try trial.path("object")
      _ = try await trial.store.put(Buffer(bytes), to: path, if: .none)
      let edges: [Int64] = [0, 1, 2, 499, 500, 998, 999, 1000, 1001, 5000, .max - 1, .max]
      for start in edges {
        for end in edges where start <= end {
          let got = try await trial.store.get(path, range: start..<end, of: nil)
          let from = Int(min(start, 1000))
          let expected = Array(bytes[from..<Int(min(end, 1000))])
          try trial.expect(got.array() == expected, "range \(start)..<\(end)")
        }
      }
    },

    Law("several ranges are as each by itself") { trial in
      let bytes = Buffer(trial.random.bytes(100_000))
      let path = try trial.path("object")
      let version = try await trial.store.put(bytes, to: path, if: .none)
      for gapLimit in [Int64(0), 100, 100_000] {
        let ranges = (0..<40).map { _ -> Range<Int64> in
          let start = Int64(trial.random.int(in: 0..<110_000))
          return start..<start + Int64(trial.random.int(in: 0..<5000))
        }
        let got = try await trial.store.get(
          path, ranges: ranges, of: version, gapLimit: gapLimit, byteCountLimit: 20_000)
        for (range, part) in zip(ranges, got) {
          let alone = try await trial.store.get(path, range: range, of: nil)
          try trial.expect(part == alone, "range \(range), gaps of \(gapLimit)")
        }
      }
    },

    Law("what is got does not change with the object") { trial in
      let path = try trial.path("object")
      try await trial.put(String(repeating: "a", count: 100_000), at: "object")
      let before = try await trial.store.get(path, range: 0..<100_000, of: nil)
      try await trial.put(String(repeating: "b", count: 100_000), at: "object")
      try await trial.store.delete(path)
      try trial.expect(
        before.array().allSatisfy { $0 == UInt8(ascii: "a") }, "bytes changed in hand")
    },

    Law("a version is got or nothing", as: "get_opts") { trial in
      let path = try trial.path("object")
      let old = try await trial.store.put(Buffer(utf8: "old"), to: path, if: .none)
      let got = try await trial.store.get(path, range: 0..<9, of: old)
      try trial.expect(got == Buffer(utf8: "old"), "the version that is there")
      let new = try await trial.store.put(Buffer(utf8: "newer"), to: path, if: .none)
      try trial.expect(old != new, "two objects with one version")
      _ = try await trial.store.get(path, range: 0..<9, of: new)
      for range in [0..<9, 0..<0, 2..<3] as [Range<Int64>] {
        for gone in [old, ObjectVersion(token: "invalid")] {
          try await trial.expectError("\(range) of \(gone)", \.isConditionFailed) {
            () throws(StorageError) in
            try await trial.store.get(path, range: range, of: gone)
          }
        }
      }
      let both = try await trial.store.getWithVersion(path, range: 0..<9)
      try trial.expect(both.version, equals: new, "version read with the bytes")
      try trial.expect(both.bytes == Buffer(utf8: "newer"), "bytes read with their version")
    },

    Law("head tells what get and put do") { trial in
      let path = try trial.path("a/object")
      let version = try await trial.store.put(Buffer(utf8: "twelve bytes"), to: path, if: .none)
      let info = try await trial.store.head(path)
      try trial.expect(info.path, equals: path, "path")
      try trial.expect(info.byteCount, equals: 12, "size")
      try trial.expect(info.version, equals: version, "version")
      let listed = try await trial.store.listAll(trial.root)
      try trial.expect(listed, equals: [info], "listing")
    },

    Law("what is absent is not found", as: "get_nonexistent_object") { trial in
      try await trial.expectAbsent("never", "at first")
      try await trial.expectAbsent("never/there", "in no directory")
      try await trial.put("x", at: "here")
      try await trial.expectAbsent("her", "beside an object with a longer name")
      for name in ["never", "never/there", "her"] {
        let path = try trial.path(name)
        try await trial.expectError("get with version", \.isNotFound) { () throws(StorageError) in
          try await trial.store.getWithVersion(path, range: 0..<1)
        }
      }
    },

    Law("more than the limit is not taken") { trial in
      let path = try trial.path("object")
      try await trial.put("0123456789", at: "object")
      try await trial.expectError("ten bytes, limit nine", { $0.remedy == .changeInput }) {
        () throws(StorageError) in
        try await trial.store.get(path, limit: 9)
      }
      for limit in [Int64(10), 11, .max] {
        let bytes = try await trial.store.get(path, limit: limit)
        try trial.expect(bytes.count, equals: 10, "limit \(limit)")
      }
    },

    Law("who was cancelled asks for nothing") { trial in
      let path = try trial.path("object")
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await trial.expectError("put", { $0 == .cancelled(path: path) }) {
          () throws(StorageError) in
          try await trial.store.put(Buffer(utf8: "x"), to: path, if: .none)
        }
        try await trial.expectError("get", { $0 == .cancelled(path: path) }) {
          () throws(StorageError) in
          try await trial.store.get(path, range: 0..<1, of: nil)
        }
      }
      try await task.value
      try await trial.expectAbsent("object", "after a cancelled put")
    },
  ]
}

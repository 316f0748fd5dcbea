// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// Laws of writers, who write one object in many steps.
  static let writerLaws: [Law] = [
    Law("a writer's parts are nothing until its end", as: "stream_get") { trial in
      let path = try trial.path("dir/object")
      let writer = try await trial.store.writer(to: path, if: .absent)
      var expected: [UInt8] = []
      for count in [1, 0, 300_000, 7, 262_144, 1_000_000, 3] {
        let part = trial.random.bytes(count)
        try await writer.append(Buffer(part))
        expected += part
        try await trial.expectAbsent("dir/object", "before the end")
      }
      let info = try await writer.finish()
      try trial.expect(info.path, equals: path, "path")
      try trial.expect(info.byteCount, equals: Int64(expected.count), "size")
      let head = try await trial.store.head(path)
      try trial.expect(head.version, equals: info.version, "version by head")
      // A store may know the moment of a write only by when it answered.
      let apart = head.modified.since(info.modified)
      try trial.expect(apart > .seconds(-60) && apart < .seconds(60), "\(apart) apart")
      let got = try await trial.store.get(path, limit: 1 << 30)
      try trial.expect(got.array() == expected, "the parts came back changed")
      await writer.abort()
      try trial.expect(try await trial.list(), equals: ["dir/object"], "after a late abort")
    },

    Law("a writer of nothing makes an empty object", as: "multipart") { trial in
      let path = try trial.path("empty")
      let info = try await trial.store.writer(to: path, if: .none).finish()
      try trial.expect(info.byteCount, equals: 0, "size")
      try trial.expect(try await trial.text(at: "empty"), equals: "", "bytes")
    },

    Law("an aborted or forgotten writer leaves nothing", as: "stream_get") { trial in
      // The more are in parts of which the first are sent.
      for (byteCount, isAborted) in [
        (0, true), (500_000, true), (500_000, false), (11 << 20, true), (11 << 20, false),
      ] {
        let writer = try await trial.store.writer(to: trial.path("gone"), if: .absent)
        if byteCount > 0 { try await writer.append(trial.chunk(byteCount)) }
        if isAborted { await writer.abort() }
      }
      try await trial.expectAbsent("gone", "after an abort")
      _ = try await trial.store.put(.empty, to: trial.path("gone"), if: .absent)
    },

    Law("a writer's condition holds at its end") { trial in
      let path = try trial.path("object")
      let late = try await trial.store.writer(to: path, if: .absent)
      try await late.append(Buffer(utf8: "late"))
      let version = try await trial.store.put(Buffer(utf8: "early"), to: path, if: .absent)
      try await trial.expectError("late create", \.isConditionFailed) {
        () throws(StorageError) in try await late.finish()
      }
      try trial.expect(try await trial.text(at: "object"), equals: "early", "loser's bytes")

      let replacing = try await trial.store.writer(to: path, if: .matches(version))
      try await replacing.append(Buffer(utf8: "replaced"))
      _ = try await replacing.finish()
      let stale = try await trial.store.writer(to: path, if: .matches(version))
      try await trial.expectError("stale replacement", \.isConditionFailed) {
        () throws(StorageError) in try await stale.finish()
      }
      try trial.expect(try await trial.text(at: "object"), equals: "replaced", "bytes")
      try trial.expect(try await trial.list(), equals: ["object"], "leftovers")
    },

    Law("a large object is written and read in parts", as: "multipart") { trial in
      // Over what is there, which stays until the end.
      let path = try trial.path("large")
      try await trial.put("small", at: "large")
      let writer = try await trial.store.writer(to: path, if: .none)
      let block = Buffer(trial.random.bytes(1 << 20))
      var written: Int64 = 0
      while written < 40 << 20 {
        let start = trial.random.int(in: 0..<(1 << 20) - 1)
        let part = block.slice(start..<1 << 20)
        try await writer.append(part)
        written += Int64(part.count)
        let mark = Buffer(utf8: "at \(written);")
        try await writer.append(mark)
        written += Int64(mark.count)
      }
      try trial.expect(try await trial.text(at: "large"), equals: "small", "before the end")
      let info = try await writer.finish()
      try trial.expect(info.byteCount, equals: written, "size")
      let tail = try await trial.store.get(path, range: written - 12..<written, of: info.version)
      let text = String(decoding: tail.array(), as: UTF8.self)
      let position = written - Int64("at 00000000;".utf8.count)
      try trial.expect(text, equals: "at \(position);", "the last bytes")
      let whole = try await trial.store.get(path, range: 0..<written, of: nil)
      try trial.expect(Int64(whole.count), equals: written, "bytes read")
      let edge = try await trial.store.get(path, range: 0..<64, of: nil)
      try trial.expect(whole.slice(0..<64) == edge, "the first bytes")
    },

    Law(
      "of two objects in parts the last counts, or the first where nothing must be",
      as: "multipart_race_condition"
    ) { trial in
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
          try trial.expect(error == nil, "the last: \(error as Any)")
          try await trial.expectBytes(name, twos)
        } else {
          try trial.expect(error?.isConditionFailed == true, "the last: \(error as Any)")
          try await trial.expectBytes(name, ones)
        }
        await two.abort()
      }
    },
  ]
}

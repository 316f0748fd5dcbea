// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

extension StoreContract {
  /// Laws of what many do at once.
  static let racingLaws: [Law] = [
    Law("of concurrent creates exactly one wins") { subject in
      for round in 0..<20 {
        let path = try subject.path("round-\(round)/v1.metadata.json")
        let winners = try await race(16) { index in
          let bytes = Buffer(utf8: "writer \(index) " + String(repeating: "x", count: index * 999))
          return try await isWinner { () throws(StorageError) in
            if index % 2 == 0 {
              _ = try await subject.store.put(bytes, to: path, if: .absent)
            } else {
              let writer = try await subject.store.writer(to: path, if: .absent)
              try await writer.append(bytes)
              _ = try await writer.finish()
            }
          }
        }
        try subject.expect(winners.count, equals: 1, "winners of round \(round)")
        let text = try await subject.text(at: "round-\(round)/v1.metadata.json")
        try subject.expect(
          text.hasPrefix("writer \(winners[0]) "), "the winner is \(winners[0]), not \(text)")
      }
    },

    Law("of concurrent replacements of one version exactly one wins") { subject in
      let path = try subject.path("object")
      var version = try await subject.store.put(.empty, to: path, if: .absent)
      for round in 1..<20 {
        let expected = version
        let winners = try await race(8) { index in
          let bytes = Buffer([UInt8](repeating: UInt8(index), count: round * 10 + index))
          return try await isWinner { () throws(StorageError) in
            _ = try await subject.store.put(bytes, to: path, if: .matches(expected))
          }
        }
        try subject.expect(winners.count, equals: 1, "winners of round \(round)")
        let info = try await subject.store.head(path)
        try subject.expect(info.byteCount, equals: Int64(round * 10 + winners[0]), "winner's bytes")
        version = info.version
      }
    },

    Law("a chain of creates loses no link") { subject in
      // What a commit does: find the newest version, make the next one, try again if beaten.
      let owners = try await mapInTasks(8) { writer in
        var mine: [Int] = []
        var next = 1
        while mine.count < 10 {
          let path = try subject.path("v\(next)")
          if try await isWinner({ () throws(StorageError) in
            _ = try await subject.store.put(Buffer(utf8: "\(writer)"), to: path, if: .absent)
          }) {
            mine.append(next)
          }
          next += 1
        }
        return mine
      }
      let links = owners.flatMap(\.self).sorted()
      try subject.expect(links, equals: Array(1...80), "links of the chain")
      for (writer, mine) in owners.enumerated() {
        for link in mine {
          try subject.expect(try await subject.text(at: "v\(link)"), equals: "\(writer)", "owner")
        }
      }
    },

    Law("a reader never sees part of a write") { subject in
      let path = try subject.path("object")
      _ = try await subject.store.put(Buffer([0]), to: path, if: .none)
      let isDone = Mutex(false)
      let writing = Task {
        defer { isDone.withLock { $0 = true } }
        for fill in 1..<UInt8(60) {
          let bytes = Buffer([UInt8](repeating: fill, count: Int(fill) * 5000))
          _ = try await subject.store.put(bytes, to: path, if: .none)
        }
      }
      var last: UInt8 = 0
      while !isDone.withLock(\.self) {
        let bytes = try await subject.store.get(path, range: 0..<Int64.max, of: nil).array()
        let fill = bytes.first ?? 255
        try subject.expect(bytes.allSatisfy { $0 == fill }, "bytes of two objects")
        try subject.expect(bytes.count == max(1, Int(fill) * 5000), "part of an object")
        try subject.expect(fill >= last, "an older object after a newer one")
        last = fill
        await Task.yield()
      }
      try await writing.value
    },
  ]

  /// The numbers of those who won.
  private static func race(
    _ count: Int, _ run: @escaping @Sendable (Int) async throws -> Bool
  ) async throws -> [Int] {
    let won = try await mapInTasks(count, run)
    return won.indices.filter { won[$0] }
  }

  private static func mapInTasks<T: Sendable>(
    _ count: Int, _ run: @escaping @Sendable (Int) async throws -> T
  ) async throws -> [T] {
    try await withThrowingTaskGroup(of: (Int, T).self) { group in
      for index in 0..<count {
        group.addTask { (index, try await run(index)) }
      }
      var found: [Int: T] = [:]
      for try await (index, value) in group { found[index] = value }
      return (0..<count).compactMap { found[$0] }
    }
  }

  /// False if the condition did not hold; any other error is one of the store.
  private static func isWinner(
    _ write: () async throws(StorageError) -> Void
  ) async throws -> Bool {
    do throws(StorageError) {
      try await write()
      return true
    } catch .conditionFailed {
      return false
    }
  }
}

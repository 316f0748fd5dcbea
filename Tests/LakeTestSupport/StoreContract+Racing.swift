// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

extension StoreContract {
  /// Laws of what many do at once.
  static let racingLaws: [Law] = [
    Law("of concurrent creates exactly one wins") { trial in
      for round in 0..<20 {
        let path = try trial.path("round-\(round)/v1.metadata.json")
        let winners = try await race(16) { index in
          let bytes = Buffer(utf8: "writer \(index) " + String(repeating: "x", count: index * 999))
          return try await isWinner { () throws(StorageError) in
            if index % 2 == 0 {
              _ = try await trial.store.put(bytes, to: path, if: .absent)
            } else {
              let writer = try await trial.store.writer(to: path, if: .absent)
              try await writer.append(bytes)
              _ = try await writer.finish()
            }
          }
        }
        try trial.expect(winners.count, equals: 1, "winners of round \(round)")
        let text = try await trial.text(at: "round-\(round)/v1.metadata.json")
        try trial.expect(
          text.hasPrefix("writer \(winners[0]) "), "the winner is \(winners[0]), not \(text)")
      }
    },

    Law("of concurrent replacements of one version exactly one wins") { trial in
      let path = try trial.path("object")
      var version = try await trial.store.put(.empty, to: path, if: .absent)
      for round in 1..<20 {
        let expected = version
        let winners = try await race(8) { index in
          let bytes = Buffer([UInt8](repeating: UInt8(index), count: round * 10 + index))
          return try await isWinner { () throws(StorageError) in
            _ = try await trial.store.put(bytes, to: path, if: .matches(expected))
          }
        }
        try trial.expect(winners.count, equals: 1, "winners of round \(round)")
        let info = try await trial.store.head(path)
        try trial.expect(info.byteCount, equals: Int64(round * 10 + winners[0]), "winner's bytes")
        version = info.version
      }
    },

    Law("what many count together is all counted", as: "put_opts") { trial in
      try await trial.countTogether("count", workers: 5, increments: 10)
    },

    Law("a chain of creates loses no link") { trial in
      // What a commit does: find the newest version, make the next one, try again if beaten.
      let owners = try await mapInTasks(8) { writer in
        var mine: [Int] = []
        var next = 1
        while mine.count < 10 {
          let path = try trial.path("v\(next)")
          if try await isWinner({ () throws(StorageError) in
            _ = try await trial.store.put(Buffer(utf8: "\(writer)"), to: path, if: .absent)
          }) {
            mine.append(next)
          }
          next += 1
        }
        return mine
      }
      let links = owners.flatMap(\.self).sorted()
      try trial.expect(links, equals: Array(1...80), "links of the chain")
      for (writer, mine) in owners.enumerated() {
        for link in mine {
          try trial.expect(try await trial.text(at: "v\(link)"), equals: "\(writer)", "owner")
        }
      }
    },

    Law("a reader never sees part of a write") { trial in
      let path = try trial.path("object")
      _ = try await trial.store.put(Buffer([0]), to: path, if: .none)
      let isDone = Mutex(false)
      let writing = Task {
        defer { isDone.withLock { $0 = true } }
        for fill in 1..<UInt8(60) {
          let bytes = Buffer([UInt8](repeating: fill, count: Int(fill) * 5000))
          _ = try await trial.store.put(bytes, to: path, if: .none)
        }
      }
      var last: UInt8 = 0
      while !isDone.withLock(\.self) {
        let bytes = try await trial.store.get(path, range: 0..<Int64.max, of: nil).array()
        let fill = bytes.first ?? 255
        try trial.expect(bytes.allSatisfy { $0 == fill }, "bytes of two objects")
        try trial.expect(bytes.count == max(1, Int(fill) * 5000), "part of an object")
        try trial.expect(fill >= last, "an older object after a newer one")
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

extension StoreTrial {
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

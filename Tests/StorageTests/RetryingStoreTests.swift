// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

@Suite("Retrying store")
struct RetryingStoreTests {
  let memory = MemoryStore()
  let clock = TestClock()
  let path: ObjectPath
  let prefix: ObjectPath

  init() throws {
    prefix = try ObjectPath("memory://test/dir")
    path = try prefix.appending("object")
  }

  func retrying(_ store: any ObjectStore, attempts: Int = 6) -> RetryingStore {
    var policy = RetryPolicy()
    policy.attemptLimit = attempts
    return RetryingStore(
      store, policy: policy, environment: .deterministic(seed: 1, clock: clock))
  }

  func faulty(
    _ kind: FaultKind, _ operation: StoreCall.Operation,
    lasting: FaultyStore.Lasting = .once,
    error: @escaping @Sendable (StoreCall) -> StorageError = FaultyStore.busyStore
  ) -> FaultyStore {
    FaultyStore(memory, failing: kind, atCall: 1, lasting: lasting, error: error) {
      $0.operation == operation
    }
  }

  @Test func `reads, deletes and unconditional writes are repeated`() async throws {
    for kind in [FaultKind.before, .after, .halfway] {
      let put = faulty(kind, .put)
      _ = try await retrying(put).put(Buffer(utf8: "x"), to: path, if: .none)
      #expect(put.callCount == 2, "\(kind)")
      let get = faulty(kind, .get)
      #expect(try await retrying(get).get(path, range: 0..<9) == Buffer(utf8: "x"))
      #expect(get.callCount == 2, "\(kind)")
      let head = faulty(kind, .head)
      _ = try await retrying(head).head(path)
      let list = faulty(kind, .list)
      #expect(try await retrying(list).listAll(prefix).map(\.path) == [path], "\(kind)")
      #expect(list.callCount == 2, "\(kind)")
      let delete = faulty(kind, .delete)
      try await retrying(delete).delete(path)
      #expect(try await memory.headIfPresent(path) == nil, "\(kind)")
    }
  }

  @Test(arguments: FaultKind.allCases)
  func `a conditional write is sent once`(kind: FaultKind) async throws {
    let store = faulty(kind, .put)
    await #expect(throws: StorageError.self) {
      try await retrying(store).put(Buffer(utf8: "x"), to: path, if: .absent)
    }
    #expect(store.callCount == 1)
    #expect(clock.sleeps.isEmpty)
    #expect(try await memory.headIfPresent(path) == nil || kind == .after)
  }

  @Test func `what no retry helps against is not repeated`() async throws {
    for kind in [FaultKind.before, .after, .halfway] {
      let store = faulty(kind, .put, lasting: .untilHealed, error: FaultyStore.brokenDisk)
      await #expect(throws: StorageError.self) {
        try await retrying(store).put(.empty, to: path, if: .none)
      }
      #expect(store.callCount == 1, "\(kind)")
    }
    let missing = path
    await #expect(throws: StorageError.notFound(path: missing)) {
      try await memory.delete(missing)
      _ = try await retrying(memory).head(missing)
    }
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `an outcome once unknown stays unknown`() async throws {
    let store = faulty(.after, .put, lasting: .untilHealed)
    do throws(StorageError) {
      _ = try await retrying(store).put(.empty, to: path, if: .none)
      Issue.record("no error")
    } catch {
      #expect(error.isOutcomeUnknown)
    }
    #expect(store.callCount == 6)
  }

  @Test func `pauses grow, vary and end`() async throws {
    let store = faulty(.before, .get, lasting: .untilHealed)
    await #expect(throws: StorageError.self) {
      try await retrying(store, attempts: 40).get(path, range: 0..<1)
    }
    let sleeps = clock.sleeps
    for (index, sleep) in sleeps.enumerated() {
      let longest = min(Duration.milliseconds(100) * (1 << min(index, 20)), .seconds(10))
      #expect(sleep <= longest && sleep >= longest / 2, "pause \(index): \(sleep)")
    }
    #expect(Set(sleeps).count == sleeps.count, "no two pauses are alike")
    #expect(sleeps.reduce(.zero, +) < .seconds(60), "the deadline")
    #expect(sleeps.count > 8)
  }

  @Test func `the store's own wish for a pause is kept`() async throws {
    let store = faulty(.before, .get) { call in
      .unavailable(path: call.path, reason: "slow down", retryAfter: .seconds(7))
    }
    try await memory.create(path, .empty)
    _ = try await retrying(store).get(path, range: 0..<1)
    #expect(clock.sleeps == [.seconds(7)])
  }

  @Test func `a listing that breaks off goes on where it was`() async throws {
    for index in 0..<50 { try await memory.create(prefix.appending("o\(index)"), .empty) }
    for breaks in 0...50 {
      let store = BreakingStore(memory, after: breaks)
      let found = try await retrying(store).listAll(prefix).map(\.path)
      #expect(found == (try await memory.listAll(prefix).map(\.path)), "broken after \(breaks)")
    }
  }

  /// Breaks the first listing off after some objects.
  private struct BreakingStore: ForwardingStore {
    let base: any ObjectStore
    let count: Int
    let isBroken = Flag()

    init(_ base: any ObjectStore, after count: Int) {
      self.base = base
      self.count = count
    }

    func list(
      _ prefix: ObjectPath
    ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
      isBroken.raise() ? base.list(prefix) : Broken(base: base, prefix: prefix, count: count)
    }

    struct Broken: AsyncSequence, Sendable {
      typealias Element = ObjectInfo
      typealias Failure = StorageError
      let base: any ObjectStore
      let prefix: ObjectPath
      let count: Int

      func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

      struct Iterator: AsyncIteratorProtocol {
        let sequence: Broken
        var infos: [ObjectInfo]?

        mutating func next() async throws -> ObjectInfo? { try await next(isolation: nil) }

        mutating func next(
          isolation actor: isolated (any Actor)?
        ) async throws(StorageError) -> ObjectInfo? {
          if infos == nil {
            infos = Array(try await sequence.base.listAll(sequence.prefix).prefix(sequence.count))
          }
          if let infos, infos.isEmpty {
            throw .unavailable(path: sequence.prefix, reason: "injected", retryAfter: nil)
          }
          return infos?.removeFirst()
        }
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// The answer to the one request that decides a commit is lost.
@Suite("Lost replies")
struct LostReplyTests {
  private static func isSwap(_ call: StoreCall) -> Bool {
    call.operation == .put && call.path.name == "v3.metadata.json"
  }

  @Test func `A10 A13: applied, the reply lost, then refused because of itself: committed`()
    async throws
  {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    let faulty = FaultyStore(world.memory, failing: .after, atCall: 1, where: Self.isSwap)
    let table = try await world.append("new", to: try await world.load(faulty))
    #expect(faulty.callCount == 2, "the same bytes are sent once more")
    #expect(table.metadataLocation.name == "v3.metadata.json")
    #expect(try await world.texts() == ["new", "row 1"])
    #expect(try await world.violations() == [])
  }

  @Test func `A13: a store that repeats a create by itself makes no conflict of it`() async throws {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    let store = RepeatingStore(base: world.memory)
    let table = try await world.append("new", to: try await world.load(store))
    #expect(table.metadataLocation.name == "v3.metadata.json")
    #expect(try await world.texts() == ["new", "row 1"])
  }

  @Test func `A1 A2: not applied, and someone else is first: the commit goes on top, once`()
    async throws
  {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    let faulty = FaultyStore(world.memory, failing: .halfway, atCall: 1, where: Self.isSwap)
    let store = InterposedStore(faulty) { call in
      // Between the request that is lost and the one that asks again.
      guard Self.isSwap(call), faulty.fired else { return }
      _ = try? await world.append("other", to: try await world.load())
    }
    let table = try await world.append("new", to: try await world.load(store))
    #expect(table.metadataLocation.name == "v4.metadata.json")
    #expect(try await world.texts() == ["new", "other", "row 1"])
    #expect(try await world.violations() == [])
  }

  @Test func `A7: after an unknown outcome nothing is deleted, and the commit can be found`()
    async throws
  {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    let faulty = FaultyStore(
      world.memory, failing: .late, atCall: 1, lasting: .untilHealed, where: Self.isSwap)
    let table = try await world.load(faulty)
    var commitID = ""
    do {
      try await world.append("new", to: table)
      Issue.record("the commit was acknowledged")
    } catch AppendError<Never>.commit(.stateUnknown(_, let id)) {
      commitID = id
    }
    #expect(try await world.texts() == ["row 1"])
    await faulty.heal()
    #expect(try await world.texts() == ["new", "row 1"])
    #expect(try await world.violations() == [])
    let found = try await world.load().metadata.currentSnapshot
    #expect(found?.summary[SnapshotSummary.commitIDKey] == commitID)
  }

  @Test(arguments: FaultKind.allCases)
  func `A3: the creation of a table is never said to have failed where it may have happened`(
    kind: FaultKind
  ) async throws {
    for lasting in [FaultyStore.Lasting.once, .untilHealed] {
      let world = try CatalogWorld()
      let faulty = FaultyStore(
        world.memory, failing: kind, atCall: 1, lasting: lasting,
        where: { $0.operation == .put && $0.path.name == "v1.metadata.json" })
      var isFailed = false
      do {
        _ = try await world.catalog(faulty).createTable("db.t", "k int")
      } catch CatalogError.outcomeUnknown {
        isFailed = false
      } catch is CatalogError {
        isFailed = true
      }
      await faulty.heal()
      if isFailed { #expect(try await !world.exists("v1.metadata.json"), "\(kind), \(lasting)") }
    }
  }

  @Test func `B2: of two creations at once exactly one wins`() async throws {
    let world = try CatalogWorld()
    let wins = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask { (try? await world.catalog().createTable("db.t", "k int")) != nil }
      }
      var wins = 0
      for await won in group where won { wins += 1 }
      return wins
    }
    #expect(wins == 1)
    #expect(try await world.violations() == [])
  }

  @Test func `H4: a clock that goes back reorders nothing`() async throws {
    let world = try CatalogWorld()
    let tables = try await world.make(upTo: 3)
    world.clock.set(now: Timestamp(milliseconds: 1_000_000_000_000))
    let table = try await world.append("earlier", to: tables[2])
    let times = table.metadata.snapshots.map(\.timestampMilliseconds)
    #expect(times == times.sorted() && Set(times).count == times.count)
    let updates = [tables[2].metadata, table.metadata].map(\.lastUpdatedMilliseconds)
    #expect(updates[0] < updates[1])
    #expect(try await world.violations() == [])
  }
}

/// A store that sends each conditional create twice, as some clients' retries do, and tells of the
/// second answer.
private struct RepeatingStore: ObjectStore {
  let base: MemoryStore

  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer { try await base.get(path, range: range, of: version) }

  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    if condition == .unclaimed, path.name.hasSuffix(".metadata.json") {
      _ = try await base.put(bytes, to: path, if: condition)
    }
    return try await base.put(bytes, to: path, if: condition)
  }

  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await base.writer(to: path, if: condition)
  }

  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await base.head(path)
  }

  func delete(_ path: ObjectPath) async throws(StorageError) { try await base.delete(path) }

  func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable { base.list(prefix) }
}

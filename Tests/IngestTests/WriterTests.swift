// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import Testing

/// Named writers: who may commit, and from where sources are read.
@Suite("Writers with a name")
struct WriterTests {
  private let random = SeededRandom(seed: 5)

  private func world(_ version: FormatVersion = .v3) async throws -> UpsertWorld {
    try await UpsertWorld(random.fork(), version)
  }

  private func options(_ world: UpsertWorld) -> UpsertOptions {
    var options = world.options
    options.writer = "w"
    return options
  }

  private func open(_ world: UpsertWorld) async throws -> UpsertWriter {
    try await .open(
      try await world.catalog.loadTable(TableIdentifier("db.t")), options(world))
  }

  private func rows(_ keys: [Int32], _ text: String, ts: Int64 = 1) throws -> RecordBatch {
    Rows.batch(
      keys.map { [.int($0), .int(0), .long(ts), .string(text), nil] },
      try Schema(UpsertWorld.schema))
  }

  private func texts(_ world: UpsertWorld) async throws -> [Int32: String?] {
    Dictionary(try await world.rows().map { ($0.key, $0.values.v) }) { first, _ in first }
  }

  @Test func `a writer that was opened elsewhere never commits again`() async throws {
    let world = try await world()
    let zombie = try await open(world)
    try await zombie.upsert(rows([1], "zombie"))
    let successor = try await open(world)
    try await successor.upsert(rows([1, 2], "successor"))
    _ = try await successor.commit(["s": 9])

    for _ in 0..<3 {
      await #expect {
        _ = try await zombie.commit(["s": 5])
      } throws: {
        if case IngestError.fenced("w", fence: 1, by: 2) = $0 { true } else { false }
      }
    }
    #expect(try await texts(world) == [1: "successor", 2: "successor"])
    try await world.check(offsets: ["s": 9])
  }

  @Test func `a zombie that slept before its swap is fenced in its retry`() async throws {
    let world = try await world()
    let first = try await open(world)
    try await first.upsert(rows([1], "first"))
    _ = try await first.commit(["s": 1])

    // Its metadata file is on the way when another instance is opened, and commits.
    let successor = Late()
    let store = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json") else { return }
      await successor.run {
        let writer = try await open(world)
        try await writer.upsert(rows([2], "successor"))
        _ = try await writer.commit(["s": 2])
      }
    }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: world.environment)
    await successor.pause()
    let zombie = try await UpsertWriter.open(
      catalog.loadTable(TableIdentifier("db.t")), options(world))
    try await zombie.upsert(rows([1, 3], "zombie", ts: 7))
    await successor.arm()
    await #expect {
      _ = try await zombie.commit(["s": 3])
    } throws: {
      if case IngestError.fenced(_, _, _) = $0 { true } else { false }
    }
    #expect(await successor.failure == nil)
    #expect(try await texts(world) == [1: "first", 2: "successor"])
    try await world.check(offsets: ["s": 2])
  }

  @Test func `F1 offsets outlive restarts, others' commits and expiry`() async throws {
    var world = try await world()
    for restart in 0..<4 {
      let writer = try await open(world)
      #expect(await writer.committedOffsets == (restart == 0 ? [:] : ["a": Int64(restart * 10)]))
      try await writer.upsert(rows([Int32(restart)], "w"))
      _ = try await writer.commit(["a": Int64(restart * 10 + 10)])
      for other in 0..<6 {
        try await world.refresh()
        try await world.table.append([rows([Int32(100 + other)], "other")])
      }
    }
    try await world.refresh()
    let old = world.table.metadata.snapshots.map(\.id).dropLast(2)
    _ = try await world.table.commit(Expire(ids: Array(old)))
    let writer = try await open(world)
    #expect(await writer.committedOffsets == ["a": 40])
  }

  @Test func `F4 an offset that goes back is refused, for its partition alone`() async throws {
    let world = try await world()
    let writer = try await open(world)
    try await writer.upsert(rows([1], "a"))
    _ = try await writer.commit(["a": 10, "b": 20])
    try await writer.upsert(rows([2], "b"))
    await #expect {
      _ = try await writer.commit(["a": 9, "b": 21])
    } throws: {
      if case IngestError.offsetWentBack("w", "a", committed: 10, given: 9) = $0 {
        true
      } else {
        false
      }
    }
    _ = try await writer.commit(["b": 21])
    try await world.check(offsets: ["a": 10, "b": 21])
    #expect(try await texts(world) == [1: "a", 2: "b"])
  }

  @Test func `F7 opening a writer is a commit, and an offset is there with its rows`() async throws
  {
    var world = try await world()
    let before = world.table.metadata.snapshots.count
    let writer = try await open(world)
    try await world.refresh()
    #expect(world.table.metadata.snapshots.count == before + 1)
    #expect(world.table.metadata.currentSnapshot?.operation == .append)
    #expect(try world.table.metadata.writerRecord("w")?.fence == 1)
    try await writer.upsert(rows([1], "a"))
    try await world.refresh()
    #expect(try world.table.metadata.writerRecord("w")?.offsets == [:])
    let receipt = try await writer.commit(["a": 1])
    try await world.refresh()
    let record = try world.table.metadata.writerRecord("w")
    #expect(record?.offsets == ["a": 1] && record?.snapshot == receipt?.snapshot.id)
    #expect(receipt?.snapshot.summary["lake.writer.offsets"] == #"{"a":1}"#)
  }

  // MARK: rollbacks

  @Test(arguments: [true, false])
  func `after a rollback a writer stops, and is taken up from the offsets of then`(
    bySelf: Bool
  ) async throws {
    var world = try await world()
    let writer = try await open(world)
    try await writer.upsert(rows([1], "one"))
    let first = try #require(try await writer.commit(["a": 1, "b": 5]))
    try await writer.upsert(rows([1, 2], "two", ts: 2))
    _ = try await writer.commit(["a": 2])
    try await world.refresh()
    if bySelf {
      _ = try await world.table.commit(ReferenceChange.rollback(to: first.snapshot.id))
      try await world.check(offsets: ["a": 1, "b": 5])
    } else {
      _ = try await world.table.commit(BareRollback(to: first.snapshot.id))
      try await world.check(offsets: ["a": 2, "b": 5])
    }
    try await writer.upsert(rows([3], "three"))
    for _ in 0..<2 {
      await #expect {
        _ = try await writer.commit(["a": 3])
      } throws: {
        if case IngestError.rolledBack("w", _) = $0 { true } else { false }
      }
    }
    let again = try await open(world)
    #expect(await again.committedOffsets == ["a": 1, "b": 5])
    try await again.upsert(rows([1, 2], "two", ts: 2))
    try await again.upsert(rows([3], "three"))
    _ = try await again.commit(["a": 3])
    #expect(try await texts(world) == [1: "two", 2: "two", 3: "three"])
    try await world.check(offsets: ["a": 3, "b": 5])
  }

  @Test func `a rollback whose offsets no snapshot tells is not passed over`() async throws {
    var world = try await world()
    let writer = try await open(world)
    try await writer.upsert(rows([1], "one"))
    _ = try await writer.commit(["a": 1])
    try await world.refresh()
    try await world.table.append([rows([7], "other")])
    try await world.refresh()
    let target = try #require(world.table.metadata.currentSnapshotID)
    try await writer.upsert(rows([2], "two"))
    _ = try await writer.commit(["a": 2])
    try await world.refresh()
    _ = try await world.table.commit(BareRollback(to: target))
    try await world.refresh()
    let old = world.table.metadata.ancestry(of: target).map(\.id).dropFirst()
    _ = try await world.table.commit(Expire(ids: Array(old)))
    await #expect {
      _ = try await open(world)
    } throws: {
      if case IngestError.offsetsUnknown("w", partitions: ["a"]) = $0 { true } else { false }
    }
  }

  // MARK: history

  @Test func `history stays small, tags and what others name stay`() async throws {
    var world = try await world()
    var options = options(world)
    options.keptSnapshots = 5
    let writer = try await UpsertWriter.open(world.table, options)
    var tagged: [SnapshotID] = []
    for i in 0..<30 {
      try await writer.upsert(rows([Int32(i % 7)], "\(i)", ts: Int64(i)))
      _ = try await writer.commit(["a": Int64(i)])
      guard i == 10 else { continue }
      try await world.refresh()
      tagged.append(try #require(world.table.metadata.currentSnapshotID))
      _ = try await world.table.commit(ReferenceChange.createTag("mine"))
    }
    try await world.refresh()
    #expect(world.table.metadata.snapshots.count == 6)
    #expect(tagged.allSatisfy { world.table.metadata.snapshot($0) != nil })
    #expect(try await world.rows().count == 7)
    // The oldest that is kept has a parent that is not.
    let violations = try await world.violations().filter {
      !$0.contains("has a parent that is not there") && !$0.contains("lost snapshot")
    }
    #expect(violations == [])
    let again = try await UpsertWriter.open(world.table, options)
    #expect(await again.committedOffsets == ["a": 29])
  }
}

extension UpsertWorld {
  /// Checks what the table remembers of writer `w`.
  func check(offsets: [String: Int64]) async throws {
    let now = try await catalog.loadTable(TableIdentifier("db.t"))
    #expect(try now.metadata.writerRecord("w")?.offsets == offsets)
    #expect(try await violations() == [])
  }
}

/// Something that happens once, when it is time.
actor Late {
  private(set) var failure: (any Error)?
  private var isArmed = false

  func pause() { isArmed = false }
  func arm() { isArmed = true }

  func run(_ body: @Sendable () async throws -> Void) async {
    guard isArmed else { return }
    isArmed = false
    do { try await body() } catch { failure = error }
  }
}

/// Moves `main` back as engines do that know nothing of writers.
struct BareRollback: TableChange {
  let target: SnapshotID

  init(to target: SnapshotID) { self.target = target }

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    ChangePlan(
      requirements: [], updates: [.setSnapshotReference(name: "main", .branch(target))])
  }
}

/// Takes snapshots out of the metadata.
struct Expire: TableChange {
  let ids: [SnapshotID]

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    ChangePlan(requirements: [], updates: [.removeSnapshots(ids)])
  }
}

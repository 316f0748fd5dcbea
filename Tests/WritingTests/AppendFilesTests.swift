// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("Appending files")
struct AppendFilesTests {
  private struct World {
    let store: MemoryStore
    let catalog: FilesystemCatalog

    init() throws {
      let environment = Environment.deterministic(seed: 1)
      store = MemoryStore(environment: environment)
      catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    }

    func invariants() throws -> TableInvariants {
      TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    }
  }

  private func rows(_ values: [Int32?], _ table: Table) -> RecordBatch {
    Rows.batch(values.map { [$0.map { .int($0) }] }, table.metadata.currentSchema)
  }

  @Test func `A14 H9: a file that is given twice is refused, and nothing is changed`() async throws
  {
    let file = DataFile(
      path: "memory://w/house/db/t/data/a.parquet", format: .parquet,
      partition: .unpartitioned(PartitionSpecID(0)), recordCount: 1, byteCount: 1,
      metrics: ColumnMetricsList([]))
    #expect(throws: CommitError.self) { try AppendFiles([file, file]) }
  }

  @Test func `no rows make no commit`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    #expect(try await table.append([]) == nil)
    #expect(try await table.append([rows([], table)]) == nil)
    #expect(try await table.refreshed().metadataLocation.name == "v1.metadata.json")
    #expect(try await world.invariants().orphans() == [])
  }

  @Test func `B13: a source that fails half-way commits nothing and leaves no file`() async throws {
    struct SourceFailed: Error {}
    let world = try World()
    let table = try await world.catalog.createTable(
      "db.t", "k int", partitionedBy: "k", properties: ["write.target-file-size-bytes": "1"])
    var count = 0
    await #expect(throws: AppendError<SourceFailed>.self) {
      try await table.append { () async throws(SourceFailed) in
        count += 1
        if count > 3 { throw SourceFailed() }
        return rows([1, 2, 3], table)
      }
    }
    #expect(try await table.refreshed().metadataLocation.name == "v1.metadata.json")
    #expect(try await world.invariants().orphans() == [])
  }

  @Test func `rows that do not fit are refused, and leave no file`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int not null")
    let nullable = try Schema("k int")
    let stranger = try Schema("k int not null, x string")
    let text = try Schema("k string")
    for (batch, what) in [
      (Rows.batch([[nil]], nullable), "a null"), (Rows.batch([[.int(1), nil]], stranger), "x"),
      (Rows.batch([[.string("1")]], text), "another type"),
    ] {
      await #expect(throws: AppendError<Never>.self, "\(what)") {
        try await table.append([batch])
      }
    }
    #expect(try await table.refreshed().metadataLocation.name == "v1.metadata.json")
    #expect(try await world.invariants().orphans() == [])
  }

  @Test func `B4 B5: an append planned on an old state keeps what came since`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int", partitionedBy: "k")
    for value in 0..<5 { try await table.append([rows([Int32(value)], table)]) }
    let now = try await table.refreshed()
    #expect(now.metadata.snapshots.count == 5)
    #expect(try await now.scan().canonicalRows() == (0..<5).map { #"{"k":\#($0)}"# })
    #expect(try await world.invariants().violations() == [])
    #expect(try await world.invariants().orphans() == [])
  }

  @Test func `conflicts that go on for ever are given up, and leave no file`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable(
      "db.t", "k int", properties: ["commit.retry.num-retries": "3"])
    let catalog = world.catalog
    // Before each of the slow writer's swaps someone else is faster.
    let slow = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json") else { return }
      let now = try? await catalog.loadTable(TableIdentifier("db.t"))
      _ = try? await now?.commit(PropertyChange(set: ["at": call.path.name]))
    }
    let unlucky = try await FilesystemCatalog(
      warehouse: catalog.warehouse, store: slow, environment: catalog.environment
    ).loadTable(TableIdentifier("db.t"))
    do {
      try await unlucky.append([rows([1], table)])
      Issue.record("the commit was acknowledged")
    } catch .commit(.conflictsPersist(let attempts, _)) {
      #expect(attempts == 4)
    }
    #expect(try await world.invariants().orphans() == [])
    #expect(try await table.refreshed().scan().count() == 0)
    #expect(try await world.invariants().violations() == [])
  }

  @Test func `a branch that is not there and a tag are no place to append to`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    var left = [rows([1], table)][...]
    await #expect(throws: AppendError<Never>.self) {
      try await table.append(branch: "audit") { () async throws(Never) in left.popFirst() }
    }
    #expect(try await world.invariants().orphans() == [])
  }

  private func load(_ value: Int32, once name: String, _ table: Table) async throws -> CommitReceipt
  {
    var left = [rows([value], table)][...]
    return try #require(
      try await table.append(once: name) { () async throws(Never) in left.popFirst() })
  }

  @Test func `of loads with one name at once one lands, and the others tell of it`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    let receipts = try await withThrowingTaskGroup(of: CommitReceipt.self) { group in
      for value in 0..<8 {
        group.addTask { try await load(Int32(value), once: "monday", table) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(receipts.map(\.snapshot?.id)).count == 1)
    #expect(receipts.count { $0.attempts > 0 } == 1)
    let now = try await table.refreshed()
    #expect(now.metadata.snapshots.count == 1)
    #expect(try await now.scan().count() == 1)
    #expect(try await world.invariants().orphans() == [])
    // A name of its own is another load; so is one that was rolled back.
    _ = try await load(9, once: "tuesday", now)
    #expect(try await now.refreshed().scan().count() == 2)
    let monday = try #require(receipts[0].snapshot?.id)
    let back = try await now.refreshed().commit(ReferenceChange.rollback(to: monday)).table
    _ = try await load(9, once: "tuesday", back)
    #expect(try await back.refreshed().scan().count() == 2)
    #expect(try await world.invariants().violations() == [])
  }
}

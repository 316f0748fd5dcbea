// SPDX-License-Identifier: Apache-2.0
import Ingest
import KeyIndexing
import Lake
import LakeTestSupport
import Maintenance
import Storage
import Testing

/// What becomes of a writer's index while upkeep of others goes on.
@Suite("Key indexes of writers")
struct WriterIndexTests {
  private let clock = TestClock()
  private let store: MemoryStore
  private let warehouse: ObjectPath
  private let table: Table

  init() async throws {
    let environment = Environment.deterministic(seed: 5, clock: clock)
    store = MemoryStore(environment: environment)
    warehouse = try ObjectPath("memory://w/house")
    let schema = try Schema("k long not null, v string")
    table = try await FilesystemCatalog(
      warehouse: warehouse, store: store, environment: environment
    ).createTable(
      TableIdentifier("db.t"),
      TableDefinition(
        schema: try Schema(fields: schema.fields, identifierFieldIDs: [schema.fields[0].id]),
        formatVersion: .v3))
  }

  /// - Parameter indexMemoryLimit: where it is 1, all of the index is kept with each commit.
  private func writer(indexMemoryLimit: Int = 1) async throws -> UpsertWriter {
    var options = UpsertOptions()
    options.indexMemoryLimit = indexMemoryLimit
    options.mergesSmallFiles = false
    return try await UpsertWriter.open(table, options)
  }

  private func upsert(
    _ keys: Range<Int64>, _ text: String, by writer: UpsertWriter
  ) async throws {
    try await writer.upsert(
      Rows.batch(keys.map { [.long($0), .string(text)] }, table.metadata.currentSchema))
    _ = try await writer.commit()
    clock.advance(by: .seconds(10))
  }

  private func keptFiles() async throws -> Set<String> {
    Set(
      try await store.listAll(warehouse).map(\.path).filter { $0.name.hasSuffix(".stats") }
        .map(\.text))
  }

  @Test func `a writer whose kept index is gone makes it again`() async throws {
    let writer = try await writer()
    for round in 0..<4 { try await upsert(0..<200, "round \(round)", by: writer) }
    let kept = try await keptFiles()
    #expect(!kept.isEmpty, "else nothing is tested")
    for path in kept { try await store.delete(ObjectPath(path)) }
    try await upsert(100..<300, "last", by: writer)
    let rows = try await table.refreshed().scan().canonicalRows()
    #expect(rows.count == 300)
    #expect(rows.filter { $0.contains("last") }.count == 200)
  }

  @Test func `a writer's commit lists its kept index under the snapshot it adds`() async throws {
    let writer = try await writer(indexMemoryLimit: 200_000)
    try await upsert(0..<20_000, "first", by: writer)
    let first = try await keptFiles()
    try #require(first.count == 1)
    for round in 0..<3 {
      try await upsert(Int64(round)..<Int64(round) + 2, "round \(round)", by: writer)
      let metadata = try await table.refreshed().metadata
      let head = try #require(metadata.currentSnapshotID)
      let listed = metadata.statistics.filter { first.contains($0.path) }.map(\.snapshotID)
      #expect(listed.contains(head), "\(listed)")
      // It stays listed where it is from; where it was only taken along to, it does not.
      #expect(listed.count == 2, "\(listed)")
    }
  }

  @Test func `however often an index is kept, no expiry has its files`() async throws {
    let writer = try await writer()
    // The first is large, so that those after it leave its segment where it is.
    try await upsert(0..<20_000, "first", by: writer)
    let first = try await keptFiles()
    try #require(first.count == 1)
    for round in 0..<12 {
      let keys = Int64(round) * 10..<Int64(round) * 10 + 40
      try await upsert(keys, "round \(round)", by: writer)
      let now = try await table.refreshed()
      try await now.expireSnapshots(
        ExpiryPolicy(maxSnapshotAge: .seconds(1), minSnapshotsToKeep: 4))
      #expect(try await keptFiles().isSuperset(of: first), "round \(round)")
      let listed = Set(try await table.refreshed().metadata.statistics.map(\.path))
      #expect(listed.isSuperset(of: first), "round \(round)")
    }
    // What is listed last is not what is newest: the next one opens the index that covers most.
    let status = try await KeyIndex.status(of: table.refreshed())
    #expect(status.allSatisfy { $0.uncoveredFileCount < 8 }, "\(status)")
  }
  @Test func `an index does not grow with files that others' compactions replaced`() async throws {
    let writer = try await writer(indexMemoryLimit: 100_000)
    for round in 0..<200 {
      try await upsert(0..<400, "round \(round)", by: writer)
      if round % 8 == 7 { _ = try await table.refreshed().compact() }
    }
    let status = try await KeyIndex.status(of: table.refreshed())
    // Twice the rows, what is never minded, and what comes until it is looked again.
    #expect(status.allSatisfy { $0.placeCount < 2 * 400 + (1 << 14) + 64 * 400 }, "\(status)")
    #expect(!status.isEmpty, "else nothing is tested")
    let rows = try await table.refreshed().scan().canonicalRows()
    #expect(rows.count == 400 && rows.allSatisfy { $0.contains("round 199") })
  }
}

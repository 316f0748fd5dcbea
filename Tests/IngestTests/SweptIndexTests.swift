// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import Storage
import Testing

@Suite("Key indexes that are swept away")
struct SweptIndexTests {
  @Test func `a writer whose kept index is gone makes it again`() async throws {
    let environment = Environment.deterministic(seed: 5)
    let store = MemoryStore(environment: environment)
    let warehouse = try ObjectPath("memory://w/house")
    let schema = try Schema("k long not null, v string")
    let table = try await FilesystemCatalog(
      warehouse: warehouse, store: store, environment: environment
    ).createTable(
      TableIdentifier("db.t"),
      TableDefinition(
        schema: try Schema(fields: schema.fields, identifierFieldIDs: [schema.fields[0].id]),
        formatVersion: .v3))
    var options = UpsertOptions()
    options.indexMemoryLimit = 1
    let writer = try await UpsertWriter.open(table, options)
    func upsert(_ keys: Range<Int64>, _ text: String) async throws {
      try await writer.upsert(
        Rows.batch(keys.map { [.long($0), .string(text)] }, table.metadata.currentSchema))
      _ = try await writer.commit()
    }
    for round in 0..<4 { try await upsert(0..<200, "round \(round)") }
    let kept = try await store.listAll(warehouse).map(\.path).filter { $0.name.hasSuffix(".stats") }
    #expect(!kept.isEmpty, "else nothing is tested")
    for path in kept { try await store.delete(path) }
    try await upsert(100..<300, "last")
    let rows = try await table.refreshed().scan().canonicalRows()
    #expect(rows.count == 300)
    #expect(rows.filter { $0.contains("last") }.count == 200)
  }
}

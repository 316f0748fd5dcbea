// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@testable import Writing

/// Rows of a table with a sort order.
@Suite("Writing in a sort order")
struct SortOrderTests {
  @Test(arguments: [1, 1 << 10, 1 << 28])
  func `the rows of each file are in the table's order, whatever is kept in memory`(
    byteLimit: Int
  ) async throws {
    let random = SeededRandom(printing: "sort orders")
    let environment = Environment.deterministic(seed: 6)
    let store = MemoryStore(environment: environment)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    let schema = try Schema("a int, b string, p int")
    let table = try await catalog.createTable(
      TableIdentifier("db.t"),
      TableDefinition(
        schema: schema, partitionSpec: try PartitionSpec("p", schema: schema),
        sortOrder: try SortOrder("b desc nulls last, a", schema: schema)))
    let writer = try PartitionedWriter(
      table.metadata, lineage: .assigned, store: store, environment: environment, threads: 1,
      sortByteLimit: byteLimit)
    var rows: [[Value?]] = []
    for _ in 0..<7 {
      let batch = (0..<50).map { _ -> [Value?] in
        [
          random.chance(10) ? nil : .int(Int32(random.int(in: 0..<9))),
          random.chance(10) ? nil : .string(random.pick(Generators.strings)),
          .int(Int32(random.int(in: 0..<3))),
        ]
      }
      rows += batch
      try await writer.write(Rows.batch(batch, schema))
    }
    let files = try await writer.finish()
    let committed = try await table.commit(try AppendFiles(files)).table
    #expect(Set(files.map(\.sortOrderID)) == [table.metadata.defaultSortOrderID])
    #expect(
      try await committed.scan().canonicalRows()
        == CanonicalRows.lines(of: [Rows.batch(rows, schema)]))
    for file in files {
      var keys: [(b: [UInt8]?, a: Int64?)] = []
      let scan = committed.scan().filter(.equal("_file", .string(file.path))).select("b", "a")
      for batch in try await scan.readAll() {
        for row in 0..<batch.rowCount {
          let (b, a) = (batch.columns[0], batch.columns[1])
          keys.append(
            (b.isNull(row) ? nil : Array(b.string(row).utf8), a.isNull(row) ? nil : a.integer(row)))
        }
      }
      for (x, y) in zip(keys, keys.dropFirst()) { #expect(Self.isInOrder(x, y), "\(x), \(y)") }
    }
  }

  private static func isInOrder(_ x: (b: [UInt8]?, a: Int64?), _ y: (b: [UInt8]?, a: Int64?))
    -> Bool
  {
    switch (x.b, y.b) {
    case (nil, nil): break
    case (nil, _): return false
    case (_, nil): return true
    case (let p?, let q?):
      if p != q { return q.lexicographicallyPrecedes(p) }
    }
    guard let first = x.a else { return true }
    return y.a.map { first <= $0 } ?? false
  }
}

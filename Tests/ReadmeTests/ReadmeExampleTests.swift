// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import Testing

/// The README's example, as it is printed there.
private func example(in folder: String) async throws -> Int {
  var found = 0
  let warehouse = try ObjectPath(folder)
  // README: begin
  let catalog = FilesystemCatalog(warehouse: warehouse, store: LocalStore())
  let orders = try TableIdentifier("shop.orders")
  let table = try await catalog.createTable(
    orders, TableDefinition(schema: Schema("id long not null, city string, price double")))

  let rows = BatchBuilder(table.metadata.currentSchema.columnFields)
  for (id, city, price) in [(1, "Oslo", 9.5), (2, "Rome", 12.0), (3, "Oslo", 30.25)] {
    rows.columns[0].append(Int64(id))
    rows.columns[1].append(city)
    rows.columns[2].append(price)
  }
  try await table.append([rows.finish()])

  let scan = try await catalog.loadTable(orders).scan().select("id", "price")
  for try await batch in try scan.filter("city = 'Oslo' AND price > 10").batches() {
    found += batch.rowCount
  }
  // README: end
  return found
}

/// The README's second example.
private func streaming(in folder: String) async throws -> RecordBatch {
  let catalog = FilesystemCatalog(warehouse: try ObjectPath(folder), store: LocalStore())
  let gates = try TableIdentifier("air.gates")
  let schema = try Schema("id long, status string, at long", key: ["id"])
  let table = try await catalog.createTable(
    gates, TableDefinition(schema: schema, formatVersion: .v3))
  let events = { (rows: [(Int64, String, Int64)]) in
    let batch = BatchBuilder(schema.columnFields)
    for (id, status, at) in rows {
      batch.columns[0].append(id)
      batch.columns[1].append(status)
      batch.columns[2].append(at)
    }
    return batch.finish()
  }
  let source = [
    (offset: Int64(10), rows: events([(1, "boarding", 5), (2, "closed", 4), (1, "open", 3)])),
    (offset: Int64(20), rows: events([(2, "open", 1), (3, "open", 6)])),
  ]
  let keys = events([(1, "", 0), (2, "", 0)]).selecting([0])
  // README: begin streaming
  var options = UpsertOptions()
  options.orderBy = "at"
  options.writer = "tower"
  let writer = try await UpsertWriter.open(table, options)
  let committed = await writer.committedOffsets["gates"] ?? -1
  for (offset, rows) in source where offset > committed {
    try await writer.upsert(rows)
    if await writer.isDue { try await writer.commit(["gates": offset]) }
  }
  try await writer.commit(["gates": 20])
  try await writer.close()

  let newest = try await catalog.loadTable(gates).get(keys, columns: ["status"]).rows
  // README: end streaming
  return newest
}

@Suite("README")
struct ReadmeExampleTests {
  private let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `the example finds the one order there is`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try await example(in: folder.path()) == 1)
  }

  @Test func `the example of a stream finds the newest of each key`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let rows = try await streaming(in: folder.path())
    #expect((0..<rows.rowCount).map { rows.columns[0].string($0) } == ["boarding", "closed"])
  }

  @Test(arguments: ["", " streaming"])
  func `the README prints the example that is tested`(name: String) throws {
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let begin = try #require(lines.firstIndex { $0.hasSuffix("// README: begin\(name)") })
    let end = try #require(lines.firstIndex { $0.hasSuffix("// README: end\(name)") })
    let body = lines[(begin + 1)..<end].map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : "" }
    #expect(readme.contains(body.joined(separator: "\n")))
  }
}

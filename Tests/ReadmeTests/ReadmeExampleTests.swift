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

@Suite("README")
struct ReadmeExampleTests {
  private let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `the example finds the one order there is`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try await example(in: folder.path()) == 1)
  }

  @Test func `the README prints the example that is tested`() throws {
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    let begin = try #require(lines.firstIndex { $0.hasSuffix("// README: begin") })
    let end = try #require(lines.firstIndex { $0.hasSuffix("// README: end") })
    let body = lines[(begin + 1)..<end].map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : "" }
    #expect(readme.contains(body.joined(separator: "\n")))
  }
}

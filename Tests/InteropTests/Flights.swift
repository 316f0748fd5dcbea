// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport

/// The table of the quickstart: a week of flights from CSV files, partitioned by carrier, four days
/// in one commit and then a commit a day.
enum Flights {
  private static let files = (1...7).map {
    SiblingFolder.checkout.appending(path: "Fixtures/flights/2013-01-0\($0).csv")
  }

  static func write(in warehouse: URL) async throws -> Table {
    let store = LocalStore(durability: .unsynced)
    var options = InputOptions()
    options.nullTexts = ["NA"]
    let first = try await InputReader.open(
      ObjectPath(files[0].path), in: store, options: options)
    let schema = try Schema(inferredFrom: first.fields)
    var table = try await FilesystemCatalog(
      warehouse: try ObjectPath(warehouse.path), store: store
    ).createTable(
      TableIdentifier("air.flights"),
      TableDefinition(schema: schema, partitionSpec: PartitionSpec("carrier", schema: schema)))
    options.columns = table.metadata.currentSchema.columnFields
    for commit in [Array(files[..<4]), [files[4]], [files[5]], [files[6]]] {
      var batches: [RecordBatch] = []
      for file in commit {
        let reader = try await InputReader.open(
          ObjectPath(file.path), in: store, options: options)
        while let batch = try await reader.next() { batches.append(batch) }
      }
      if let receipt = try await table.append(batches) { table = receipt.table }
    }
    return table
  }

  /// The rows as the CSV files have them, taken apart here: nothing in them is quoted.
  static func expectedRows() throws -> [String] {
    var text = ""
    for file in files {
      let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      let names = lines[0].split(separator: ",")
      for line in lines.dropFirst() {
        let cells = zip(names, line.split(separator: ",", omittingEmptySubsequences: false))
        text += "{" + cells.map { "\"\($0)\":\(json($1))" }.joined(separator: ",") + "}\n"
      }
    }
    return try CanonicalRows.lines(text)
  }

  private static func json(_ cell: Substring) -> String {
    if cell == "NA" || cell.isEmpty { return "null" }
    if Int(cell) != nil { return String(cell) }
    // 2013-01-01T10:00:00Z
    if cell.utf8.count == 20, cell.last == "Z" { return "\"\(cell.dropLast()).000000Z\"" }
    return "\"\(cell)\""
  }
}

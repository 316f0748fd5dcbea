// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport

/// A table of a random stream of upserts, and the rows that a map says it has.
enum UpsertedTable {
  private static let schema = "id long not null, day int, version long, name string"

  /// Twelve commits by two writers in turn, into a table that is partitioned by what changes.
  static func write(
    in warehouse: URL, _ version: FormatVersion
  ) async throws -> (table: Table, rows: [String]) {
    let random = SeededRandom(printing: "upserted v\(version.rawValue)")
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(warehouse.path), store: LocalStore(durability: .unsynced))
    let schema = try Schema(schema, key: ["id"])
    let identifier = try TableIdentifier("interop.upserted_v\(version.rawValue)")
    _ = try await catalog.createTable(
      identifier,
      TableDefinition(
        schema: schema, partitionSpec: PartitionSpec("day", schema: schema),
        formatVersion: version))
    var options = UpsertOptions()
    options.orderBy = "version"
    options.deleteWhen = try PredicateParser.parse("name = 'gone'")
    var writers: [UpsertWriter] = []
    for name in ["a", "b"] {
      options.writer = name
      writers.append(
        try await UpsertWriter.open(try await catalog.loadTable(identifier), options))
    }
    // What is newest is known while rows rise; a deleted key's later rows are newer than it.
    var model: [Int64: [Value?]] = [:]
    var clock: Int64 = 0
    for commit in 0..<12 {
      var rows: [[Value?]] = []
      for _ in 0..<60 {
        clock += 1
        let id = Int64(random.int(in: 0..<80))
        let known = model[id]
        let isLate = known != nil && random.oneIn(6)
        let name = random.oneIn(8) && !isLate ? "gone" : "n\(clock)"
        let row: [Value?] = [
          .long(id), .int(Int32(random.int(in: 0..<3))), .long(isLate ? 0 : clock), .string(name),
        ]
        rows.append(row)
        if isLate { continue }
        model[id] = name == "gone" ? nil : row
      }
      try await writers[commit % 2].upsert(Rows.batch(rows, schema))
      _ = try await writers[commit % 2].commit(["source": clock])
    }
    for writer in writers { try await writer.close() }
    let table = try await catalog.loadTable(identifier)
    let expected = try CanonicalRows.lines(of: [Rows.batch(Array(model.values), schema)])
    return (table, expected)
  }
}

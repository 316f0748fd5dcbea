// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Partition statistics that Spark computed of tables that Lake wrote.
///
/// With `LAKE_INTEROP=all` and where Spark is installed.
@Suite("We read others' partition statistics", .serialized)
struct PartitionStatisticsInteropTests {
  private static let isAsked = ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all"

  @Test(arguments: [FormatVersion.v2, .v3])
  func `what Spark computed is what the manifests tell of partitions`(
    version: FormatVersion
  ) async throws {
    guard Self.isAsked, !Oracles.installed(of: ["spark"]).isEmpty else {
      return print("skipped: Spark is not asked, or not installed")
    }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-partitions-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(folder.path), store: LocalStore(durability: .unsynced))
    var table = try await catalog.createTable(
      "db.t", "k long, a int, d date", partitionedBy: "a", formatVersion: version)
    let rows = (0..<60).map { number -> [Value?] in
      let a: Value? = number % 4 == 3 ? nil : .int(Int32(number % 4))
      return [.long(Int64(number)), a, .int(Int32(number))]
    }
    let schema = table.metadata.currentSchema
    try await table.append([Rows.batch(rows, schema)])
    _ = try await table.refreshed().deleteRows(where: PredicateParser.parse("k < 5"))
    table = try await table.refreshed().commit(
      LayoutChange.partitions { terms, schema throws(IcebergError) in
        terms = try PartitionTerm.parse("a, month(d)", schema: schema)
      }
    ).table
    try await table.append([Rows.batch(rows, schema)])
    _ = try await table.refreshed().deleteRows(where: PredicateParser.parse("k = 50"))

    let script = folder.appending(path: "script.sql")
    try "CALL lake.system.compute_partition_stats(table => 'db.t');\n"
      .write(to: script, atomically: true, encoding: .utf8)
    try Oracles.write("spark", script, in: folder)

    table = try await catalog.loadTable(TableIdentifier("db.t"))
    #expect(table.metadata.partitionStatistics.count == 1)
    let theirs = try await counts(.partitionStatistics, of: table)
    let ours = try await counts(.partitions, of: table)
    #expect(theirs == ours && theirs.count > 5)
  }

  /// What is told of each partition, by its values.
  private func counts(
    _ kind: MetadataTable.Kind, of table: Table
  ) async throws -> [String: [Int64]] {
    var found: [String: [Int64]] = [:]
    let columns =
      ["record_count", "file_count"].map {
        kind == .partitions ? $0 : "data_\($0)"
      } + [
        "spec_id", "total_data_file_size_in_bytes", "position_delete_record_count",
        "equality_delete_record_count", "last_updated_snapshot_id",
      ]
    try await table.metadataTable(kind).read { batch throws(ScanError) in
      guard let partition = batch.column("partition") else { return false }
      for row in 0..<batch.rowCount {
        let key = partition.children.map { $0.isNull(row) ? "null" : "\($0.integer(row))" }
        var numbers = columns.map { batch.column($0)?.integer(row) ?? -1 }
        // Spark counts deletion vectors apart from other files.
        numbers.append(
          ["position_delete_file_count", "dv_count"].reduce(0) { count, name in
            count + (batch.column(name)?.integer(row) ?? 0)
          })
        found[key.joined(separator: "/")] = numbers
      }
      return true
    }
    return found
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Spark goes on writing to tables that Lake wrote, and Lake to what Spark left.
///
/// With `LAKE_INTEROP=all` and where Spark is installed.
@Suite("Spark goes on with our tables", .serialized)
struct SparkGoesOnTests {
  private static let isAsked = ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all"
  private static let engines = Oracles.installed(of: ["java", "spark", "pyiceberg", "duckdb"])

  private static let script = """
    INSERT INTO lake.db.t (k, a, b, n) VALUES (1001, 5, 'x', 7), (1002, 6, NULL, NULL);
    UPDATE lake.db.t SET a = 77 WHERE k < 10;
    DELETE FROM lake.db.t WHERE k IN (20, 21, 22);
    MERGE INTO lake.db.t t USING (SELECT 1001L AS k, 99 AS a) s ON t.k = s.k
      WHEN MATCHED THEN UPDATE SET a = s.a
      WHEN NOT MATCHED THEN INSERT (k, a, b, n) VALUES (s.k, s.a, NULL, NULL);
    CALL lake.system.rewrite_data_files(table => 'db.t', options => map('min-input-files', '2'));
    CALL lake.system.rewrite_manifests('db.t');
    INSERT INTO lake.db.t (k, a, b, n) VALUES (1003, 8, NULL, 9);
    CALL lake.system.expire_snapshots(table => 'db.t', retain_last => 3, \
    older_than => TIMESTAMP '2100-01-01 00:00:00');
    """

  @Test(arguments: [FormatVersion.v2, .v3], ["copy-on-write", "merge-on-read"])
  func `rows are the same after each goes on with the other's table`(
    version: FormatVersion, mode: String
  ) async throws {
    guard Self.isAsked, Self.engines.contains("spark") else {
      return print("skipped: Spark is not asked, or not installed")
    }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-spark-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(folder.path), store: LocalStore(durability: .unsynced))
    var table = try await catalog.createTable(
      "db.t", "k long, a int, b string",
      properties: [
        "write.delete.mode": mode, "write.update.mode": mode, "write.merge.mode": mode,
      ], formatVersion: version)
    let rows = (0..<100).map { number -> [Value?] in
      [.long(Int64(number)), .int(Int32(number % 7)), .string("s\(number % 5)")]
    }
    for start in [0, 50] {
      let part = Array(rows[start..<start + 50])
      table = try #require(
        try await table.append([Rows.batch(part, table.metadata.currentSchema)])
      ).table
    }
    _ = try await table.deleteRows(where: PredicateParser.parse("k >= 5 AND k < 8"))
    table = try await table.refreshed().commit(
      SchemaChange { evolution throws(IcebergError) in try evolution.add("n", type: .int) }
    ).table
    _ = try await table.updateRows(
      where: PredicateParser.parse("k > 90"),
      set: [ExpressionParser.parse(assignment: "n = CAST(k + 1 AS int)")])
    table = try await table.refreshed().commit(
      LayoutChange.partitions { terms, schema throws(IcebergError) in
        terms = try PartitionTerm.parse("bucket(2, k)", schema: schema)
      }
    ).table

    let script = folder.appending(path: "script.sql")
    try Self.script.write(to: script, atomically: true, encoding: .utf8)
    try Oracles.write("spark", script, in: folder)

    table = try await catalog.loadTable(TableIdentifier("db.t"))
    try compare(table, try await table.scan().canonicalRows(), in: folder)
    _ = try await table.deleteRows(where: PredicateParser.parse("k >= 1002 OR a = 77"))
    _ = try await table.refreshed().updateRows(
      where: PredicateParser.parse("k = 50"),
      set: [ExpressionParser.parse(assignment: "b = 'lake'")])
    table = try await table.refreshed()
    let own = try await table.scan().canonicalRows()
    #expect(own.contains { $0.contains("\"lake\"") } && own.count == 100 - 3 - 3 - 7 + 1)
    try compare(table, own, in: folder)
  }

  private func compare(_ table: Table, _ rows: [String], in folder: URL) throws {
    let expected = folder.appending(path: "expected.jsonl")
    try rows.map { $0 + "\n" }.joined().write(to: expected, atomically: true, encoding: .utf8)
    let place = URL(filePath: table.metadata.location)
    for answer in try Oracles.compare(place, Self.engines, expected: expected) {
      print(answer.text)
      #expect(answer.agrees, "\(answer.text)")
    }
  }
}

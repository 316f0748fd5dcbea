// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Spark works with tables that a key index is kept with.
///
/// With `LAKE_INTEROP=all` and where Spark is installed.
@Suite("Spark beside our key index", .serialized)
struct KeyIndexInteropTests {
  private static let isAsked = ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all"
  private static let engines = Oracles.installed(of: ["java", "spark", "duckdb"])

  /// Reads by its optimizer's word on statistics, whose blobs it looks at.
  private static let reading = """
    SET spark.sql.cbo.enabled = true;
    SET spark.sql.cbo.planStats.enabled = true;
    SET spark.sql.cbo.joinReorder.enabled = true;
    CREATE TABLE lake.db.r USING iceberg AS
      SELECT a.k, a.b, b.a FROM lake.db.t a JOIN lake.db.t b ON a.k = b.k WHERE b.a > 2;
    """

  /// Puts statistics of its own in the place of ours, commits, and lets old snapshots go.
  private static let working = """
    CALL lake.system.compute_table_stats(table => 'db.t');
    INSERT INTO lake.db.t (k, a, b) VALUES (7, 5, 'again'), (1000, 6, NULL);
    DELETE FROM lake.db.t WHERE k = 8;
    CALL lake.system.expire_snapshots(table => 'db.t', retain_last => 1, \
    older_than => TIMESTAMP '2100-01-01 00:00:00');
    """

  @Test(arguments: [FormatVersion.v2, .v3])
  func `Spark reads with our blobs there, replaces them, and the index is made again`(
    version: FormatVersion
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
      "db.t", "k long not null, a int, b string",
      properties: ["write.delete.mode": "merge-on-read"], formatVersion: version)
    for start in [0, 50] {
      let rows = (start..<start + 50).map { number -> [Value?] in
        [.long(Int64(number)), .int(Int32(number % 7)), .string("s\(number % 5)")]
      }
      table = try #require(
        try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      ).table
    }
    var index = try await KeyIndex.build(try await TableState(of: table), key: ["k"])
    table = try await index.persist(to: table)

    try run(Self.reading, in: folder)
    let joined = try await catalog.loadTable(TableIdentifier("db.r"))
    #expect(try await joined.scan().count() == 56)
    table = try await catalog.loadTable(TableIdentifier("db.t"))
    let kept = try await KeyIndex.open(try await TableState(of: table), key: ["k"])
    #expect(kept.seed == index.seed)

    try run(Self.working, in: folder)
    table = try await catalog.loadTable(TableIdentifier("db.t"))
    let state = try await TableState(of: table)
    let opened = try await KeyIndex.open(state, key: ["k"])
    var keys = try await keys(state, opened)
    #expect(keys == [1, 1, 0, 1, 0])
    // The one of before goes on as well.
    try await index.cover(state)
    keys = try await self.keys(state, index)
    #expect(keys == [1, 1, 0, 1, 0])
    table = try await index.persist(to: table)
    try compare(table, try await table.scan().canonicalRows(), in: folder)
  }

  /// How many rows the index knows of some keys; more than one counts as one.
  private func keys(_ state: TableState, _ index: KeyIndex) async throws -> [Int] {
    let builder = ColumnBuilder(.int64)
    for key in [0, 7, 8, 1000, 1001] as [Int64] { builder.append(key) }
    let batch = RecordBatch(
      fields: [ColumnField("k", .int64)], columns: [builder.finish()], rowCount: 5)
    let places = try await index.lookup(
      try index.columns.keys(of: batch, seed: index.seed), in: state)
    #expect(places[1].count == 2)
    return (0..<5).map { min(1, places[$0].count) }
  }

  private func run(_ text: String, in folder: URL) throws {
    let script = folder.appending(path: "script.sql")
    try text.write(to: script, atomically: true, encoding: .utf8)
    try Oracles.write("spark", script, in: folder)
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

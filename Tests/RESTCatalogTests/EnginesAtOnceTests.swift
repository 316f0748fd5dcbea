// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Network
import RESTCatalog
import Testing

/// One table of a REST catalog that Lake, Spark and DuckDB change at the same time.
@Suite("Engines at once on a REST catalog", .serialized)
struct EnginesAtOnceTests {
  @Test func `Spark and DuckDB add and change rows while Lake does, and all read the same`()
    async throws
  {
    guard Oracles.installed(of: ["spark", "duckdb"]).count == 2 else {
      return print("skipped, 1 test: no Spark or DuckDB to write beside Lake")
    }
    try await JavaServer.using("Spark and DuckDB at once") { server in
      let catalog = try await RESTCatalog.connect(
        name: "java", properties: ["uri": server.uri, "warehouse": server.warehouse.path],
        transport: NetworkTransport(),
        stores: StoreRegistry(["file": LocalStore(durability: .unsynced)]))
      try await catalog.createNamespace(["db"], properties: [:])
      let made = try await catalog.createTable(
        TableIdentifier("db.t"),
        TableDefinition(
          schema: try Schema("k long, s string"),
          properties: [
            "commit.retry.num-retries": "60", "commit.retry.max-wait-ms": "500",
            "write.delete.mode": "merge-on-read", "write.merge.mode": "merge-on-read",
            "write.delete.isolation-level": "snapshot", "write.merge.isolation-level": "snapshot",
          ]))
      async let spark: Void = server.write("pyspark", Self.spark)
      async let duckdb: Void = Self.duckdb(server)
      try await Self.lake(made)
      try await spark
      try await duckdb
      let table = try await made.refreshed()
      let expected =
        (0..<20).filter { $0 != 3 }.map { "\($0) \($0 == 5 ? "new" : "lake")" }
        + (1000..<1006).filter { $0 != 1003 }.map { "\($0) \($0 == 1005 ? "merged" : "spark")" }
        + (2000..<2006).filter { $0 != 2003 }.map { "\($0) duck" }
      #expect(try await rows(table) == expected.sorted())
      let snapshots = table.metadata.snapshots
      for (parent, child) in zip(snapshots, snapshots.dropFirst()) {
        #expect(child.parentID == parent.id)
      }
      // None waited for the others: commits of Lake lie between those of other engines.
      let order = snapshots.map { $0.summary[SnapshotSummary.commitIDKey] != nil }
      let turns = zip(order, order.dropFirst()).count { $0 != $1 }
      print("\(snapshots.count) snapshots, \(turns) times another engine's turn")
      #expect(turns > 2)
      try await agree(table)
    }
  }

  /// Twenty commits of a row, half of them once Spark writes, a row upserted and one deleted.
  private static func lake(_ made: Table) async throws {
    for number in 0..<20 {
      if number == 10 { try await waitForSpark(made) }
      let row = Rows.batch(
        [[.long(Int64(number)), .string("lake")]], made.metadata.currentSchema)
      _ = try await made.refreshed().append([row])
      try await Task.sleep(for: .milliseconds(500))
    }
    var options = UpsertOptions()
    options.key = ["k"]
    options.writer = "stream"
    let writer = try await UpsertWriter.open(try await made.refreshed(), options)
    try await writer.upsert(
      Rows.batch([[.long(5), .string("new")]], made.metadata.currentSchema))
    try await writer.commit()
    try await writer.close()
    _ = try await made.refreshed().deleteRows(where: PredicateParser.parse("k = 3"))
  }

  /// Until its first row is there; two minutes at the most.
  private static func waitForSpark(_ made: Table) async throws {
    for _ in 0..<240 {
      let found = try await made.refreshed().scan().filter(PredicateParser.parse("k = 1000"))
      if try await found.readAll().contains(where: { $0.rowCount > 0 }) { return }
      try await Task.sleep(for: .milliseconds(500))
    }
    Issue.record("Spark has not begun")
  }

  /// DuckDB does not try a commit again that lost: then the statement is run anew.
  private static func duckdb(_ server: JavaServer) async throws {
    let inserts = (2000..<2006).map { "insert into lake.db.t values (\($0), 'duck');" }
    for statement in inserts + ["delete from lake.db.t where k = 2003;"] {
      for attempt in 1...20 {
        do {
          try await server.write("duckdb", statement)
          break
        } catch {
          if attempt == 20 { throw error }
        }
      }
    }
  }

  private static let spark = """
    for k in range(1000, 1006):
        sql(f"INSERT INTO lake.db.t VALUES ({k}, 'spark')")
    def change(text):
        for attempt in range(20):
            try:
                return sql(text)
            except Exception:
                if attempt == 19:
                    raise
    change("DELETE FROM lake.db.t WHERE k = 1003")
    change(\"\"\"MERGE INTO lake.db.t t USING (SELECT 1005L AS k) s ON t.k = s.k
        WHEN MATCHED THEN UPDATE SET s = 'merged'\"\"\")
    """

  private func rows(_ table: Table) async throws -> [String] {
    try await table.scan().readAll().flatMap { batch in
      (0..<batch.rowCount).map {
        "\(batch.columns[0].integer($0)) \(batch.columns[1].string($0))"
      }
    }.sorted()
  }

  private func agree(_ table: Table) async throws {
    let engines = Oracles.installed(of: ["java", "spark", "duckdb", "pyiceberg"])
    let file = FileManager.default.temporaryDirectory.appending(path: "lake-rows-\(UUID()).jsonl")
    defer { try? FileManager.default.removeItem(at: file) }
    try await table.scan().canonicalRows().joined(separator: "\n").appending("\n")
      .write(to: file, atomically: true, encoding: .utf8)
    for answer in try Oracles.compare(
      URL(filePath: table.metadataLocation.path), engines, expected: file)
    {
      #expect(answer.agrees, "\(answer.text)")
    }
  }
}

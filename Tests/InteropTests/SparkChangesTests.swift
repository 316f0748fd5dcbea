// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSON
import Lake
import LakeTestSupport
import Testing

/// Changes of copy-on-write tables are those of Spark's `create_changelog_view`.
///
/// With `LAKE_INTEROP=all` and where Spark is installed.
@Suite("Spark tells the same changes", .serialized)
struct SparkChangesTests {
  private static let isAsked = ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all"
  private static let isThere = !Oracles.installed(of: ["spark"]).isEmpty

  /// What Spark does to each table, and what it tells of that, as a line a change.
  private static let script = """
    import json, os
    def lines(view, path):
        with open(os.path.join(warehouse, path), "w") as out:
            for row in sql(f"SELECT * FROM {view}").collect():
                print(json.dumps(row.asDict(), default=str), file=out)
    for name in ("t2", "t3"):
        t = f"lake.db.{name}"
        for step in (
            "INSERT INTO {t} VALUES (1001, 5, 'x'), (1002, 6, NULL)",
            "UPDATE {t} SET a = 77 WHERE k < 10",
            "DELETE FROM {t} WHERE k IN (20, 21, 22)",
            "MERGE INTO {t} t USING (SELECT 1001L AS k, 99 AS a) s ON t.k = s.k "
            "WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT (k, a) VALUES (s.k, s.a)",
            "UPDATE {t} SET a = a WHERE k > 90",
            "CALL lake.system.rewrite_data_files(table => 'db.{n}', options => map('rewrite-all', 'true'))",
            "INSERT INTO {t} VALUES (1003, 8, 'y')",
            "UPDATE {t} SET b = 'z' WHERE k IN (50, 51)",
        ):
            sql(step.format(t=t, n=name))
        for kind, options in (
            ("plain", ""),
            ("updates", ", identifier_columns => array('k'), compute_updates => true"),
            ("net", ", net_changes => true"),
        ):
            sql(f"CALL lake.system.create_changelog_view(table => 'db.{name}', "
                f"changelog_view => 'v_{name}_{kind}'{options})")
            lines(f"v_{name}_{kind}", f"{name}_{kind}.jsonl")
    """

  @Test
  func `changes of copy-on-write tables are Spark's`() async throws {
    guard Self.isAsked, Self.isThere else {
      return print("skipped: Spark is not asked, or not installed")
    }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-changes-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(folder.path), store: LocalStore(durability: .unsynced))
    for version in [FormatVersion.v2, .v3] {
      let table = try await catalog.createTable(
        "db.t\(version.rawValue)", "k long not null, a int, b string",
        partitionedBy: "bucket(2, k)",
        properties: [
          "write.delete.mode": "copy-on-write", "write.update.mode": "copy-on-write",
          "write.merge.mode": "copy-on-write",
        ], formatVersion: version)
      let rows = (0..<100).map { number -> [Value?] in
        [.long(Int64(number)), .int(Int32(number % 7)), .string("s\(number % 5)")]
      }
      _ = try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
    }
    let script = folder.appending(path: "script.py")
    try Self.script.write(to: script, atomically: true, encoding: .utf8)
    try Oracles.write("pyspark", script, in: folder)
    for version in [FormatVersion.v2, .v3] {
      let name = "t\(version.rawValue)"
      var table = try await catalog.loadTable(TableIdentifier("db.\(name)"))
      func told(_ kind: String) throws -> [String] {
        try Self.spark(folder.appending(path: "\(name)_\(kind).jsonl"))
      }
      // Without ids and keys no row is an update: as Spark tells it that is not told a key.
      let plain = try await Self.ours(table.changes(from: nil), splitsUpdates: true)
      #expect(plain == (try told("plain")), "\(name)")
      let net = try await Self.ours(table.changes(from: nil).net(), isNet: true)
      #expect(net == Self.withoutCommit(try told("net")), "\(name)")
      table = try await table.commit(
        SchemaChange { evolution throws(IcebergError) in try evolution.setKey(["k"]) }
      ).table
      let updates = try await Self.ours(table.changes(from: nil, to: .current))
      #expect(updates == (try told("updates")), "\(name)")
      #expect(updates.contains { $0.contains("update_before") })
      print("\(name): \(plain.count) changes are Spark's, \(net.count) of them net")
    }
  }

  /// Changes as lines of commit, ordinal, type and row.
  private static func ours(
    _ scan: ChangelogScan, splitsUpdates: Bool = false, isNet: Bool = false
  ) async throws -> [String] {
    var lines: [String] = []
    for try await batch in scan.preImages(.included).batches() {
      for row in 0..<batch.rowCount {
        var type = batch.columns[0].string(row)
        if splitsUpdates {
          if type == "update_before" { type = "delete" }
          if type == "update_after" { type = "insert" }
        }
        let commit =
          isNet ? "" : "\(batch.columns[2].integer(row)) \(batch.columns[1].integer(row)) "
        let columns = batch.columns
        let values = [
          "\(columns[3].integer(row))", columns[4].isNull(row) ? "-" : "\(columns[4].integer(row))",
          columns[5].isNull(row) ? "-" : columns[5].string(row),
        ]
        lines.append("\(commit)\(type) \(values.joined(separator: " "))")
      }
    }
    return lines.sorted()
  }

  private static func spark(_ file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      let row = try JSONValue(parsing: String(line))
      func text(_ name: String) -> String {
        switch row[name] {
        case .integer(let number)?: "\(number)"
        case .string(let text)?: text
        default: "-"
        }
      }
      return "\(text("_commit_snapshot_id")) \(text("_change_ordinal")) "
        + "\(text("_change_type").lowercased()) \(text("k")) \(text("a")) \(text("b"))"
    }.sorted()
  }

  /// Lines without their first two words.
  private static func withoutCommit(_ lines: [String]) -> [String] {
    lines.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") }.sorted()
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Tables we write, read by other engines.
///
/// pyiceberg and duckdb are asked always; with `LAKE_INTEROP=all`, which `make interop` sets, every
/// engine of the oracles that is installed.
@Suite("Other engines read what we write", .serialized)
struct OtherEnginesTests {
  private static let wanted =
    ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all"
    ? ["java", "spark", "pyiceberg", "duckdb", "polars", "chdb"] : ["pyiceberg", "duckdb"]
  private static let engines = Oracles.installed(of: wanted)

  @Test func `the engines are installed, or their absence is told`() {
    let missing = Self.wanted.filter { !Self.engines.contains($0) }
    guard !missing.isEmpty else { return }
    print("skipped: \(missing.count) engines not installed: \(missing.joined(separator: " "))")
    #expect(!SiblingFolder.isContinuousIntegration, "engines are missing: \(missing)")
  }

  /// Runs `body` with a folder of its own, which is gone afterwards.
  private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-interop-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }

  /// Reads `table` ourselves and with every engine, and compares with the canonical `rows`.
  private func compare(
    _ table: Table, called name: String, rows: [String], gaps: [String: String], in folder: URL
  ) async throws {
    let own = try await table.scan().canonicalRows()
    #expect(own == rows, "\(name), ourselves: \(CanonicalRows.difference(own, rows))")
    let expected = folder.appending(path: "expected.jsonl")
    try rows.map { $0 + "\n" }.joined().write(to: expected, atomically: true, encoding: .utf8)
    let place = URL(filePath: table.metadata.location)
    for answer in try Oracles.compare(place, Self.engines, expected: expected) {
      print("\(name): \(answer.text)")
      if let gap = gaps[answer.engine] {
        #expect(!answer.agrees, "\(name): \(answer.engine) reads it now, though it \(gap)")
      } else {
        #expect(answer.agrees, "\(name): \(answer.text)")
      }
    }
  }

  @Test(arguments: InteropTable.all)
  func `every engine reads the rows that were written`(table: InteropTable) async throws {
    try await withFolder { folder in
      let written = try await table.write(in: folder)
      try await compare(
        written, called: table.name, rows: try table.expectedText(), gaps: table.gaps, in: folder)
    }
  }

  /// Late and doubled events, rows that move between partitions, deletions, two writers.
  @Test(arguments: [FormatVersion.v2, .v3])
  func `every engine reads a table that was upserted into`(version: FormatVersion) async throws {
    try await withFolder { folder in
      let (table, rows) = try await UpsertedTable.write(in: folder, version)
      try await compare(
        table, called: "upserted_v\(version.rawValue)", rows: rows,
        gaps: version == .v3 ? ["chdb": "reads no deletion vectors"] : [:], in: folder)
    }
  }

  /// DuckDB 1.5's cache of files confuses vectors of one Puffin file, unless it is told to keep none.
  @Test func `duckdb tells the vectors of one commit apart`() async throws {
    guard let python = Oracles.python(of: "duckdb") else { return }
    try await withFolder { folder in
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath(folder.path), store: LocalStore(durability: .unsynced))
      var table = try await catalog.createTable("db.t", "id long, m int", formatVersion: .v3)
      let fields = table.metadata.currentSchema.columnFields
      var next: Int64 = 0
      for count in [70_000, 70_000, 3000, 70_000, 500, 70_000, 400] {
        let rows = BatchBuilder(fields)
        for _ in 0..<count {
          rows.columns[0].append(next)
          rows.columns[1].append(Int32(truncatingIfNeeded: next &* 2_654_435_761 >> 7) & 7)
          next += 1
        }
        table = try #require(try await table.append([rows.finish()])).table
      }
      _ = try await table.deleteRows(where: .equal("m", 3), mode: .mergeOnRead)
      table = try await table.refreshed()
      var (count, sum) = (0, Int64(0))
      for batch in try await table.scan().select("id").readAll() {
        count += batch.rowCount
        for row in 0..<batch.rowCount { sum += batch.columns[0].integer(row) }
      }
      let script = """
        import duckdb
        con = duckdb.connect()
        con.execute("LOAD iceberg")
        found = con.execute("SELECT count(*), sum(id) FROM iceberg_scan('\(table.metadataLocation)')")
        assert found.fetchone() == (\(count), \(sum))
        """
      try Oracles.run(python, ["-c", script])
    }
  }

  @Test func `every engine reads the table of the quickstart`() async throws {
    try await withFolder { folder in
      let table = try await Flights.write(in: folder)
      #expect(table.metadata.snapshots.count == 4)
      try await compare(
        table, called: "flights", rows: try Flights.expectedRows(), gaps: [:], in: folder)
    }
  }
}

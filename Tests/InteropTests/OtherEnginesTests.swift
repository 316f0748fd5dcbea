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

  @Test func `every engine reads the table of the quickstart`() async throws {
    try await withFolder { folder in
      let table = try await Flights.write(in: folder)
      #expect(table.metadata.snapshots.count == 4)
      try await compare(
        table, called: "flights", rows: try Flights.expectedRows(), gaps: [:], in: folder)
    }
  }
}

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

  @Test(arguments: InteropTable.all)
  func `every engine reads the rows that were written`(table: InteropTable) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-interop-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let written = try await table.write(in: folder)
    let rows = try table.expectedText()
    let own = try await written.scan().canonicalRows()
    #expect(own == rows, "\(table), ourselves: \(CanonicalRows.difference(own, rows))")

    let expected = folder.appending(path: "expected.jsonl")
    try rows.map { $0 + "\n" }.joined().write(to: expected, atomically: true, encoding: .utf8)
    let place = URL(filePath: written.metadata.location)
    for answer in try Oracles.compare(place, Self.engines, expected: expected) {
      print("\(table): \(answer.text)")
      if let gap = table.gaps[answer.engine] {
        #expect(!answer.agrees, "\(table): \(answer.engine) reads it now, though it \(gap)")
      } else {
        #expect(answer.agrees, "\(table): \(answer.text)")
      }
    }
  }
}

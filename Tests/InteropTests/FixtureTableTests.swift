// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Tables that Spark and Iceberg Java wrote, read at each of their snapshots, and compared with the
/// rows that Iceberg Java reads of them.
@Suite("Tables of the reference implementation")
struct FixtureTableTests {
  /// Variants are read as the two binary parts they are stored in, and not compared.
  private static let variants = ["v3_types": "doc"]

  /// The rows of `scan`, and those of them that `set` tells, without variants.
  private func rows(
    _ fixture: FixtureTable, _ scan: TableScan, _ set: String
  ) async throws -> (found: [String], expected: [String]) {
    var scan = scan
    let variant = Self.variants[fixture.name]
    if let variant {
      scan = scan.select(try scan.outputFields().map(\.name).filter { $0 != variant })
    }
    let expected = try fixture.expectedRows(set, without: variant)
    return (try await scan.canonicalRows(), expected)
  }

  @Test(arguments: FixtureTable.all)
  func `every snapshot has the rows the reference implementation reads`(
    fixture: FixtureTable
  ) async throws {
    let table = try await fixture.open()
    for set in fixture.expectedSets {
      let selection = Int64(set).map { SnapshotSelection.id(SnapshotID($0)) } ?? .current
      let (found, expected) = try await rows(fixture, table.scan().at(selection), set)
      #expect(
        found == expected, "\(fixture) at \(set): \(CanonicalRows.difference(found, expected))")
      let count = try await table.scan().at(selection).count()
      #expect(count == Int64(expected.count), "\(fixture) at \(set)")
    }
  }

  @Test(arguments: FixtureTable.all)
  func `rows have the ids and sequence numbers the reference implementation gives them`(
    fixture: FixtureTable
  ) async throws {
    let table = try await fixture.open()
    for set in fixture.lineageSets {
      let selection = Int64(set).map { SnapshotSelection.id(SnapshotID($0)) } ?? .current
      let variant = Self.variants[fixture.name]
      var scan = table.scan().at(selection)
      let columns = try scan.outputFields().map(\.name).filter { $0 != variant }
      scan = scan.select(columns + ["_row_id", "_last_updated_sequence_number"])
      let expected = try fixture.expectedRows("\(set).lineage", without: variant)
      let found = try await scan.canonicalRows()
      #expect(
        found == expected, "\(fixture) at \(set): \(CanonicalRows.difference(found, expected))")
    }
  }

  @Test(arguments: FixtureTable.all)
  func `every branch and tag has the rows of its snapshot`(fixture: FixtureTable) async throws {
    let table = try await fixture.open()
    for (name, snapshot) in fixture.references {
      let set = snapshot == table.metadata.currentSnapshotID?.rawValue ? "current" : "\(snapshot)"
      let (found, expected) = try await rows(fixture, table.scan().at(.reference(name)), set)
      #expect(
        found == expected, "\(fixture) at \(name): \(CanonicalRows.difference(found, expected))")
    }
  }

  @Test func `the fixture tables are there, or their absence is told`() {
    if FixtureTable.all.isEmpty {
      print("skipped: fixture tables: shared/fixtures is not beside the checkout")
      #expect(!SiblingFolder.isContinuousIntegration, "shared/fixtures is missing")
    } else {
      #expect(FixtureTable.all.count >= 16)
      #expect(FixtureTable.all.flatMap(\.lineageSets).count >= 14)
    }
  }
}

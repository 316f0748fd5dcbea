// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Tables that Spark and Iceberg Java wrote, read at each of their snapshots, and compared with the
/// rows that Iceberg Java reads of them.
@Suite("Tables of the reference implementation")
struct FixtureTableTests {
  /// Tables with snapshots that have delete files.
  private static let withDeletes: Set = [
    "deletion_vectors", "equality_deletes", "position_deletes",
  ]

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
    var unread: [String] = []
    for set in fixture.expectedSets {
      let selection = Int64(set).map { SnapshotSelection.id(SnapshotID($0)) } ?? .current
      do {
        let (found, expected) = try await rows(fixture, table.scan().at(selection), set)
        #expect(
          found == expected, "\(fixture) at \(set): \(CanonicalRows.difference(found, expected))")
        let count = try await table.scan().at(selection).count()
        #expect(count == Int64(expected.count), "\(fixture) at \(set)")
      } catch ScanError.unsupported(what: "delete files", file: _) {
        #expect(Self.withDeletes.contains(fixture.name), "\(fixture) at \(set) has no deletes")
        unread.append(set)
      }
    }
    if !unread.isEmpty {
      print("\(fixture): \(unread.count) of \(fixture.expectedSets.count) need delete files")
    }
  }

  @Test(arguments: FixtureTable.all.filter { !withDeletes.contains($0.name) })
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
    }
  }
}

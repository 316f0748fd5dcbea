// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Writers that add, change and delete rows of one table at once.
@Suite("Concurrent changes of rows")
struct ConcurrentRowChangesTests {
  private static let writerCount = 16
  private static let changeCount = 6

  /// Rows of all writers lie in the same files, but each changes only its own: whatever the order,
  /// each writer's rows must be what it made of them.
  @Test(arguments: [FormatVersion.v2, .v3])
  func `B1 B10: every acknowledged change of 16 writers is there once`(
    version: FormatVersion
  ) async throws {
    let environment = Environment.deterministic(seed: 8)
    let store = MemoryStore(environment: environment)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    var table = try await catalog.createTable(
      "db.t", "writer int, number int, value int",
      properties: [
        "commit.retry.total-timeout-ms": "1000000000", "commit.manifest.min-count-to-merge": "7",
      ], formatVersion: version)
    let schema = table.metadata.currentSchema
    let rows = (0..<Self.writerCount).flatMap { writer in
      (0..<8).map { [Value.int(Int32(writer)), .int(Int32($0)), .int(0)] as [Value?] }
    }
    table = try #require(try await table.append([Rows.batch(rows, schema)])).table

    let random = SeededRandom(printing: "concurrent changes of rows")
    let seeds = (0..<Self.writerCount).map { _ in random.next() }
    let models = try await withThrowingTaskGroup(of: [[Value?]].self) { group in
      for (writer, seed) in seeds.enumerated() {
        group.addTask {
          try await Self.work(
            as: Int32(writer), SeededRandom(seed: seed), catalog, schema)
        }
      }
      var all: [[Value?]] = []
      for try await rows in group { all += rows }
      return all
    }

    let now = try await table.refreshed()
    #expect(
      try await now.scan().canonicalRows() == CanonicalRows.lines(of: [Rows.batch(models, schema)]))
    let invariants = TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    #expect(try await invariants.violations() == [])
    #expect(try await invariants.orphans() == [], "what lost is cleaned up")
  }

  /// Makes some changes of the rows of `writer`, and gives back what they must be.
  private static func work(
    as writer: Int32, _ random: SeededRandom, _ catalog: FilesystemCatalog, _ schema: Schema
  ) async throws -> [[Value?]] {
    var rows = (0..<8).map { [Value.int(writer), .int(Int32($0)), .int(0)] as [Value?] }
    var next: Int32 = 8
    for change in 1...Self.changeCount {
      let table = try await catalog.loadTable(TableIdentifier("db.t"))
      let own = Predicate.equal("writer", .integer(Int64(writer)))
      let number = Int32(random.int(in: 0..<Int(next)))
      let wanted = Predicate.and([own, .equal("number", .integer(Int64(number)))])
      let mode = random.pick(RowChangeMode.allCases)
      switch random.int(in: 0..<3) {
      case 0:
        let row = [Value.int(writer), .int(next), .int(Int32(change))] as [Value?]
        next += 1
        _ = try await table.append([Rows.batch([row], schema)])
        rows.append(row)
      case 1:
        _ = try await table.deleteRows(where: wanted, mode: mode)
        rows.removeAll { $0[1] == .int(number) }
      default:
        let value = try ExpressionParser.parse(assignment: "value = \(change)")
        _ = try await table.updateRows(where: wanted, set: [value], mode: mode)
        rows = rows.map { $0[1] == .int(number) ? [$0[0], $0[1], .int(Int32(change))] : $0 }
      }
    }
    return rows
  }
}

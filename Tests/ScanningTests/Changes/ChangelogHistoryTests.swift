// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Scanning
import SeededNumbers
import Testing

/// Changes between the states of tables with random histories.
@Suite("Changes over random histories")
struct ChangelogHistoryTests {
  private static let environment = ProcessInfo.processInfo.environment
  /// How many histories there are of each version: more than two thousand of all three where others
  /// are to rely on it. Most are of a few commits, so that they are cheap.
  private static let count = Depth.isLong || environment["LAKE_CI"] == "1" ? 700 : 15

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `the changes between two states make the rows of one those of the other`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "changes, v\(version.rawValue)")
    for round in 0..<Self.count {
      let isShort = !Depth.isLong && random.chance(95)
      let (table, log) = try await Self.history(random, version, isShort ? 1..<4 : Self.most)
      for (from, to) in Self.pairs(of: table, isShort ? 1 : 6, random) {
        if let problem = try await Self.problem(table, from, to, random) {
          Issue.record("round \(round), \(log), \(from as Any) to \(to): \(problem)")
          return
        }
      }
    }
  }

  /// How many things are done to a table that is not to be cheap.
  private static let most = 3..<(Depth.isLong ? 18 : 10)

  /// A table that `steps` things were done to by us, and as many by others.
  private static func history(
    _ random: SeededRandom, _ version: FormatVersion, _ steps: Range<Int>
  ) async throws -> (Table, log: String) {
    var history = try await RandomHistory(random, version)
    var table = history.table
    for _ in 0..<random.int(in: steps) {
      try await history.step(random)
      table = try await OtherEngine.act(on: try await table.refreshed(), random)
      if random.chance(20), table.metadata.currentSchema.identifierFieldIDs.isEmpty {
        let change = SchemaChange { evolution throws(IcebergError) in
          try evolution.setKey(["k"])
        }
        table = try await table.commit(change).table
      }
    }
    return (try await table.refreshed(), history.log.joined(separator: "; "))
  }

  /// `count` pairs of states, each fourth of the empty table and a state.
  private static func pairs(
    of table: Table, _ count: Int, _ random: SeededRandom
  ) -> [(from: SnapshotID?, to: SnapshotID)] {
    let all = table.metadata.snapshots.map(\.id)
    guard !all.isEmpty else { return [] }
    return (0..<count).map { _ in
      (random.chance(25) ? nil : random.pick(all), random.pick(all))
    }
  }

  /// What is wrong with the changes from one state to another; nil if nothing is.
  private static func problem(
    _ table: Table, _ from: SnapshotID?, _ to: SnapshotID, _ random: SeededRandom
  ) async throws -> String? {
    let changes = table.changes(from: from.map { .id($0) }, to: .id(to))
    if let from, from != to, table.metadata.isAncestor(to, of: from) {
      var batches = changes.batches().makeAsyncIterator()
      do {
        _ = try await batches.next()
      } catch {
        if case .emptyRange = error { return nil }
      }
      return "changes back in time"
    }
    let laws = ChangelogLaws(table: table)
    let (before, after) = (
      try await laws.rows(at: from, as: to), try await laws.rows(at: to, as: to)
    )
    if let problem = try await ChangelogLaws.difference(changes, before, after) { return problem }
    if let problem = try await ChangelogLaws.difference(changes.net(), before, after) {
      return "net: \(problem)"
    }
    for scan in [changes, changes.net()] {
      let limit = random.pick([300, 1500, 8000])
      if let problem = try await ChangelogLaws.differenceOfPasses(scan, limit: limit) {
        return "\(limit) bytes: \(problem)"
      }
    }
    let schema = table.metadata.snapshot(to)?.schemaID.flatMap { table.metadata.schema($0) }
    guard let schema, random.chance(40) else { return nil }
    let predicate = Generators.predicate(random, on: schema, depth: 2)
    var columns = schema.fields.map(\.name).filter { _ in random.chance(50) }
    // A row of another key is another row, whether the key is asked for or not.
    let isKeyed = !schema.identifierFieldIDs.isEmpty && !columns.contains("k")
    if columns.isEmpty || isKeyed { columns.append("k") }
    let question = { (scan: TableScan) in scan.filter(predicate).select(columns) }
    let (some, others) = (
      try await laws.rows(at: from, as: to, question),
      try await laws.rows(at: to, as: to, question)
    )
    let asked = changes.filter(predicate).select(columns)
    if let problem = try await ChangelogLaws.difference(asked, some, others) {
      return "\(columns) where \(predicate): \(problem)"
    }
    return try await ChangelogLaws.differenceOfPasses(asked, limit: 500)
  }
}

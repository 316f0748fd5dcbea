// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Expiry within transactions, and with branches that share files.
@Suite("Expiry and branches")
struct ExpiryBranchTests {
  private enum Step: String, CaseIterable {
    case append, delete, rewrite, expire, transaction, dropBranch
  }

  private static let branches = ["main", "a", "b"]

  /// What each branch has to have.
  private typealias Model = [String: Set<Int64>]

  private static func keys(_ table: Table, _ branch: String) async throws -> Set<Int64> {
    var keys: Set<Int64> = []
    for batch in try await table.scan().at(.reference(branch)).select(["k"]).readAll() {
      for row in 0..<batch.rowCount { keys.insert(batch.columns[0].integer(row)) }
    }
    return keys
  }

  /// A table whose three branches share files and have own ones.
  private static func world(_ version: FormatVersion) async throws -> (CompactionWorld, Model) {
    let world = try await CompactionWorld(version)
    try await world.append(0..<10)
    try await world.append(10..<20)
    for name in ["a", "b"] {
      _ = try await world.table().commit(ReferenceChange.createBranch(name))
    }
    var model: Model = [:]
    for (number, name) in branches.enumerated() {
      let first = Int64(100 * (number + 1))
      let table = try await world.table()
      let rows = (first..<first + 5).map { [Value.long($0), .int(0)] as [Value?] }
      var batches = [Rows.batch(rows, table.metadata.currentSchema)][...]
      _ = try await table.append(branch: name) { () async throws(Never) in batches.popFirst() }
      model[name] = Set(0..<20).union(first..<first + 5)
    }
    return (world, model)
  }

  private static func run(
    _ step: Step, on branch: String, _ world: CompactionWorld, _ model: inout Model
  ) async throws {
    // An hour later, so that expiry has something to let go.
    let table = try await world.late(.seconds(3600))
    guard model[branch] != nil else { return }
    let policy = ExpiryPolicy(maxSnapshotAge: .seconds(60), minSnapshotsToKeep: 1)
    switch step {
    case .append:
      let key = Int64(1000 + (model[branch]?.count ?? 0) * 7)
      var batches = [
        Rows.batch([[.long(key), .int(0)] as [Value?]], table.metadata.currentSchema)
      ][...]
      _ = try await table.append(branch: branch) { () async throws(Never) in batches.popFirst() }
      model[branch]?.insert(key)
    case .delete:
      _ = try await table.deleteRows(
        where: .isIn("k", [3, 12]), mode: .copyOnWrite, branch: branch)
      model[branch]?.subtract([3, 12])
    case .rewrite:
      var options = CompactionOptions()
      options.branch = branch
      _ = try await table.compact(options)
    case .expire: _ = try await table.expireSnapshots(policy)
    case .transaction:
      // With expiry in one transaction, and then what nothing needs any more.
      _ = try await table.commit(
        Transaction([ManifestRewrite(branch: branch), ExpireSnapshots(policy)]))
      _ = try await table.refreshed().expireSnapshots(policy)
    case .dropBranch:
      guard branch != "main" else { return }
      _ = try await table.commit(ReferenceChange.remove(.branch, branch))
      model[branch] = nil
      _ = try await table.refreshed().expireSnapshots(policy)
    }
  }

  /// Every step on a branch, followed by every step on another, with expiry behind them.
  @Test(arguments: [FormatVersion.v2, .v3])
  func `D8: no expiry, alone or in a transaction, takes what a branch needs`(
    version: FormatVersion
  ) async throws {
    let steps = Step.allCases
    let random = SeededRandom(printing: "expiry and branches, v\(version.rawValue)")
    var pairs: [(Step, Step)] = []
    for first in steps { for second in steps { pairs.append((first, second)) } }
    for (first, second) in pairs where Depth.isLong || random.chance(15) {
      var (world, model) = try await Self.world(version)
      try await Self.run(first, on: "a", world, &model)
      try await Self.run(second, on: random.pick(["main", "a", "b"]), world, &model)
      try await Self.run(.expire, on: "main", world, &model)
      let table = try await world.table()
      for (branch, expected) in model {
        let found = try await Self.keys(table, branch)
        #expect(found == expected, "\(first), \(second): \(branch)")
      }
      var problems: [String] = []
      _ = try await table.audit().run { problems.append("\($0)") }
      #expect(problems == [], "\(first), \(second)")
      let orphans = try await world.orphans()
      #expect(orphans == [], "\(first), \(second)")
    }
  }
}

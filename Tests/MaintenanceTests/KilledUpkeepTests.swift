// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import Ingest
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Every command that keeps a table up, broken off at any call to the store, and run again.
@Suite("Upkeep that is killed")
struct KilledUpkeepTests {
  enum Command: String, CaseIterable, CustomTestStringConvertible {
    case compact, sort, zorder, folding, expire, orphans, manifests, maintain, backfill, ownBackfill

    var testDescription: String { rawValue }

    func run(_ world: BackfillWorld, _ store: any ObjectStore, pinned: SnapshotID) async throws {
      let catalog = try world.catalog(store)
      let table = try await catalog.loadTable(TableIdentifier("db.s"))
      var compaction = CompactionOptions()
      switch self {
      case .compact:
        compaction.deletedPercent = 0
        try await table.compact(compaction)
      case .sort:
        compaction.strategy = .sort
        compaction.sortBy = "n, k"
        compaction.memoryLimit = 4000
        compaction.targetByteCount = 1000
        try await table.compact(compaction)
      case .zorder:
        compaction.strategy = .zorder
        compaction.sortBy = "n, v"
        compaction.targetByteCount = 1000
        try await table.compact(compaction)
      case .folding: try await DeleteFolding(table).run()
      case .expire: _ = try await table.expireSnapshots(Self.expiry)
      case .orphans: _ = try await table.sweepOrphans(olderThan: .seconds(3 * 86_400), .delete)
      case .manifests: _ = try await table.commit(ManifestRewrite())
      case .maintain:
        var policy = MaintenancePolicy()
        try policy.apply("keep=1h,keep-last=1,manifests=2,orphans=3d")
        for step in try await Upkeep(table, policy).run(.run) {
          if let error = step.error { throw error }
        }
      case .backfill, .ownBackfill:
        var options = try world.options()
        if self == .ownBackfill {
          options.computation = .selection(
            try ExpressionParser.parse(selectList: "coalesce(n, 0) + 1000 AS n"))
        }
        options.splitByteCount = 1500
        options.to = .id(pinned)
        let target = self == .backfill ? "db.t" : "db.s"
        try await Backfill(
          from: table, into: catalog.loadTable(TableIdentifier(target)), options
        ).run()
      }
    }

    private static let expiry = ExpiryPolicy(maxSnapshotAge: .seconds(3600), minSnapshotsToKeep: 1)
  }

  /// Two tables, of which one has small files, deletes in many places, and a file that nothing names.
  private static func world(_ random: SeededRandom) async throws -> (BackfillWorld, SnapshotID) {
    let world = try await BackfillWorld(random, .v2, isKeyed: true)
    for start in stride(from: Int32(0), to: 40, by: 10) {
      try await world.append(start..<start + 10)
    }
    for some in [[3, 13], [4, 33]] as [[Int64]] {
      _ = try await world.table("db.s").deleteRows(
        where: .isIn("k", some.map { .integer($0) }), mode: .mergeOnRead)
    }
    let table = try await world.table("db.s")
    let pinned = try #require(table.metadata.currentSnapshotID)
    // A writer that compactions ask to leave files alone.
    let record = WriterRecord(
      fence: 1, epoch: 0, offsets: [:], branch: "main", snapshot: pinned,
      sequenceNumber: table.metadata.lastSequenceNumber)
    _ = try await table.commit(
      PropertyChange(set: [WriterRecord.property(of: "w"): record.text]))
    _ = try await world.store.put(
      Buffer(utf8: "of no one"),
      to: ObjectPath(table.metadata.location).appending("data").appending("left.parquet"),
      if: .absent)
    world.clock.advance(by: .seconds(10 * 86_400))
    return (world, pinned)
  }

  /// What counts of both tables: rows, and how many files and snapshots there are.
  private static func state(_ world: BackfillWorld) async throws -> [String] {
    var lines: [String] = []
    for name in ["db.s", "db.t"] {
      let table = try await world.table(name)
      let plan = try await table.scan().plan()
      let deletes = Set(plan.tasks.flatMap { $0.deletes.map(\.file.identity) })
      lines.append("\(name): \(plan.tasks.count) files, \(deletes.count) delete files")
      if table.metadata.compactionClaim != nil { lines.append("\(name) is claimed") }
      var rows: [String] = []
      for batch in try await table.scan().readAll() {
        for row in 0..<batch.rowCount {
          rows.append(
            batch.columns.map { $0.icebergValue(row).map { "\($0)" } ?? "-" }
              .joined(separator: " "))
        }
      }
      lines += rows.sorted()
    }
    return lines
  }

  @Test(arguments: Command.allCases)
  func `killed at any call and run again is as run once`(command: Command) async throws {
    let random = SeededRandom(printing: "\(command) that is killed")
    let seed = random.next()
    let (once, pinned) = try await Self.world(SeededRandom(seed: seed))
    let counting = FaultyStore(once.store)
    try await command.run(once, counting, pinned: pinned)
    let expected = try await Self.state(once)
    let calls = counting.callCount
    #expect(calls > 3)
    var tried = 0
    let step = Depth.isLong ? 1 : max(1, calls / 4)
    for call in stride(from: 1 + random.int(in: 0..<step), through: calls, by: step) {
      for kind in Depth.isLong
        ? [FaultKind.before, .halfway, .after] : [random.pick([.before, .halfway, .after])]
      {
        let (world, pinned) = try await Self.world(SeededRandom(seed: seed))
        let store = FaultyStore(
          world.store, failing: kind, atCall: call, lasting: .untilHealed)
        let note = Comment("\(kind) from call \(call) of \(calls)")
        do {
          try await command.run(world, store, pinned: pinned)
        } catch {
          #expect(store.fired, "\(note): \(error)")
        }
        tried += 1
        try await command.run(world, world.store, pinned: pinned)
        let found = try await Self.state(world)
        var difference = Set(found).symmetricDifference(expected).sorted()
        // These may find more to do a second time: all upkeep what the first left, and sorting is
        // done whenever it is asked for.
        if [.maintain, .sort, .zorder].contains(command) {
          difference.removeAll { $0.hasPrefix("db.s: ") }
        }
        #expect(difference == [], note)
        for name in ["s", "t"] {
          let problems = try await world.problems("db.\(name)")
          #expect(problems == [], note)
        }
        // What is left of the one that was killed goes with a sweep, and nothing else.
        world.clock.advance(by: .seconds(10 * 86_400))
        try await Command.orphans.run(world, world.store, pinned: pinned)
        #expect(try await Self.state(world) == found, note)
        let location = try ObjectPath("memory://w/house/db/s")
        let orphans = try await TableInvariants(location, in: world.store).orphans()
        #expect(orphans == [], note)
      }
    }
    print("\(command): \(tried) kills at \(calls) calls")
  }
}

// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Compaction of random histories, alone and beside others, against models.
@Suite("Compaction")
struct CompactionTests {
  private static func options(
    _ random: SeededRandom, _ table: Table, branch: String
  ) -> CompactionOptions {
    var options = CompactionOptions()
    if !table.metadata.defaultSortOrder.isUnsorted {
      // Curves go through columns that are named: SortedCompactionTests has them.
      options.strategy = random.pick([.binpack, .sort])
    }
    options.targetByteCount = random.pick([1, 3000, 1 << 20])
    options.memoryLimit = random.pick([4, 20_000, 1 << 20])
    options.commitByteCount = random.pick([1, 5000, 1 << 30])
    options.deletedPercent = random.pick([0, 10, 50])
    options.branch = branch
    return options
  }

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `E3 E4: a compaction changes no row, no id and no sequence number`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "compaction, v\(version.rawValue)")
    var rewritten = 0
    for round in 0..<(Depth.isLong ? 200 : 3) {
      let random = random.fork()
      var history = try await RandomHistory(random, version)
      for _ in 0..<random.int(in: 4..<20) {
        try await history.step(random)
        let note = Comment("round \(round), seed \(random.seed): \(history.log)")
        try #require(try await history.difference() == nil, note)
        guard random.chance(40) else { continue }
        let branch = random.pick(history.branchNames)
        guard history.table.metadata.reference(branch) != nil else { continue }
        let report = try await history.table.compact(
          Self.options(random, history.table, branch: branch))
        rewritten += report.rewrittenFiles
        #expect(report.droppedGroups == 0, note)
        try await history.refresh()
        let difference = try await history.difference()
        try #require(difference == nil, note)
      }
      #expect(try await history.invariants.violations() == [])
    }
    // As below.
    if Depth.isLong { #expect(rewritten > 0) }
  }

  /// Someone who changes the table between the calls of another.
  private actor Beside {
    var history: RandomHistory
    let random: SeededRandom
    var left: Int
    private var isStepping = false

    init(_ history: RandomHistory, _ random: SeededRandom, steps: Int) {
      self.history = history
      self.random = random
      left = steps
    }

    func step() async {
      guard left > 0, !isStepping else { return }
      left -= 1
      isStepping = true
      defer { isStepping = false }
      var next = history
      do {
        try await next.step(random)
        let difference = try await next.difference()
        #expect(difference == nil, "\(next.log)")
        history = next
      } catch {
        Issue.record("\(error): \(history.log)")
      }
    }
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `C6 E2 E6: changes of others while it runs and while it commits are neither lost nor undone`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "compaction beside others, v\(version.rawValue)")
    var (moved, committed) = (0, 0)
    for round in 0..<(Depth.isLong ? 300 : 8) {
      let random = random.fork()
      let memory = MemoryStore(environment: .deterministic(seed: random.next()))
      var history = try await RandomHistory(random, version, store: memory)
      for _ in 0..<random.int(in: 4..<10) { try await history.step(random) }
      guard history.table.metadata.currentSnapshotID != nil,
        try await history.difference() == nil
      else { continue }
      let beside = Beside(history, random.fork(), steps: random.int(in: 1..<6))
      let when = random.fork()
      let store = InterposedStore(memory) { call in
        let isCommit = call.operation == .put && call.path.name.hasPrefix("snap-")
        if isCommit ? when.chance(50) : when.chance(4) { await beside.step() }
      }
      let table = try await TableAtLocation.open(
        ObjectPath(history.table.metadata.location), store: store,
        environment: .deterministic(seed: random.next()))
      let note = Comment("round \(round), seed \(random.seed)")
      do throws(MaintenanceError) {
        let report = try await table.compact(Self.options(random, table, branch: "main"))
        moved += report.movedDeletes
        committed += report.snapshotIDs.count
      } catch {
        // Only where the state that was read was rolled back is there nothing to put in its place.
        guard case .commit(.conflict(.historyIsGone)) = error else { throw error }
      }
      var after = await beside.history
      try await after.refresh()
      let difference = try await after.difference()
      #expect(difference == nil, "\(note): \(after.log)")
      #expect(try await after.invariants.violations() == [], note)
    }
    // In a few rounds it may happen that there never was anything to compact.
    if Depth.isLong { #expect(committed > 0) }
    print("compaction beside others: \(committed) commits, \(moved) deletes moved")
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `rows deleted by position meanwhile are deleted where they went`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().deleteRows(where: .isIn("k", [3, 14, 15]), mode: .mergeOnRead)
    let report = try await world.compact(besides: .commit) { table in
      _ = try await table.deleteRows(where: .isIn("k", [0, 15, 16, 59]), mode: .mergeOnRead)
    }
    #expect(report.movedDeletes == 3)
    #expect(report.attempts == 2)
    #expect(report.groups == 1)
    #expect(try await world.keys() == (0..<60).filter { ![0, 3, 14, 15, 16, 59].contains($0) })
    #expect(try await world.orphans() == [])
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `rows of a file that someone replaced are left out, and the rest commits`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version, partitionedBy: "p")
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    let report = try await world.compact(besides: .commit) { table in
      let some = Predicate.and([.equal("p", 0), .equal("k", 20)])
      _ = try await table.deleteRows(where: some, mode: .copyOnWrite)
    }
    #expect(report.groups == 2)
    #expect(report.droppedGroups == 0)
    #expect(report.supersededFiles == 1)
    #expect(try await world.keys() == (0..<60).filter { $0 != 20 })
    #expect(try await world.orphans() == [])
  }

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `a group most of which someone replaced is left out, and it alone`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version, partitionedBy: "p")
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    // v1 has no deletes, so that nothing can be left out of what was written.
    let keys: [Int64] = version == .v1 ? [20] : [0, 10, 20, 30]
    let report = try await world.compact(besides: .commit) { table in
      for key in keys {
        _ = try await table.refreshed().deleteRows(
          where: .equal("k", .integer(key)), mode: .copyOnWrite)
      }
    }
    #expect(report.groups == 1)
    #expect(report.droppedGroups == 1)
    #expect(try await world.keys() == (0..<60).filter { !keys.contains($0) })
    #expect(try await world.orphans() == [])
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `two compactions of the same files at once change no row`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 80, by: 10) {
      try await world.append(start..<start + 10)
    }
    let report = try await world.compact(besides: .commit) { table in
      // Another puts the first files together meanwhile, and rows of both halves go.
      let tasks = try await table.scan().plan().tasks.sorted {
        $0.sequenceNumber < $1.sequenceNumber
      }
      let snapshot = try #require(table.metadata.currentSnapshot)
      _ = try await Compaction(table).rewrite(
        [Array(tasks.prefix(3))], of: tasks, at: snapshot, if: { _ in true })
      _ = try await table.refreshed().deleteRows(
        where: .isIn("k", [5, 25, 35, 75]), mode: .mergeOnRead)
    }
    #expect(report.groups == 1)
    #expect(report.supersededFiles == 3)
    #expect(report.movedDeletes == 2)
    #expect(try await world.keys() == (0..<80).filter { ![5, 25, 35, 75].contains($0) })
    #expect(try await world.orphans() == [])
    // What was written in vain goes with the next one.
    _ = try await world.table().compact()
    #expect(try await world.keys() == (0..<80).filter { ![5, 25, 35, 75].contains($0) })
    #expect(try await world.deleteFileCount() == 0)
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `it commits where the state it read has expired meanwhile`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().deleteRows(where: .isIn("k", [1, 11]), mode: .mergeOnRead)
    let report = try await world.compact(besides: .commit) { table in
      _ = try await table.deleteRows(where: .isIn("k", [2, 55]), mode: .mergeOnRead)
      _ = try await table.refreshed().deleteRows(where: .equal("k", 33), mode: .copyOnWrite)
      _ = try await world.late(.seconds(9)).expireSnapshots(
        ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    }
    #expect(report.groups == 1)
    #expect(report.supersededFiles == 1)
    #expect(report.movedDeletes >= 2)
    #expect(try await world.keys() == (0..<60).filter { ![1, 2, 11, 33, 55].contains($0) })
    #expect(try await world.orphans() == [])
  }

  @Test func `where a vector it reads was replaced and has expired, its group is left out`()
    async throws
  {
    let world = try await CompactionWorld(.v3)
    for start in stride(from: Int64(0), to: 30, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().deleteRows(where: .equal("k", 1), mode: .mergeOnRead)
    let count = Counter()
    let interposed = InterposedStore(world.store) { call in
      guard call.path.name.hasSuffix(".puffin"), await count.next() == 1 else { return }
      do {
        _ = try await world.table().deleteRows(where: .equal("k", 2), mode: .mergeOnRead)
        let report = try await world.late(.seconds(9)).expireSnapshots(
          ExpiryPolicy(maxSnapshotAge: .seconds(1)))
        #expect(report.problems == [])
      } catch {
        Issue.record(error)
      }
    }
    let report = try await world.table(interposed).compact()
    #expect(report.droppedGroups == 1)
    #expect(try await world.keys() == (0..<30).filter { ![1, 2].contains($0) })
    #expect(try await world.orphans() == [])
    #expect(try await world.table().compact().groups == 1)
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `rows that a rollback brings back meanwhile are not lost`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    let before = try #require(try await world.table().metadata.currentSnapshotID)
    _ = try await world.table().deleteRows(where: .isIn("k", [1, 11]), mode: .mergeOnRead)
    let report = try await world.compact(besides: .commit) { table in
      _ = try await table.commit(ReferenceChange.rollback("main", to: before))
    }
    #expect(report.droppedGroups == 1)
    #expect(try await world.keys() == Array(0..<60))
    #expect(try await world.orphans() == [])
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `E1: a delete by values that comes meanwhile goes on to apply`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 30, by: 10) {
      try await world.append(start..<start + 10)
    }
    let report = try await world.compact(besides: .commit) { table in
      try await CompactionWorld.deleteByValue([4, 17], table)
    }
    #expect(report.groups == 1)
    try await world.append(4..<5)
    #expect(try await world.keys() == ((0..<30).filter { ![4, 17].contains($0) } + [4]).sorted())
  }

  @Test func `E5: deletes by values go when no older row is left, and not before`() async throws {
    let world = try await CompactionWorld(.v2, partitionedBy: "p")
    for start in stride(from: Int64(0), to: 40, by: 10) {
      try await world.append(start..<start + 10)
    }
    try await CompactionWorld.deleteByValue([2, 3], world.table(), inPartitions: true)
    // One partition is left as it is, its deletes too.
    var options = CompactionOptions()
    options.filter = .equal("p", 0)
    let first = try await world.table().compact(options)
    #expect(first.removedDeleteFiles == 1)
    #expect(try await world.deleteFileCount() == 1)
    _ = try await world.table().commit(
      LayoutChange.partitions { terms, schema throws(IcebergError) in terms = [] })
    let second = try await world.table().compact()
    #expect(second.removedDeleteFiles == 1)
    #expect(try await world.deleteFileCount() == 0)
    #expect(try await world.keys() == (0..<40).filter { ![2, 3].contains($0) })
  }

  @Test func `E5: deletes by values in a partition that is no more keep its files from moving`()
    async throws
  {
    let world = try await CompactionWorld(.v2, partitionedBy: "p")
    for start in stride(from: Int64(0), to: 40, by: 10) {
      try await world.append(start..<start + 10)
    }
    let old = try await world.table()
    _ = try await old.commit(
      LayoutChange.partitions { terms, schema throws(IcebergError) in
        terms = try PartitionTerm.parse("bucket(2, k)", schema: schema)
      })
    let report = try await world.compact(besides: .commit) { _ in
      // By the old spec, as a writer does that has not looked since.
      try await CompactionWorld.deleteByValue([2], old, inPartitions: true)
    }
    #expect(report.droppedGroups == 1)
    #expect(report.groups == 1)
    #expect(try await world.keys() == (0..<40).filter { $0 != 2 })
  }

  @Test func `E7: it commits however often others come first`() async throws {
    let world = try await CompactionWorld(.v3)
    for start in stride(from: Int64(0), to: 50, by: 10) {
      try await world.append(start..<start + 10)
    }
    let count = Counter()
    let report = try await world.compact(besides: .everyCommit) { table in
      let number = await count.next()
      guard number <= 6 else { return }
      _ = try await table.deleteRows(where: .equal("k", .integer(number)), mode: .mergeOnRead)
    }
    #expect(report.attempts == 7)
    #expect(report.movedDeletes == 6)
    #expect(try await world.keys() == (0..<50).filter { !(1...6).contains($0) })
    #expect(try await world.orphans() == [])
  }

  @Test func `a compaction that fails anywhere changes no row and leaves no file`() async throws {
    for kind in [FaultKind.before, .halfway, .after] {
      for call in stride(from: 1, to: 500, by: Depth.isLong ? 1 : 4) {
        let world = try await CompactionWorld(.v3, partitionedBy: "p")
        for start in stride(from: Int64(0), to: 40, by: 10) {
          try await world.append(start..<start + 10)
        }
        _ = try await world.table().deleteRows(where: .less("k", 5), mode: .mergeOnRead)
        let faulty = FaultyStore(
          world.store, failing: kind, atCall: call,
          where: { $0.isWrite && $0.operation != .delete })
        let note = Comment("\(kind) at call \(call)")
        do {
          _ = try await world.table(faulty).compact()
          if !faulty.fired { break }
        } catch {
          #expect(faulty.fired, "\(note): \(error)")
          if case .commit(.stateUnknown) = error as? MaintenanceError {
          } else {
            #expect(try await world.orphans() == [], note)
          }
        }
        #expect(try await world.keys() == Array(5..<40), note)
        _ = try await world.table().compact()
        #expect(try await world.keys() == Array(5..<40), note)
        #expect(try await world.table().compact().groups == 0, note)
      }
    }
  }

  @Test func `files that were not written in the table's order are sorted`() async throws {
    let world = try await CompactionWorld(.v3)
    for start in [Int64(30), 0, 20, 10] { try await world.append(start..<start + 10) }
    var options = CompactionOptions()
    options.strategy = .sort
    await #expect(throws: MaintenanceError.self) { try await world.table().compact(options) }
    _ = try await world.table().commit(
      LayoutChange.sortOrder { schema throws(IcebergError) in
        try SortOrder("k desc", schema: schema)
      })
    #expect(try await world.table().compact(options).rewrittenFiles == 4)
    var found: [Int64] = []
    for try await batch in try await world.table().scan().select(["k"]).batches() {
      for row in 0..<batch.rowCount { found.append(batch.columns[0].integer(row)) }
    }
    #expect(found == (0..<40).reversed())
    #expect(try await world.keys() == Array(0..<40))
    #expect(try await world.table().compact(options).groups == 0)
  }

  @Test func `what is compacted is not compacted again`() async throws {
    let world = try await CompactionWorld(.v3)
    for start in stride(from: Int64(0), to: 80, by: 10) {
      try await world.append(start..<start + 10)
    }
    #expect(try await world.table().compact().rewrittenFiles == 8)
    #expect(try await world.table().compact() == CompactionReport())
    _ = try await world.table().deleteRows(where: .equal("k", 3), mode: .mergeOnRead)
    #expect(try await Compaction(world.table()).plan().map(\.deleteFileCount) == [1])
  }
}

/// Counts from 1.
actor Counter {
  private var count: Int64 = 0
  func next() -> Int64 {
    count += 1
    return count
  }

  @Test(arguments: FormatVersion.allCases)
  func `C2: a compaction deletes no file that a snapshot has`(_ version: FormatVersion) async throws
  {
    let world = try await CompactionWorld(version, partitionedBy: "p")
    for start in 0..<4 { try await world.append(Int64(start) * 10..<Int64(start) * 10 + 10) }
    if version > .v1 {
      _ = try await world.table().deleteRows(where: .equal("k", 3), mode: .mergeOnRead)
    }
    let parent = try #require(try await world.table().metadata.currentSnapshotID)
    let before = try await world.paths()
    let report = try await world.table().compact()
    #expect(report.rewrittenFiles > 0)
    #expect(before.subtracting(try await world.paths()) == [])
    let left = try await world.table().scan().at(.id(parent)).count()
    #expect(left == (version > .v1 ? 39 : 40))
  }
}

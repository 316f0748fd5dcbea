// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Backfills from one table into another.
@Suite("Backfill")
struct BackfillTests {
  private static func world(_ random: SeededRandom) async throws -> BackfillWorld {
    let world = try await BackfillWorld(random)
    for start in stride(from: Int32(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    return world
  }

  @Test func `each row of the pinned state lands once, whatever comes meanwhile`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfill"))
    var options = try world.options()
    let dry = try await Backfill(
      from: world.table("db.s"), into: world.table("db.t"), options
    ).plan()
    #expect(dry.rows == 60 && dry.splitsDone == 0)
    options.filter = .notEqual("k", 7)
    let report = try await world.run(options)
    #expect(report.rows == 59)
    #expect(report.splitsLanded == dry.splits)
    #expect(report.snapshotIDs.count > 1)
    let expected = BackfillWorld.expected((0..<60).filter { $0 != 7 })
    #expect(try await world.landed() == expected)
    // What comes later is not of the same state; that is done.
    options.to = .id(report.snapshot)
    try await world.append(60..<70)
    let again = try await world.run(options)
    #expect(again.splitsBefore == again.splits && again.rows == 0)
    #expect(try await world.landed() == expected)
    #expect(try await world.violations("t") == [])
    #expect(try await world.table("db.s").metadata.references.keys.sorted() == ["main"])
  }

  @Test func `the splits of a state are the same ones, and each row is in one`() async throws {
    let world = try await Self.world(SeededRandom(printing: "splits"))
    var options = try world.options()
    var counts: [Int] = []
    for size in [Int64(1), 100, 400, 2000, 1 << 30] {
      options.splitByteCount = size
      let backfill = Backfill(
        from: try await world.table("db.s"), into: try await world.table("db.t"), options)
      let (a, b) = (try await backfill.plan(), try await backfill.plan())
      #expect(a.splits == b.splits && a.id == b.id && a.rows == 60)
      counts.append(a.splits)
    }
    #expect(counts.first == 60 && counts.last == 1)
    #expect(counts == counts.sorted(by: >))
  }

  @Test(arguments: FaultKind.allCases)
  func `a run that fails at any call and is started again lands each row once`(
    kind: FaultKind
  ) async throws {
    let random = SeededRandom(printing: "backfill that fails, \(kind)")
    let step = Depth.isLong ? 1 : 40
    var failed = 0
    for call in stride(from: 1 + random.int(in: 0..<step), to: 2000, by: step) {
      let world = try await Self.world(random.fork())
      var options = try world.options()
      options.to = .id(try #require(try await world.table("db.s").metadata.currentSnapshotID))
      let faulty = FaultyStore(world.store, failing: kind, atCall: call)
      let note = Comment("\(kind) at call \(call)")
      do {
        try await world.run(options, faulty)
        if !faulty.fired { break }
      } catch {
        failed += 1
        #expect(faulty.fired, "\(note): \(error)")
      }
      await faulty.heal()
      try await world.append(60..<70)
      try await world.run(options)
      #expect(try await world.landed() == BackfillWorld.expected(0..<60), note)
      #expect(try await world.violations("t") == [], note)
    }
    #expect(failed > 0)
  }

  @Test func `a program killed again and again lands each row once`() async throws {
    let random = SeededRandom(printing: "backfill that is killed")
    for round in 0..<(Depth.isLong ? 100 : 3) {
      let random = random.fork()
      let world = try await Self.world(random)
      var options = try world.options()
      options.splitByteCount = Int64(random.pick([50, 200, 700]))
      options.commitByteCount = Int64(random.pick([1, 500]))
      options.parallelism = random.int(in: 1..<4)
      let pinned = try #require(try await world.table("db.s").metadata.currentSnapshotID)
      var kills = 0
      var hasGrown = false
      while kills < (Depth.isLong ? 60 : 8) {
        // All calls fail from some one on, as of a program that is no more.
        let store = FaultyStore(
          world.store, failing: random.pick([.before, .halfway, .after]),
          atCall: random.int(in: 10..<200), lasting: .untilHealed)
        do {
          let report = try await world.run(options, store)
          #expect(report.snapshot == pinned, "round \(round)")
          break
        } catch {
          #expect(store.fired, "round \(round): \(error)")
          kills += 1
        }
        // What comes once it has begun is not of the state that it reads.
        let records = try await world.table("db.t").metadata.backfillRecords
        if !records.isEmpty, !hasGrown {
          try await world.append(60..<70)
          hasGrown = true
        }
      }
      options.to = .id(pinned)
      try await world.run(options)
      #expect(try await world.landed() == BackfillWorld.expected(0..<60), "round \(round)")
      #expect(try await world.violations("t") == [])
    }
  }

  @Test func `two runs at once land each row once between them`() async throws {
    let world = try await Self.world(SeededRandom(printing: "two backfills at once"))
    let options = try world.options()
    let reports = try await withThrowingTaskGroup(of: BackfillReport.self) { group in
      for _ in 0..<3 {
        group.addTask {
          var options = options
          options.commitByteCount = 1
          return try await world.run(options)
        }
      }
      var reports: [BackfillReport] = []
      while let result = await group.nextResult() {
        // One that comes after the first commit of another is as one that goes on.
        reports.append(try result.get())
      }
      return reports
    }
    #expect(try await world.landed() == BackfillWorld.expected(0..<60))
    #expect(reports.reduce(0) { $0 + $1.rows } == 60)
  }

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `of a range the rows are read that were added in it and are there at its end`(
    version: FormatVersion
  ) async throws {
    let world = try await BackfillWorld(SeededRandom(printing: "backfill of a range"), version)
    try await world.append(0..<10)
    let start = try #require(try await world.table("db.s").metadata.currentSnapshotID)
    try await world.append(10..<20)
    try await world.append(20..<30)
    if version != .v1 {
      _ = try await world.table("db.s").deleteRows(where: .isIn("k", [3, 12]), mode: .mergeOnRead)
    }
    let end = try #require(try await world.table("db.s").metadata.currentSnapshotID)
    try await world.append(30..<40)
    var options = try world.options()
    options.from = start
    options.to = .id(end)
    try await world.run(options)
    let expected = BackfillWorld.expected((10..<30).filter { version == .v1 || $0 != 12 })
    #expect(try await world.landed() == expected)
    // Rows that were written again count as what they are: as old as their last change.
    _ = try await world.table("db.s").compact()
    options.to = nil
    options.from = end
    if version == .v3 {
      try await world.run(options)
      #expect(
        try await world.landed()
          == (expected + BackfillWorld.expected(30..<40)).sorted {
            Int($0.prefix { $0 != " " })! < Int($1.prefix { $0 != " " })!
          })
    } else {
      await #expect(throws: MaintenanceError.self) { try await world.run(options) }
    }
    options.from = SnapshotID(1)
    await #expect(throws: MaintenanceError.self) { try await world.run(options) }
  }

  @Test func `a filter keeps files from being read`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfill with a filter"))
    var options = try world.options()
    options.filter = .greaterOrEqual("k", 50)
    let store = FaultyStore(world.store)
    try await world.run(options, store)
    let read = Set(
      store.calls.filter { $0.operation == .get && "\($0.path)".contains("/s/data/") }
        .map { "\($0.path)" })
    #expect(read.count == 1)
    #expect(try await world.landed() == BackfillWorld.expected(50..<60))
  }

  @Test func `a function over batches computes rows, in the place of a selection`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfill by a function"))
    var options = try world.options()
    options.computation = .batches(name: "odd ones", columns: ["k", "v"]) {
      batch throws(MaintenanceError) in
      let builder = BatchBuilder(try! Schema("k int, v string, twice long").columnFields)
      for row in 0..<batch.rowCount where batch.columns[0].integer(row) % 2 == 1 {
        let key = batch.columns[0].integer(row)
        builder.columns[0].append(.int(Int32(key)))
        builder.columns[1].append(.string("V\(key)"))
        builder.columns[2].append(.long(key % 3 == 0 ? 0 : key * 2))
      }
      return builder.finish()
    }
    let report = try await world.run(options)
    #expect(report.rows == 30)
    #expect(try await world.landed() == BackfillWorld.expected((0..<60).filter { $0 % 2 == 1 }))
  }

  @Test func `what a rollback of the target took away is done again`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfill and rollback"))
    let options = try world.options()
    let report = try await world.run(options)
    #expect(report.snapshotIDs.count > 2)
    _ = try await world.table("db.t").commit(
      ReferenceChange.rollback(to: report.snapshotIDs[1]))
    var same = options
    same.to = .id(report.snapshot)
    let again = try await world.run(same)
    #expect(again.splitsLanded > 0 && again.splitsLanded < again.splits)
    #expect(try await world.landed() == BackfillWorld.expected(0..<60))
    // The note outlives the snapshots.
    try await world.expire("db.t")
    #expect(try await world.run(same).splitsLanded == 0)
  }

  @Test func `one that was done is not begun again by resuming it, though the source went on`()
    async throws
  {
    let world = try await Self.world(SeededRandom(printing: "backfill resumed when it was done"))
    let options = try world.options()
    let report = try await world.run(options)
    // Whoever was killed after the last commit does not know that it was the last.
    try await world.append(60..<70)
    func resumed() async throws {
      let again = try await world.run(options)
      #expect(again.snapshot == report.snapshot && again.splitsBefore == report.splits)
      #expect(again.splits == report.splits && again.snapshotIDs.isEmpty)
      #expect(try await world.landed() == BackfillWorld.expected(0..<60))
    }
    try await resumed()
    // Also when the state that was read is gone.
    try await world.expire("db.s")
    #expect(try await world.table("db.s").metadata.snapshot(report.snapshot) == nil)
    try await resumed()
    // Asked for, the newest state is another backfill.
    var other = options
    other.filter = .greaterOrEqual("k", 60)
    #expect(try await world.run(other).rows == 10)
    #expect(try await world.landed() == BackfillWorld.expected(0..<70))
  }

  @Test func `what can't be done is said before anything is`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfills refused"))
    func refused(
      _ matches: (MaintenanceError) -> Bool, _ change: (inout BackfillOptions) throws -> Void
    ) async throws {
      var options = try world.options()
      try change(&options)
      do {
        try await world.run(options)
        Issue.record("it was done")
      } catch let error as MaintenanceError {
        #expect(matches(error), "\(error)")
      }
      #expect(try await world.landed() == [])
    }
    func selecting(_ text: String) throws -> BackfillOptions.Computation {
      .selection(try ExpressionParser.parse(selectList: text))
    }
    // Columns that the target, or the source, does not have; types that don't fit.
    for list in ["k, v AS other", "none AS k", "v AS twice", "*"] {
      try await refused({ if case .expression = $0 { true } else { false } }) {
        $0.computation = try selecting(list)
      }
    }
    try await refused({ if case .reading = $0 { true } else { false } }) {
      $0.to = .id(SnapshotID(1))
    }
    // A row that can't be computed ends it.
    try await refused({ if case .expression = $0 { true } else { false } }) {
      $0.computation = try selecting("10 / CAST('x' || v AS int) AS twice")
    }
    // No rows yet.
    let target = try await world.table("db.t")
    do {
      try await Backfill(from: target, into: world.table("db.s"), try world.options()).run()
      Issue.record("it was done")
    } catch {
      guard case .nothingToBackfill = error as? MaintenanceError else { throw error }
    }
  }

  @Test func `what was broken off is gone on with as it was, or not at all`() async throws {
    let world = try await Self.world(SeededRandom(printing: "backfill resumed otherwise"))
    var options = try world.options()
    options.commitByteCount = 1
    let faulty = FaultyStore(world.store, failing: .before, atCall: 90, lasting: .untilHealed)
    await #expect(throws: MaintenanceError.self) { try await world.run(options, faulty) }
    let record = try #require(
      try await world.table("db.t").metadata.backfillRecords.values.first)
    #expect(!record.isFinished && record.done.count > 0)
    var other = options
    other.computation = .selection(try ExpressionParser.parse(selectList: "k, v"))
    await #expect {
      try await world.run(other)
    } throws: { error in
      if case .otherBackfill(record.id, _, _, _)? = error as? MaintenanceError {
        true
      } else {
        false
      }
    }
    other = options
    other.start = .new
    await #expect {
      try await world.run(other)
    } throws: { error in
      if case .backfillIsUnfinished(record.id, _, _)? = error as? MaintenanceError {
        true
      } else {
        false
      }
    }
    // The pin keeps the state through expiry; without it that has gone.
    try await world.append(60..<61)
    try await world.expire("db.s")
    #expect(try await world.table("db.s").metadata.snapshot(record.snapshot) != nil)
    _ = try await world.table("db.s").commit(
      ReferenceChange.remove(.tag, "backfill.\(record.id)"))
    try await world.expire("db.s")
    await #expect {
      try await world.run(options)
    } throws: { error in
      if case .pinnedSnapshotIsGone(record.snapshot, _)? = error as? MaintenanceError {
        true
      } else {
        false
      }
    }
  }

  @Test func `a record and its ranges are read as they were written`() throws {
    let random = SeededRandom(printing: "backfill records")
    for _ in 0..<200 {
      var known: Set<Int> = []
      var ranges = IndexRanges()
      for _ in 0..<random.int(in: 0..<40) {
        let index = random.int(in: 0..<60)
        known.insert(index)
        ranges.insert(index)
      }
      #expect(ranges.count == known.count)
      for index in 0..<61 { #expect(ranges.contains(index) == known.contains(index)) }
      #expect(IndexRanges(ranges.text) == ranges)
      let question = BackfillRecord.Question(
        source: "s", from: random.chance(50) ? SnapshotID(3) : nil, filter: "a > \"\\\" b",
        selection: "x", mode: "append", branch: "main")
      var record = BackfillRecord(
        question: question, snapshot: SnapshotID(Int64(random.int(in: 0..<1000))),
        splitByteCount: 5, splitCount: 60)
      record.done = ranges
      record.last = random.chance(50) ? SnapshotID(9) : nil
      #expect(try BackfillRecord(parsing: record.text, id: record.id) == record)
    }
    for text in ["a", "3-1", "1,1", "-1", "1--2", "4,2", "9223372036854775807", "1-2-3"] {
      #expect(IndexRanges(text) == nil, "\(text)")
    }
    for text in ["{}", "[]", "x", "{\"source\":1}"] {
      #expect(throws: IcebergError.self) { try BackfillRecord(parsing: text, id: "x") }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Ingest
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Backfills of a table into itself, while others change it.
@Suite("Backfill into itself")
struct OwnBackfillTests {
  private static func options(_ random: SeededRandom) throws -> BackfillOptions {
    var options = BackfillOptions()
    options.computation = .selection(
      try ExpressionParser.parse(selectList: "coalesce(n, 0) + 1000 AS n, lower(v) AS v"))
    options.start = .resume
    options.splitByteCount = Int64(random.pick([60, 300, 5000]))
    options.commitByteCount = Int64(random.pick([1, 700, 100_000]))
    options.parallelism = random.int(in: 1..<4)
    return options
  }

  /// Someone who upserts, deletes, compacts and rewrites between the calls of another.
  private actor Beside {
    let world: BackfillWorld
    let random: SeededRandom
    /// What each key is to have; nil: deleted.
    var rows: [Int32: (ts: Int64, v: String, n: Int32?)]
    /// Keys that were changed since the state that is read.
    var touched: Set<Int32> = []
    var clock: Int64
    var left: Int
    var log: [String] = []
    private var isStepping = false

    init(_ world: BackfillWorld, _ random: SeededRandom) {
      self.world = world
      self.random = random
      rows = [:]
      clock = 1
      left = 0
    }

    func fill(steps: Int) async throws {
      for _ in 0..<steps { try await upsert() }
      touched = []
      log = []
    }

    func begin(steps: Int) { left = steps }

    func step() async {
      guard left > 0, !isStepping else { return }
      left -= 1
      isStepping = true
      defer { isStepping = false }
      do {
        switch random.int(in: 0..<10) {
        case 0..<5: try await upsert()
        case 5: try await deleteRows(.mergeOnRead)
        case 6: try await deleteRows(.copyOnWrite)
        case 7: try await deleteByValue()
        default: try await compact()
        }
      } catch {
        Issue.record("\(error): \(log)")
      }
    }

    private func keys() -> [Int32] {
      (0..<random.int(in: 1..<8)).map { _ in Int32(random.int(in: 0..<60)) }
    }

    private func upsert() async throws {
      var options = UpsertOptions()
      options.orderBy = "ts"
      let table = try await world.table("db.s")
      let writer = try await UpsertWriter.open(table, options)
      var values: [Int32: (ts: Int64, v: String, n: Int32?)] = [:]
      for key in keys() {
        clock += 1
        let n = random.chance(30) ? nil : Int32(random.int(in: 0..<100))
        values[key] = (clock, "V\(clock)", n)
      }
      let batch = values.sorted { $0.key < $1.key }.map { key, row -> [Value?] in
        [.int(key), .long(row.ts), .string(row.v), row.n.map { .int($0) }]
      }
      try await writer.upsert(Rows.batch(batch, table.metadata.currentSchema))
      try await writer.commit()
      try await writer.close()
      log.append("upsert \(values.keys.sorted())")
      for (key, row) in values {
        rows[key] = row
        touched.insert(key)
      }
    }

    private func deleteRows(_ mode: RowChangeMode) async throws {
      let some = keys()
      _ = try await world.table("db.s").deleteRows(
        where: .isIn("k", some.map { .integer(Int64($0)) }), mode: mode)
      log.append("delete \(mode) \(some)")
      for key in some where rows.removeValue(forKey: key) != nil { touched.insert(key) }
    }

    private func deleteByValue() async throws {
      let table = try await world.table("db.s")
      let some = Set(keys()).sorted()
      let files = DeleteFiles(table, random.fork())
      let field = table.metadata.currentSchema.fields[0]
      var edit = TableEdit()
      edit.added.append(
        (
          try await files.equality(
            [field.id], some.map { [.int($0)] }, [field],
            in: .unpartitioned(table.metadata.defaultPartitionSpec.id)), nil
        ))
      _ = try await table.commit(edit)
      log.append("delete by value \(some)")
      for key in some where rows.removeValue(forKey: key) != nil { touched.insert(key) }
    }

    private func compact() async throws {
      var options = CompactionOptions()
      options.deletedPercent = 0
      options.targetByteCount = random.pick([1 << 20, 2000])
      let report = try await world.table("db.s").compact(options)
      log.append("compact \(report.rewrittenFiles) into \(report.addedFiles)")
    }

    /// What is to be there when all rows of the state that were not touched are computed.
    func expected(_ pinned: [Int32: (ts: Int64, v: String, n: Int32?)]) -> [String] {
      rows.sorted { $0.key < $1.key }.map { key, row in
        touched.contains(key) || pinned[key] == nil
          ? OwnBackfillTests.line(key, row.ts, row.v, row.n)
          : OwnBackfillTests.line(key, row.ts, row.v.lowercased(), (row.n ?? 0) + 1000)
      }
    }

    var state: [Int32: (ts: Int64, v: String, n: Int32?)] { rows }
  }

  private static func line(_ k: Int32, _ ts: Int64, _ v: String, _ n: Int32?) -> String {
    "\(k) \(ts) \(v) \(n.map { "\($0)" } ?? "-")"
  }

  private static func rows(_ world: BackfillWorld) async throws -> [String] {
    var rows: [(Int64, String)] = []
    var ids: Set<Int64> = []
    var count = 0
    let table = try await world.table("db.s")
    let hasIDs = table.metadata.formatVersion >= .v3
    let scan = table.scan().select(["k", "ts", "v", "n"] + (hasIDs ? ["_row_id"] : []))
    for batch in try await scan.readAll() {
      for row in 0..<batch.rowCount {
        let c = batch.columns
        rows.append(
          (
            c[0].integer(row),
            line(
              Int32(c[0].integer(row)), c[1].integer(row), c[2].string(row),
              c[3].isNull(row) ? nil : Int32(c[3].integer(row)))
          ))
        if hasIDs { ids.insert(c[4].integer(row)) }
        count += 1
      }
    }
    if hasIDs { #expect(ids.count == count) }
    return rows.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
  }

  /// The ids of rows by key.
  private static func ids(_ world: BackfillWorld) async throws -> [Int64: Int64] {
    var ids: [Int64: Int64] = [:]
    for batch in try await world.table("db.s").scan().select(["k", "_row_id"]).readAll() {
      for row in 0..<batch.rowCount {
        ids[batch.columns[0].integer(row)] = batch.columns[1].integer(row)
      }
    }
    return ids
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `no newer row is overwritten and no deleted one comes back, whoever comes between`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "backfill into itself, v\(version.rawValue)")
    var (leftAlone, landed) = (Int64(0), Int64(0))
    for round in 0..<(Depth.isLong ? 300 : 4) {
      let random = random.fork()
      let world = try await BackfillWorld(random, version, isKeyed: true)
      let beside = Beside(world, random.fork())
      try await beside.fill(steps: random.int(in: 2..<12))
      let pinned = await beside.state
      await beside.begin(steps: random.int(in: 0..<8))
      let when = random.fork()
      let percent = random.pick([1, 5, 20])
      let store = InterposedStore(world.store) { call in
        let isCommit = call.operation == .put && call.path.name.hasPrefix("snap-")
        if isCommit ? when.chance(40) : when.chance(percent) { await beside.step() }
      }
      let options = try Self.options(random)
      var note = Comment("round \(round), seed \(random.seed)")
      let before = version == .v3 ? try await Self.ids(world) : [:]
      // The state that is read is the one before anything else happens.
      var first = options
      first.to = .id(try #require(try await world.table("db.s").metadata.currentSnapshotID))
      do {
        let report = try await Backfill(
          from: world.table("db.s", store), into: world.table("db.s", store), first
        ).run()
        leftAlone += report.leftAlone
        landed += report.rows
      } catch {
        Issue.record("\(error), \(note): \(await beside.log)")
        continue
      }
      note = Comment("round \(round), seed \(random.seed): \(await beside.log)")
      let expected = await beside.expected(pinned)
      let found = try await Self.rows(world)
      #expect(found == expected, note)
      #expect(try await world.violations("s") == [], note)
      if version == .v3 {
        // A key that was never deleted has the id it had.
        let after = try await Self.ids(world)
        let touched = await beside.touched
        for (key, id) in before where !touched.contains(Int32(key)) {
          #expect(after[key] == id, note)
        }
      }
      let again = try await Backfill(
        from: world.table("db.s"), into: world.table("db.s"), first
      ).run()
      #expect(again.splitsLanded == 0)
    }
    print("backfill into itself: \(landed) rows landed, \(leftAlone) left alone")
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `killed again and again it computes each row once`(version: FormatVersion) async throws {
    let random = SeededRandom(printing: "backfill into itself, killed, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 100 : 2) {
      let random = random.fork()
      let world = try await BackfillWorld(random, version, isKeyed: true)
      let beside = Beside(world, random.fork())
      try await beside.fill(steps: 6)
      let pinned = await beside.state
      var options = try Self.options(random)
      options.splitByteCount = 300
      options.to = .id(try #require(try await world.table("db.s").metadata.currentSnapshotID))
      for kill in 0..<(Depth.isLong ? 60 : 8) {
        await beside.begin(steps: 1)
        if kill < 6 { await beside.step() }
        let store = FaultyStore(
          world.store, failing: random.pick([.before, .halfway, .after]),
          atCall: random.int(in: 20..<250), lasting: .untilHealed)
        do {
          _ = try await Backfill(
            from: world.table("db.s", store), into: world.table("db.s", store), options
          ).run()
          break
        } catch {
          #expect(store.fired, "\(error)")
        }
      }
      _ = try await Backfill(
        from: world.table("db.s"), into: world.table("db.s"), options
      ).run()
      let note = Comment("round \(round), seed \(random.seed): \(await beside.log)")
      #expect(try await Self.rows(world) == (await beside.expected(pinned)), note)
      #expect(try await world.violations("s") == [], note)
    }
  }

  @Test func `a table that has no key, or can't lose rows, is refused`() async throws {
    let random = SeededRandom(printing: "backfills into themselves refused")
    let plain = try await BackfillWorld(random, .v3)
    try await plain.append(0..<3)
    let old = try await BackfillWorld(random, .v1)
    try await old.append(0..<3)
    for world in [plain, old] {
      await #expect(throws: MaintenanceError.self) {
        _ = try await Backfill(
          from: world.table("db.s"), into: world.table("db.s"), Self.options(random)
        ).run()
      }
    }
    // The key can't be computed anew.
    let keyed = try await BackfillWorld(random, .v3, isKeyed: true)
    try await keyed.append(0..<3)
    var options = try Self.options(random)
    options.computation = .selection(try ExpressionParser.parse(selectList: "k + 1 AS k"))
    await #expect(throws: MaintenanceError.self) {
      _ = try await Backfill(
        from: keyed.table("db.s"), into: keyed.table("db.s"), options
      ).run()
    }
    // And another table's rows are not told from those of a table with a key.
    await #expect(throws: MaintenanceError.self) {
      _ = try await Backfill(
        from: plain.table("db.s"), into: keyed.table("db.s"), options
      ).run()
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Iceberg
import Ingest
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Testing
import Writing

/// Compaction beside writers that put small files together themselves.
@Suite("Claims of compactions")
struct CompactionClaimTests {

  /// A stream of random rows, a step at a time, and what there is to be.
  private actor Stream {
    let writer: UpsertWriter
    private(set) var model = UpsertModel()
    private let random: SeededRandom
    private let one: UpsertStreamTests.Case
    private var time = 0
    private var left = 30
    private var isStepping = false

    init(_ writer: UpsertWriter, _ random: SeededRandom, _ one: UpsertStreamTests.Case) {
      self.writer = writer
      self.random = random
      self.one = one
    }

    func step() async {
      // Whoever commits between all the calls of another would keep it from ever ending.
      guard !isStepping, left > 0 else { return }
      left -= 1
      isStepping = true
      defer { isStepping = false }
      var held = UpsertModel.Held()
      let events = (0..<random.int(in: 1..<30)).map { _ in
        UpsertStreamTests.event(random, one, time)
      }
      time += 1
      for event in events { held.take(event, ordered: true) }
      do {
        try await writer.upsert(UpsertEvent.batch(events))
        _ = try await writer.commit()
      } catch {
        Issue.record(error)
      }
      _ = model.commit(held, ordered: true)
    }
  }

  @Test(arguments: [FormatVersion.v2, .v3], ["", "p"])
  func `every group of every compaction commits beside a writer that puts files together`(
    version: FormatVersion, spec: String
  ) async throws {
    let random = SeededRandom(printing: "claims, v\(version.rawValue), '\(spec)'")
    var (groups, merged) = (0, Int64(0))
    for round in 0..<(Depth.isLong ? 100 : 1) {
      let random = random.fork()
      let note = Comment("round \(round), seed \(random.seed)")
      var world = try await UpsertWorld(random.fork(), version, partitionedBy: spec)
      var options = world.options
      options.operationColumn = "op"
      options.smallFileLimit = random.int(in: 2..<7)
      if random.oneIn(2) { options.writer = "w" }
      let stream = Stream(
        try await .open(world.table, options), random.fork(),
        UpsertStreamTests.Case(version: version, spec: spec))
      for _ in 0..<random.int(in: 3..<9) { await stream.step() }
      let when = random.fork()
      for _ in 0..<3 {
        let store = InterposedStore(world.store) { call in
          let isCommit = call.operation == .put && call.path.name.hasPrefix("snap-")
          if when.int(in: 0..<100) < (isCommit ? 50 : 8) { await stream.step() }
        }
        let catalog = FilesystemCatalog(
          warehouse: try ObjectPath("memory://w/house"), store: store,
          environment: world.environment)
        var compaction = CompactionOptions()
        compaction.commitByteCount = random.oneIn(2) ? 1 : 1 << 30
        compaction.targetByteCount = random.oneIn(2) ? 3_000 : nil
        let report = try await catalog.loadTable(TableIdentifier("db.t")).compact(compaction)
        groups += report.groups
        #expect(report.droppedGroups == 0, note)
        #expect(report.supersededFiles == 0, note)
        try await world.refresh()
        #expect(world.table.metadata.compactionClaim == nil, note)
        await stream.step()
      }
      merged += await stream.writer.progress.filesMerged
      #expect(await stream.model.difference(try await world.rows()) == nil, note)
      #expect(try await world.violations() == [], note)
      try await stream.writer.close()
    }
    print("claims: \(groups) groups committed beside a writer that merged \(merged) files")
  }

  /// The files that a writer put together in `count` commits.
  private static func merged(_ writer: UpsertWriter, commits count: Int) async throws -> Int64 {
    let before = await writer.progress.filesMerged
    for key in 0..<count {
      try await writer.upsert(Self.rows([Int32(key)]))
      _ = try await writer.commit()
    }
    return await writer.progress.filesMerged - before
  }

  private static func claim(
    _ world: UpsertWorld, branch: String = "main", sequence: Int64, from now: Int64? = nil
  ) async throws {
    let claim = CompactionClaim(
      id: "another", branch: branch, sequenceNumber: SequenceNumber(sequence),
      from: now ?? world.clock.now().milliseconds)
    _ = try await world.catalog.loadTable(TableIdentifier("db.t")).commit(
      PropertyChange(set: [CompactionClaim.property: claim.text]))
  }

  @Test func `files that are claimed are left alone until the claim is over`() async throws {
    let world = try await UpsertWorld(SeededRandom(seed: 6))
    var options = world.options
    options.smallFileLimit = 3
    let writer = try await UpsertWriter.open(world.table, options)
    #expect(try await Self.merged(writer, commits: 2) == 0)
    try await Self.claim(world, sequence: 4)
    // Two more files of it, and then those that came after it.
    #expect(try await Self.merged(writer, commits: 4) == 0)
    #expect(try await Self.merged(writer, commits: 1) == 3)
    world.clock.advance(by: .seconds(599))
    #expect(try await Self.merged(writer, commits: 1) == 0)
    world.clock.advance(by: .seconds(1))
    #expect(try await Self.merged(writer, commits: 1) >= 4)
    #expect(try await world.violations() == [])
  }

  @Test func `a claim of another branch, or of a clock that is wrong, stops no one`() async throws {
    for number in 0..<3 {
      let world = try await UpsertWorld(SeededRandom(seed: 7))
      var options = world.options
      options.smallFileLimit = 3
      let writer = try await UpsertWriter.open(world.table, options)
      switch number {
      case 0: try await Self.claim(world, branch: "other", sequence: 1 << 40)
      case 1: try await Self.claim(world, sequence: 1 << 40, from: 1 << 50)
      default:
        _ = try await world.table.commit(
          PropertyChange(set: [CompactionClaim.property: "{\"until\":true}"]))
      }
      #expect(try await Self.merged(writer, commits: 3) == 3)
    }
  }

  @Test func `files that are being put together when a claim comes are left to it`() async throws {
    let world = try await UpsertWorld(SeededRandom(seed: 8))
    let count = Count()
    let store = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json"),
        await count.next() == 3
      else { return }
      // The files are written, and two commits made: this is the third, which puts them together.
      do { try await Self.claim(world, sequence: 2) } catch { Issue.record(error) }
    }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: world.environment)
    var options = world.options
    options.smallFileLimit = 2
    let writer = try await UpsertWriter.open(
      catalog.loadTable(TableIdentifier("db.t")), options)
    #expect(try await Self.merged(writer, commits: 2) == 0)
    let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadata.compactionClaim?.id == "another")
    #expect(now.metadata.snapshots.count == 2)
    let invariants = try TableInvariants(ObjectPath("memory://w/house/db/t"), in: world.store)
    #expect(try await invariants.orphans() == [])
    #expect(try await invariants.violations() == [])
  }

  @Test func `a claim that another run left is taken over, and taken back at the end`()
    async throws
  {
    let world = try await UpsertWorld(SeededRandom(seed: 9))
    var options = world.options
    options.mergesSmallFiles = false
    let writer = try await UpsertWriter.open(world.table, options)
    _ = try await Self.merged(writer, commits: 3)
    try await Self.claim(world, sequence: 3)
    let report = try await world.catalog.loadTable(TableIdentifier("db.t")).compact()
    #expect(report.groups == 1)
    let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadata.compactionClaim == nil)
  }

  @Test func `a compaction that loses to a writer again and again asks for a turn, and gets it`()
    async throws
  {
    let world = try await UpsertWorld(SeededRandom(seed: 11))
    var options = world.options
    options.mergesSmallFiles = false
    let writer = try await UpsertWriter.open(world.table, options)
    _ = try await Self.merged(writer, commits: 3)
    let store = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasPrefix("snap-") else { return }
      do {
        let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
        // A writer would wait now, for the very call that waits for it.
        let time = world.clock.now().milliseconds
        if now.metadata.isCompactionsTurn(on: "main", at: time) { return }
        _ = try await Self.merged(writer, commits: 1)
      } catch {
        Issue.record(error)
      }
    }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: world.environment)
    let report = try await catalog.loadTable(TableIdentifier("db.t")).compact()
    #expect(report.groups == 1)
    #expect(report.attempts == 4)
    let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadata.compactionClaim == nil)
    #expect(try await world.violations() == [])
  }

  @Test func `a writer waits for a turn until it is over, and for none of a clock that is wrong`()
    async throws
  {
    let world = try await UpsertWorld(SeededRandom(seed: 12))
    let writer = try await UpsertWriter.open(world.table, world.options)
    for ahead in [Int64(0), 1_000_000] {
      let now = world.clock.now().milliseconds
      let claim = CompactionClaim(
        id: "another", branch: "main", sequenceNumber: SequenceNumber(0), from: now
      ).takingTurn(at: now + ahead)
      #expect(CompactionClaim(parsing: claim.text) == claim)
      _ = try await world.catalog.loadTable(TableIdentifier("db.t")).commit(
        PropertyChange(set: [CompactionClaim.property: claim.text]))
      let start = world.clock.now()
      _ = try await Self.merged(writer, commits: 1)
      let waited = world.clock.now().milliseconds - start.milliseconds
      #expect(ahead == 0 ? (5_000..<6_000).contains(waited) : waited < 1_000)
    }
    #expect(try await world.violations() == [])
  }

  @Test func `where no writer puts files together nothing is claimed`() async throws {
    let world = try await UpsertWorld(SeededRandom(seed: 10))
    for key in Int32(0)..<3 {
      try await world.catalog.loadTable(TableIdentifier("db.t")).append([Self.rows([key])])
    }
    let count = Count()
    let store = InterposedStore(world.store) { call in
      if call.operation == .put, call.path.name.hasSuffix(".metadata.json") {
        _ = await count.next()
      }
    }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: world.environment)
    let table = try await catalog.loadTable(TableIdentifier("db.t"))
    #expect(try await table.compact().groups == 1)
    #expect(await count.value == 1)
  }

  private static func rows(_ keys: [Int32], at time: Int64 = 1) throws -> RecordBatch {
    Rows.batch(
      keys.map { [.int($0), .int(0), .long(time), .string("a"), nil] },
      try Schema(UpsertWorld.schema))
  }
}

private actor Count {
  private(set) var value = 0

  func next() -> Int {
    value += 1
    return value
  }
}

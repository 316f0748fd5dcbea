// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Ingest
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// All upkeep in one, its policy, and streams of rows beside it.
@Suite("Upkeep")
struct UpkeepTests {
  @Test func `what is worth it is done, and said with why`() async throws {
    let world = try await CompactionWorld(.v3)
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().deleteRows(where: .less("k", 5), mode: .mergeOnRead)
    var policy = MaintenancePolicy()
    try policy.apply("keep-last=1, keep=1s,orphans=3d")
    let table = try await world.late(.seconds(60))
    let before = try await world.store.listAll(world.location).count
    let planned = try await Upkeep(table, policy).run(.plan)
    #expect(planned.map(\.outcome) == [.planned, .planned, .skipped, .skipped, .skipped])
    #expect(try await world.store.listAll(world.location).count == before)
    let done = try await Upkeep(table, policy).run(.run)
    #expect(done.map(\.outcome) == [.done, .done, .skipped, .skipped, .skipped], "\(done)")
    #expect(try await world.keys() == Array(5..<60))
    #expect(try await world.table().metadata.snapshots.count == 1)
    #expect(try await world.orphans() == [])
    let again = try await Upkeep(try await world.late(.seconds(61)), policy).run(.run)
    #expect(again.allSatisfy { $0.outcome == .skipped }, "\(again)")
  }

  @Test func `manifests are rewritten where half of them would do`() async throws {
    let world = try await CompactionWorld(.v2)
    _ = try await world.table().commit(
      PropertyChange(set: ["commit.manifest.min-count-to-merge": "100"]))
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    var policy = MaintenancePolicy()
    try policy.apply("compact=off,expire=off,orphans=off,manifests=5")
    let steps = try await Upkeep(world.table(), policy).run(.run)
    #expect(steps.map(\.outcome) == [.skipped, .skipped, .done, .skipped, .skipped])
    #expect(try await world.keys() == Array(0..<60))
  }

  @Test func `D9: old versions of metadata go from the lowest up, after the note was raised`()
    async throws
  {
    for call in stride(from: 0, to: 400, by: Depth.isLong ? 1 : 7) {
      let world = try await CompactionWorld(.v2)
      _ = try await world.table().commit(
        PropertyChange(set: ["write.metadata.previous-versions-max": "3"]))
      for number in 0..<108 {
        _ = try await world.table().commit(PropertyChange(set: ["n": "\(number)"]))
      }
      let folder = world.location
      func versions() async throws -> Int {
        try await world.store.listAll(folder).filter { $0.path.name.hasSuffix(".metadata.json") }
          .count
      }
      #expect(try await versions() == 110)
      var policy = MaintenancePolicy()
      try policy.apply("compact=off,expire=off,manifests=off,orphans=off")
      // Too young to go.
      _ = try await Upkeep(world.table(), policy).run(.run)
      #expect(try await versions() == 110)
      let faulty = FaultyStore(
        world.store, failing: .before, atCall: call, lasting: .untilHealed)
      let unlucky = try? await world.late(.seconds(7200), faulty)
      if let unlucky { _ = try await Upkeep(unlucky, policy).run(.run) }
      // Whatever was left: the table is as it was, and another run ends it.
      #expect(try await world.table().metadata.properties["n"] == "107")
      _ = try await Upkeep(world.late(.seconds(7200)), policy).run(.run)
      #expect(try await versions() == 100)
      #expect(try await world.table().metadata.properties["n"] == "107")
      try await world.append(0..<3)
      #expect(try await world.keys() == [0, 1, 2])
      if call > 0, !faulty.fired { break }
    }
  }

  @Test func `a step that fails keeps no other from being done`() async throws {
    let world = try await CompactionWorld(.v2)
    for start in stride(from: Int64(0), to: 60, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().commit(PropertyChange(set: ["gc.enabled": "false"]))
    let steps = try await Upkeep(world.table(), MaintenancePolicy()).run(.run)
    #expect(steps.map(\.outcome) == [.done, .failed, .skipped, .skipped, .failed])
  }

  @Test(arguments: [
    "", "keep", "keep=", "=7d", "keep=7", "keep=-7d", "keep=0d", "target=big", "target=0",
    "target=-1MB", "keep=7d,keep=8d", "deleted=0", "deleted=101", "keep-last=0", "colour=red",
    "expire=maybe", "keep=7d,", "orphans=yes", "manifests=0", "target=9999999999GB",
  ])
  func `a policy that makes no sense is refused`(text: String) throws {
    var policy = MaintenancePolicy()
    do throws(MaintenanceError) {
      try policy.apply(text)
      Issue.record("'\(text)' was taken")
    } catch {
      guard case .invalidPolicy = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func `a table's own policy is in its properties`() throws {
    let policy = try MaintenancePolicy([
      "lake.maintain.keep": "2h", "lake.maintain.target": "256MB", "lake.maintain.orphans": "off",
      "owner": "x",
    ])
    #expect(policy.keep == .seconds(7200))
    #expect(policy.targetByteCount == 256 << 20)
    #expect(!policy.sweeps)
    #expect(throws: MaintenanceError.self) {
      try MaintenancePolicy(["lake.maintain.keep": "forever"])
    }
  }

  /// Upserts into a table while it is compacted and its snapshots expire, held against a map.
  @Test(arguments: [FormatVersion.v2, .v3])
  func `upserts and all upkeep at once: no one fails, and every key has its newest row`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "upserts beside upkeep, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 100 : 2) {
      let random = random.fork()
      let world = try await CompactionWorld(version, partitionedBy: random.pick(["", "p"]))
      var options = UpsertOptions()
      options.key = ["k"]
      options.writer = "w"
      let stream = try Stream(
        try await .open(world.table(), options), random.fork(), version: version)
      for _ in 0..<6 { await stream.step() }
      let when = random.fork()
      for _ in 0..<4 {
        let store = InterposedStore(world.store) { call in
          let isCommit = call.operation == .put && call.path.name.hasPrefix("snap-")
          if when.chance(isCommit ? 40 : 3) { await stream.step() }
        }
        var compaction = CompactionOptions()
        compaction.commitByteCount = random.pick([1, 1 << 30])
        _ = try await world.table(store).compact(compaction)
        _ = try await world.table(store).expireSnapshots(
          ExpiryPolicy(maxSnapshotAge: .milliseconds(1), minSnapshotsToKeep: 1))
        await stream.step()
      }
      let note = Comment("round \(round), seed \(random.seed)")
      let rows = await stream.rows
      #expect(try await world.keys() == rows.keys.sorted(), note)
      var found: [Int64: Int32] = [:]
      for try await batch in try await world.table().scan().select(["k", "p"]).batches() {
        for row in 0..<batch.rowCount {
          found[batch.columns[0].integer(row)] = Int32(batch.columns[1].integer(row))
        }
      }
      #expect(found == rows, note)
      try await stream.close()
    }
  }

  /// Upserts random rows, and knows what there must be.
  private actor Stream {
    private let writer: UpsertWriter
    private let random: SeededRandom
    private(set) var rows: [Int64: Int32] = [:]
    private var offset: Int64 = 0
    private var isStepping = false
    private var left = 24
    private let schema: Schema

    init(_ writer: UpsertWriter, _ random: SeededRandom, version: FormatVersion) throws {
      self.writer = writer
      self.random = random
      schema = try Schema("k long not null, p int")
    }

    func step() async {
      // Whoever commits between all the calls of another would keep it from ever ending.
      guard !isStepping, left > 0 else { return }
      left -= 1
      isStepping = true
      defer { isStepping = false }
      var new: [Int64: Int32] = [:]
      for _ in 0..<random.int(in: 1..<20) {
        new[Int64(random.int(in: 0..<60))] = Int32(random.int(in: 0..<2))
      }
      offset += 1
      do {
        try await writer.upsert(
          Rows.batch(new.map { [Value.long($0.key), .int($0.value)] }, schema))
        _ = try await writer.commit(["s": offset])
        rows.merge(new) { $1 }
      } catch {
        Issue.record("\(error)")
      }
    }

    func close() async throws { try await writer.close() }
  }
}

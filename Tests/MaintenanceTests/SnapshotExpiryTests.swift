// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Expiry against an oracle that reads every manifest of every snapshot.
@Suite("Snapshot expiry")
struct SnapshotExpiryTests {
  private static let histories = Depth.isLong ? 300 : 5

  @Test
  func `D1 D2 D3, rule 116: what is left after an expiry is what the snapshots that stay reach`()
    async throws
  {
    let random = SeededRandom(printing: "expiry")
    for round in 0..<Self.histories {
      let random = random.fork()
      let world = try await ExpiryWorld(random, steps: random.int(in: 6..<18))
      for _ in 0..<random.int(in: 1..<3) {
        try await world.addReferences(random)
        let before = try await world.table()
        let policy = ExpiryPolicy(
          maxSnapshotAge: .seconds(random.pick([1, 20, 60, 300])),
          minSnapshotsToKeep: random.pick([nil, 1, 2, 5]))
        let expected = try policy.expiry(
          of: before.metadata, at: world.environment.now().milliseconds)
        // A statistics file that another one was put in the place of.
        let lost = try await world.files().subtracting(world.reachable(from: before))
        let planned = try await SnapshotExpiry(before, policy).plan()
        let report = try await before.expireSnapshots(policy)
        let note = Comment("round \(round), seed \(random.seed), \(policy)")
        #expect(report.problems == [], note)
        #expect(Set(report.snapshotIDs) == Set(expected.snapshotIDs), note)
        #expect(planned.unneededFiles == report.unneededFiles, note)
        #expect(report.deletedFiles == report.unneededFiles, note)
        let after = try await world.table()
        #expect(try await world.files() == world.reachable(from: after).union(lost), note)
        try await world.checkStates(of: after, note)
      }
    }
  }

  @Test func `a key index stays with its table when the snapshot it was made at goes`() async throws
  {
    let world = try await ExpiryWorld(SeededRandom(seed: 4), steps: 0)
    try await world.append(1...500)
    var table = try await world.table()
    var index = try await KeyIndex.build(TableState(of: table), key: ["k"])
    _ = try await index.persist(to: table)
    for first in [1000, 1010, 1020, 1030] as [Int64] { try await world.append(first...first + 5) }
    for keep in [2, 1] {
      world.clock.advance(by: .seconds(3600))
      table = try await world.table()
      let policy = ExpiryPolicy(maxSnapshotAge: .seconds(1), minSnapshotsToKeep: keep)
      let planned = try await SnapshotExpiry(table, policy).plan()
      let report = try await table.expireSnapshots(policy)
      #expect(report.statisticsFiles == 0)
      #expect(planned.unneededFiles == report.unneededFiles)
      let status = try await KeyIndex.status(of: try await world.table())
      #expect(status.map(\.placeCount) == [500])
    }
    // It is listed under the only snapshot now, where other statistics belong too.
    table = try await world.table()
    _ = try await table.analyze()
    table = try await world.table()
    #expect(try await KeyIndex.status(of: table).map(\.placeCount) == [500])
    #expect(table.metadata.statistics.flatMap(\.blobs).contains { $0.type.contains("theta") })
  }

  @Test func `D3: a file that was taken out and added again stays`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 3), steps: 0)
    var table = try await world.table()
    let file = try #require(try await world.append(1...3).first)
    table = try await world.table()
    var edit = TableEdit()
    edit.removed = [file.identity]
    table = try await table.commit(edit).table
    edit = TableEdit()
    edit.added = [(file, nil)]
    table = try await table.commit(edit).table
    world.clock.advance(by: .seconds(3600))
    let report = try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(report.snapshotIDs.count == 2)
    #expect(report.contentFiles == 0)
    #expect(try await world.table().scan().count() == 3)
  }

  @Test func `tags of consumers keep all that came after them`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 4), steps: 0)
    for number in 1...6 { try await world.append(Int64(number)...Int64(number)) }
    var table = try await world.table()
    let all = table.metadata.snapshots.map(\.id)
    _ = try await table.commit(ReferenceChange.createTag("consumer.dash", at: all[2]))
    world.clock.advance(by: .seconds(3600))
    table = try await world.table()
    let report = try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(report.snapshotIDs == Array(all[..<2]))
    // A place that grew too old goes, and keeps nothing.
    table = try await world.table()
    let retention = SnapshotReference.Retention(maxReferenceAgeMilliseconds: 1000)
    _ = try await table.commit(
      ReferenceChange.createTag(
        "consumer.dash", at: all[2], retention: retention, ifThere: .replace))
    let second = try await world.table().expireSnapshots(
      ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(second.references == ["consumer.dash"])
    #expect(second.snapshotIDs == Array(all[2..<5]))
  }

  @Test func `the record of a writer whose rows were rolled back stays what it was`()
    async throws
  {
    let world = try await ExpiryWorld(SeededRandom(seed: 5), steps: 0)
    for number in 1...4 { try await world.append(Int64(number)...Int64(number)) }
    var table = try await world.table()
    let ids = table.metadata.snapshots.map(\.id)
    let last = try #require(table.metadata.currentSnapshot)
    let record = WriterRecord(
      fence: 1, epoch: 1, offsets: ["p": 9], branch: "main", snapshot: last.id,
      sequenceNumber: last.sequenceNumber)
    _ = try await table.commit(
      PropertyChange(set: [WriterRecord.property(of: "w"): record.text]))
    table = try await world.table()
    // As another engine rolls back, which knows nothing of writers.
    _ = try await table.commit(
      ReferenceChange.createBranch("main", at: ids[1], ifThere: .replace))
    try await world.append(7...7)
    world.clock.advance(by: .seconds(3600))
    table = try await world.table()
    #expect(table.metadata.isRolledBack(record))
    try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    table = try await world.table()
    #expect(table.metadata.isRolledBack(record))
    #expect(table.metadata.snapshot(ids[0]) != nil)
  }

  @Test func `A1: after an unknown outcome nothing is deleted`() async throws {
    for kind in [FaultKind.halfway, .late, .after] {
      let world = try await ExpiryWorld(SeededRandom(seed: 6), steps: 8)
      world.clock.advance(by: .seconds(3600))
      let before = try await world.files()
      let faulty = FaultyStore(
        world.store, failing: kind, atCall: 1, lasting: .untilHealed,
        where: { $0.isWrite && $0.path.name.hasSuffix(".metadata.json") })
      let table = try await world.table(faulty)
      await #expect(throws: MaintenanceError.self) {
        try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
      }
      #expect(before.subtracting(try await world.files()).isEmpty)
    }
  }

  @Test func `D10: a missing manifest keeps no other file from being deleted`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 7), steps: 0)
    for number in 1...4 { try await world.append(Int64(number)...Int64(number)) }
    var table = try await world.table()
    // Copy on write: what it replaces is needed by old snapshots alone.
    _ = try await table.deleteRows(where: .less("k", .integer(3)), mode: .copyOnWrite)
    table = try await world.table()
    let first = try #require(table.metadata.snapshots.first)
    let list = try await ManifestFiles(table).list(of: first).manifests
    try await world.store.delete(ObjectPath(try #require(list.first).path))
    world.clock.advance(by: .seconds(3600))
    let report = try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(report.problems.count == 1)
    #expect(report.deletedFiles > 0)
    #expect(try await world.table().scan().count() == 2)
  }

  @Test func `D10: if what the table needs can't be told, no file is deleted`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 8), steps: 0)
    for number in 1...4 { try await world.append(Int64(number)...Int64(number)) }
    var table = try await world.table()
    _ = try await table.deleteRows(where: .less("k", .integer(3)), mode: .copyOnWrite)
    table = try await world.table()
    let head = try #require(table.metadata.currentSnapshot)
    let list = try await ManifestFiles(table).list(of: head).manifests
    try await world.store.delete(ObjectPath(try #require(list.first).path))
    world.clock.advance(by: .seconds(3600))
    let before = try await world.files()
    let report = try await table.expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(!report.snapshotIDs.isEmpty)
    #expect(report.problems.count == 1)
    #expect(before.subtracting(try await world.files()).isEmpty)
  }

  @Test func `an expiry killed at any call and run again equals one run`() async throws {
    let policy = ExpiryPolicy(maxSnapshotAge: .seconds(1))
    for kind in [FaultKind.before, .after] {
      for call in 1..<2000 {
        let world = try await ExpiryWorld(SeededRandom(seed: 9), steps: 12)
        world.clock.advance(by: .seconds(3600))
        let faulty = FaultyStore(
          world.store, failing: kind, atCall: call, lasting: .untilHealed)
        let note = Comment("\(kind) at call \(call)")
        do {
          // Where deleting failed, the report says so, and the next run goes on.
          try await world.table(faulty).expireSnapshots(policy)
        } catch {
          #expect(faulty.fired, "\(note): \(error)")
        }
        let fired = faulty.fired
        _ = try await world.table().expireSnapshots(policy)
        let after = try await world.table()
        #expect(try await world.files() == world.reachable(from: after), note)
        try await world.checkStates(of: after, note)
        if !fired {
          #expect(call > 5, "too few calls to mean anything")
          break
        }
      }
    }
  }

  @Test func `a table whose files may be another's is refused`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 10), steps: 3)
    _ = try await world.table().commit(PropertyChange(set: ["gc.enabled": "false"]))
    let before = try await world.files()
    await #expect(throws: MaintenanceError.self) {
      try await world.table().expireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    }
    #expect(try await world.files() == before)
  }
}

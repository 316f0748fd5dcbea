// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Files that nothing names.
@Suite("Orphan sweep")
struct OrphanSweepTests {
  private static let day = Duration.seconds(86_400)

  @Test func `D6: of a random history all files stay but those that were planted`() async throws {
    let random = SeededRandom(printing: "orphans")
    for round in 0..<(Depth.isLong ? 100 : 5) {
      let random = random.fork()
      let world = try await ExpiryWorld(random, steps: random.int(in: 4..<14))
      let table = try await world.table()
      let before = try await world.files()
      let folder = try ObjectPath(table.metadata.location)
      var planted: Set<String> = []
      for number in 0..<random.int(in: 1..<4) {
        let name = random.pick(["data/x-\(number).parquet", "metadata/snap-\(number).avro", "y"])
        let path = try folder.appending(relativePath: name)
        _ = try await world.store.put(Buffer(utf8: "x"), to: path, if: .none)
        planted.insert(path.text)
      }
      world.clock.advance(by: Self.day * 4)
      let note = Comment("round \(round), seed \(random.seed)")
      let found = try await table.sweepOrphans()
      let lost = before.subtracting(try await world.reachable(from: table))
      #expect(Set(found.orphans.map(\.path.text)) == planted.union(lost), note)
      #expect(found.deletedFiles == 0, note)
      let swept = try await table.sweepOrphans(.deleteHoweverMany)
      #expect(swept.deletedFiles == found.orphans.count, note)
      #expect(try await world.files() == world.reachable(from: table), note)
      try await world.checkStates(of: try await world.table(), note)
      _ = try await world.append(1...1)
    }
  }

  @Test func `D4: the files of a writer that pauses are safe by their age`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 1), steps: 0)
    try await world.append(1...3)
    world.clock.advance(by: Self.day * 10)
    let table = try await world.table()
    let writer = try PartitionedWriter(
      table.metadata, store: world.store, environment: world.environment)
    try await writer.write(Rows.batch([[.long(9)]], table.metadata.currentSchema))
    let files = try await writer.finish()
    world.clock.advance(by: Self.day * 2)
    let report = try await table.sweepOrphans(.deleteHoweverMany)
    #expect(report.deletedFiles == 0)
    #expect(report.youngFiles == files.count)
    _ = try await table.commit(AppendFiles(files))
    #expect(try await world.table().scan().count() == 4)
    // And by the store's clock, whatever ours says.
    let lost = try await writeUncommitted(world)
    let fast = TestClock(now: world.clock.now().adding(Self.day * 100))
    let hasty = try await TableAtLocation.open(
      ObjectPath(table.metadata.location), store: world.store,
      environment: .deterministic(seed: 7, clock: fast))
    #expect(try await hasty.sweepOrphans(.deleteHoweverMany).deletedFiles == 0)
    #expect(try await world.files().isSuperset(of: lost.map(\.path)))
  }

  private func writeUncommitted(_ world: ExpiryWorld) async throws -> [DataFile] {
    let table = try await world.table()
    let writer = try PartitionedWriter(
      table.metadata, store: world.store, environment: world.environment)
    try await writer.write(Rows.batch([[.long(9)]], table.metadata.currentSchema))
    return try await writer.finish()
  }

  @Test func `D5: what is committed while the folder is listed is no orphan`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 2), steps: 0)
    try await world.append(1...3)
    let files = try await writeUncommitted(world)
    world.clock.advance(by: Self.day * 9)
    // An old state in hand, and a commit of old files since: the newest state decides.
    let stale = try await world.table()
    _ = try await stale.commit(AppendFiles(files))
    let report = try await stale.sweepOrphans(.deleteHoweverMany)
    #expect(report.deletedFiles == 0)
    #expect(try await world.table().scan().count() == 4)
  }

  @Test func `D7: where half of all files look like orphans, nothing is deleted`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 3), steps: 0)
    try await world.append(1...3)
    let table = try await world.table()
    let folder = try ObjectPath(table.metadata.location).appending("data")
    for number in 0..<40 {
      _ = try await world.store.create(folder.appending("o\(number).parquet"), Buffer(utf8: "x"))
    }
    world.clock.advance(by: Self.day * 9)
    let before = try await world.files()
    await #expect(throws: MaintenanceError.self) { try await table.sweepOrphans(.delete) }
    #expect(try await world.files() == before)
    #expect(try await table.sweepOrphans().orphans.count == 40)
    #expect(try await table.sweepOrphans(.deleteHoweverMany).deletedFiles == 40)
  }

  @Test func `checksums that Hadoop keeps beside a file stay as long as the file does`()
    async throws
  {
    let world = try await ExpiryWorld(SeededRandom(seed: 3), steps: 0)
    try await world.append(1...3)
    let table = try await world.table()
    let kept = try await world.store.listAll(try ObjectPath(table.metadata.location)).map(\.path)
    let lost = try ObjectPath(table.metadata.location).appending("lost.parquet")
    for path in kept + [lost] {
      let sums = try #require(try path.parent?.appending(".\(path.name).crc"))
      _ = try await world.store.create(sums, Buffer(utf8: "x"))
    }
    for name in [".crc", "..crc", ".lost"] {
      _ = try await world.store.create(
        ObjectPath(table.metadata.location).appending(name), Buffer(utf8: "x"))
    }
    world.clock.advance(by: Self.day * 9)
    let orphans = try await table.sweepOrphans().orphans.map(\.path.name)
    #expect(orphans.sorted() == ["..crc", ".crc", ".lost", ".lost.parquet.crc"])
  }

  @Test func `D7: a path that differs in scheme or authority alone is an error`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 4), steps: 0)
    let file = try #require(try await world.append(1...3).first)
    var edit = TableEdit()
    let other = DataFile(
      path: file.path.replacing("memory://w/", with: "memory://v/"), format: .parquet,
      partition: file.partition, recordCount: 3, byteCount: file.byteCount)
    edit.added = [(other, nil)]
    edit.removed = [file.identity]
    _ = try await world.table().commit(edit)
    // Only the new state is left, which names the file at another root.
    world.clock.advance(by: Self.day * 9)
    _ = try await world.table().commit(
      ExpireSnapshots(ExpiryPolicy(maxSnapshotAge: .seconds(1))))
    await #expect(throws: MaintenanceError.self) {
      try await world.table().sweepOrphans(.deleteHoweverMany)
    }
    #expect(try await world.files().contains(file.path))
  }

  @Test func `a sweep killed at any call deletes nothing that is named`() async throws {
    for call in stride(from: 1, to: 1000, by: Depth.isLong ? 1 : 3) {
      let world = try await ExpiryWorld(SeededRandom(seed: 5), steps: 6)
      let lost = try await writeUncommitted(world)
      world.clock.advance(by: Self.day * 9)
      let faulty = FaultyStore(
        world.store, failing: .before, atCall: call, lasting: .untilHealed)
      _ = try? await world.table(faulty).sweepOrphans(.deleteHoweverMany)
      let table = try await world.table()
      #expect(try await world.files().isSuperset(of: world.reachable(from: table)))
      _ = try await table.sweepOrphans(olderThan: .seconds(1), .deleteHoweverMany)
      let left = try await world.files().subtracting(world.reachable(from: table))
      #expect(left.filter { !$0.contains("lake-time-") } == [])
      #expect(!lost.isEmpty)
      if !faulty.fired {
        #expect(call > 10)
        break
      }
    }
  }

  @Test func `a folder with another table in it is refused`() async throws {
    let world = try await ExpiryWorld(SeededRandom(seed: 6), steps: 2)
    let table = try await world.table()
    let inner = try ObjectPath(table.metadata.location).appending(
      relativePath: "inner/metadata/v1.metadata.json")
    _ = try await world.store.create(inner, Buffer(utf8: "{}"))
    world.clock.advance(by: Self.day * 9)
    await #expect(throws: MaintenanceError.self) { try await table.sweepOrphans(.delete) }
  }
}

/// What a writer finds that slept while others swept.
@Suite("Files that a commit names")
struct WrittenFileTests {
  @Test func `D4: a commit looks whether files that it wrote long before are still there`()
    async throws
  {
    for (hours, isGone) in [(Int64(0), false), (2, false), (100, true)] {
      let world = try await BackfillWorld(SeededRandom(seed: 4))
      try await world.append(0..<5)
      let counting = FaultyStore(world.store)
      let table = try await world.table("db.s", counting)
      let writer = try PartitionedWriter(
        table.metadata, store: table.store, environment: table.environment)
      let rows = (Int32(5)..<9).map { [Value.int($0), nil, nil, nil] as [Value?] }
      try await writer.write(Rows.batch(rows, table.metadata.currentSchema))
      let files = try await writer.finish()
      world.clock.advance(by: .seconds(hours * 3600))
      if isGone {
        let report = try await world.table("db.s").sweepOrphans(
          olderThan: .seconds(3 * 86_400), .delete)
        #expect(report.orphans.count == 1)
      }
      do throws(CommitError) {
        _ = try await table.commit(try AppendFiles(files))
        #expect(!isGone)
      } catch {
        guard isGone, case .conflict(.writtenFileIsGone(files[0].path)) = error else { throw error }
      }
      let asked = counting.calls.filter { $0.operation == .head && $0.path.text == files[0].path }
      #expect(asked.count == (hours == 0 ? 0 : 1))
      let count = try await world.table("db.s").scan().count()
      #expect(count == (isGone ? 5 : 9))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// What a deep audit finds, and what a repair leaves.
@Suite("Deep verification and repair")
struct VerificationTests {
  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `a random history is all as told`(version: FormatVersion) async throws {
    let random = SeededRandom(printing: "deep audit, v\(version.rawValue)")
    for _ in 0..<(Depth.isLong ? 60 : 3) {
      let random = random.fork()
      var history = try await RandomHistory(random, version)
      for _ in 0..<random.int(in: 3..<14) { try await history.step(random) }
      _ = try await history.table.compact()
      var found: [String] = []
      let table = try await history.table.refreshed()
      _ = try await DeepAudit(table).run { found.append("\($0)") }
      #expect(found == [], "\(history.log), seed \(random.seed)")
    }
  }

  private func problems(_ world: CompactionWorld) async throws -> [AuditProblem] {
    var found: [AuditProblem] = []
    _ = try await DeepAudit(world.table()).run { found.append($0) }
    return found
  }

  private func firstFile(_ world: CompactionWorld) async throws -> DataFile {
    try #require(try await world.table().scan().plan().tasks.first).file
  }

  @Test func `a flipped bit of a page is found in its file`() async throws {
    let world = try await CompactionWorld(.v3)
    try await world.append(0..<50)
    let file = try await firstFile(world)
    let path = try ObjectPath(file.path)
    var bytes = try await world.store.get(path, limit: 1 << 20).array()
    bytes[40] ^= 4
    _ = try await world.store.put(Buffer(bytes), to: path, if: .none)
    let found = try await problems(world)
    #expect(!found.isEmpty)
    #expect(found.allSatisfy { $0.file == file.path })
    // Length and rows are as told: only reading all shows it.
    var shallow: [AuditProblem] = []
    _ = try await world.table().audit().run { shallow.append($0) }
    #expect(shallow == [])
  }

  @Test func `bounds and counts that a manifest tells wrong are found`() async throws {
    let world = try await CompactionWorld(.v2)
    try await world.append(0..<50)
    let file = try await firstFile(world)
    let table = try await world.table()
    var edit = TableEdit()
    var lying = file
    lying.metrics = ColumnMetricsList([
      ColumnMetrics(
        fieldID: FieldID(1), valueCount: 50, nullCount: 3,
        lowerBound: Value.long(7).encoded(as: .long), upperBound: Value.long(40).encoded(as: .long))
    ])
    edit.removed = [file.identity]
    edit.added = [(lying, nil)]
    _ = try await table.commit(edit)
    _ = try await world.late(.seconds(9)).expireSnapshots(
      ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    let found = try await problems(world)
    #expect(found.map(\.check) == [.metrics, .metrics, .metrics])
  }

  @Test func `deleted positions beyond a file's rows are found`() async throws {
    let world = try await CompactionWorld(.v3)
    try await world.append(0..<10)
    let file = try await firstFile(world)
    let table = try await world.table()
    var edit = TableEdit()
    edit.added = try await DeleteFiles(table, SeededRandom(seed: 1))
      .vectors([(file, [3, 10])]).map { ($0, nil) }
    _ = try await table.commit(edit)
    #expect(try await problems(world).map(\.check) == [.deletes])
  }

  @Test func `a file that a snapshot has twice is found`() async throws {
    let world = try await CompactionWorld(.v2)
    try await world.append(0..<10)
    let file = try await firstFile(world)
    var edit = TableEdit()
    edit.added = [(file, nil)]
    _ = try await world.table().commit(edit)
    #expect(try await problems(world).map(\.check) == [.unique])
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `a repair takes lost files out of each branch, and says what went`(
    version: FormatVersion
  ) async throws {
    let world = try await CompactionWorld(version)
    for start in stride(from: Int64(0), to: 40, by: 10) {
      try await world.append(start..<start + 10)
    }
    _ = try await world.table().commit(ReferenceChange.createBranch("b"))
    let file = try await firstFile(world)
    try await world.store.delete(ObjectPath(file.path))
    await #expect(throws: (any Error).self) { try await world.keys() }
    let lost = try await world.table().repair()
    #expect(lost.map(\.branch) == ["b", "main"])
    #expect(lost.allSatisfy { $0.path == file.path && $0.rowCount == 10 && !$0.isDeletes })
    #expect(try await world.keys().count == 30)
    #expect(try await world.table().scan().at(.reference("b")).readAll().count == 3)
    #expect(try await world.table().repair() == [])
    // Once older snapshots are gone, nothing is amiss.
    let report = try await world.late(.seconds(9)).expireSnapshots(
      ExpiryPolicy(maxSnapshotAge: .seconds(1)))
    #expect(report.problems == [])
    #expect(try await problems(world) == [])
  }

  @Test func `a repair names the rows that went, by position and row id`() async throws {
    // 0: no index. 1: an index of a file whose rows have ids of their own. 2: such a file, no index.
    let cases: [[Range<Int64>]?] = [[0..<3, 5..<10], [0..<3, 5..<10], nil]
    for (kind, expected) in cases.enumerated() {
      let world = try await CompactionWorld(.v3)
      try await world.append(0..<5)
      try await world.append(5..<10)
      if kind > 0 { _ = try await world.table().compact() }
      _ = try await world.table().deleteRows(where: .isIn("k", [3, 4]), mode: .mergeOnRead)
      if kind == 1 {
        let table = try await world.table()
        var index = try await KeyIndex.build(TableState(of: table), key: ["k"])
        _ = try await index.persist(to: table)
      }
      let files = try await world.table().scan().plan().tasks.map(\.file)
      for file in files { try await world.store.delete(ObjectPath(file.path)) }
      let lost = try await world.table().repair().filter { !$0.isDeletes }
      #expect(lost.count == files.count)
      let rows = try lost.map { try #require($0.rows) }
      #expect(rows.reduce(0) { $0 + $1.count } == 8)
      #expect(rows.allSatisfy { !$0.mayHaveBeenDeleted })
      #expect(rows.contains { $0.positions.first == 0..<3 })
      #expect(Set(rows.flatMap { $0.bounds.map(\.column) }) == ["k", "p"])
      let ids = rows.compactMap(\.rowIDs).flatMap { $0 }
      if let expected {
        #expect(ids.sorted { $0.lowerBound < $1.lowerBound } == expected, "\(kind)")
      } else {
        #expect(ids == [])
      }
    }
  }
}

/// Key indexes held against the rows.
@Suite("Verification of key indexes")
struct IndexVerificationTests {
  @Test func `a key index that tells wrong places is found out`() async throws {
    for (number, change) in [{ $0 }, { Array($0.reversed()) }, { [$0[1]] + $0.dropFirst() }]
      .enumerated() as EnumeratedSequence<[([KeyHash]) -> [KeyHash]]>
    {
      let world = try await CompactionWorld(.v3)
      try await world.append(0..<40)
      try await world.append(40..<60)
      _ = try await world.table().deleteRows(where: .isIn("k", [3, 44]), mode: .mergeOnRead)
      let table = try await world.table()
      let state = try await TableState(of: table)
      let columns = try KeyColumns(schema: state.schema, names: ["k"])
      var index = KeyIndex(columns, seed: KeySeed(table.environment))
      for live in state.files {
        let plain = ScanTask(file: live.file, sequenceNumber: live.sequenceNumber)
        let first = live.file.recordCount == 40 ? Int64(0) : 40
        let rows = (first..<first + plain.file.recordCount).map {
          [Value.long($0), nil] as [Value?]
        }
        let hashes = try columns.hashes(of: Rows.batch(rows, state.schema), seed: index.seed)
        let told = change((0..<hashes.count).map { hashes[$0] })
        try index.insert(live.file.path, [IndexedRows(hashes: KeyHashes(told))])
      }
      try await index.cover(state)
      _ = try await index.persist(to: table)
      var found: [AuditProblem] = []
      _ = try await DeepAudit(world.table()).run { found.append($0) }
      #expect(found.isEmpty == (number == 0), "\(number): \(found)")
      #expect(found.allSatisfy { $0.check == .index })
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Synchronization
import Testing

@testable import Writing

/// What commits that lose races write, and what they leave behind.
@Suite("Commits that lose races")
struct CommitRetryTests {
  /// A table, and a way to it on which someone else is always faster.
  private final class World: Sendable {
    let store: MemoryStore
    let catalog: FilesystemCatalog
    let written = Mutex<[String]>([])
    private let races = Mutex(0)

    init(seed: UInt64 = 1) throws {
      let environment = Environment.deterministic(seed: seed)
      store = MemoryStore(environment: environment)
      catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    }

    /// The table, of whose swaps the first `count` come just after `other`.
    func table(
      losing count: Int, to other: @escaping @Sendable (Table, Int) async throws -> Void
    ) async throws -> Table {
      let slow = InterposedStore(store) { [self] call in
        guard call.operation == .put else { return }
        guard call.path.name.hasSuffix(".metadata.json") else {
          return written.withLock { $0.append(call.path.name) }
        }
        let race = races.withLock { races in
          races += 1
          return races
        }
        guard race <= count else { return }
        do {
          try await other(try await catalog.loadTable(TableIdentifier("db.t")), race)
        } catch {
          Issue.record("the other writer: \(error)")
        }
      }
      return try await FilesystemCatalog(
        warehouse: catalog.warehouse, store: slow, environment: catalog.environment
      ).loadTable(TableIdentifier("db.t"))
    }

    /// How many manifests and manifest lists the slow writer has written.
    var manifests: Int { written.withLock { $0.count { !$0.hasPrefix("snap-") && isAvro($0) } } }
    var lists: Int { written.withLock { $0.count { $0.hasPrefix("snap-") } } }
    private func isAvro(_ name: String) -> Bool { name.hasSuffix(".avro") }

    func check(_ comment: Comment? = nil) async throws {
      let invariants = TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
      #expect(try await invariants.violations() == [], comment)
      #expect(try await invariants.orphans() == [], comment)
    }
  }

  private func rows(_ values: [Int32]) throws -> RecordBatch {
    Rows.batch(values.map { [.int($0)] }, try Schema("k int"))
  }

  /// Data files of the rows, which are part of no table yet.
  private func dataFiles(_ values: [Int32], of table: Table) async throws -> [DataFile] {
    var left = [try rows(values)][...]
    return try await table.writeFiles { () async throws(Never) in left.popFirst() }
  }

  @Test(arguments: FormatVersion.allCases)
  func `rule 110: an append that loses five races writes its manifest once`(
    version: FormatVersion
  ) async throws {
    let world = try World()
    _ = try await world.catalog.createTable("db.t", "k int", formatVersion: version)
    let slow = try await world.table(losing: 5) { table, race in
      try await table.append([try rows([Int32(race)])])
    }
    let receipt = try #require(try await slow.append([try rows([100])]))
    #expect(receipt.attempts == 6)
    #expect(world.manifests == 1)
    #expect(world.lists == 6)
    let now = try await slow.refreshed()
    let expected = ([1, 2, 3, 4, 5, 100].map { #"{"k":\#($0)}"# }).sorted()
    #expect(try await now.scan().canonicalRows() == expected)
    let head = try #require(now.metadata.currentSnapshot)
    let listed = try await ManifestFiles(now).list(of: head).manifests
    let own = try #require(listed.first { $0.addedSnapshotID == head.id })
    #expect(own.sequenceNumber == head.sequenceNumber)
    #expect(own.minSequenceNumber == head.sequenceNumber)
    try await world.check()
  }

  @Test func `a manifest that one attempt merges is there for the next`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable(
      "db.t", "k int", properties: ["commit.manifest.min-count-to-merge": "3"], formatVersion: .v3)
    for value in 0..<2 { try await table.refreshed().append([try rows([Int32(value)])]) }
    // The slow writer's first attempt merges three manifests; then the other one has.
    let slow = try await world.table(losing: 1) { table, race in
      try await table.append([try rows([10])])
    }
    let receipt = try #require(try await slow.append([try rows([100])]))
    #expect(receipt.attempts == 2)
    let own = world.written.withLock { names in names.filter { $0.hasSuffix("-1-m0.avro") } }
    #expect(own.count == 1)
    let head = try #require(receipt.snapshot)
    let list = try await ManifestFiles(receipt.table).list(of: head).manifests
    #expect(list.contains { $0.path.hasSuffix(own[0]) })
    #expect(world.manifests == 2, "its own, and what it merged in vain")
    try await world.check()
  }

  @Test func `a delete and an append of one transaction write what they add once`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    try await table.append([try rows([1, 2, 3])])
    let base = try await table.refreshed()
    let files = try await dataFiles([7], of: base)
    let more = try await dataFiles([8], of: base)
    let slow = try await world.table(losing: 3) { table, race in
      try await table.append([try rows([Int32(10 * race)])])
    }
    let receipt = try await slow.commit(
      Transaction([
        try AppendFiles(files), Transaction([try AppendFiles(more)]),
        PropertyChange(set: ["a": "b"]),
      ]))
    #expect(receipt.attempts == 4)
    #expect(world.manifests == 2)
    #expect(world.lists == 8)
    #expect(try await receipt.table.scan().count() == 8)
    try await world.check()
  }

  private enum Change: CaseIterable {
    case append, delete, update, overwrite, replacePartitions, columns, manifests, branch, property

    func make(_ table: Table) async throws {
      let (filter, schema) = (Predicate.equal("k", .integer(2)), try Schema("k int"))
      var left = [Rows.batch([[Value.int(7)]] as [[Value?]], schema)][...]
      let next = { () async throws(Never) in left.popFirst() }
      switch self {
      case .append: _ = try await table.append(next)
      case .delete: _ = try await table.deleteRows(where: filter)
      case .update:
        let assignment = try ExpressionParser.parse(assignment: "k = k + 100")
        _ = try await table.updateRows(where: filter, set: [assignment])
      case .overwrite: _ = try await table.overwriteRows(where: filter, next)
      case .replacePartitions: _ = try await table.replacePartitions(next)
      case .columns:
        _ = try await table.commit(
          SchemaChange { evolution throws(IcebergError) in
            try evolution.add("x", type: .primitive(.string))
          })
      case .manifests: _ = try await table.commit(ManifestRewrite())
      case .branch:
        let head = try #require(table.metadata.currentSnapshotID)
        _ = try await table.commit(ReferenceChange.createBranch("b", at: head))
      case .property: _ = try await table.commit(PropertyChange(set: ["a": "b"]))
      }
    }

    /// What rows there are after it, of 1, 2 and 3.
    var rows: [Int] {
      switch self {
      case .append: [1, 2, 3, 7]
      case .delete: [1, 3]
      case .update: [1, 102, 3]
      case .overwrite: [1, 3, 7]
      case .replacePartitions: [7]
      case .columns, .manifests, .branch, .property: [1, 2, 3]
      }
    }
  }

  @Test func `B6: every kind of change that loses three races is made once, and whole`()
    async throws
  {
    for change in Change.allCases {
      let world = try World()
      let table = try await world.catalog.createTable("db.t", "k int")
      try await table.append([try rows([1])])
      try await table.refreshed().append([try rows([2, 3])])
      // None of them touches a row.
      let slow = try await world.table(losing: 3) { table, race in
        _ = try await table.commit(PropertyChange(set: ["race": "\(race)"]))
      }
      try await change.make(slow)
      let now = try await slow.refreshed()
      #expect(now.metadata.properties["race"] == "3", "\(change)")
      let found = try await now.scan().select("k").canonicalRows()
      #expect(found == change.rows.map { #"{"k":\#($0)}"# }.sorted(), "\(change)")
      try await world.check("\(change)")
    }
  }

  @Test func `B11: a change of an empty table, or across a change of partitions, sees the others'`()
    async throws
  {
    let world = try World()
    let empty = try await world.catalog.createTable("db.t", "k int", partitionedBy: "k")
    let files = try await dataFiles([1], of: empty)
    try await empty.append([try rows([2])])
    let wanted = Predicate.equal("k", .integer(2))
    let basis = ReadSet(snapshot: nil, files: [], filter: wanted)
    let late = RowDelta(adding: files, removing: [], basis: basis)
    let error = await #expect(throws: CommitError.self) { _ = try await empty.commit(late) }
    guard case .conflict(.rowsWereAdded)? = error else {
      Issue.record("no conflict, but \(String(describing: error))")
      return
    }
    // Rows of a file that lies in a partition of the old spec are deleted under a new one.
    let table = try await empty.refreshed()
    let head = try #require(table.metadata.currentSnapshot)
    let list = try await ManifestFiles(table).list(of: head).manifests
    let old = try await ManifestFiles(table).entries(of: list[0], .all)
    _ = try await table.commit(
      LayoutChange.partitions { terms, _ throws(IcebergError) in terms = [] })
    _ = try await table.refreshed().deleteRows(where: wanted, mode: .mergeOnRead)
    let rewrite = RowDelta(
      adding: files, removing: old.map(\.file),
      basis: ReadSet(snapshot: head.id, files: old, isolation: .snapshot))
    let second = await #expect(throws: CommitError.self) { _ = try await table.commit(rewrite) }
    guard case .conflict? = second else {
      Issue.record("no conflict, but \(String(describing: second))")
      return
    }
    #expect(try await table.refreshed().scan().count() == 0)
  }

  @Test func `nested transactions write no file twice`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    let files = try await dataFiles([1], of: table)
    let more = try await dataFiles([2], of: table)
    let inner = Transaction([PropertyChange(set: ["a": "b"]), try AppendFiles(files)])
    _ = try await table.commit(Transaction([inner, try AppendFiles(more)]))
    #expect(try await table.refreshed().scan().count() == 2)
    try await world.check()
  }

  @Test func `after an upgrade or a change of the schema manifests are written anew`() async throws
  {
    let world = try World()
    _ = try await world.catalog.createTable("db.t", "k int", formatVersion: .v1)
    let slow = try await world.table(losing: 4) { table, race in
      switch race {
      case 1: _ = try await table.commit(FormatUpgrade(to: .v2))
      case 3:
        _ = try await table.commit(
          SchemaChange { evolution throws(IcebergError) in
            try evolution.add("x", type: .primitive(.string))
          })
      case 4: _ = try await table.commit(FormatUpgrade(to: .v3))
      default: try await table.append([try rows([Int32(race)])])
      }
    }
    let receipt = try #require(try await slow.append([try rows([100])]))
    #expect(receipt.attempts == 5)
    #expect(world.manifests == 4, "for v1, v2, the new schema, and v3")
    #expect(try await receipt.table.scan().count() == 2)
    try await world.check()
  }

  @Test func `a row change that loses for good leaves no file`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable(
      "db.t", "k int", properties: ["commit.retry.num-retries": "2"])
    try await table.append([try rows([1, 2, 3])])
    let slow = try await world.table(losing: 100) { table, race in
      _ = try await table.commit(PropertyChange(set: ["race": "\(race)"]))
    }
    await #expect(throws: CommitError.self) {
      try await slow.deleteRows(where: .equal("k", .integer(2)))
    }
    #expect(world.manifests == 1)
    #expect(try await slow.refreshed().scan().count() == 3)
    try await world.check()
  }

  @Test func `an attempt that finds a conflict leaves nothing of those before`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int")
    try await table.append([try rows([1, 2, 3])])
    let base = try await table.refreshed()
    let head = try #require(base.metadata.currentSnapshot)
    let list = try await ManifestFiles(base).list(of: head).manifests
    let old = try await ManifestFiles(base).entries(of: list[0], .all)
    let new = try await dataFiles([1, 2], of: base)
    let slow = try await world.table(losing: 2) { table, race in
      if race == 1 {
        try await table.append([try rows([9])])
      } else {
        _ = try await table.deleteRows(where: .equal("k", .integer(1)))
      }
    }
    let basis = ReadSet(snapshot: head.id, files: old, isolation: .snapshot)
    let delta = RowDelta(adding: new, removing: old.map(\.file), basis: basis)
    let error = await #expect(throws: CommitError.self) { _ = try await slow.commit(delta) }
    guard case .conflict? = error else {
      Issue.record("no conflict, but \(String(describing: error))")
      return
    }
    for file in new { try await world.store.delete(try ObjectPath(file.path)) }
    try await world.check()
  }

  @Test(arguments: [FaultKind.after, .late])
  func `A7 A9: after an unknown outcome no manifest of any attempt is deleted`(
    kind: FaultKind
  ) async throws {
    // The first swap loses; of the second no answer comes back, and then the store is down.
    var unknown = 0
    for call in 1...10 {
      let world = try World()
      _ = try await world.catalog.createTable("db.t", "k int")
      let faulty = FaultyStore(
        world.store, failing: kind, atCall: call, lasting: .untilHealed,
        where: { $0.path.name == "v3.metadata.json" })
      let slow = InterposedStore(faulty) { call in
        guard call.operation == .put, call.path.name == "v2.metadata.json" else { return }
        do {
          let table = try await world.catalog.loadTable(TableIdentifier("db.t"))
          try await table.append([try rows([1])])
        } catch {
          Issue.record("the other writer: \(error)")
        }
      }
      let table = try await FilesystemCatalog(
        warehouse: world.catalog.warehouse, store: slow, environment: world.catalog.environment
      ).loadTable(TableIdentifier("db.t"))
      var expected = 2
      do {
        try await table.append([try rows([2])])
      } catch AppendError<Never>.commit(.stateUnknown) {
        unknown += 1
      } catch {
        expected = 1
      }
      await faulty.heal()
      let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
      #expect(try await now.scan().count() == expected, "call \(call)")
      try await world.check("call \(call)")
    }
    #expect(unknown > 0)
  }
}

// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import Testing

/// Writers that put the small files of their commits together.
@Suite("Small files of upserts")
struct SmallFilesTests {
  @Test(arguments: [FormatVersion.v2, .v3], ["", "p"])
  func `files stay few, and rows what they are, however many commits there were`(
    version: FormatVersion, spec: String
  ) async throws {
    let random = SeededRandom(printing: "small files, v\(version.rawValue), '\(spec)'")
    let one = UpsertStreamTests.Case(version: version, spec: spec)
    var world = try await UpsertWorld(random, version, partitionedBy: spec)
    var options = world.options
    options.operationColumn = "op"
    options.smallFileLimit = 4
    let writer = try await UpsertWriter.open(world.table, options)
    var model = UpsertModel()
    var ledger = RowIDLedger()
    for commit in 0..<40 {
      var held = UpsertModel.Held()
      let events = (0..<20).map { _ in UpsertStreamTests.event(random, one, commit) }
      for event in events { held.take(event, ordered: true, partial: false) }
      try await writer.upsert(UpsertEvent.batch(events))
      _ = try await writer.commit()
      _ = model.commit(held, ordered: true, partial: false)
      let rows = try await world.rows()
      #expect(model.difference(rows) == nil, "commit \(commit)")
      #expect(ledger.check(rows) == nil, "commit \(commit)")
    }
    #expect(try await world.violations() == [])
    try await world.refresh()
    let plan = try await world.table.scan().plan()
    var counts: [PartitionValues: Int] = [:]
    for task in plan.tasks { counts[task.file.partition, default: 0] += 1 }
    // Below the limit, and some larger ones: each at least half of those before it.
    #expect(counts.values.allSatisfy { $0 <= 7 }, "\(counts.values)")
    #expect(await writer.progress.filesMerged >= 40)
    // No delete file is left of a data file that is gone.
    let paths = Set(plan.tasks.map(\.file.path))
    let deletes = try await world.table.deleteFiles()
    #expect(deletes.allSatisfy { $0.onlyReferencedPath.map(paths.contains) ?? true })
  }

  @Test func `a writer that was told not to puts no files together`() async throws {
    let world = try await UpsertWorld(SeededRandom(seed: 3))
    var options = world.options
    options.mergesSmallFiles = false
    let writer = try await UpsertWriter.open(world.table, options)
    for key in 0..<15 {
      try await writer.upsert(Self.rows([Int32(key)]))
      _ = try await writer.commit()
    }
    let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadata.snapshots.count == 15)
  }

  @Test func `a writer that was opened elsewhere puts no files together any more`() async throws {
    let world = try await UpsertWorld(SeededRandom(seed: 4))
    let gate = Gate()
    let store = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json"),
        await gate.isNext()
      else { return }
      // The metadata file of the second commit is there; this is that of the files put together.
      let table = try? await world.catalog.loadTable(TableIdentifier("db.t"))
      var options = world.options
      options.writer = "w"
      if let table { _ = try? await UpsertWriter.open(table, options) }
    }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: world.environment)
    var options = world.options
    options.writer = "w"
    options.smallFileLimit = 2
    let zombie = try await UpsertWriter.open(
      catalog.loadTable(TableIdentifier("db.t")), options)
    await gate.arm(at: 3)
    for key in 0..<2 {
      try await zombie.upsert(Self.rows([Int32(key)]))
      _ = try await zombie.commit()
    }
    let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadata.snapshots.count == 4)
    #expect(now.metadata.snapshots.allSatisfy { $0.operation != .replace })
    #expect(try await world.violations() == [])
  }

  @Test func `before v3 few positions get a file beside many, of which there are never many`()
    async throws
  {
    let world = try await UpsertWorld(SeededRandom(seed: 5), .v2)
    var options = world.options
    options.mergesSmallFiles = false
    let writer = try await UpsertWriter.open(world.table, options)
    try await writer.upsert(Self.rows(Array(0..<3000)))
    _ = try await writer.commit()
    try await writer.upsert(Self.rows(Array(0..<1000), at: 2))
    _ = try await writer.commit()
    var most = 0
    for step in 0..<20 {
      try await writer.upsert(Self.rows([1000 + Int32(step)], at: 3))
      _ = try await writer.commit()
      let now = try await world.catalog.loadTable(TableIdentifier("db.t"))
      let tasks = try await now.scan().plan().tasks
      let base = try #require(tasks.first { $0.file.recordCount == 3000 })
      most = max(most, base.deletes.count)
      let rewritten = base.deletes.filter { $0.file.recordCount >= 1000 }
      #expect(rewritten.count == 1)
      #expect(base.deletes.reduce(0) { $0 + $1.file.recordCount } == 1001 + Int64(step))
      #expect(try await now.scan().count() == 3000)
    }
    #expect(most == 8)
    #expect(try await world.violations() == [])
  }

  private static func rows(_ keys: [Int32], at time: Int64 = 1) throws -> RecordBatch {
    Rows.batch(
      keys.map { [.int($0), .int(0), .long(time), .string("a"), nil] },
      try Schema(UpsertWorld.schema))
  }
}

/// Tells one call from those before it.
private actor Gate {
  private var left = 0

  func arm(at number: Int) { left = number }

  func isNext() -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return left == 0
  }
}

extension Table {
  /// The delete files of the newest state.
  fileprivate func deleteFiles() async throws -> [DataFile] {
    guard let snapshot = metadata.currentSnapshot else { return [] }
    let files = ManifestFiles(self)
    var found: [DataFile] = []
    for manifest in try await files.list(of: snapshot).manifests where manifest.content == .deletes
    {
      found += try await files.entries(of: manifest, .all).filter(\.isLive).map(\.file)
    }
    return found
  }
}

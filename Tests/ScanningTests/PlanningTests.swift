// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Scanning
import Testing

@Suite("Planning")
struct PlanningTests {
  /// A random table of several commits, none of whose manifests are merged, and what its requests
  /// are counted with.
  private struct World {
    let store: MeteredStore
    let environment: Environment
    let schema: Schema
    var table: Table
    let text: String

    init(_ random: SeededRandom, commits: Int) async throws {
      environment = Environment.deterministic(seed: random.next())
      store = MeteredStore(MemoryStore(environment: environment))
      schema = try Generators.schema(random, formatVersion: .v2)
      let spec = Generators.partitionText(random, schema)
      text = "\(schema.fields.map { "\($0.name) \($0.type)" }), by (\(spec))"
      let catalog = try Self.catalog(store, environment)
      table = try await catalog.createTable(
        TableIdentifier("db.t"),
        TableDefinition(
          schema: schema, partitionSpec: try PartitionSpec(spec, schema: schema),
          properties: ["commit.manifest-merge.enabled": "false"]))
      for _ in 0..<commits { try await append(random) }
    }

    mutating func append(_ random: SeededRandom) async throws {
      let rows = Generators.rows(
        random, table.metadata.currentSchema, count: random.int(in: 1..<40))
      table = try #require(
        try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      ).table
    }

    static func catalog(
      _ store: MeteredStore, _ environment: Environment, cache: ManifestCache = ManifestCache()
    ) throws -> FilesystemCatalog {
      FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment,
        manifestCache: cache)
    }

    /// The table as a process that has read nothing yet sees it.
    func opened(cache: ManifestCache) async throws -> Table {
      try await Self.catalog(store, environment, cache: cache)
        .loadTable(TableIdentifier("db.t"))
    }
  }

  private static func text(_ plan: ScanPlan) -> [String] {
    plan.tasks.map { "\($0.file), \($0.sequenceNumber), \($0.deletes.map(\.file))" }
      + ["\(plan.counts)"]
  }

  @Test func `plans are the same with manifests kept, and with none`() async throws {
    let random = SeededRandom(printing: "plans with a cache")
    for round in 0..<15 {
      var world = try await World(random, commits: random.int(in: 1..<12))
      let cache = ManifestCache(byteLimit: random.pick([1 << 12, 1 << 14, 1 << 20]))
      for _ in 0..<12 {
        if random.chance(20) { try await world.append(random) }
        if random.chance(10) {
          let gone = Generators.predicate(random, on: world.schema)
          if let receipt = try await world.table.deleteRows(where: gone) {
            world.table = receipt.table
          }
        }
        let predicate =
          random.chance(30) ? .alwaysTrue : Generators.predicate(random, on: world.schema)
        let kept = try await world.opened(cache: cache).scan().filter(predicate).plan()
        let read = try await world.opened(cache: ManifestCache(byteLimit: 0)).scan()
          .filter(predicate).plan()
        #expect(Self.text(kept) == Self.text(read), "round \(round): \(world.text), \(predicate)")
        #expect(cache.byteCount <= 1 << 20)
      }
    }
  }

  @Test func `files that planning leaves out have no matching row`() async throws {
    let random = SeededRandom(printing: "planning with and without pruning")
    var left = 0
    for round in 0..<15 {
      let world = try await World(random, commits: random.int(in: 1..<8))
      let all = try await world.table.scan().plan()
      for _ in 0..<8 {
        let predicate = Generators.predicate(random, on: world.schema)
        let note = Comment("round \(round): \(world.text), where \(predicate)")
        let scan = world.table.scan().filter(predicate)
        let kept = Set(try await scan.plan().tasks.map(\.file.path))
        let out = all.tasks.filter { !kept.contains($0.file.path) }
        #expect(kept.count + out.count == all.tasks.count, note)
        left += out.count
        // What decides here is the files' own statistics, and their rows.
        #expect(try await scan.of(out).canonicalRows().isEmpty, note)
      }
    }
    #expect(left > 0, "nothing was ever left out")
  }

  @Test func `a second plan asks the store for nothing`() async throws {
    let random = SeededRandom(printing: "requests of planning")
    let world = try await World(random, commits: 10)
    let table = try await world.opened(cache: ManifestCache())
    let before = world.store.counts
    let first = try await table.scan().plan()
    #expect(world.store.counts.since(before).gets == 1 + first.counts.manifestsRead)
    let after = world.store.counts
    let second = try await table.scan().plan()
    #expect(world.store.counts.since(after).requests == 0)
    #expect(Self.text(first) == Self.text(second))
    #expect(second.tasks.count == first.tasks.count)
  }

  @Test func `a limit without a filter ends planning once files have so many rows`() async throws {
    let random = SeededRandom(printing: "planning until a limit")
    let world = try await World(random, commits: 40)
    let table = try await world.opened(cache: ManifestCache())
    let report = try await table.scan().limit(1).read { (batch) throws(ScanError) in
      batch.rowCount
    } consume: { (_: Int) throws(ScanError) in
      true
    }
    #expect(report.rows == 1)
    #expect(report.plan.manifests == 40)
    // One is enough; those that were begun meanwhile are read as well.
    #expect(report.plan.manifestsRead <= 8)
    let all = try await table.scan().read { (batch) throws(ScanError) in
      batch.rowCount
    } consume: { (_: Int) throws(ScanError) in
      true
    }
    #expect(all.plan.manifestsRead == 40)
  }

  @Test func `a table never gets what another one read`() async throws {
    let random = SeededRandom(printing: "a cache of two tables")
    let world = try await World(random, commits: 2)
    let cache = ManifestCache()
    let catalog = try World.catalog(world.store, world.environment, cache: cache)
    let first = try await catalog.loadTable(TableIdentifier("db.t"))
    _ = try await first.scan().plan()
    // A table whose list names a manifest of the first: it lies outside its folder.
    var thief = try await catalog.createTable(
      TableIdentifier("db.thief"), TableDefinition(schema: world.schema))
    let list = try await ManifestFiles(first).list(
      of: try #require(first.metadata.currentSnapshot))
    let folder = try ObjectPath(thief.metadata.location).appending("metadata")
    let path = try folder.appending("snap-1-0-x.avro")
    _ = try await world.store.put(list.bytes, to: path, if: .absent)
    let snapshot = Snapshot(
      id: SnapshotID(1), parentID: nil, sequenceNumber: SequenceNumber(2),
      timestampMilliseconds: thief.metadata.lastUpdatedMilliseconds, manifestList: path.text,
      operation: .append, schemaID: SchemaID(0))
    let metadata = try thief.metadata.applying(
      [.addSnapshot(snapshot), .setSnapshotReference(name: "main", .branch(SnapshotID(1)))],
      at: thief.metadata.lastUpdatedMilliseconds)
    thief = thief.with(metadata: metadata)
    await #expect(throws: ScanError.self) { try await thief.scan().plan() }
  }
}

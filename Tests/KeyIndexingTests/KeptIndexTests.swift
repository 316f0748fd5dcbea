// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyIndexing
import Lake
import LakeTestSupport
import Testing

/// Indexes that are kept with their table, and what becomes of them there.
@Suite("Kept key index")
struct KeptIndexTests {
  private struct World {
    let store: MemoryStore
    let catalog: FilesystemCatalog
    var table: Table

    init(_ version: FormatVersion = .v3) async throws {
      let environment = Environment.deterministic(seed: 7)
      store = MemoryStore(environment: environment)
      catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
      table = try await catalog.createTable(
        "db.t", "k long not null, s string, at timestamptz, v int", formatVersion: version)
    }

    mutating func append(_ keys: Range<Int>) async throws {
      let rows: [[Value?]] = keys.map {
        [.long(Int64($0)), .string("s\($0 % 7)"), .long(Int64($0) * 1000), .int(Int32($0))]
      }
      try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      table = try await table.refreshed()
    }

    func state() async throws -> TableState { try await TableState(of: table) }

    func statistics() throws -> StatisticsFile { try #require(table.metadata.statistics.last) }
  }

  private func open(_ world: World, key: [String] = ["k"]) async throws -> KeyIndex {
    let state = try await world.state()
    let index = try await KeyIndex.open(state, key: key)
    let problem = try await IndexModel.difference(index, state)
    #expect(problem == nil)
    return index
  }

  @Test func `what is kept is opened without reading a data file, and covers what it did`()
    async throws
  {
    var world = try await World()
    try await world.append(0..<3000)
    try await world.append(2000..<2500)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"], orderBy: "at")
    world.table = try await index.persist(to: world.table)
    // Without its data files, the table still tells where rows are.
    for file in try await world.state().files {
      try await world.store.delete(ObjectPath(file.file.path))
    }
    let state = try await world.state()
    let opened = try await KeyIndex.open(state, key: ["k"], orderBy: "at")
    #expect(opened.seed == index.seed)
    #expect(opened.placeCount == 3500)
    #expect(opened.order?.field.name == "at")
    let keys = try opened.columns.keys(of: Self.keys(1990..<2010), seed: opened.seed)
    let places = try await opened.lookup(keys, in: state)
    #expect((0..<20).map { places[$0].count } == (0..<20).map { $0 < 10 ? 1 : 2 })
    #expect(places.newest(0)?.order == 1_990_000)
  }

  @Test func `an index that is made within its memory is kept as it grows, and goes on from there`()
    async throws
  {
    var world = try await World()
    for file in 0..<12 { try await world.append(file * 2000..<file * 2000 + 2000) }
    let options = KeyIndexOptions(memoryLimit: 120_000)

    /// Opens the index on a store that is gone when it is kept for time number `failing`; also how
    /// many reads of data files there were, and how often it was kept.
    func open(failing: Int) async throws -> (
      index: KeyIndex?, state: TableState, reads: Int, writes: Int
    ) {
      let reading = FaultyStore(
        world.store,
        where: { $0.operation == .get && $0.path.name.hasSuffix(".parquet") })
      let store = FaultyStore(
        reading, atCall: failing, lasting: .untilHealed,
        where: { $0.operation == .writer && $0.path.name.hasSuffix(".stats") })
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store,
        environment: world.table.environment)
      let table = try await catalog.loadTable(TableIdentifier("db.t"))
      let state = try await TableState(of: table)
      let opened = try? await KeyIndex.open(
        state, key: ["k"], options: options, keepingIn: table)
      let index = opened?.index
      return (index, state, reading.callCount, store.callCount)
    }
    let whole = try await open(failing: 0)
    try #require(whole.index != nil && whole.writes > 2)
    world.table = try #require(try await KeyIndex.drop(from: world.table.refreshed()))
    #expect(try await open(failing: 2).index == nil)
    let rest = try await open(failing: 0)
    let index = try #require(rest.index)
    #expect(index.placeCount == 24_000)
    #expect(index.byteCount < 2 * options.memoryLimit)
    let problem = try await IndexModel.difference(index, rest.state)
    #expect(problem == nil)
    #expect(rest.reads < whole.reads)
  }

  @Test func `table metadata lists no blob of an index, of which other engines may not know`()
    async throws
  {
    var world = try await World()
    try await world.append(0..<300)
    for key in [["k"], ["k", "s"]] {
      var index = try await KeyIndex.build(try await world.state(), key: key)
      world.table = try await index.persist(to: world.table)
    }
    let text = try await world.store.get(world.table.metadataLocation, limit: 1 << 20)
    #expect(!String(decoding: text.array(), as: UTF8.self).contains("lake-key-index"))
    // In the next process both are found.
    let fresh = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: world.store,
      environment: world.table.environment)
    world.table = try await fresh.loadTable(TableIdentifier("db.t"))
    let found = try await KeyIndex.status(of: world.table)
    #expect(Set(found.map(\.key)) == [["k"], ["k", "s"]])
    #expect(found.allSatisfy { $0.uncoveredFileCount == 0 })
    let one = try #require(try await KeyIndex.drop(from: world.table, key: ["k"]))
    #expect(try await KeyIndex.status(of: one).map(\.key) == [["k", "s"]])
    let none = try #require(try await KeyIndex.drop(from: one))
    #expect(none.metadata.statistics.isEmpty)
  }

  @Test func `segments that were written stay where they are, and their file is kept alive`()
    async throws
  {
    var world = try await World()
    try await world.append(0..<5000)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"])
    world.table = try await index.persist(to: world.table)
    let first = try world.statistics()
    for step in 0..<5 {
      try await world.append(5000 + step * 10..<5010 + step * 10)
      try await index.cover(try await world.state())
      world.table = try await index.persist(to: world.table)
      let now = try world.statistics()
      #expect(now.byteCount < 5000, "only what is new is written")
      #expect(now.snapshotID == world.table.metadata.currentSnapshotID)
      let opened = try await open(world)
      #expect(opened.seed == index.seed)
    }
    // The first file is registered under a younger snapshot too, once there are any.
    let places = world.table.metadata.statistics.filter { $0.path == first.path }.map(\.snapshotID)
    #expect(places.contains(first.snapshotID))
    let status = try #require(try await KeyIndex.status(of: world.table).first)
    #expect(status.key == ["k"])
    #expect(status.placeCount == 5050)
    #expect(status.coveredFileCount == 6)
    #expect(status.uncoveredFileCount == 0)
  }

  @Test func `an index that lost its segments, its file or its place is made again`() async throws {
    var world = try await World()
    try await world.append(0..<500)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"])
    world.table = try await index.persist(to: world.table)
    // Stale: other files came since.
    try await world.append(400..<600)
    #expect(try await open(world).seed == index.seed)
    // Gone.
    try await world.store.delete(ObjectPath(world.statistics().path))
    #expect(try await open(world).seed != index.seed)
    // Not registered any more.
    let fresh = try await KeyIndex.drop(from: world.table)
    world.table = try #require(fresh)
    #expect(world.table.metadata.statistics.isEmpty)
    #expect(try await KeyIndex.drop(from: world.table) == nil)
    _ = try await open(world)
  }

  @Test func `a byte that changed costs time and never a row`() async throws {
    var world = try await World()
    try await world.append(0..<7)
    try await world.append(5..<9)
    let state = try await world.state()
    var index = try await KeyIndex.build(state, key: ["k"], orderBy: "at")
    world.table = try await index.persist(to: world.table)
    let path = try ObjectPath(world.statistics().path)
    let good = try await world.store.get(path, limit: 1 << 20).array()
    let kept = try await world.state()
    let expected = try await places(index, kept)
    #expect(try await IndexModel.difference(index, kept) == nil)
    var opened = 0
    for place in good.indices {
      var bytes = good
      bytes[place] ^= UInt8(1 << (place % 8))
      _ = try await world.store.put(Buffer(bytes), to: path, if: .none)
      let found = try await KeyIndex.open(kept, key: ["k"], orderBy: "at")
      #expect(try await places(found, kept) == expected, "byte \(place)")
      if found.seed == index.seed { opened += 1 }
    }
    // Some bytes are of no meaning: parts of the footer.
    #expect(opened < good.count / 2, "\(good.count) bytes")
  }

  private func places(_ index: KeyIndex, _ state: TableState) async throws -> [[KeyPlace]] {
    let keys = try index.columns.keys(of: Self.keys(-5..<15), seed: index.seed)
    let places = try await index.lookup(keys, in: state)
    return (0..<keys.count).map { Array(places[$0]) }
  }

  @Test func `every truncation of the index file is survived`() async throws {
    var world = try await World()
    try await world.append(0..<30)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"])
    world.table = try await index.persist(to: world.table)
    let path = try ObjectPath(world.statistics().path)
    let good = try await world.store.get(path, limit: 1 << 20).array()
    for count in stride(from: 0, to: good.count, by: 41) {
      _ = try await world.store.put(Buffer(Array(good.prefix(count))), to: path, if: .none)
      _ = try await open(world)
    }
  }

  @Test func `an analysis carries the index over, and the index carries the sketches over`()
    async throws
  {
    var world = try await World()
    try await world.append(0..<200)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"])
    world.table = try await index.persist(to: world.table)
    _ = try await world.table.analyze(["s"])
    world.table = try await world.table.refreshed()
    #expect(try await open(world).seed == index.seed)
    world.table = try await index.persist(to: world.table)
    let types = try world.statistics().blobs.map(\.type)
    #expect(types.filter { $0 == PuffinBlob.thetaSketchType }.count == 1)
    #expect(try await open(world).seed == index.seed)
    // One of others, who know nothing of ours.
    let other = try world.statistics()
    let edit = MetadataEdit(
      .setStatistics(
        StatisticsFile(
          snapshotID: other.snapshotID, path: other.path + ".gone", byteCount: 100,
          footerByteCount: 20, blobs: [])))
    world.table = try await world.table.commit(edit).table
    #expect(try await open(world).seed != index.seed)
  }

  @Test func `indexes of two keys lie beside each other, and one is dropped alone`() async throws {
    var world = try await World()
    try await world.append(0..<100)
    var first = try await KeyIndex.build(try await world.state(), key: ["k"])
    world.table = try await first.persist(to: world.table)
    var second = try await KeyIndex.build(try await world.state(), key: ["s", "k"])
    world.table = try await second.persist(to: world.table)
    #expect(try await open(world).seed == first.seed)
    #expect(try await open(world, key: ["k", "s"]).seed == second.seed)
    #expect(try await KeyIndex.status(of: world.table).map(\.key) == [["k"], ["k", "s"]])
    let dropped = try await KeyIndex.drop(from: world.table, key: ["k"])
    world.table = try #require(dropped)
    #expect(try await KeyIndex.status(of: world.table).map(\.key) == [["k", "s"]])
    #expect(try await open(world, key: ["k", "s"]).seed == second.seed)
  }

  @Test func `past its memory, an index is read from where it is kept`() async throws {
    var world = try await World()
    try await world.append(0..<20_000)
    var index = try await KeyIndex.build(try await world.state(), key: ["k"], orderBy: "at")
    world.table = try await index.persist(to: world.table)
    let state = try await world.state()
    let options = KeyIndexOptions(memoryLimit: 100_000)
    var small = try await KeyIndex.open(state, key: ["k"], options: options)
    #expect(small.byteCount < 100_000)
    #expect(try await IndexModel.difference(small, state) == nil)
    // What comes is in memory, until it is kept.
    try await world.append(19_000..<21_000)
    let later = try await world.state()
    try await small.cover(later)
    #expect(try await IndexModel.difference(small, later) == nil)
    world.table = try await small.persist(to: world.table)
    #expect(try await IndexModel.difference(small, later) == nil)
    #expect(try await open(world).seed == index.seed)
    // A part that is gone is noticed when it is asked for.
    let kept = try await KeyIndex.open(later, key: ["k"], options: options)
    for file in world.table.metadata.statistics {
      try await world.store.delete(ObjectPath(file.path))
    }
    let keys = Self.keys(0..<100)
    await #expect(throws: KeyIndexError.self) {
      try await kept.lookup(try kept.columns.keys(of: keys, seed: kept.seed), in: later)
    }
    let found = try await world.table.get(keys, index: kept)
    #expect(found.keyRows == Array(0..<100))
  }

  static func keys(_ range: Range<Int>) -> RecordBatch {
    let builder = ColumnBuilder(.int64)
    for key in range { builder.append(Int64(key)) }
    return RecordBatch(
      fields: [ColumnField("k", .int64)], columns: [builder.finish()], rowCount: range.count)
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@Suite("Analyzing")
struct AnalyzeTests {
  private struct World {
    let store: MemoryStore
    let catalog: FilesystemCatalog

    init() throws {
      let environment = Environment.deterministic(seed: 5)
      store = MemoryStore(environment: environment)
      catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    }

    func footer(_ table: Table) async throws -> (PuffinFooter, Buffer) {
      let statistics = try #require(table.metadata.statistics.last)
      let file = try await store.get(ObjectPath(statistics.path), limit: 1 << 30)
      #expect(Int64(file.count) == statistics.byteCount)
      let footer = try PuffinFooter(
        decoding: file.bytes.extracting(last: Int(statistics.footerByteCount)),
        fileByteCount: statistics.byteCount)
      return (footer, file)
    }
  }

  private static let schema = """
    k int, l long, t string, d decimal(9,2), w decimal(30,2), f float, g double, b boolean, \
    day date, at timestamptz, u uuid, x fixed[3], y binary, \
    s struct<a: long, c: struct<e: string>>, tags list<string>
    """

  /// A row of number `i`, with nulls here and there.
  private func row(_ i: Int32, _ schema: Schema) -> [Value?] {
    let n = i % 50
    if i % 7 == 3 { return schema.fields.map { _ in nil } }
    let address = schema.fields[13]
    let parts = address.type.children
    let inner = parts[1].type.children
    return [
      .int(i), .long(Int64(n)), .string("t\(n % 11)"), .decimal(Int128(n) - 25),
      .decimal(Int128(n - 25) << 70), .float(Float(n % 3)), .double(i % 2 == 0 ? .nan : 0),
      .boolean(i % 2 == 0), .int(n % 5), .long(Int64(n) * 1_000_000),
      .bytes(Array(repeating: UInt8(n), count: 16)), .bytes([1, 2, UInt8(n % 4)]),
      .bytes(n % 9 == 0 ? [] : [UInt8(n % 9)]),
      .structure([
        parts[0].id: .long(Int64(n % 13)),
        parts[1].id: i % 3 == 0 ? nil : .structure([inner[0].id: .string("e\(n % 6)")]),
      ]),
      .list([.string("x")]),
    ]
  }

  /// How many values each column has, of rows as a model keeps them; those of no bytes left out.
  private func model(_ rows: [[Value?]], _ column: Int) -> Int64 {
    var seen: Set<String> = []
    for row in rows {
      guard let value = row[column] else { continue }
      if case .bytes([]) = value { continue }
      seen.insert("\(value)")
    }
    return Int64(seen.count)
  }

  @Test func `few values are counted exactly, of every type, deleted rows left out`() async throws {
    let world = try World()
    var table = try await world.catalog.createTable("db.t", Self.schema)
    let schema = table.metadata.currentSchema
    var rows: [[Value?]] = []
    for part in 0..<4 as Range<Int32> {
      let own = (0..<500).map { row(part * 300 + $0, schema) }
      rows += own
      try await table.append([Rows.batch(own, schema)])
    }
    table = try await table.refreshed()
    _ = try await table.deleteRows(
      where: PredicateParser.parse("k >= 700 OR l = 49"), mode: .mergeOnRead)
    rows.removeAll { row in
      if case .int(let k) = row[0], k >= 700 { return true }
      return row[1] == .long(49)
    }
    table = try await table.refreshed()
    let analysis = try #require(try await table.analyze())
    #expect(analysis.sketches.map(\.name) == schema.fields.prefix(13).map(\.name))
    for (index, column) in analysis.sketches.enumerated() {
      #expect(column.sketch.isExact)
      #expect(column.sketch.distinctCount == model(rows, index), "\(column.name)")
    }
    // Fields of structures are asked for by name.
    let nested = try #require(try await table.analyze(["s.a", "s.c.e", "t"]))
    #expect(nested.sketches.map(\.sketch.distinctCount) == [13, 6, 11])
    for name in ["tags", "s", "tags.element", "nope", "_file", "*"] {
      await #expect(throws: CommitError.self, "\(name)") { try await table.analyze([name]) }
    }
  }

  @Test func `many values are estimated within bounds, from many batches and files`() async throws {
    let world = try World()
    var table = try await world.catalog.createTable("db.t", "k long, t string")
    let schema = table.metadata.currentSchema
    for part in 0..<4 as Range<Int64> {
      let rows = (0..<30_000 as Range<Int64>).map { i -> [Value?] in
        let n = part * 20_000 + i
        return [.long(n), .string("text \(n / 2)")]
      }
      try await table.append([Rows.batch(rows, schema)])
    }
    table = try await table.refreshed()
    let first = try #require(try await table.analyze())
    for (column, wanted) in zip(first.sketches, [90_000.0, 45_000.0]) {
      #expect(!column.sketch.isExact)
      #expect(abs(column.sketch.estimate / wanted - 1) < 3 / 64.0)
    }
    // However it was read, it is the same sketch.
    let alone = try await table.scan().parallelism(1).sketches()
    for (one, other) in zip(first.sketches, alone) { #expect(one.sketch == other.sketch) }
  }

  @Test func `a snapshot has one statistics file, and other blobs are carried over`() async throws {
    let world = try World()
    var table = try await world.catalog.createTable("db.t", "k long, t string")
    #expect(try await table.analyze() == nil)
    let schema = table.metadata.currentSchema
    try await table.append([
      Rows.batch((0..<10).map { [.long($0), .string("\($0 % 3)")] }, schema)
    ])
    table = try await table.refreshed()
    let snapshot = try #require(table.metadata.currentSnapshot)
    // A file of another engine, with a blob of a kind and compression that nobody knows.
    var writer = PuffinWriter(properties: ["created-by": "someone"])
    let bytes = Buffer(utf8: "whatever it is")
    let foreign = PuffinBlob(
      type: "strange-v1", fields: [FieldID(1), FieldID(2)], snapshotID: snapshot.id,
      sequenceNumber: snapshot.sequenceNumber, offset: 0, byteCount: 0,
      compression: .unknown("strange"), properties: ["a": "b"])
    _ = writer.append(stored: bytes.bytes, as: foreign)
    let (file, footerByteCount) = try writer.finish()
    let path = try ObjectPath(table.metadata.location).appending("metadata").appending("f.stats")
    try await world.store.create(path, file)
    table = try await table.commit(
      Setting(
        StatisticsFile(
          snapshotID: snapshot.id, path: path.text, byteCount: Int64(file.count),
          footerByteCount: footerByteCount, blobs: []))
    ).table

    // Two at once: the second finds the first's when it tries again.
    let catalog = world.catalog
    let before = table
    table = try #require(try await before.analyze(["k"])).receipt.table
    table = try #require(try await before.analyze(["t"])).receipt.table
    table = try #require(try await catalog.loadTable(TableIdentifier("db.t")).analyze(["t"]))
      .receipt.table
    #expect(table.metadata.statistics.count == 1)
    let (footer, stored) = try await world.footer(table)
    #expect(
      footer.blobs.map(\.type) == ["strange-v1"]
        + [String](
          repeating: "apache-datasketches-theta-v1", count: 2))
    #expect(footer.blobs.map(\.fields) == [[FieldID(1), FieldID(2)], [FieldID(1)], [FieldID(2)]])
    #expect(footer.blobs.map(\.distinctCount) == [nil, 10, 3])
    #expect(footer.blobs[0].compression == .unknown("strange"))
    let strange = footer.blobs[0]
    #expect(
      stored.slice(Int(strange.offset)..<Int(strange.offset + strange.byteCount)) == bytes)
    let blob = footer.blobs[1]
    let contents = try blob.contents(
      of: stored.slice(Int(blob.offset)..<Int(blob.offset + blob.byteCount)).bytes)
    #expect(try ThetaSketch(serialized: contents.bytes).distinctCount == 10)
    let listed = try #require(table.metadata.statistics.last?.blobs)
    #expect(listed.map(\.type) == footer.blobs.map(\.type))
    #expect(listed.map(\.distinctCount) == [nil, 10, 3])
    #expect(listed.map(\.snapshotID) == Array(repeating: snapshot.id, count: 3))
  }

  @Test func `an analysis that loses leaves no file, and what expired can't be described`()
    async throws
  {
    let world = try World()
    var table = try await world.catalog.createTable(
      "db.t", "k long", properties: ["commit.retry.num-retries": "1"])
    try await table.append([Rows.batch([[.long(1)]], table.metadata.currentSchema)])
    table = try await table.refreshed()
    let catalog = world.catalog
    let slow = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json") else { return }
      let now = try? await catalog.loadTable(TableIdentifier("db.t"))
      _ = try? await now?.commit(PropertyChange(set: ["at": call.path.name]))
    }
    let other = FilesystemCatalog(
      warehouse: catalog.warehouse, store: slow, environment: catalog.environment)
    let mine = try await other.loadTable(TableIdentifier("db.t"))
    await #expect(throws: CommitError.self) { try await mine.analyze() }
    let left = try await world.store.listAll(ObjectPath("memory://w/house"))
    #expect(!left.contains { $0.path.name.hasSuffix(".stats") })
    await #expect(throws: CommitError.self) {
      try await table.commit(StatisticsChange([], of: SnapshotID(12)))
    }
  }

  private struct Setting: TableChange {
    let file: StatisticsFile
    init(_ file: StatisticsFile) { self.file = file }
    func plan(
      onto base: Table, attempt: CommitAttempt
    ) async throws(CommitError) -> ChangePlan {
      ChangePlan(requirements: [], updates: [.setStatistics(file)])
    }
  }
}

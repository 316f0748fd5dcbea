// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Network
import SeededNumbers
import Synchronization
import Testing

@testable import S3Storage

/// The filesystem catalog where it has no disk: all that is done with a table, on servers of S3.
@Suite("Filesystem catalog on S3")
struct S3CatalogTests {

  /// A warehouse of its own on a server.
  private struct World {
    let server: S3Server
    let warehouse: ObjectPath

    init?(_ engine: S3Server.Engine) async throws {
      guard let server = try await S3Server.running(engine) else { return nil }
      self.server = server
      warehouse = try ObjectPath("s3://\(server.bucket)/wh-\(Environment.system.uuid())")
    }

    func store(_ transport: any HTTPTransport = S3StoreContractTests.transport) throws -> S3Store {
      try .make(properties: server.properties, transport: transport)
    }

    func catalog(_ store: any ObjectStore) -> FilesystemCatalog {
      FilesystemCatalog(warehouse: warehouse, store: store)
    }

    var location: ObjectPath {
      get throws { try warehouse.appending(relativePath: "db/t") }
    }
  }

  @Test(arguments: S3Server.Engine.allCases)
  func `a table lives its whole life on S3`(engine: S3Server.Engine) async throws {
    guard let world = try await World(engine) else { return }
    let store = try world.store()
    let catalog = world.catalog(store)
    var table = try await catalog.createTable(
      "db.t", "k long not null, v string", formatVersion: .v3)
    await #expect(throws: CatalogError.self) { try await catalog.createTable("db.t", "k long") }
    func batch(_ keys: Range<Int64>, _ text: String) -> RecordBatch {
      Rows.batch(keys.map { [.long($0), .string(text)] }, table.metadata.currentSchema)
    }
    for round in 0..<4 {
      let rows = batch(Int64(round) * 50..<Int64(round + 1) * 50, "appended")
      table = try #require(try await table.append([rows])).table
    }
    let before = try #require(table.metadata.currentSnapshot).id

    var options = UpsertOptions()
    options.key = ["k"]
    options.writer = "w"
    let writer = try await UpsertWriter.open(table, options)
    try await writer.upsert(batch(190..<210, "upserted"))
    _ = try await writer.commit(["source": 7])
    try await writer.close()
    table = try await table.refreshed()
    #expect(try await table.scan().count() == 210)
    #expect(try await table.scan().filter("v = 'upserted'").count() == 20)

    var changes = 0
    for try await batch in table.changes(from: .id(before)).net().batches() {
      changes += batch.rowCount
    }
    #expect(changes == 20, "10 rows that are others now, 10 that came")

    _ = try await table.compact()
    table = try await table.refreshed()
    #expect(try await table.scan().count() == 210)
    #expect(try await TableInvariants(world.location, in: store).violations() == [])
    _ = try await table.expireSnapshots(
      ExpiryPolicy(maxSnapshotAge: .milliseconds(1), minSnapshotsToKeep: 1))
    table = try await table.refreshed()
    #expect(table.metadata.snapshots.count == 1)

    _ = try await store.put(
      Buffer(utf8: "lost"), to: world.location.appending(relativePath: "data/lost.parquet"),
      if: .absent)
    let report = try await table.sweepOrphans(olderThan: .zero)
    #expect(report.orphans.contains { $0.path.name == "lost.parquet" })
    #expect(try await table.scan().count() == 210)
    #expect(try await catalog.listTables(in: ["db"]).map(\.description) == ["db.t"])
    try await catalog.dropTable(TableIdentifier("db.t"), .purge)
    await #expect(throws: CatalogError.self) {
      try await catalog.loadTable(TableIdentifier("db.t"))
    }
    // The note stays, so that no writer of the table that slept can make one.
    let left = try await store.listAll(world.location).map(\.path.name)
    #expect(left == ["lake-lowest-version.text"])
  }

  /// What goes wrong on the way to a server, by chance: one request in twenty.
  private static func unreliable(_ random: SeededRandom) -> ScriptedTransport {
    let transport = ScriptedTransport { request throws(HTTPTransportError) in
      try await S3StoreContractTests.transport.send(request)
    }
    let counted = Mutex(0)
    transport.failing { _, _ in
      guard random.oneIn(20) else { return nil }
      counted.withLock { $0 += 1 }
      let faults: [ScriptedTransport.Fault] = [
        .loseReply, .loseReply, .loseRequest, .timeOutAfterApply, .truncateReply, .refuse,
        .applyThenReply(.reply(500)), .applyThenReply(.reply(503)), .reply(.reply(502)),
        .reply(S3Model.error(503, "SlowDown")),
        .reply(S3Model.error(409, "ConditionalRequestConflict")),
      ]
      return random.pick(faults)
    }
    return transport
  }

  /// 8 × 100 commits under `LAKE_DEPTH=long`.
  @Test(arguments: S3Server.Engine.allCases)
  func `B1, B5, A10, A13: 8 writers whose replies get lost lose and double nothing`(
    engine: S3Server.Engine
  ) async throws {
    guard let world = try await World(engine) else { return }
    let random = SeededRandom(printing: "writers on \(engine)")
    let writerCount = 8
    let commitCount = Depth.isLong ? 100 : 3
    let reliable = try world.store()
    let table = try await world.catalog(reliable).createTable("db.t", "writer int, number int")
    let schema = table.metadata.currentSchema
    let acknowledged = try await withThrowingTaskGroup(of: [SnapshotID].self) { group in
      for writer in 0..<writerCount {
        let random = random.fork()
        group.addTask {
          // Each is a process of its own but for its memory: nothing is shared.
          let catalog = world.catalog(try world.store(Self.unreliable(random)))
          var ids: [SnapshotID] = []
          for number in 0..<commitCount {
            let table = try await catalog.loadTable(TableIdentifier("db.t"))
            let rows = [[Value.int(Int32(writer)), .int(Int32(number))] as [Value?]]
            let receipt = try await table.append([Rows.batch(rows, schema)])
            ids.append(try #require(receipt?.snapshot).id)
          }
          return ids
        }
      }
      return try await group.reduce(into: [SnapshotID]()) { $0 += $1 }
    }
    let total = writerCount * commitCount
    #expect(Set(acknowledged).count == total)
    let now = try await table.refreshed()
    #expect(now.metadata.snapshots.count == total)
    #expect(now.metadataLocation.name == "v\(total + 1).metadata.json")
    let expected = (0..<writerCount).flatMap { writer in
      (0..<commitCount).map { #"{"number":\#($0),"writer":\#(writer)}"# }
    }.sorted()
    #expect(try await now.scan().canonicalRows() == expected)
    let invariants = TableInvariants(try world.location, in: reliable)
    #expect(try await invariants.violations(acknowledged: acknowledged) == [])
  }

  @Test(arguments: S3Server.Engine.allCases)
  func `B15, B16: a commit that is held back and sent late is refused`(
    engine: S3Server.Engine
  ) async throws {
    guard let world = try await World(engine) else { return }
    let catalog = world.catalog(try world.store())
    let table = try await catalog.createTable("db.t", "k long not null, v string")
    let batch = Rows.batch([[.long(1), .string("late")]], table.metadata.currentSchema)
    let transport = ScriptedTransport { request throws(HTTPTransportError) in
      try await S3StoreContractTests.transport.send(request)
    }
    var options = UpsertOptions()
    options.key = ["k"]
    options.writer = "w"
    let late = try await UpsertWriter.open(
      try await world.catalog(patientless(world, transport)).loadTable(TableIdentifier("db.t")),
      options)
    transport.failing { _, request in
      request.method == .put && request.path.hasSuffix(".metadata.json") ? .hold : nil
    }
    try await late.upsert(batch)
    await #expect(throws: IngestError.self) { _ = try await late.commit(["source": 1]) }

    // Who takes its place reads the source again.
    let next = try await UpsertWriter.open(
      try await catalog.loadTable(TableIdentifier("db.t")), options)
    #expect(await next.committedOffsets.isEmpty)
    try await next.upsert(
      Rows.batch([[.long(1), .string("next")]], table.metadata.currentSchema))
    _ = try await next.commit(["source": 1])
    let before = try await table.refreshed()
    await transport.releaseHeld()
    transport.failing { _, _ in nil }
    await #expect(throws: IngestError.self) { _ = try await late.commit(["source": 1]) }
    let now = try await table.refreshed()
    #expect(now.metadataLocation == before.metadataLocation)
    #expect(try await now.scan().canonicalRows() == [#"{"k":1,"v":"next"}"#])
  }

  /// A store that gives up at once.
  private func patientless(_ world: World, _ transport: ScriptedTransport) throws -> S3Store {
    var properties = world.server.properties
    properties["s3.retry.num-retries"] = "0"
    return try .make(properties: properties, transport: transport)
  }
}

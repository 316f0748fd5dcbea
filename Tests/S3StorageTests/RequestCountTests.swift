// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@testable import S3Storage

/// What is paid for: the requests of each thing a table does, by the filesystem catalog on S3.
@Suite("Requests")
struct RequestCountTests {
  /// A table on a model of S3, and the requests that reached it.
  private struct World {
    let environment = Environment.deterministic(seed: 3)
    let transport: ScriptedTransport
    let store: S3Store
    let model: S3Model
    var table: Table

    init(_ schema: String, _ properties: [String: String] = [:]) async throws {
      model = S3Model(environment)
      transport = model.transport()
      store = model.store(transport)
      table = try await Self.catalog(store, environment)
        .createTable("db.t", schema, properties: properties)
    }

    static func catalog(_ store: S3Store, _ environment: Environment) throws -> FilesystemCatalog {
      FilesystemCatalog(
        warehouse: try ObjectPath("s3://b/wh"), store: store, environment: environment)
    }

    /// The catalog as a process sees it that has read nothing.
    func freshCatalog() throws -> FilesystemCatalog { try Self.catalog(store, environment) }

    /// The requests `work` makes, as `METHOD name`.
    func requests(_ work: () async throws -> Void) async throws -> [String] {
      let before = transport.requestCount
      try await work()
      return transport.requests.dropFirst(before).map { request in
        let name = request.path.split(separator: "/").last.map(String.init) ?? ""
        let kind = name.hasSuffix(".parquet") ? "data" : name.hasSuffix(".avro") ? "avro" : name
        return "\(request.method.rawValue) \(kind)"
      }
    }

    /// - Parameter width: how many numbers that do not compress each row's text has.
    func batch(_ keys: Range<Int64>, width: Int64 = 1) -> RecordBatch {
      Rows.batch(
        keys.map { key in
          let numbers = (1...width).map { "\((key &+ $0 << 40) &* 0x1e37_79b9_7f4a_7c15)" }
          return [.long(key), .string("text " + numbers.joined())]
        },
        table.metadata.currentSchema)
    }
  }

  @Test func `an append of a writer that holds its base takes five`() async throws {
    var world = try await World("k long, v string")
    for round in 0..<6 {
      let rows = world.batch(0..<10)
      var receipt: CommitReceipt?
      let found = try await world.requests { receipt = try await world.table.append([rows]) }
      world.table = try #require(receipt).table
      let hint = "PUT version-hint.text"
      #expect(
        found == [
          "PUT data", "PUT avro", "PUT avro", "PUT v\(round + 2).metadata.json", hint,
        ], "append \(round)")
    }
  }

  @Test func `an append of a new process takes nine, with all before it`() async throws {
    let world = try await World("k long, v string")
    for round in 0..<6 {
      let rows = world.batch(0..<10)
      let found = try await world.requests {
        let table = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
        _ = try await table.append([rows])
      }
      #expect(
        found == [
          "GET version-hint.text", "GET v\(round + 1).metadata.json",
          "HEAD v\(round + 2).metadata.json", "PUT data",
        ] + (round == 0 ? [] : ["GET avro"]) + [
          "PUT avro", "PUT avro", "PUT v\(round + 2).metadata.json", "PUT version-hint.text",
        ], "append \(round)")
    }
  }

  @Test func `an append beside another writer loses nothing, and moves the hint`() async throws {
    let world = try await World("k long, v string")
    let mine = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
    let theirs = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
    var table = try #require(try await theirs.append([world.batch(0..<5)])).table
    table = try #require(try await table.append([world.batch(5..<10)])).table
    // Beaten twice: what was known of the hint is old as well.
    _ = try await mine.append([world.batch(10..<15)])
    let now = try await table.refreshed()
    #expect(try await now.scan().count() == 15)
    #expect(now.metadataLocation.name == "v4.metadata.json")
    let hint = world.model.object("wh/db/t/metadata/version-hint.text")
    #expect(hint.map { String(decoding: $0.bytes.array(), as: UTF8.self) } == "4")
  }

  @Test func `a scan takes a request a file and row group, and two for what they are`()
    async throws
  {
    var world = try await World(
      "k long, v string", ["commit.manifest-merge.enabled": "false"])
    // Files that are not read whole.
    let fileCount = 5
    for number in 0..<Int64(fileCount) {
      let rows = world.batch(number * 30_000..<(number + 1) * 30_000, width: 6)
      world.table = try #require(try await world.table.append([rows])).table
    }
    let fresh = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
    let manifests = fileCount
    var rowCount: Int64 = 0
    let found = try await world.requests {
      for try await batch in fresh.scan().batches() { rowCount += Int64(batch.rowCount) }
    }
    #expect(rowCount == 150_000)
    // The list, the manifests, and for each file its footer and its one row group.
    #expect(found.count { $0 == "GET avro" } == 1 + manifests)
    #expect(found.count { $0 == "GET data" } <= 2 * fileCount)
    #expect(found.count == 1 + manifests + 2 * fileCount, "\(found)")
    let again = try await world.requests {
      for try await _ in fresh.scan().batches() {}
    }
    #expect(again.allSatisfy { $0 == "GET data" }, "manifests are kept")
  }

  @Test(arguments: [100, 3000, 25_000])
  func `a scan of small files takes a request a file, one a manifest, and one for the list`(
    rowCount: Int64
  ) async throws {
    var world = try await World(
      "k long, v string", ["commit.manifest-merge.enabled": "false"])
    let fileCount = 7
    for number in 0..<Int64(fileCount) {
      let rows = world.batch(number * rowCount..<(number + 1) * rowCount)
      world.table = try #require(try await world.table.append([rows])).table
    }
    let fresh = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
    let sizes = try await fresh.scan().plan().tasks.map(\.file.byteCount)
    #expect(sizes.allSatisfy { $0 <= 1 << 20 }, "\(sizes)")
    let cold = try await world.freshCatalog().loadTable(TableIdentifier("db.t"))
    var found: Int64 = 0
    let requests = try await world.requests {
      for try await batch in cold.scan().batches() { found += Int64(batch.rowCount) }
    }
    #expect(found == rowCount * Int64(fileCount))
    #expect(requests.count { $0 == "GET avro" } == 1 + fileCount)
    #expect(requests.count == 1 + fileCount + fileCount, "\(requests)")
    // Of one file that a filter leaves, all is read by one request, too.
    let some = try await world.requests {
      for try await _ in try cold.scan().filter("k < \(rowCount / 2)").batches() {}
    }
    #expect(some.count { $0 == "GET data" } == 1, "\(some)")
  }

  @Test func `a lookup by the index takes three, and then one`() async throws {
    var world = try await World(
      "k long not null, v string", ["write.parquet.page-row-limit": "1000"])
    let rows = world.batch(0..<40_000)
    world.table = try #require(try await world.table.append([rows])).table
    let table = world.table
    let index = try await KeyIndex.build(try await TableState(of: table), key: ["k"])
    let keys = world.batch(20_000..<20_001).selecting([0])
    var found = 0
    let first = try await world.requests {
      found = try await table.get(keys, index: index).keyRows.count
    }
    #expect(found == 1)
    #expect(first.count <= 3, "\(first)")
    let second = try await world.requests { _ = try await table.get(keys, index: index) }
    #expect(second.count <= 1, "\(second)")
    let missing = world.batch(90_000..<90_001).selecting([0])
    let miss = try await world.requests { _ = try await table.get(missing, index: index) }
    #expect(miss.isEmpty)
  }

  @Test func `many files are deleted by one request`() async throws {
    let world = try await World("k long, v string")
    let paths = try (0..<2500).map { try ObjectPath("s3://b/wh/x/\($0) é&<\u{e9}>") }
    for path in paths.prefix(20) { _ = try await world.store.put(.empty, to: path, if: .none) }
    let before = world.transport.requestCount
    let answers = await world.store.delete(paths)
    #expect(answers.allSatisfy { $0 == nil })
    #expect(world.transport.requestCount - before == 3)
    #expect(world.model.keys.allSatisfy { !$0.contains("/x/") })
  }
}

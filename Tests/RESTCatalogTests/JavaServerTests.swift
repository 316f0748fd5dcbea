// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Network
import RESTCatalog
import SeededNumbers
import Testing

/// Lake and Iceberg's own REST handlers, with other engines beside.
@Suite("REST catalog of Iceberg's Java", .serialized)
struct JavaServerTests {
  /// Calls `body` with a catalog of `server`.
  private func connected(
    _ server: JavaServer, token: String? = nil, _ body: (RESTCatalog) async throws -> Void
  ) async throws {
    try await body(try await connect(server, NetworkTransport(), token: token))
  }

  private func connect(
    _ server: JavaServer, _ transport: any HTTPTransport, token: String? = nil
  ) async throws -> RESTCatalog {
    var properties = ["uri": server.uri, "warehouse": server.warehouse.path]
    properties["token"] = token
    return try await RESTCatalog.connect(
      name: "java", properties: properties, transport: transport,
      stores: StoreRegistry(["file": LocalStore(durability: .unsynced)]))
  }

  private static let schema = "k long, a int, s string"

  private func batch(_ keys: Range<Int>, _ table: Table) -> RecordBatch {
    Rows.batch(
      keys.map { [.long(Int64($0)), .int(Int32($0 % 7)), .string("s\($0 % 5)")] },
      table.metadata.currentSchema)
  }

  private func keys(_ table: Table) async throws -> [Int64] {
    try await table.scan().select("k").readAll()
      .flatMap { batch in (0..<batch.rowCount).map { batch.columns[0].integer($0) } }.sorted()
  }

  @Test func `keeps every law of catalogs`() async throws {
    try await JavaServer.using("the laws of catalogs") { server in
      try await connected(server) { catalog in
        try await connected(server) { other in
          // Its JDBC catalog takes a namespace away that has another in it.
          let excused = "namespaces lie in namespaces, and each lists its own"
          for law in CatalogLawTests.laws where law.name != excused {
            do {
              try await law.check(
                CatalogSubject(
                  catalog, beside: other, store: LocalStore(durability: .unsynced),
                  [.renames, .registersAnything, .takesLocations, .nests]))
            } catch {
              Issue.record("\(law): \(error)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `a table goes through all it can, and every engine reads the same`(
    version: FormatVersion
  ) async throws {
    try await JavaServer.using("the life of a table", token: "canary-5529") { server in
      try await connected(server, token: "canary-5529") { catalog in
        try await catalog.createNamespace(["db"], properties: ["owner": "us"])
        let schema = try Schema(Self.schema)
        let identifier = try TableIdentifier("db.t")
        var table = try await catalog.createTable(
          identifier,
          TableDefinition(
            schema: schema, partitionSpec: try PartitionSpec("bucket(4, k)", schema: schema),
            formatVersion: version))
        for start in [0, 50] {
          table = try #require(try await table.append([batch(start..<start + 50, table)])).table
        }
        _ = try await table.deleteRows(where: PredicateParser.parse("k >= 5 AND k < 8"))
        table = try await table.refreshed()
        table = try await table.commit(
          SchemaChange { evolution throws(IcebergError) in
            try evolution.add("n", type: .int)
            try evolution.rename("a", to: "b")
          }
        ).table
        table = try await table.commit(
          LayoutChange.partitions { terms, _ throws(IcebergError) in terms = [] }
        ).table
        var options = UpsertOptions()
        options.key = ["k"]
        options.writer = "stream"
        let writer = try await UpsertWriter.open(table, options)
        let change = Rows.batch(
          [[.long(1), .int(70), .string("new"), .int(1)], [.long(2000), .int(7), nil, nil]],
          table.metadata.currentSchema)
        try await writer.upsert(change)
        try await writer.commit(["source": 2])
        try await writer.close()
        table = try await table.refreshed()
        table = try await table.commit(ReferenceChange.createBranch("side")).table
        table = try await table.commit(ReferenceChange.createTag("before")).table
        table = try await table.commit(PropertyChange(set: ["note": "x"])).table
        let row = Rows.batch(
          [[.long(1000), .int(1), .string("late"), .int(9)]], table.metadata.currentSchema)
        table = try #require(try await table.append([row])).table
        table = try await table.commit(ReferenceChange.remove(.branch, "side")).table
        table = try await table.commit(ReferenceChange.remove(.tag, "before")).table
        let expiry = SnapshotExpiry(
          table, ExpiryPolicy(maxSnapshotAge: .zero, minSnapshotsToKeep: 1))
        _ = try await expiry.run()
        table = try await table.refreshed()
        #expect(table.metadata.snapshots.count == 1)
        #expect(try await keys(table).count == 99)

        let moved = try TableIdentifier("db.moved")
        try await catalog.renameTable(identifier, to: moved)
        table = try await catalog.loadTable(moved)
        try await agree(
          table, version == .v2 ? ["java", "pyiceberg", "duckdb"] : ["java", "duckdb"])

        try await catalog.dropTable(moved, .keepFiles)
        #expect(try await catalog.listTables(in: ["db"]).isEmpty)
        let again = try await catalog.registerTable(
          identifier, metadataLocation: table.metadataLocation)
        #expect(try await keys(again) == keys(table))
        try await catalog.dropTable(identifier, .purge)
        #expect(try await catalog.listTables(in: ["db"]).isEmpty)
        try await catalog.dropNamespace(["db"])
      }
      // A wrong token is told as one.
      await #expect(throws: CatalogError.self) {
        try await connected(server, token: "wrong") { catalog in
          _ = try await catalog.listNamespaces(in: [])
        }
      }
    }
  }

  /// Has `engines` read the table and compares it with what Lake reads.
  private func agree(_ table: Table, _ engines: [String]) async throws {
    let installed = Oracles.installed(of: engines)
    let file = FileManager.default.temporaryDirectory.appending(path: "lake-rows-\(UUID()).jsonl")
    defer { try? FileManager.default.removeItem(at: file) }
    try await table.scan().canonicalRows().joined(separator: "\n").appending("\n")
      .write(to: file, atomically: true, encoding: .utf8)
    // The catalog's newest file, which is not found by looking at names.
    for answer in try Oracles.compare(
      URL(filePath: table.metadataLocation.path), installed, expected: file)
    {
      #expect(answer.agrees, "\(answer.text)")
    }
  }

  @Test func `PyIceberg and DuckDB write beside Lake, and each reads what the others wrote`()
    async throws
  {
    try await JavaServer.using("other engines beside") { server in
      try await connected(server) { catalog in
        try await catalog.createNamespace(["db"], properties: [:])
        let identifier = try TableIdentifier("db.t")
        var table = try await catalog.createTable(
          identifier, TableDefinition(schema: try Schema(Self.schema)))
        table = try #require(try await table.append([batch(0..<10, table)])).table
        var expected = Array(Int64(0)..<10)
        if !Oracles.installed(of: ["pyiceberg"]).isEmpty {
          try await server.write("pyiceberg", Self.pyiceberg)
          expected += [100, 101]
          expected.removeAll { $0 == 3 }
          #expect(try await keys(try await table.refreshed()) == expected)
        }
        if !Oracles.installed(of: ["duckdb"]).isEmpty {
          try await server.write("duckdb", Self.duckdb)
          expected.append(200)
          expected.removeAll { $0 == 4 }
          #expect(try await keys(try await table.refreshed()) == expected)
        }
        if ProcessInfo.processInfo.environment["LAKE_INTEROP"] == "all",
          !Oracles.installed(of: ["spark"]).isEmpty
        {
          try await server.write("spark", Self.spark)
          expected += [300]
          expected.removeAll { $0 == 5 }
          #expect(try await keys(try await table.refreshed()) == expected)
        }
        table = try await table.refreshed()
        _ = try await table.deleteRows(where: PredicateParser.parse("k = 0"))
        expected.removeAll { $0 == 0 }
        table = try await table.refreshed()
        #expect(try await keys(table) == expected)
        try await agree(table, ["java", "duckdb", "pyiceberg"])
      }
    }
  }

  private static let pyiceberg = """
    t = catalog.load_table("db.t")
    schema = t.schema().as_arrow()
    t.append(pa.table({"k": [100, 101], "a": [1, 2], "s": ["x", "y"]}, schema=schema))
    t.delete("k = 3")
    """

  private static let duckdb = """
    insert into lake.db.t values (200, 1, 'duck');
    delete from lake.db.t where k = 4;
    """

  private static let spark = """
    INSERT INTO lake.db.t VALUES (300, 1, 'spark');
    DELETE FROM lake.db.t WHERE k = 5;
    """

  @Test func `commits of Lake and PyIceberg at once: each of them once`() async throws {
    guard !Oracles.installed(of: ["pyiceberg"]).isEmpty else {
      return print("skipped, 1 test: no PyIceberg to commit beside Lake")
    }
    try await JavaServer.using("PyIceberg at once") { server in
      try await connected(server) { catalog in
        try await catalog.createNamespace(["db"], properties: [:])
        let identifier = try TableIdentifier("db.t")
        // Its own attempts: PyIceberg gives up after four by default.
        let table = try await catalog.createTable(
          identifier, TableDefinition(schema: try Schema(Self.schema)))
        async let theirs: Void = server.write("pyiceberg", Self.tenCommits)
        for i in 0..<15 {
          _ = try await table.refreshed().append([batch(i..<i + 1, table)])
        }
        try await theirs
        let found = try await keys(try await table.refreshed())
        #expect(found == Array(0..<15) + Array(1000..<1010))
      }
    }
  }

  private static let tenCommits = """
    import time
    from pyiceberg.exceptions import CommitFailedException
    for i in range(10):
        for attempt in range(100):
            t = catalog.load_table("db.t")
            try:
                t.append(pa.table({"k": [1000 + i], "a": [1], "s": ["p"]}, schema=t.schema().as_arrow()))
                break
            except CommitFailedException:
                time.sleep(0.02)
        else:
            raise SystemExit("never committed")
    """

  @Test func `many writers, one answer in twenty lost: nothing is lost, doubled or left open`()
    async throws
  {
    let (writers, commits) = Depth.isLong ? (8, 100) : (4, 6)
    let random = SeededRandom(printing: "lost answers")
    try await JavaServer.using("lost answers", always: true) { server in
      try await connected(server) { catalog in
        try await catalog.createNamespace(["db"], properties: [:])
        let identifier = try TableIdentifier("db.t")
        _ = try await catalog.createTable(
          identifier, TableDefinition(schema: try Schema(Self.schema)))
        let transport = NetworkTransport()
        let wires = (0..<writers).map { _ in
          FlakyTransport(transport, percent: Depth.isLong ? 5 : 15, random.fork())
        }
        let report = await withTaskGroup(of: [String].self) { group in
          for (number, wire) in wires.enumerated() {
            group.addTask {
              await Self.commit(
                commits, as: number, through: { try await connect(server, wire) }, identifier)
            }
          }
          return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(report == [])
        let table = try await catalog.loadTable(identifier)
        let expected = (0..<writers).flatMap { w in (0..<commits).map { Int64(w * 1000 + $0) } }
        #expect(try await keys(table) == expected.sorted())
        let ids = table.metadata.snapshots.map { $0.summary[SnapshotSummary.commitIDKey] }
        #expect(Set(ids).count == writers * commits, "each commit is one snapshot")
        print(
          "\(writers) × \(commits) commits, \(wires.reduce(0) { $0 + $1.lostCount }) answers lost")
      }
    }
  }

  /// Appends rows one commit at a time; returns what went wrong.
  private static func commit(
    _ count: Int, as writer: Int, through connect: () async throws -> RESTCatalog,
    _ identifier: TableIdentifier
  ) async -> [String] {
    do {
      var table = try await connect().loadTable(identifier)
      for i in 0..<count {
        let row = Rows.batch(
          [[.long(Int64(writer * 1000 + i)), .int(0), .string("w")]], table.metadata.currentSchema)
        table = try await table.append([row])?.table ?? table
      }
      return []
    } catch {
      return ["writer \(writer): \(error)"]
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SQLiteCatalog
import Testing

/// Files that someone else wrote, to no good end.
@Suite("Hostile catalog files")
struct HostileFileTests {
  /// Expects every way to use the catalog to fail, with all `words` in what it says.
  private func expectRefusal(_ place: CatalogFile, _ words: String..., note: Comment) async throws {
    let catalog = place.catalog()
    let calls: [(String, () async throws -> Void)] = [
      ("load", { _ = try await catalog.load("db.t") }),
      ("create", { _ = try await catalog.create("db.new") }),
      ("list", { _ = try await catalog.listNamespaces(in: []) }),
      ("drop", { try await catalog.dropTable(TableIdentifier("db.t"), .purge) }),
      ("namespace", { try await catalog.createNamespace(["n"], properties: [:]) }),
    ]
    for (name, call) in calls {
      do {
        try await call()
        Issue.record("\(name) was done, \(note)")
      } catch {
        for word in words {
          #expect("\(error)".contains(word), "\(name), \(note): \(error)")
        }
      }
    }
  }

  @Test(arguments: [
    "CREATE TRIGGER evil AFTER UPDATE ON iceberg_tables BEGIN DELETE FROM iceberg_tables; END",
    "CREATE TRIGGER evil AFTER INSERT ON other BEGIN SELECT 1; END",
    "CREATE VIEW evil AS SELECT * FROM iceberg_tables",
  ])
  func `a file with a trigger or view in it is refused, and none of it runs`(
    sql: String
  ) async throws {
    let place = try CatalogFile()
    try await place.catalog().create("db.t").append("row")
    try place.execute("CREATE TABLE other (a)")
    try place.execute(sql)
    try await expectRefusal(place, "evil", "catalog.db", note: "\(sql)")
    #expect(try place.rows("SELECT count(*) FROM iceberg_tables") == [["1"]])
  }

  @Test func `a view or virtual table in the place of the catalog's is refused`() async throws {
    for sql in [
      "CREATE VIEW iceberg_tables AS SELECT 'dev' catalog_name",
      "CREATE VIRTUAL TABLE iceberg_tables USING fts5(catalog_name)",
    ] {
      let place = try CatalogFile()
      try place.execute(sql)
      try await expectRefusal(place, "iceberg_tables", note: "\(sql)")
    }
  }

  @Test func `what is no database is told of as such, and left as it is`() async throws {
    for bytes in [
      Data("PAR1 this is no database, however long it is".utf8), Data(repeating: 0x53, count: 5000),
      Data("SQLite format 3\0".utf8) + Data(repeating: 0xff, count: 4080),
    ] {
      let place = try CatalogFile()
      try bytes.write(to: URL(filePath: place.file.path))
      try await expectRefusal(place, "catalog.db", note: "\(bytes.count) bytes")
      #expect(try Data(contentsOf: URL(filePath: place.file.path)) == bytes)
    }
  }

  @Test func `links, folders and pipes are no catalogs`() async throws {
    let place = try CatalogFile()
    let manager = FileManager.default
    let target = place.folder.appending(path: "real.db").path
    try SQLiteFile.execute(ContractTests.version0, in: target)
    try manager.createSymbolicLink(atPath: place.file.path, withDestinationPath: target)
    try await expectRefusal(place, "plain file", note: "a link")
    try manager.removeItem(atPath: place.file.path)
    try manager.createSymbolicLink(
      atPath: place.file.path, withDestinationPath: place.folder.path + "/not-there")
    try await expectRefusal(place, "plain file", note: "a link to nothing")
    #expect(!manager.fileExists(atPath: place.folder.path + "/not-there"))
    try manager.removeItem(atPath: place.file.path)
    try manager.createDirectory(atPath: place.file.path, withIntermediateDirectories: false)
    try await expectRefusal(place, "plain file", note: "a folder")
    try manager.removeItem(atPath: place.file.path)
    #expect(mkfifo(place.file.path, 0o600) == 0)
    try await expectRefusal(place, "plain file", note: "a pipe")
  }

  @Test func `a catalog that is made is its owner's alone`() async throws {
    let place = try CatalogFile()
    _ = try await place.catalog().create("db.t")
    let mode = try FileManager.default.attributesOfItem(atPath: place.file.path)[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test func `rows with nothing or nonsense in them stop no other`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    try await catalog.create("db.t").append("row")
    let long = String(repeating: "x'\"ü;--", count: 1500)
    let quoted = long.replacingOccurrences(of: "'", with: "''")
    for (namespace, name, location) in [
      ("'db'", "'nothing'", "NULL"), ("'db'", "'\(quoted)'", "'/tmp/x'"),
      ("'\(quoted)'", "'t'", "'/tmp/x'"), ("'db'", "char(0, 65, 0)", "'/tmp/x'"),
      ("'db'", "'a/b'", "'/tmp/x'"), ("'db'", "'..'", "'/tmp/x'"), ("'a..b'", "'t'", "'/tmp/x'"),
      ("''", "''", "''"), ("x'ff00fe'", "x'fffe'", "x'00'"), ("42", "4.5", "7"),
      ("'db'", "'blob'", "x'fffe00'"), ("'db'", "'odd'", "'not absolute'"),
      ("'../..'", "'etc'", "'/etc/passwd'"),
    ] {
      try place.execute(
        """
        INSERT INTO iceberg_tables VALUES ('dev', \(namespace), \(name), \(location), NULL, NULL)
        """)
    }
    try place.execute(
      "INSERT INTO iceberg_namespace_properties VALUES ('dev', '\(quoted)', '\(quoted)', x'ff')")
    let listed = try await catalog.listTables(in: ["db"]).map(\.name)
    #expect(listed == ["blob", "nothing", "odd", "t"])
    #expect(try await catalog.listNamespaces(in: []) == [["42"], ["a"], ["db"]])
    for name in ["nothing", "blob", "odd"] {
      await #expect(throws: CatalogError.self) { try await catalog.load("db.\(name)") }
    }
    try await catalog.load("db.t").append("more")
    #expect(try await catalog.texts("db.t") == ["more", "row"])
    try await catalog.dropTable(TableIdentifier("db.nothing"), .keepFiles)
    #expect(try await catalog.listTables(in: ["db"]).count == 3)
  }

  /// Where a row may not lead: to other folders, stores, hosts, and out by dots.
  @Test(arguments: [
    "/etc/passwd", "file:///etc/passwd", "s3://bucket/t/metadata/00000-a.metadata.json",
    "http://169.254.169.254/latest/meta-data", "https://example.com/x.metadata.json",
    "W/../secret/metadata/00000-a.metadata.json", "W/db/../../secret.json",
    "W-sibling/t/metadata/0.metadata.json", "ftp://x/y", "C:\\windows", "//host/share",
    "file://host/etc/passwd", "memory://w/x",
  ])
  func `a row leads to no file outside of the warehouse`(location: String) async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    let table = try await catalog.create("db.t").append("row")
    // What could be read if it were.
    let sibling = try ObjectPath(place.warehouse.path + "-sibling/t/metadata/0.metadata.json")
    let bytes = try await LocalStore().get(table.metadataLocation, limit: 1 << 20)
    _ = try await LocalStore().put(bytes, to: sibling, if: .none)
    let told = location.hasPrefix("W") ? place.warehouse.path + location.dropFirst() : location
    try place.execute("UPDATE iceberg_tables SET metadata_location = '\(told)'")
    do {
      _ = try await catalog.load("db.t")
      Issue.record("it was loaded")
    } catch CatalogError.storage(.refused, _) {
    } catch CatalogError.storage(.invalidPath, _) {
    }
    await #expect(throws: CatalogError.self) {
      try await catalog.dropTable(TableIdentifier("db.t"), .purge)
    }
    await #expect(throws: (any Error).self) {
      try await catalog.registerTable(
        TableIdentifier("db.u"), metadataLocation: ObjectPath(told))
    }
    #expect(try await !catalog.listTables(in: ["db"]).isEmpty)
  }

  /// The metadata itself names a place for the table, which its files are read in and deleted from.
  @Test func `metadata makes no place a table's that is not in the warehouse`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    let table = try await catalog.create("db.t").append("row")
    let text = String(
      decoding: try await LocalStore().get(table.metadataLocation, limit: 1 << 20).array(),
      as: UTF8.self)
    for other in ["/etc", "s3://other/t", place.warehouse.path + "-sibling/t"] {
      let changed = text.replacingOccurrences(
        of: "\"location\":\"\(table.metadata.location)\"", with: "\"location\":\"\(other)\"")
      #expect(changed != text)
      let json = try #require(
        try JSONSerialization.jsonObject(with: Data(changed.utf8)) as? [String: Any])
      var plain = json
      // No checksum of ours goes with it.
      plain["properties"] = [String: String]()
      let file = try ObjectPath(table.metadata.location).appending(
        relativePath: "metadata/00009-evil.metadata.json")
      let bytes = Buffer(Array(try JSONSerialization.data(withJSONObject: plain)))
      _ = try await LocalStore().put(bytes, to: file, if: .none)
      try place.execute("UPDATE iceberg_tables SET metadata_location = '\(file.text)'")
      for call in [
        { _ = try await catalog.load("db.t") },
        { try await catalog.dropTable(TableIdentifier("db.t"), .purge) },
        {
          _ = try await catalog.registerTable(TableIdentifier("db.u"), metadataLocation: file)
        },
      ] as [() async throws -> Void] {
        await #expect(throws: CatalogError.self) { try await call() }
      }
    }
  }

  @Test func `a table is not moved, made or written outside of the warehouse`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    let table = try await catalog.create("db.t").append("row")
    let outside = try ObjectPath(place.folder.appending(path: "outside").path)
    await #expect(throws: CatalogError.self) {
      try await catalog.createTable(
        TableIdentifier("db.u"), TableDefinition(schema: Schema("k int"), location: outside))
    }
    for update in [
      TableUpdate.setLocation(outside.text),
      .setProperties(["write.metadata.path": outside.text + "/metadata"]),
    ] {
      await #expect(throws: CatalogError.self) {
        try await table.commit(TableCommit(base: table, requirements: [], updates: [update]))
      }
    }
    await #expect(throws: CatalogError.self) {
      try await catalog.createTable(
        TableIdentifier("db.v"),
        TableDefinition(
          schema: Schema("k int"), properties: ["write.metadata.path": outside.text]))
    }
    #expect(!FileManager.default.fileExists(atPath: outside.path))
    // Where it is allowed it is done.
    let generous = place.catalog(allowing: [outside])
    _ = try await generous.createTable(
      TableIdentifier("db.u"),
      TableDefinition(schema: Schema("k int, v string"), location: outside.appending("u"))
    ).append("there")
    #expect(try await generous.texts("db.u") == ["there"])
  }

  @Test func `a purge follows no link out of the table's folder`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    let table = try await catalog.create("db.t").append("row")
    let outside = place.folder.appending(path: "outside")
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: false)
    try Data("mine".utf8).write(to: outside.appending(path: "a.parquet"))
    for (link, target) in [
      ("data/folder", outside.path), ("link", outside.path),
      ("data/file.parquet", outside.path + "/a.parquet"),
    ] {
      try FileManager.default.createSymbolicLink(
        atPath: table.metadata.location + "/" + link, withDestinationPath: target)
    }
    try await catalog.dropTable(TableIdentifier("db.t"), .purge)
    #expect(try Data(contentsOf: outside.appending(path: "a.parquet")) == Data("mine".utf8))
  }

  @Test func `bytes that are changed throw or are read, and never trap`() async throws {
    let place = try CatalogFile()
    try await place.catalog().create("db.t").append("row")
    try await place.catalog().createNamespace(["n"], properties: ["a": "b"])
    _ = try place.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = try Data(contentsOf: URL(filePath: place.file.path))
    let random = SeededRandom(printing: "changed catalog files")
    for _ in 0..<60 {
      var bytes = whole
      for _ in 0..<random.int(in: 1..<20) {
        bytes[random.int(in: 0..<bytes.count)] = UInt8(random.int(in: 0..<256))
      }
      if random.chance(20) { bytes = bytes.prefix(random.int(in: 1..<bytes.count)) }
      let other = try CatalogFile()
      try bytes.write(to: URL(filePath: other.file.path))
      let catalog = SQLiteCatalog(
        name: "dev", file: other.file, warehouse: place.warehouse, store: LocalStore())
      _ = try? await catalog.listNamespaces(in: [])
      _ = try? await catalog.listTables(in: ["db"])
      _ = try? await catalog.load("db.t")
      _ = try? await catalog.create("db.u")
      _ = try? await catalog.namespaceProperties(of: ["n"])
    }
  }
}

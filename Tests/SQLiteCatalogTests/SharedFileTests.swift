// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SQLiteCatalog
import SeededNumbers
import Testing

/// One file that other implementations use as well.
@Suite("One SQLite catalog for several engines", .serialized)
struct SharedFileTests {
  /// The Python that PyIceberg is installed for.
  private func python() -> URL? {
    let found = Oracles.python(of: "pyiceberg")
    if found == nil {
      print("skipped: PyIceberg is not installed")
      #expect(!SiblingFolder.isContinuousIntegration, "PyIceberg is missing")
    }
    return found
  }

  private func run(_ python: URL, _ script: String, _ place: CatalogFile) async throws -> String {
    let file = place.folder.appending(path: "script-\(UUID().uuidString).py")
    let head = """
      import sys, warnings
      warnings.filterwarnings("ignore")
      import pyarrow as pa
      from pyiceberg.catalog import load_catalog
      from pyiceberg.exceptions import CommitFailedException
      catalog = load_catalog("dev", type="sql", uri="sqlite:///" + sys.argv[1], warehouse=sys.argv[2])
      schema = pa.schema([pa.field("k", pa.int32()), pa.field("v", pa.string())])
      def rows(*texts):
          return pa.table([pa.array([0] * len(texts), pa.int32()), pa.array(texts)], schema=schema)
      def texts(name):
          return sorted(catalog.load_table(name).scan().to_arrow()["v"].to_pylist())

      """
    try Data((head + script).utf8).write(to: file)
    return try await Oracles.runAside(
      python, [file.path, place.file.path, "file://" + place.warehouse.path])
  }

  @Test func `rule 112: PyIceberg's tables and namespaces are ours, and ours are PyIceberg's`()
    async throws
  {
    guard let python = python() else { return }
    let place = try CatalogFile()
    _ = try await run(
      python,
      """
      catalog.create_namespace("py", {"owner": "ann"})
      catalog.create_namespace("py.sub")
      catalog.create_table("py.t", schema).append(rows("one of PyIceberg"))
      catalog.create_table("py.gone", schema)
      """, place)
    let catalog = place.catalog()
    #expect(try await catalog.listNamespaces(in: []) == [["py"]])
    #expect(try await catalog.listNamespaces(in: ["py"]) == [["py", "sub"]])
    #expect(try await catalog.namespaceProperties(of: ["py"]) == ["owner": "ann"])
    #expect(try await catalog.namespaceProperties(of: ["py", "sub"]) == [:])
    #expect(try await catalog.listTables(in: ["py"]).map(\.name) == ["gone", "t"])
    try await catalog.load("py.t").append("one of ours")
    try await catalog.createNamespace(["own", "deep"], properties: ["a": "b"])
    try await catalog.create("own.deep.t").append("first")
    try await catalog.create("made.t").append("by itself")
    try await catalog.updateNamespaceProperties(
      of: ["py", "sub"], setting: ["x": "y"], removing: [])
    try await catalog.dropTable(TableIdentifier("py.gone"), .keepFiles)

    let said = try await run(
      python,
      """
      assert sorted(catalog.list_namespaces()) == [("made",), ("own",), ("py",)]
      assert catalog.list_namespaces("own") == [("own", "deep")], catalog.list_namespaces("own")
      assert catalog.load_namespace_properties("own.deep")["a"] == "b"
      assert catalog.load_namespace_properties("py.sub")["x"] == "y"
      assert catalog.list_tables("py") == [("py", "t")]
      assert texts("py.t") == ["one of PyIceberg", "one of ours"], texts("py.t")
      catalog.load_table("py.t").append(rows("two of PyIceberg"))
      catalog.load_table("own.deep.t").append(rows("second"))
      catalog.load_table("own.deep.t").delete("v = 'first'")
      catalog.rename_table("made.t", "py.renamed")
      catalog.drop_namespace("py.sub")
      try:
          catalog.drop_namespace("own.deep")
          raise SystemExit("a namespace with a table was dropped")
      except Exception as e:
          assert "not empty" in str(e), e
      with catalog.load_table("py.t").update_schema() as update:
          update.add_column("n", __import__("pyiceberg.types").types.LongType())
      print("done")
      """, place)
    #expect(said.hasSuffix("done\n"), "\(said)")

    let later = place.catalog()
    #expect(
      try await later.texts("py.t") == ["one of PyIceberg", "one of ours", "two of PyIceberg"])
    #expect(try await later.texts("own.deep.t") == ["second"])
    #expect(try await later.texts("py.renamed") == ["by itself"])
    #expect(try await later.listNamespaces(in: ["py"]) == [])
    #expect(try await later.load("py.t").metadata.currentSchema.fields.count == 3)
    for name in ["py.t", "own.deep.t", "py.renamed"] {
      let table = try await later.load(name)
      #expect(try await TableInvariants.violations(of: table) == [], "\(name)")
    }
    try await later.renameTable(TableIdentifier("py.renamed"), to: TableIdentifier("b.back"))
    try await later.load("b.back").append("and on")
    let last = try await run(
      python,
      """
      assert texts("b.back") == ["and on", "by itself"], texts("b.back")
      catalog.register_table("b.again", catalog.load_table("b.back").metadata_location)
      print("done")
      """, place)
    #expect(last.hasSuffix("done\n"), "\(last)")
    // Two names of one table: its files are not one's to delete.
    await #expect(throws: CatalogError.self) {
      try await later.dropTable(TableIdentifier("b.back"), .purge)
    }
    #expect(try await later.texts("b.again") == ["and on", "by itself"])
  }

  @Test func `B7: PyIceberg and Lake commit to one table at once, and nothing is lost`()
    async throws
  {
    guard let python = python() else { return }
    let commits = Depth.isLong ? 50 : 6
    let place = try CatalogFile()
    _ = try await place.catalog().create("db.t")
    let script = """
      import time
      from sqlalchemy.exc import OperationalError
      for n in range(\(commits)):
          for attempt in range(1000):
              try:
                  catalog.load_table("db.t").append(rows(f"py {n}"))
                  break
              except (CommitFailedException, OperationalError):
                  time.sleep(0.01)
          else:
              raise SystemExit("starved")
      print("done")
      """
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let said = try await run(python, script, place)
        #expect(said.hasSuffix("done\n"), "\(said)")
      }
      for writer in 0..<2 {
        group.addTask {
          let catalog = place.catalog()
          for n in 0..<commits {
            try await catalog.load("db.t").append("lake \(writer) \(n)")
            // So that they meet: Python takes a second to start.
            try await Task.sleep(for: .milliseconds(1200 / commits))
          }
        }
      }
      try await group.waitForAll()
    }
    let expected = (0..<commits).flatMap { ["py \($0)", "lake 0 \($0)", "lake 1 \($0)"] }
    #expect(try await place.catalog().texts("db.t") == expected.sorted())
    let table = try await place.catalog().load("db.t")
    #expect(table.metadata.snapshots.count == 3 * commits)
    #expect(try await TableInvariants.violations(of: table) == [])
  }

  @Test func `Java's catalog reads what Lake commits, and Lake what Java does`() async throws {
    let hasDriver = FileManager.default.fileExists(atPath: "/usr/share/java/sqlite-jdbc.jar")
    guard hasDriver, !Oracles.installed(of: ["java"]).isEmpty else {
      print("skipped: Java's Iceberg or its driver for SQLite is not installed")
      return
    }
    let place = try CatalogFile()
    let warehouse = place.folder.appending(path: "java")
    try FileManager.default.createDirectory(at: warehouse, withIntermediateDirectories: true)
    let catalog = SQLiteCatalog(
      name: "lake", file: try ObjectPath(warehouse.appending(path: "catalog.sqlite").path),
      warehouse: try ObjectPath(warehouse.path), store: LocalStore(durability: .unsynced))
    // A file and a table of ours first.
    try await catalog.create("own.t").append("first of ours")
    func java(_ operations: [String]) async throws {
      let script = warehouse.appending(path: "script.jsonl")
      try Data((operations.joined(separator: "\n") + "\n").utf8).write(to: script)
      try await Oracles.writeWithSQLite("java", script, in: warehouse)
    }
    let schema = """
      {"type":"struct","schema-id":0,"fields":[\
      {"id":1,"name":"k","required":false,"type":"int"},\
      {"id":2,"name":"v","required":false,"type":"string"}]}
      """
    try await java([
      #"{"op":"append","table":"own.t","rows":[{"k":1,"v":"first of Java"}]}"#,
      #"{"op":"create","table":"a.b.t","schema":\#(schema)}"#,
      #"{"op":"append","table":"a.b.t","rows":[{"k":1,"v":"row of Java"}]}"#,
    ])
    #expect(try await catalog.texts("own.t") == ["first of Java", "first of ours"])
    #expect(try await catalog.texts("a.b.t") == ["row of Java"])
    #expect(try await catalog.listNamespaces(in: []) == [["a"], ["own"]])
    try await catalog.load("a.b.t").append("row of ours")
    try await catalog.renameTable(TableIdentifier("own.t"), to: TableIdentifier("a.u"))
    try await java([
      #"{"op":"append","table":"a.b.t","rows":[{"k":2,"v":"second of Java"}]}"#,
      #"{"op":"append","table":"a.u","rows":[{"k":2,"v":"second of Java"}]}"#,
      #"{"op":"set-properties","table":"a.u","properties":{"by":"java"}}"#,
    ])
    #expect(try await catalog.texts("a.b.t") == ["row of Java", "row of ours", "second of Java"])
    #expect(
      try await catalog.texts("a.u") == ["first of Java", "first of ours", "second of Java"])
    #expect(try await catalog.load("a.u").metadata.properties["by"] == "java")
    for name in ["a.b.t", "a.u"] {
      #expect(try await TableInvariants.violations(of: catalog.load(name)) == [], "\(name)")
    }
  }

  @Test func `rows of views are left alone`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    try await catalog.create("db.t").append("row")
    try place.execute(
      """
      INSERT INTO iceberg_tables VALUES
        ('dev', 'db', 'v', '/w/v.json', NULL, 'VIEW'), ('dev', 'vs', 'v', '/w/v.json', NULL, 'VIEW')
      """)
    let before = try place.rows("SELECT * FROM iceberg_tables WHERE iceberg_type = 'VIEW'")
    #expect(try await catalog.listTables(in: ["db"]).map(\.name) == ["t"])
    #expect(try await catalog.listTables(in: ["vs"]) == [])
    let view = try TableIdentifier("db.v")
    await #expect(throws: CatalogError.self) { try await catalog.loadTable(view) }
    await #expect(throws: CatalogError.self) { try await catalog.dropTable(view, .keepFiles) }
    await #expect(throws: CatalogError.self) { try await catalog.dropTable(view, .purge) }
    await #expect(throws: CatalogError.self) { try await catalog.create("db.v") }
    await #expect(throws: CatalogError.self) {
      try await catalog.renameTable(view, to: TableIdentifier("db.w"))
    }
    await #expect(throws: CatalogError.self) {
      try await catalog.renameTable(TableIdentifier("db.t"), to: view)
    }
    await #expect(throws: CatalogError.self) { try await catalog.dropNamespace(["vs"]) }
    #expect(try place.rows("SELECT * FROM iceberg_tables WHERE iceberg_type = 'VIEW'") == before)
  }

  @Test func `several catalogs in one file know nothing of each other`() async throws {
    let place = try CatalogFile()
    let (dev, other) = (place.catalog(), place.catalog(name: "other"))
    try await dev.create("db.t").append("of dev")
    await #expect(throws: CatalogError.self) { try await other.load("db.t") }
    #expect(try await other.listNamespaces(in: []) == [])
    try await other.create("db.t").append("of other")
    #expect(try await dev.texts("db.t") == ["of dev"])
    #expect(try await other.texts("db.t") == ["of other"])
    try await other.dropTable(TableIdentifier("db.t"), .purge)
    #expect(try await dev.texts("db.t") == ["of dev"])
  }

  @Test func `a file that is taken away and one in its place are noticed`() async throws {
    let place = try CatalogFile()
    let catalog = place.catalog()
    let table = try await catalog.create("db.t").append("row")
    for name in try place.names() where name.hasPrefix("catalog.db") {
      try FileManager.default.removeItem(at: place.folder.appending(path: name))
    }
    await #expect(throws: (any Error).self) { try await table.append("nowhere") }
    await #expect(throws: CatalogError.self) { try await catalog.load("db.t") }
    let again = place.catalog()
    _ = try await again.registerTable(
      TableIdentifier("db.t"), metadataLocation: table.metadataLocation)
    try await catalog.load("db.t").append("later")
    #expect(try await again.texts("db.t") == ["later", "row"])
  }

  @Test(arguments: [
    ("sqlite:////abs/catalog.db", "/abs/catalog.db"), ("sqlite:///rel/c.db", "rel/c.db"),
    ("sqlite+pysqlite:////a.db", "/a.db"), ("sqlite:////a.db?timeout=5", "/a.db"),
    ("jdbc:sqlite:/abs/c.db", "/abs/c.db"), ("jdbc:sqlite:file:/abs/c.db", "/abs/c.db"),
    ("sqlite:///~/c.db", "~/c.db"),
  ])
  func `an address names a file as SQLAlchemy and JDBC read it`(uri: String, path: String) {
    #expect(SQLiteCatalog.path(ofURI: uri) == path)
  }

  @Test(arguments: [
    "sqlite://", "sqlite:///", "sqlite:///:memory:", "jdbc:sqlite::memory:", "postgresql://a/b",
    "mysql:///x", "http://a/b", "", "sqlite", "jdbc:sqlite:", "sqlite://host/x",
  ])
  func `an address of something else names no file`(uri: String) {
    #expect(SQLiteCatalog.path(ofURI: uri) == nil)
  }
}

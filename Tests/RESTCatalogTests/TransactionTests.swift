// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Testing

/// Commits to several tables at once, and tables that their first commit makes.
@Suite("REST transactions and staged tables")
struct TransactionTests {
  private func twoTables(_ world: RESTWorld) async throws -> (RESTCatalog, [Table]) {
    let catalog = try await world.catalog()
    var tables: [Table] = []
    for name in ["db.a", "db.b"] {
      tables.append(
        try await catalog.createTable(
          try TableIdentifier(name), TableDefinition(schema: try Schema("k int"))))
    }
    return (catalog, tables)
  }

  private func commits(_ tables: [Table], _ value: String) -> [TableCommit] {
    tables.map { table in
      TableCommit(
        base: table,
        requirements: [.currentSchema(table.metadata.currentSchemaID)],
        updates: [.setProperties(["both": value])])
    }
  }

  @Test func `all tables are changed, or none`() async throws {
    let world = try RESTWorld()
    let (catalog, tables) = try await twoTables(world)
    guard case .committed = try await catalog.commitTransaction(commits(tables, "1")) else {
      Issue.record("not committed")
      return
    }
    for table in tables {
      #expect(try await table.refreshed().metadata.properties["both"] == "1")
    }
    _ = try await tables[1].commit(
      SchemaChange { schema throws(IcebergError) in try schema.add("b", type: .int) })
    guard case .conflict = try await catalog.commitTransaction(commits(tables, "2")) else {
      Issue.record("no conflict")
      return
    }
    for table in tables {
      #expect(try await table.refreshed().metadata.properties["both"] == "1")
    }
  }

  @Test(arguments: WireFault.all)
  func `A3: no fault of the wire makes a transaction happen in part or in secret`(
    fault: WireFault
  ) async throws {
    let world = try RESTWorld()
    let (catalog, tables) = try await twoTables(world)
    await world.server.fail(FaultPlan(fault) { $0.path.hasSuffix("transactions/commit") })
    var isDone: Bool?
    do throws(CatalogError) {
      switch try await catalog.commitTransaction(commits(tables, "1")) {
      case .committed: isDone = true
      case .conflict: isDone = false
      case .unknown: isDone = nil
      }
    } catch {
      isDone = false
    }
    await world.server.deliverHeld()
    var found: Set<Bool> = []
    for table in tables {
      found.insert(try await table.refreshed().metadata.properties["both"] == "1")
    }
    #expect(found.count == 1, "\(fault)")
    if let isDone { #expect(found == [isDone], "\(fault)") }
    if fault.isUnknown { #expect(isDone == true, "\(fault) was not resolved") }
  }

  @Test func `a staged table is made by its first commit, with its rows`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog()
    let schema = try Schema("k int, v string")
    let definition = TableDefinition(
      schema: schema, partitionSpec: try PartitionSpec("k", schema: schema),
      properties: ["a": "b"], formatVersion: .v3)
    let staged = try await catalog.stageTable(world.identifier, definition)
    #expect(try await catalog.listTables(in: ["db"]).isEmpty)
    let table = try await world.append("first", to: staged)
    #expect(try await world.texts() == ["first"])
    #expect(table.metadata.uuid == staged.metadata.uuid)
    #expect(table.metadata.properties["a"] == "b")
    #expect(table.metadata.formatVersion == .v3)
    #expect(table.metadata.defaultPartitionSpec.fields.count == 1)
    // Its home is the catalog's table from now on.
    try await world.append("second", to: table)
    #expect(try await world.texts() == ["first", "second"])
  }

  @Test(arguments: WireFault.all)
  func `A3: a staged table is made once, whatever becomes of the answer`(
    fault: WireFault
  ) async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog()
    let staged = try await catalog.stageTable(
      world.identifier, TableDefinition(schema: try Schema("k int, v string")))
    await world.server.fail(FaultPlan(fault, where: FaultPlan.commits))
    let ending = await Ending.of { try await world.append("first", to: staged) }
    await world.server.deliverHeld()
    switch ending {
    case .committed: #expect(try await world.texts() == ["first"], "\(fault)")
    case .failed: #expect(await world.server.tables.isEmpty, "\(fault)")
    case .unknown: Issue.record("\(fault) was not resolved")
    }
  }

  @Test func `two who make one staged table: the second is told`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog()
    let definition = TableDefinition(schema: try Schema("k int, v string"))
    let first = try await catalog.stageTable(world.identifier, definition)
    let second = try await catalog.stageTable(world.identifier, definition)
    try await world.append("first", to: first)
    let ending = await Ending.of { try await world.append("second", to: second) }
    guard case .failed(let words) = ending else {
      Issue.record("\(ending)")
      return
    }
    #expect(words.contains("db.t"))
    #expect(try await world.texts() == ["first"])
  }
}

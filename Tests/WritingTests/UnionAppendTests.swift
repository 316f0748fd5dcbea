// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Synchronization
import Testing

@Suite("Appending by name")
struct UnionAppendTests {
  private struct World {
    let store: MemoryStore
    let catalog: FilesystemCatalog
    let name: TableIdentifier

    init() throws {
      let environment = Environment.deterministic(seed: 9)
      store = MemoryStore(environment: environment)
      catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
      name = try TableIdentifier("db.t")
    }

    func invariants() throws -> TableInvariants {
      TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    }
  }

  private func append(
    _ rows: [[Value?]], _ schema: String, to table: Table, widensTypes: Bool = true
  ) async throws -> CommitReceipt? {
    let schema = try Schema(schema)
    let change = SchemaChange { evolution throws(IcebergError) in
      try evolution.addColumns(of: schema, widensTypes: widensTypes)
    }
    var left = [Rows.batch(rows, schema)][...]
    return try await table.append(after: change) { () async throws(Never) in left.popFirst() }
  }

  @Test func `new columns and rows are one commit`() async throws {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int not null, s struct<a: int>")
    try await table.append([
      Rows.batch([[.int(1), nil]], table.metadata.currentSchema)
    ])
    let before = try await table.refreshed()
    let receipt = try #require(
      try await append([[.long(2), .string("x")]], "k long, t string not null", to: before))
    #expect(receipt.table.metadata.snapshots.count == 2)
    // One version of metadata, and what was required still is.
    #expect(receipt.table.metadataLocation.name == "v3.metadata.json")
    #expect(
      "\(receipt.table.metadata.currentSchema.fields.map { "\($0.name) \($0.type) \($0.isRequired)" })"
        == #"["k long true", "s struct<a: int> false", "t string false"]"#)
    #expect(receipt.snapshot?.schemaID == receipt.table.metadata.currentSchemaID)
    #expect(
      try await receipt.table.scan().canonicalRows() == [
        #"{"k":1,"s":null,"t":null}"#, #"{"k":2,"s":null,"t":"x"}"#,
      ])
    // With all columns there, it is an append like any other.
    let again = try #require(
      try await append([[.int(3), .string("y")]], "k int, t string", to: receipt.table))
    #expect(again.table.metadata.schemas.count == 2)
    #expect(try await world.invariants().violations() == [])
    #expect(try await world.invariants().orphans() == [])
  }

  @Test func `types that are guesses widen nothing, and what does not fit changes nothing`()
    async throws
  {
    let world = try World()
    let table = try await world.catalog.createTable("db.t", "k int, d date")
    for (schema, row) in [
      ("k long, t string", [Value.long(1), .string("a")]),
      ("k string, t string", [.string("1"), .string("a")]),
    ] {
      await #expect(throws: (any Error).self) {
        try await append([row], schema, to: table, widensTypes: false)
      }
    }
    await #expect(throws: (any Error).self) {
      try await append([[.string("1"), .string("a")]], "k string, t string", to: table)
    }
    #expect(try await append([], "k int, t string", to: table) == nil)
    #expect(try await table.refreshed().metadataLocation.name == "v1.metadata.json")
    #expect(try await world.invariants().orphans() == [])
  }

  /// Appends rows of `mine` while another writer appends rows of `theirs` right before.
  private func race(
    _ world: World, mine: String, theirs: String
  ) async throws -> CommitReceipt? {
    let catalog = world.catalog
    let name = world.name
    let once = Once()
    let slow = InterposedStore(world.store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json"), once.take() else {
        return
      }
      guard let now = try? await catalog.loadTable(name) else { return }
      _ = try? await append([[.int(2), .string("theirs")]], theirs, to: now)
    }
    let other = FilesystemCatalog(
      warehouse: catalog.warehouse, store: slow, environment: catalog.environment)
    let table = try await other.loadTable(name)
    return try await append([[.int(1), .string("mine")]], mine, to: table)
  }

  @Test func `of two that add different columns at once, the later one is a conflict`()
    async throws
  {
    let world = try World()
    _ = try await world.catalog.createTable("db.t", "k int")
    do {
      _ = try await race(world, mine: "k int, a string", theirs: "k int, b string")
      Issue.record("both got the same field id")
    } catch let error as AppendError<Never> {
      guard case .commit(.conflict(.columnChanged("a"))) = error else { throw error }
    }
    let now = try await world.catalog.loadTable(world.name)
    #expect(try await now.scan().canonicalRows() == [#"{"b":"theirs","k":2}"#])
    #expect(try await world.invariants().orphans() == [])
    // Asked for again, it fits.
    _ = try await append([[.int(1), .string("mine")]], "k int, a string", to: now)
    #expect(
      try await now.refreshed().scan().canonicalRows() == [
        #"{"a":"mine","b":null,"k":1}"#, #"{"a":null,"b":"theirs","k":2}"#,
      ])
  }

  @Test func `of two that add the same column at once, both succeed`() async throws {
    let world = try World()
    _ = try await world.catalog.createTable("db.t", "k int")
    let receipt = try await race(world, mine: "k int, a string", theirs: "k int, a string")
    #expect(receipt?.attempts == 2)
    let now = try await world.catalog.loadTable(world.name)
    #expect(now.metadata.schemas.count == 2)
    #expect(
      try await now.scan().canonicalRows() == [
        #"{"a":"mine","k":1}"#, #"{"a":"theirs","k":2}"#,
      ])
    #expect(try await world.invariants().violations() == [])
  }
}

/// Lets one caller through.
private final class Once: Sendable {
  private let isTaken = Mutex(false)

  func take() -> Bool {
    isTaken.withLock { taken in
      defer { taken = true }
      return !taken
    }
  }
}

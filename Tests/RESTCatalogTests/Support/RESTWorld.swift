// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog

/// A model server, a store in memory, and a catalog that talks to it.
struct RESTWorld: Sendable {
  let memory: MemoryStore
  let clock: TestClock
  let environment: Environment
  let server: ModelServer
  let identifier: TableIdentifier

  init(seed: UInt64 = 1) throws {
    clock = TestClock()
    environment = .deterministic(seed: seed, clock: clock)
    memory = MemoryStore(environment: environment)
    identifier = try TableIdentifier("db.t")
    server = ModelServer(
      store: memory, environment: environment, warehouse: "memory://w/house")
  }

  static let properties = ["uri": "https://catalog.example/api", "warehouse": "memory://w/house"]

  func catalog(
    _ properties: [String: String] = [:], store: (any ObjectStore)? = nil,
    allowing: [ObjectPath] = []
  ) async throws -> RESTCatalog {
    try await RESTCatalog.connect(
      name: "test", properties: Self.properties.merging(properties) { _, new in new },
      environment: environment, transport: server,
      stores: StoreRegistry(["memory": store ?? memory]), allowing: allowing)
  }

  /// Makes `db.t (k int, v string)`.
  @discardableResult
  func make(_ catalog: RESTCatalog? = nil) async throws -> Table {
    let schema = try Schema("k int, v string")
    var opened = catalog
    if opened == nil { opened = try await self.catalog() }
    guard let opened else { throw Refusal(500, "Test", "no catalog") }
    return try await opened.createTable(identifier, TableDefinition(schema: schema))
  }

  func load() async throws -> Table { try await catalog().loadTable(identifier) }

  /// Commits one row, whose text is `text`.
  @discardableResult
  func append(_ text: String, to table: Table) async throws -> Table {
    let batch = Rows.batch([[.int(0), .string(text)]], table.metadata.currentSchema)
    return try await table.append([batch])?.table ?? table
  }

  /// The texts of all rows there are now, sorted.
  func texts() async throws -> [String] {
    try await load().scan().readAll()
      .flatMap { batch in (0..<batch.rowCount).map { batch.columns[1].string($0) } }.sorted()
  }

  /// What is in the table's folder.
  func fileCount() async throws -> Int {
    try await memory.listAll(try ObjectPath("memory://w/house")).count
  }
}

// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport

/// A filesystem catalog in memory with one table in it, and ways to disturb it.
struct CatalogWorld: Sendable {
  let memory: MemoryStore
  let clock: TestClock
  let environment: Environment
  let warehouse: ObjectPath
  let identifier: TableIdentifier
  /// The table's folder.
  let location: ObjectPath

  init(seed: UInt64 = 1) throws {
    clock = TestClock()
    environment = .deterministic(seed: seed, clock: clock)
    memory = MemoryStore(environment: environment)
    warehouse = try ObjectPath("memory://w/house")
    identifier = try TableIdentifier("db.t")
    location = try warehouse.appending(relativePath: "db/t")
  }

  /// The catalog, seen through `store`.
  func catalog(_ store: (any ObjectStore)? = nil) -> FilesystemCatalog {
    FilesystemCatalog(warehouse: warehouse, store: store ?? memory, environment: environment)
  }

  /// The table as it is now.
  func load(_ store: (any ObjectStore)? = nil) async throws -> Table {
    try await catalog(store).loadTable(identifier)
  }

  /// Makes the table, and commits until it is at version `version`; returns it at each version.
  @discardableResult
  func make(upTo version: Int) async throws -> [Table] {
    var tables = [try await catalog().createTable("db.t", "k int, v string")]
    while tables.count < version {
      tables.append(try await append("row \(tables.count)", to: tables[tables.count - 1]))
    }
    return tables
  }

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

  func metadata(_ name: String) throws -> ObjectPath {
    try location.appending(relativePath: "metadata/" + name)
  }

  func exists(_ name: String) async throws -> Bool {
    try await memory.headIfPresent(metadata(name)) != nil
  }

  func put(_ text: String, at name: String) async throws {
    _ = try await memory.put(Buffer(utf8: text), to: metadata(name), if: .none)
  }

  func text(of name: String) async throws -> String {
    String(decoding: try await memory.get(metadata(name), range: 0..<1000).array(), as: UTF8.self)
  }

  /// Deletes versions up to `version`, as someone does who cleans up, with or without the note.
  func deleteVersions(upTo version: Int, noting isNoted: Bool) async throws {
    if isNoted {
      try await put("\(version + 1)", at: "lake-lowest-version.text")
    } else {
      try await memory.delete(metadata("lake-lowest-version.text"))
    }
    for number in 1...version {
      try await memory.delete(metadata("v\(number).metadata.json"))
    }
  }

  func violations() async throws -> [String] {
    try await TableInvariants(location, in: memory).violations()
  }
}

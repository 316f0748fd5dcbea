// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
public import Storage

/// A catalog in an SQLite file, which PyIceberg (`SqlCatalog`), Java (`JdbcCatalog`) and other
/// processes of Lake may use at the same time.
///
/// The file keeps which metadata file of a table is the newest. A commit writes the next one, whole
/// and durable, and then swaps the pointer in one transaction if it is still the one the commit was
/// planned on: so it needs of the store of the tables no more than that it keeps what it is given.
/// A transaction whose end is not known is settled by another of the same condition.
///
/// Laws: who may write the file is trusted with the names of tables and nothing else. Tables are
/// read and written within the warehouse and the places that are allowed; a file with triggers or
/// views in it is refused.
///
/// Cost: a load is one transaction and the metadata file; a commit one file and one transaction with
/// one sync.
public struct SQLiteCatalog: Catalog {
  /// The name of the catalog, of which the file may have several.
  public let name: String
  /// Where new tables go; nil: they have to be told where.
  public let warehouse: ObjectPath?
  let store: any ObjectStore
  let environment: Environment
  let access: DatabaseAccess
  let allowedLocations: [ObjectPath]
  let manifestCache: ManifestCache

  /// - Parameters:
  ///   - file: the SQLite file; it is made with the first table or namespace.
  ///   - store: what holds the tables.
  ///   - allowedLocations: where tables may be, or have files, besides the warehouse.
  public init(
    name: String, file: ObjectPath, warehouse: ObjectPath?, store: any ObjectStore,
    environment: Environment = .system, allowing allowedLocations: [ObjectPath] = [],
    manifestCache: ManifestCache = ManifestCache()
  ) {
    self.init(
      name: name, file: file, warehouse: warehouse, store: store, environment: environment,
      allowing: allowedLocations, manifestCache: manifestCache, vfs: nil)
  }

  /// - Parameter vfs: what SQLite reaches the file through; nil for its own. For tests.
  package init(
    name: String, file: ObjectPath, warehouse: ObjectPath?, store: any ObjectStore,
    environment: Environment, allowing allowedLocations: [ObjectPath] = [],
    manifestCache: ManifestCache = ManifestCache(), vfs: String?
  ) {
    self.name = name
    self.warehouse = warehouse
    self.store = store
    self.environment = environment
    self.allowedLocations = allowedLocations
    self.manifestCache = manifestCache
    access = DatabaseAccess(database: Database(file, vfs: vfs), environment: environment)
  }

  /// The file a database's address names, as it is written there: `sqlite:////abs/catalog.db`,
  /// `sqlite:///relative.db`, with SQLAlchemy's driver (`sqlite+pysqlite:`) or Java's `jdbc:` before.
  ///
  /// - Returns: nil if it is an address of something else.
  public static func path(ofURI uri: String) -> String? {
    var rest = uri[...]
    if rest.hasPrefix("jdbc:sqlite:") {
      rest = rest.dropFirst("jdbc:sqlite:".count)
      if rest.hasPrefix("file:") { rest = rest.dropFirst("file:".count) }
      return rest.isEmpty || rest.hasPrefix(":") ? nil : String(rest)
    }
    guard rest.hasPrefix("sqlite:") || rest.hasPrefix("sqlite+"),
      let colon = rest.firstIndex(of: ":")
    else { return nil }
    rest = rest[colon...].dropFirst()
    guard rest.hasPrefix("///") else { return nil }
    rest = rest.dropFirst(3)
    if let query = rest.firstIndex(of: "?") { rest = rest[..<query] }
    return rest.isEmpty || rest.hasPrefix(":") ? nil : String(rest)
  }

  /// Where the rows are.
  public var file: ObjectPath { access.file }

  // MARK: tables

  public func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> Table {
    let (namespace, name) = try key(of: identifier)
    // A file that is not there yet is a catalog with nothing in it.
    let entry = try await access.read(
      "looking for \(identifier)", missing: nil as CatalogRows.Entry?
    ) { [self] connection throws(SQLFailure) -> CatalogRows.Entry? in
      try rows(connection).entry(namespace, name)
    }
    guard let entry, entry.isTable else { throw .tableNotFound(identifier.description) }
    return try await open(entry, as: identifier)
  }

  public func createTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table {
    let (namespace, name) = try key(of: identifier)
    let isThere = try await access.read("looking for \(identifier)", missing: false) {
      [self] connection throws(SQLFailure) in
      try rows(connection).entry(namespace, name) != nil
    }
    if isThere { throw .tableExists(identifier.description) }
    let location = try await location(of: identifier, definition)
    let metadata = try definition.metadata(at: location, environment)
    let table = try await stage(metadata, as: identifier, number: 0)
    let isMade: Bool
    do throws(CatalogError) {
      isMade = try await insert(table, as: identifier)
    } catch {
      if case .outcomeUnknown = error { throw error }
      await discard(table)
      throw error
    }
    guard isMade else {
      await discard(table)
      throw .tableExists(identifier.description)
    }
    return table
  }

  public func registerTable(
    _ identifier: TableIdentifier, metadataLocation: ObjectPath
  ) async throws(CatalogError) -> Table {
    try check(metadataLocation, of: identifier)
    let metadata = try await MetadataFiles.readToRegister(metadataLocation, in: store)
    let table = try table(metadata, at: metadataLocation, as: identifier)
    guard try await insert(table, as: identifier) else {
      throw .tableExists(identifier.description)
    }
    return table
  }

  public func renameTable(
    _ identifier: TableIdentifier, to newName: TableIdentifier
  ) async throws(CatalogError) {
    let (namespace, name) = try key(of: identifier)
    let (newNamespace, newTable) = try key(of: newName)
    if identifier == newName { throw .tableExists(newName.description) }
    // What the table's row said when it was first looked at.
    let before = try await access.read(
      "looking for \(identifier)", missing: nil as CatalogRows.Entry?
    ) { [self] connection throws(SQLFailure) -> CatalogRows.Entry? in
      try rows(connection).entry(namespace, name)
    }
    guard let before, before.isTable else { throw .tableNotFound(identifier.description) }
    let answer = try await access.write("renaming \(identifier)") {
      [self] connection, isRepeated throws(SQLFailure) -> Answer in
      let rows = try rows(connection)
      let target = try rows.entry(newNamespace, newTable)
      guard let source = try rows.entry(namespace, name), source.isTable else {
        // Ours, if it is the end of an attempt that no one could tell of.
        let isDone = isRepeated && target?.location == before.location
        return isDone ? .done : .notFound
      }
      if target != nil { return .exists }
      return try rows.rename(namespace, name, to: newNamespace, newTable) ? .done : .notFound
    }
    switch answer {
    case .done: return
    case .exists: throw .tableExists(newName.description)
    case .notFound: throw .tableNotFound(identifier.description)
    }
  }

  private enum Answer { case done, exists, notFound }

  /// Adds the row of `table`; false if there is one of this name.
  private func insert(
    _ table: Table, as identifier: TableIdentifier
  ) async throws(CatalogError) -> Bool {
    let (namespace, name) = try key(of: identifier)
    let pointer = table.metadataLocation.text
    return try await access.write("adding \(identifier)", missing: .isMade) {
      [self] connection, isRepeated throws(SQLFailure) in
      let rows = try CatalogRows(making: connection, catalog: self.name)
      if let entry = try rows.entry(namespace, name) {
        return isRepeated && entry.location == pointer
      }
      try rows.insert(namespace, name, at: pointer)
      return true
    }
  }

  // MARK: places

  /// Where the files of a new table go: where it is told to, else below its namespace; and if
  /// something is there, which a table of another name may need, into a folder of its own beside it.
  private func location(
    of identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> ObjectPath {
    if let location = definition.location {
      try check(location, of: identifier)
      return location
    }
    guard let warehouse else {
      throw .unsupported(
        what: "a place for \(identifier) in a catalog without a warehouse",
        instead: "name one in the configuration, or a location for the table")
    }
    do throws(StorageError) {
      var parent = warehouse
      for level in identifier.namespace { parent = try parent.appending(level) }
      let usual = try parent.appending(identifier.name)
      for try await _ in store.list(usual) {
        return try parent.appending("\(identifier.name)-\(environment.uuid())")
      }
      return usual
    } catch {
      throw .storage(error, while: "looking for a place for \(identifier)")
    }
  }

  /// Where a table may be.
  var policy: LocationPolicy {
    LocationPolicy(within: (warehouse.map { [$0] } ?? []) + allowedLocations)
  }

  func check(_ location: ObjectPath, of identifier: TableIdentifier) throws(CatalogError) {
    do throws(StorageError) {
      try policy.check(location)
    } catch {
      throw .storage(error, while: "opening \(identifier)")
    }
  }

  /// The place that a text of the file or of metadata names.
  func path(_ text: String, of identifier: TableIdentifier) throws(CatalogError) -> ObjectPath {
    do throws(StorageError) {
      let path = try ObjectPath(text)
      try policy.check(path)
      return path
    } catch {
      throw .storage(error, while: "opening \(identifier)")
    }
  }

  /// The table whose row is `entry`.
  func open(
    _ entry: CatalogRows.Entry, as identifier: TableIdentifier
  ) async throws(CatalogError) -> Table {
    guard let text = entry.location else {
      throw .storage(
        .notAnObject(path: access.file, found: "a row without a metadata_location"),
        while: "opening \(identifier)")
    }
    let path = try path(text, of: identifier)
    return try table(try await MetadataFiles.read(path, in: store), at: path, as: identifier)
  }

  /// - Throws: if the table's folder is no place where it may be.
  func table(
    _ metadata: TableMetadata, at path: ObjectPath, as identifier: TableIdentifier
  ) throws(CatalogError) -> Table {
    let folder = try self.path(metadata.location, of: identifier)
    return Table(
      name: identifier.description, metadata: metadata, metadataLocation: path,
      store: PolicedStore(store, policy: LocationPolicy(within: [folder] + allowedLocations)),
      environment: environment, home: SQLiteTable(catalog: self, identifier: identifier),
      manifestCache: manifestCache)
  }

  func rows(_ connection: Connection) throws(SQLFailure) -> CatalogRows {
    try CatalogRows(connection, catalog: name)
  }

  /// How the rows of the file name a table.
  func key(
    of identifier: TableIdentifier
  ) throws(CatalogError) -> (namespace: String, name: String) {
    (try key(of: identifier.namespace), identifier.name)
  }

  /// How the rows of the file name a namespace: its levels joined by dots.
  func key(of namespace: [String]) throws(CatalogError) -> String {
    for level in namespace {
      try TableIdentifier.check(level)
      if level.utf8.contains(UInt8(ascii: ".")) {
        throw .invalidName(level, reason: "a level of a namespace has a dot in it")
      }
    }
    return namespace.joined(separator: ".")
  }
}

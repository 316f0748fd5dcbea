// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
public import Storage

/// A catalog that needs no service: a namespace is a folder of the warehouse, a table a folder in
/// it, and a commit one create-if-absent (``FilesystemTable``).
///
///     <warehouse>/<level>/…/<table>/metadata/v<N>.metadata.json
///
/// Spark reads it as a catalog of type `hadoop`; DuckDB, ClickHouse and others by the table's path.
public struct FilesystemCatalog: Catalog {
  public let warehouse: ObjectPath
  public let store: any ObjectStore
  public let environment: Environment
  private let allowedLocations: [ObjectPath]
  private let manifestCache: ManifestCache

  /// - Parameters:
  ///   - store: what holds the warehouse; tables are held to their own folders within it.
  ///   - allowedLocations: where tables may have files besides.
  ///   - manifestCache: where manifests that were read are kept.
  public init(
    warehouse: ObjectPath, store: any ObjectStore, environment: Environment = .system,
    allowing allowedLocations: [ObjectPath] = [], manifestCache: ManifestCache = ManifestCache()
  ) {
    self.manifestCache = manifestCache
    self.allowedLocations = allowedLocations
    self.warehouse = warehouse
    self.store = store
    self.environment = environment
  }

  public func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> Table {
    try await home(of: identifier).load()
  }

  public func createTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table {
    let location = try self.location(of: identifier)
    if let asked = definition.location, asked != location {
      throw .unsupported(
        what: "another place for \(identifier) than \(location)",
        instead: "a filesystem catalog finds tables by their place; use a catalog of another type")
    }
    let metadata = try definition.metadata(at: location, environment)
    return try await home(of: identifier).create(metadata)
  }

  public func dropTable(
    _ identifier: TableIdentifier, _ mode: DropMode
  ) async throws(CatalogError) {
    try await home(of: identifier).drop(mode)
  }

  /// Not to be had: the metadata of a table names its files by where they lie, and where they lie
  /// is its name.
  public func renameTable(
    _ identifier: TableIdentifier, to newName: TableIdentifier
  ) async throws(CatalogError) {
    throw .unsupported(
      what:
        "renaming \(identifier) in a filesystem catalog, where the place of a table is its name",
      instead: "use a catalog of another type, or write the rows to a new table")
  }

  /// Makes the table that was dropped from this place once more.
  ///
  /// The file must lie in the `metadata` folder that a table of this name has, and be of a table in
  /// that place: every path in it is absolute, and nothing else than the folder's name tells what
  /// belongs to the table.
  public func registerTable(
    _ identifier: TableIdentifier, metadataLocation: ObjectPath
  ) async throws(CatalogError) -> Table {
    let home = try home(of: identifier)
    let refusal = CatalogError.unsupported(
      what: "registering \(metadataLocation) as \(identifier) in a filesystem catalog, "
        + "where the table would have to lie in \(home.layout.location)",
      instead: "use a catalog of another type, or add its files to a new table")
    guard metadataLocation.parent == home.layout.metadataFolder else { throw refusal }
    let metadata = try await MetadataFiles.readToRegister(metadataLocation, in: home.store)
    guard (try? ObjectPath(metadata.location)) == home.layout.location else { throw refusal }
    return try await home.create(metadata)
  }

  /// The folder of a namespace or table.
  func folder(_ parts: [String]) throws(CatalogError) -> ObjectPath {
    var folder = warehouse
    for part in parts {
      try TableIdentifier.check(part)
      do throws(StorageError) {
        folder = try folder.appending(part)
      } catch {
        throw .storage(error, while: "naming the folder of \(parts.joined(separator: "."))")
      }
    }
    return folder
  }

  package func location(of identifier: TableIdentifier) throws(CatalogError) -> ObjectPath {
    try folder(identifier.namespace + [identifier.name])
  }

  func home(of identifier: TableIdentifier) throws(CatalogError) -> FilesystemTable {
    let location = try self.location(of: identifier)
    return try FilesystemTable(
      name: identifier.description, location: location,
      store: PolicedStore(store, policy: LocationPolicy(within: [location] + allowedLocations)),
      environment: environment, manifestCache: manifestCache)
  }
}

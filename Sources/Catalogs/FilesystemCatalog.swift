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
    let metadata: TableMetadata
    do throws(IcebergError) {
      metadata = try TableMetadata.create(
        schema: definition.schema, partitionSpec: definition.partitionSpec,
        sortOrder: definition.sortOrder, location: location.text,
        properties: TableProperties(definition.properties),
        formatVersion: definition.formatVersion, uuid: TableUUID(environment.uuid()),
        at: environment.now().milliseconds)
    } catch {
      throw .rejected(error)
    }
    return try await home(of: identifier).create(metadata)
  }

  public func dropTable(
    _ identifier: TableIdentifier, _ mode: DropMode
  ) async throws(CatalogError) {
    try await home(of: identifier).drop(mode)
  }

  public func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    var found: Set<TableIdentifier> = []
    for parts in try await tables(below: namespace) where parts.count == namespace.count + 1 {
      if let name = parts.last, !namespace.isEmpty {
        found.insert(try TableIdentifier(namespace: namespace, name: name))
      }
    }
    return found.sorted { $0.description < $1.description }
  }

  public func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    var found: Set<[String]> = []
    for parts in try await tables(below: parent) where parts.count > parent.count + 1 {
      found.insert(Array(parts.prefix(parent.count + 1)))
    }
    return found.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The folder of a namespace or table.
  private func folder(_ parts: [String]) throws(CatalogError) -> ObjectPath {
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

  private func home(of identifier: TableIdentifier) throws(CatalogError) -> FilesystemTable {
    let location = try self.location(of: identifier)
    return try FilesystemTable(
      name: identifier.description, location: location,
      store: PolicedStore(store, policy: LocationPolicy(within: [location] + allowedLocations)),
      environment: environment, manifestCache: manifestCache)
  }

  /// The tables at any depth below a namespace, found by their metadata files.
  private func tables(
    below namespace: [String]
  ) async throws(CatalogError) -> Set<[String]> {
    let folder = try self.folder(namespace)
    var tables: Set<[String]> = []
    do throws(StorageError) {
      for try await object in store.list(folder) {
        guard FilesystemLayout.version(of: object.path.name) != nil,
          let metadata = object.path.parent, metadata.name == "metadata",
          let table = metadata.parent, let below = folder.relativePath(of: table), !below.isEmpty
        else { continue }
        tables.insert(namespace + below.split(separator: "/").map(String.init))
      }
    } catch {
      throw .storage(error, while: "listing \(folder)")
    }
    return tables
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Lake
internal import SQLiteCatalog

#if Network
  internal import RESTCatalog
#endif

extension CatalogConfiguration {
  /// Opens the catalog by its `type`, a filesystem catalog where none is given.
  ///
  /// - Parameter locations: Where tables may have files, besides what the properties allow.
  func open(allowing locations: [ObjectPath]) async throws -> any Catalog {
    let allowed = try locations + allowedLocations()
    let type = self.type
    switch type {
    case "filesystem", "hadoop":
      let warehouse = try Location.absolute(required("warehouse"))
      return FilesystemCatalog(
        warehouse: warehouse, store: try await Stores.reaching(warehouse, properties),
        allowing: allowed)
    case "sql", "sqlite", "jdbc": return try await sqliteCatalog(allowing: allowed)
    #if Network
      case "rest":
        return try await RESTCatalog.connect(
          name: name, properties: properties, transport: Stores.transport,
          stores: try await Stores.reaching(.machineRoot, properties), allowing: allowed)
    #else
      case "rest":
        throw CommandError.failed(
          "\(file): catalogs of type 'rest' need a lake that was built with the trait Network")
    #endif
    default:
      throw CommandError.failed("\(file): catalogs of type '\(type)' are not supported")
    }
  }

  /// What kind of catalog it is; without a `type` the address tells, as it does PyIceberg.
  var type: String {
    if let type = properties["type"] { return type.lowercased() }
    guard let uri = properties["uri"] else { return "filesystem" }
    return SQLiteCatalog.path(ofURI: uri) == nil ? "rest" : "sql"
  }

  /// The catalog of this name in the file that `uri` names.
  func sqliteCatalog(allowing allowed: [ObjectPath]) async throws -> SQLiteCatalog {
    let uri = try required("uri")
    guard let path = SQLiteCatalog.path(ofURI: uri) else {
      // What it names may have a password in it.
      throw CommandError.failed(
        "\(file): catalog '\(name)' has a uri that names no SQLite file, as in "
          + "sqlite:////folder/catalog.db; of databases only SQLite is supported")
    }
    let warehouse = try properties["warehouse"].map { try Location.absolute($0) }
    return SQLiteCatalog(
      name: name, file: try Location.absolute(path), warehouse: warehouse,
      store: try await Stores.reaching(warehouse ?? .machineRoot, properties), allowing: allowed)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if Network
  internal import RESTCatalog
#endif

extension CatalogConfiguration {
  /// Opens the catalog by its `type`, a filesystem catalog where none is given.
  ///
  /// - Parameter locations: Where tables may have files, besides what the properties allow.
  func open(allowing locations: [ObjectPath]) async throws -> any Catalog {
    let allowed = try locations + allowedLocations()
    let type = properties["type"] ?? (properties["uri"] == nil ? "filesystem" : "rest")
    switch type {
    case "filesystem", "hadoop":
      let warehouse = try Location.absolute(required("warehouse"))
      return FilesystemCatalog(
        warehouse: warehouse, store: try Stores.reaching(warehouse, properties), allowing: allowed)
    #if Network
      case "rest":
        return try await RESTCatalog.connect(
          name: name, properties: properties, transport: Stores.transport,
          stores: try Stores.reaching(.machineRoot, properties), allowing: allowed)
    #else
      case "rest":
        throw CommandError.failed(
          "\(file): catalogs of type 'rest' need a lake that was built with the trait Network")
    #endif
    default:
      throw CommandError.failed("\(file): catalogs of type '\(type)' are not supported")
    }
  }
}

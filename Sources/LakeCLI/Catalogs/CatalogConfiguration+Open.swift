// SPDX-License-Identifier: Apache-2.0
internal import Lake

extension CatalogConfiguration {
  /// Opens the catalog by its `type`, a filesystem catalog where none is given.
  ///
  /// - Parameter locations: Where tables may have files, besides what the properties allow.
  func open(allowing locations: [ObjectPath]) async throws -> any Catalog {
    let allowed = try locations + allowedLocations()
    let type = properties["type"] ?? (properties["uri"] == nil ? "filesystem" : "rest")
    switch type {
    case "filesystem", "hadoop":
      return FilesystemCatalog(
        warehouse: try Location.absolute(required("warehouse")),
        store: try Stores.of(properties), allowing: allowed)
    default:
      throw CommandError.failed("\(file): catalogs of type '\(type)' are not supported")
    }
  }
}

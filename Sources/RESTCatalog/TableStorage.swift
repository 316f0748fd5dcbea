// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

/// Opens the stores that a catalog's tables have their files in, each table held to its own places.
///
/// A server is trusted with where its tables lie in the stores that the user gave, and not with the
/// files of this machine: those it gets at only within a warehouse that the user's own settings say
/// is local, or where the user allows it.
struct TableStorage: Sendable {
  let stores: StoreRegistry
  /// Where the user's own settings say the warehouse is; nil if they name it otherwise.
  let userWarehouse: ObjectPath?
  /// Where the warehouse is, by the server's settings too.
  let warehouse: ObjectPath?
  /// Where the user lets tables have files besides.
  let allowed: [ObjectPath]

  /// A store for the files of `table`, whose metadata is `metadata`, and for no others.
  func store(
    for metadata: TableMetadata, _ access: TableAccess, of table: RESTTable
  ) throws(StorageError) -> any ObjectStore {
    let location = try ObjectPath(metadata.location)
    try check(location)
    var prefixes = [location] + allowed
    let granted = access.grants.compactMap { try? ObjectPath($0.prefix) }
    for name in Self.pathProperties {
      guard let text = metadata.properties[name] else { continue }
      let place = try ObjectPath(text)
      let isWithin = ([warehouse].compactMap(\.self) + granted).contains { $0.contains(place) }
      // Elsewhere it is no place of the table's: a file there is refused when it is asked for.
      if isWithin, place.hasSameRoot(as: location), (try? check(place)) != nil {
        prefixes.append(place)
      }
    }
    var base: any ObjectStore = stores
    if location.scheme == "s3", let vended = try VendedStores(access, of: table, at: location) {
      base = stores.adding(vended, for: "s3")
    }
    return PolicedStore(base, policy: LocationPolicy(within: prefixes))
  }

  /// Throws unless a table of this catalog may lie at `location`.
  func check(_ location: ObjectPath) throws(StorageError) {
    if location.scheme == "file" {
      let places = [userWarehouse].compactMap(\.self) + allowed
      guard !location.isRoot, places.contains(where: { $0.contains(location) }) else {
        throw .refused(
          path: location,
          reason: "the catalog names a file of this machine: set 'warehouse' to a local folder "
            + "that it lies in, or allow the place")
      }
    }
    // What the catalog has keys for is reached without a store of the user's.
    if location.scheme != "s3" { _ = try stores.store(for: location) }
  }

  /// Throws if it can be seen that there is no file at `place`. A server that is asked to read one
  /// that is not there may say that it failed, which leaves everything open.
  func checkThere(_ place: ObjectPath) async throws(CatalogError) {
    guard (try? check(place)) != nil else { return }
    do throws(StorageError) {
      _ = try await stores.head(place)
    } catch {
      if error.isNotFound { throw .tableNotFound(place.text) }
    }
  }

  /// Throws if `updates` would take the table out of where it may lie.
  func check(_ updates: [TableUpdate], of metadata: TableMetadata) throws(StorageError) {
    for update in updates {
      switch update {
      case .setLocation(let text): try checkMove(to: text, of: metadata)
      case .setProperties(let properties):
        for name in Self.pathProperties {
          if let text = properties[name] { try checkMove(to: text, of: metadata) }
        }
      default: break
      }
    }
  }

  private func checkMove(to text: String, of metadata: TableMetadata) throws(StorageError) {
    let place = try ObjectPath(text)
    let old = try ObjectPath(metadata.location)
    let places = [old] + [warehouse].compactMap(\.self) + allowed
    guard places.contains(where: { $0.contains(place) }) else {
      throw .refused(path: place, reason: "it lies outside of the warehouse: allow the place")
    }
    try check(place)
  }

  /// The properties that name where files go.
  private static let pathProperties = [
    "write.data.path", "write.metadata.path", "write.object-storage.path",
    "write.folder-storage.path",
  ]
}

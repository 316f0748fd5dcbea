// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

/// Snapshots that were let go and whose files are still there: of an expiry that was broken off, and
/// of writers that keep the history short.
///
/// A manifest list that the table does not name and that a metadata file before named is of such a
/// snapshot. One that none named may be of a commit that is under way.
struct Leftovers {
  private let table: Table

  init(_ table: Table) { self.table = table }

  /// Cost: a listing of the metadata folder; if lists are left over, the metadata files before.
  func note(in former: inout FormerSnapshots) async throws(MaintenanceError) {
    var unknown = try await unnamedLists()
    for snapshot in former.snapshots.values { unknown.remove(snapshot) }
    for entry in table.metadata.metadataLog.reversed() {
      if unknown.isEmpty { return }
      if Task.isCancelled { throw .cancelled }
      guard let before = try await metadata(at: entry.location),
        before.uuid == table.metadata.uuid
      else { continue }
      former.note(before, now: table.metadata) { unknown.remove($0) }
    }
  }

  /// The metadata file at `location`; nil if there is none, or it is none.
  private func metadata(at location: String) async throws(MaintenanceError) -> TableMetadata? {
    guard let path = try? ObjectPath(location) else { return nil }
    do throws(CatalogError) {
      return try await MetadataFiles.read(path, in: table.store)
    } catch {
      if error.isDamage { return nil }
      throw .catalog(error)
    }
  }

  /// The manifest lists in the metadata folder that the table does not name.
  private func unnamedLists() async throws(MaintenanceError) -> Set<ObjectPath> {
    var found: Set<ObjectPath> = []
    do throws(StorageError) {
      let location = table.metadata.properties["write.metadata.path"]
      let folder =
        if let location { try ObjectPath(location) } else {
          try ObjectPath(table.metadata.location).appending("metadata")
        }
      for try await object in table.store.list(folder)
      where object.path.name.hasPrefix("snap-") && object.path.name.hasSuffix(".avro") {
        found.insert(object.path)
      }
    } catch {
      throw .storage(error, while: "looking for what is left of former snapshots")
    }
    for snapshot in table.metadata.snapshots { found.remove(snapshot) }
    return found
  }
}

extension Set<ObjectPath> {
  /// True if the manifest list of `snapshot` was among these.
  @discardableResult
  fileprivate mutating func remove(_ snapshot: Snapshot) -> Bool {
    guard let path = snapshot.manifestList.flatMap({ try? ObjectPath($0) }) else { return false }
    return remove(path) != nil
  }
}

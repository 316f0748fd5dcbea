// SPDX-License-Identifier: Apache-2.0
package import Storage

/// What a purge of a table deletes: all that lies in its folder, if that is the table's alone.
///
/// Listings leave symbolic links out, and what is named by the metadata but lies elsewhere stays.
package struct TablePurge: Sendable {
  /// In ascending order of path.
  package let files: [ObjectPath]
  private let store: any ObjectStore

  /// Looks what there is, now: what others put there later, for a new table of the name maybe, stays.
  ///
  /// - Parameter metadataFolders: where the table itself has its metadata files.
  /// - Throws: ``CatalogError/unsupported(what:instead:)`` if another table lies in the folder.
  package init(
    of name: String, in location: ObjectPath, metadataFolders: [ObjectPath],
    store: any ObjectStore
  ) async throws(CatalogError) {
    guard !location.isRoot else {
      throw .unsupported(
        what: "a purge of \(name), whose folder is \(location)", instead: "drop it")
    }
    let objects: [ObjectInfo]
    do throws(StorageError) {
      objects = try await store.listAll(location)
    } catch {
      throw .storage(error, while: "listing the files of \(name)")
    }
    for object in objects where MetadataFiles.isName(object.path.name) {
      guard let folder = object.path.parent, !metadataFolders.contains(folder) else { continue }
      throw .unsupported(
        what: "a purge of \(name), which has another table in its folder",
        instead: "drop \(folder.parent?.text ?? folder.text) first")
    }
    files = objects.map(\.path)
    self.store = store
  }

  /// Deletes the files.
  ///
  /// Cost: a request for each.
  package func run() async throws(StorageError) {
    for file in files { try await store.delete(file) }
  }
}

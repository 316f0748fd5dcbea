// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

extension FilesystemTable {
  /// Takes the table away: its versions go from the lowest up, so that until the last of them is
  /// gone everyone sees the newest state, and from then on no table.
  ///
  /// A commit meanwhile makes the drop fail, and the table stay. With ``DropMode/keepFiles`` the
  /// last metadata is kept under a name no one looks for, to register the table by again.
  package func drop(_ mode: DropMode) async throws(CatalogError) {
    let table = try await load()
    let activity = "dropping \(name)"
    if mode == .keepFiles {
      try await reaching(activity) { () async throws(StorageError) in
        let kept = try layout.path("dropped-\(environment.uuid()).metadata.json")
        _ = try await store.create(kept, MetadataFiles.encode(table.metadata, compressed: false))
      }
    } else {
      try await checkNothingNested(activity)
    }
    try await deleteVersions(upTo: table, activity)
    guard mode == .purge else { return }
    try await reaching(activity) { () async throws(StorageError) in
      for object in try await store.listAll(layout.location) { try await store.delete(object.path) }
    }
  }

  /// Throws if another table lies within this one's folder, which a purge would take with it.
  private func checkNothingNested(_ activity: String) async throws(CatalogError) {
    let objects = try await reaching(activity) {
      () async throws(StorageError) in try await store.listAll(layout.location)
    }
    for object in objects {
      guard let folder = object.path.parent, folder.name == "metadata",
        folder != layout.metadataFolder, FilesystemLayout.version(of: object.path.name) != nil
      else { continue }
      throw .unsupported(
        what: "a purge of \(name), which has another table in its folder",
        instead: "drop \(folder.parent?.text ?? folder.text) first")
    }
  }

  private func deleteVersions(upTo table: Table, _ activity: String) async throws(CatalogError) {
    let objects = try await reaching(activity) {
      () async throws(StorageError) in try await store.listAll(layout.metadataFolder)
    }
    let versions = objects.compactMap { object in
      FilesystemLayout.version(of: object.path.name).map { ($0, object.path) }
    }
    let newest = FilesystemLayout.version(of: table.metadataLocation.name) ?? 0
    guard versions.allSatisfy({ $0.0 <= newest }) else {
      throw .storage(
        .conditionFailed(path: table.metadataLocation), while: "\(activity), which was changed")
    }
    try await reaching(activity) { () async throws(StorageError) in
      try await store.delete(layout.hint())
      for (_, path) in versions.sorted(by: { $0.0 < $1.0 }) { try await store.delete(path) }
      try await store.delete(layout.lowestVersion())
    }
  }
}

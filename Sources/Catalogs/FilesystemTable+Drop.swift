// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

extension FilesystemTable {
  /// Takes the table away.
  ///
  /// First the note says that the table is being dropped, from when on no commit counts; then the
  /// versions go from the lowest up, so that until the last of them is gone everyone sees the newest
  /// state, and from then on no table. Last the note says from which number on versions count again:
  /// one that no writer of this table can aim at, however long it slept. The note stays, also after
  /// a purge.
  ///
  /// A commit that came before the note goes with the table. A drop that was broken off is finished
  /// by another one. With ``DropMode/keepFiles`` the last metadata is kept under a name no one looks
  /// for, to register the table by again.
  package func drop(_ mode: DropMode) async throws(CatalogError) {
    let table = try await load()
    let activity = "dropping \(name)"
    if mode == .purge {
      // What is deleted is listed again once no commit counts any more.
      _ = try await TablePurge(
        of: name, in: layout.location, metadataFolders: [layout.metadataFolder], store: store)
    }
    try await reaching(activity) { () async throws(StorageError) in
      let newest = FilesystemLayout.version(of: table.metadataLocation.name) ?? 0
      let (note, versions) = try await closeTable(at: newest)
      if mode == .keepFiles, let last = versions.last { try await keep(last) }
      for version in versions.dropLast() { try await store.delete(version.path) }
      // While the last one is there, a drop that was broken off can be begun again.
      if mode == .purge { try await deleteFiles(but: versions.last) }
      if let last = versions.last { try await store.delete(last.path) }
      try await endDrop(note)
    }
  }

  /// Notes that the table is being dropped; returns the note, and all versions that there are, in
  /// ascending order.
  private func closeTable(
    at newest: Int
  ) async throws(StorageError) -> (LowestVersion, [Version]) {
    var newest = newest
    while true {
      // A writer that knows of the newest version may make the next one, later; none the one after.
      var note = LowestVersion(newest + 2, isDropping: true)
      note.number = max(note.number, try await lowestVersion()?.number ?? 0)
      _ = try await store.put(note.bytes, to: layout.lowestVersion(), if: .none)
      // A commit that found the hint in its place came before this; one that did not reads the note.
      try await store.delete(layout.hint())
      // What was committed before the note, this listing shows.
      let versions = try await versions()
      guard let last = versions.last, last.number + 2 > note.number else { return (note, versions) }
      newest = last.number
    }
  }

  /// Says that a new table may begin at the number of `note`, unless that was said before.
  func endDrop(_ note: LowestVersion) async throws(StorageError) {
    let path = try layout.lowestVersion()
    let info = try await store.head(path)
    let found = try await store.get(path, range: 0..<64)
    guard LowestVersion(found) == note else { return }
    do throws(StorageError) {
      _ = try await store.put(
        LowestVersion(note.number).bytes, to: path, if: .matches(info.version))
    } catch {
      // Someone else said it.
      guard case .conditionFailed = error else { throw error }
    }
  }

  private func versions() async throws(StorageError) -> [Version] {
    var versions: [Version] = []
    for object in try await store.listAll(layout.metadataFolder)
    where object.path.parent == layout.metadataFolder {
      if let number = FilesystemLayout.version(of: object.path.name) {
        versions.append(Version(number: number, path: object.path))
      }
    }
    return versions.sorted { $0.number < $1.number }
  }

  /// Keeps the bytes of `version` under another name.
  private func keep(_ version: Version) async throws(StorageError) {
    let bytes = try await store.get(version.path, limit: MetadataFiles.byteCountLimit)
    _ = try await store.create(
      layout.path("dropped-\(environment.uuid()).metadata.json"), bytes)
  }

  /// Deletes all files of the table but the note and `last`.
  private func deleteFiles(but last: Version?) async throws(StorageError) {
    let note = try layout.lowestVersion()
    for object in try await store.listAll(layout.location)
    where object.path != note && object.path != last?.path {
      try await store.delete(object.path)
    }
  }
}

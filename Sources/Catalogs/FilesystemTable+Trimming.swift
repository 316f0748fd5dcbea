// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

extension FilesystemTable {
  /// Deletes old versions of the table's metadata.
  ///
  /// First the note says from which version on they count, so that a writer that slept over it learns
  /// that the slot it creates was used; then versions are deleted from the lowest up. The newest
  /// `count` stay, and all that the store has had for less than `age`.
  ///
  /// - Parameter count: at least 100, whatever is asked for.
  /// - Returns: how many were deleted.
  /// Cost: a listing of the metadata folder; a request for each version that goes.
  package func trimVersions(
    keeping count: Int, olderThan age: Duration
  ) async throws(CatalogError) -> Int {
    let table = try await load()
    guard let newest = FilesystemLayout.version(of: table.metadataLocation.name) else { return 0 }
    let limit = environment.now().adding(.zero - age)
    return try await reaching("trimming the versions of \(name)") {
      () async throws(StorageError) in
      var lowest = newest - max(100, count) + 1
      var versions: [Version] = []
      for object in try await store.listAll(layout.metadataFolder)
      where object.path.parent == layout.metadataFolder {
        guard let number = FilesystemLayout.version(of: object.path.name) else { continue }
        versions.append(Version(number: number, path: object.path))
        if object.modified >= limit { lowest = min(lowest, number) }
      }
      let gone = versions.filter { $0.number < lowest }.sorted { $0.number < $1.number }
      guard !gone.isEmpty, try await raiseNote(to: lowest), try await raiseHint(to: lowest) else {
        return 0
      }
      for version in gone { try await store.delete(version.path) }
      return gone.count
    }
  }

  /// Notes that versions count from `lowest` on.
  ///
  /// - Returns: false if the table is being dropped, or someone else notes something.
  private func raiseNote(to lowest: Int) async throws(StorageError) -> Bool {
    let path = try layout.lowestVersion()
    guard let info = try await store.headIfPresent(path) else {
      return try await put(LowestVersion(lowest).bytes, to: path, if: .absent)
    }
    if let note = LowestVersion(try await store.get(path, range: 0..<64)) {
      if note.isDropping { return false }
      if note.number >= lowest { return true }
    }
    return try await put(LowestVersion(lowest).bytes, to: path, if: .matches(info.version))
  }

  /// Sees to it that the hint names no version below `lowest`: readers would look below the gap.
  ///
  /// - Returns: false if someone else moves it.
  private func raiseHint(to lowest: Int) async throws(StorageError) -> Bool {
    let hint = try layout.hint()
    guard let info = try await store.headIfPresent(hint) else { return true }
    let found = try await store.get(hint, range: 0..<64)
    if let noted = FilesystemLayout.number(in: found), noted >= lowest { return true }
    return try await put(Buffer(utf8: "\(lowest)"), to: hint, if: .matches(info.version))
  }

  /// False if `condition` does not hold.
  private func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> Bool {
    do throws(StorageError) {
      _ = try await store.put(bytes, to: path, if: condition)
      return true
    } catch {
      if case .conditionFailed = error { return false }
      throw error
    }
  }
}

extension Table {
  /// Deletes old versions of the table's metadata, where the table is kept in a store alone; see
  /// ``FilesystemTable``.
  ///
  /// - Returns: how many were deleted.
  package func trimVersions(
    keeping count: Int, olderThan age: Duration
  ) async throws(CatalogError) -> Int {
    guard let home = home as? FilesystemTable else { return 0 }
    return try await home.trimVersions(keeping: count, olderThan: age)
  }
}

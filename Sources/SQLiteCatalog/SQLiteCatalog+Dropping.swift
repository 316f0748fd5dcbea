// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Storage

extension SQLiteCatalog {
  /// Takes the row away, and then deletes the files that were in the table's folder before: what is
  /// put there later is another table's. A purge that is broken off leaves files that no row names.
  public func dropTable(
    _ identifier: TableIdentifier, _ mode: DropMode
  ) async throws(CatalogError) {
    switch mode {
    case .keepFiles:
      let (namespace, name) = try key(of: identifier)
      let isGone = try await access.write("dropping \(identifier)", absent: false) {
        [self] connection, isRepeated throws(SQLFailure) in
        let rows = try rows(connection)
        guard let entry = try rows.entry(namespace, name), entry.isTable else { return isRepeated }
        return try rows.delete(namespace, name)
      }
      guard isGone else { throw .tableNotFound(identifier.description) }
    case .purge:
      for _ in 1...20 {
        if try await purge(identifier, as: try await loadTable(identifier)) { return }
      }
      throw .storage(
        .conditionFailed(path: access.file), while: "dropping \(identifier), which others commit to"
      )
    }
  }

  /// False if someone committed to the table meanwhile.
  private func purge(
    _ identifier: TableIdentifier, as table: Table
  ) async throws(CatalogError) -> Bool {
    let (namespace, name) = try key(of: identifier)
    let folder = try path(table.metadata.location, of: identifier)
    try checkOwn(folder, of: identifier)
    let metadataFolders = [table.metadataLocation.parent, try? folder.appending("metadata")]
    let purge = try await TablePurge(
      of: identifier.description, in: folder, metadataFolders: metadataFolders.compactMap(\.self),
      store: table.store)
    let pointer = table.metadataLocation.text
    let answer = try await access.write("dropping \(identifier)") {
      [self] connection, isRepeated throws(SQLFailure) -> PurgeAnswer in
      let rows = try rows(connection)
      guard let entry = try rows.entry(namespace, name), entry.isTable else {
        return isRepeated ? .isDropped : .isMoved
      }
      guard entry.location == pointer else { return .isMoved }
      if let other = try rows.locations(but: namespace, name).first(where: {
        Self.shares(folder, with: $0)
      }) {
        return .isShared(other)
      }
      return try rows.delete(namespace, name) ? .isDropped : .isMoved
    }
    switch answer {
    case .isMoved: return false
    case .isShared(let other):
      throw .unsupported(
        what: "a purge of \(identifier), whose folder \(folder) the table of \(other) shares",
        instead: "drop it without a purge")
    case .isDropped: break
    }
    do throws(StorageError) {
      try await purge.run()
    } catch {
      throw .storage(error, while: "deleting the files of \(identifier), which is dropped")
    }
    return true
  }

  private enum PurgeAnswer {
    case isDropped
    case isMoved
    case isShared(String)
  }

  /// Throws if `folder` is more than a table's: the warehouse itself, or where the catalog lies.
  private func checkOwn(
    _ folder: ObjectPath, of identifier: TableIdentifier
  ) throws(CatalogError) {
    let whole = (warehouse.map { [$0] } ?? []) + allowedLocations + [access.file]
    guard let other = whole.first(where: { folder.contains($0) }) else { return }
    throw .unsupported(
      what: "a purge of \(identifier), whose folder \(folder) has \(other) in it",
      instead: "drop it without a purge")
  }

  /// True if the table whose metadata lies at `pointer` has its files in `folder`, or around it.
  static func shares(_ folder: ObjectPath, with pointer: String) -> Bool {
    guard let file = try? ObjectPath(pointer), let parent = file.parent else { return false }
    let other = parent.name == "metadata" ? parent.parent ?? parent : parent
    return folder.contains(file) || other.contains(folder)
  }
}

// SPDX-License-Identifier: Apache-2.0
package import Catalogs
package import Iceberg

/// What was committed to a branch after some snapshot.
package struct ConcurrentChanges {
  /// Data files with rows the table did not have: those that only stand for others are not among
  /// them.
  package private(set) var addedRows: [ManifestEntry] = []
  /// Data files that stand for others, with rows the table had.
  package private(set) var replacedRows: [ManifestEntry] = []
  /// Delete files.
  package private(set) var addedDeletes: [ManifestEntry] = []
  /// Data files that are gone, by whatever kind of change.
  package private(set) var removedFiles: [ManifestEntry] = []
  /// Delete files that are gone.
  package private(set) var removedDeletes: [ManifestEntry] = []
  /// Commits that added rows as well as deletes: rows may have been changed, and not just deleted.
  package private(set) var overwrites: Set<SnapshotID> = []

  /// - Throws: ``CommitError/conflict(_:)`` if `since` is not in the history of `head`.
  package init(
    of table: Table, since: SnapshotID?, until head: Snapshot?
  ) async throws(CommitError) {
    for snapshot in try Self.snapshots(of: table, since, head) {
      if snapshot.operation == .overwrite { overwrites.insert(snapshot.id) }
      let manifests = try await table.manifestList(of: snapshot)?.manifests ?? []
      // What a snapshot changed is told by the manifests it added, and by no others.
      let own = manifests.filter { $0.addedSnapshotID == snapshot.id }
      for (manifest, entries) in try await table.entries(of: own) {
        for entry in entries where entry.snapshotID == snapshot.id {
          note(entry, manifest.content, snapshot)
        }
      }
    }
  }

  /// How the files of a state differ from those of `head`, whatever lies between: where the history is
  /// not known any more, or there is none that leads from one to the other.
  ///
  /// All new data files are among ``addedRows``. Rows that were deleted may be back: of
  /// ``removedDeletes`` it is not known that others do what they did.
  /// Cost: all manifests of `head`.
  package init(
    of table: Table, since data: [ManifestEntry], _ deletes: [ManifestEntry],
    until head: Snapshot?
  ) async throws(CommitError) {
    var known: [DataFile.Identity: ManifestEntry] = [:]
    for entry in data + deletes { known[entry.file.identity] = entry }
    var manifests: [ManifestFile] = []
    if let head { manifests = try await table.manifestList(of: head)?.manifests ?? [] }
    for (manifest, entries) in try await table.entries(of: manifests.filter(\.mayHaveLiveFiles)) {
      for entry in entries where entry.isLive {
        guard known.removeValue(forKey: entry.file.identity) == nil else { continue }
        if manifest.content == .data { addedRows.append(entry) } else { addedDeletes.append(entry) }
      }
    }
    for entry in data where known[entry.file.identity] != nil { removedFiles.append(entry) }
    for entry in deletes where known[entry.file.identity] != nil { removedDeletes.append(entry) }
  }

  private static func snapshots(
    of table: Table, _ since: SnapshotID?, _ head: Snapshot?
  ) throws(CommitError) -> [Snapshot] {
    guard let head else {
      if let since { throw .conflict(.historyIsGone(since)) }
      return []
    }
    var snapshots: [Snapshot] = []
    for snapshot in table.metadata.ancestry(of: head.id) {
      if snapshot.id == since { return snapshots }
      snapshots.append(snapshot)
    }
    if let since { throw .conflict(.historyIsGone(since)) }
    return snapshots
  }

  private mutating func note(
    _ entry: ManifestEntry, _ content: ManifestFile.Content, _ snapshot: Snapshot
  ) {
    switch (entry.status, content) {
    case (.added, .deletes): addedDeletes.append(entry)
    case (.added, .data):
      if snapshot.operation == .replace {
        replacedRows.append(entry)
      } else {
        addedRows.append(entry)
      }
    case (.deleted, .data): removedFiles.append(entry)
    case (.deleted, .deletes): removedDeletes.append(entry)
    case (.existing, _): break
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

/// Snapshots that a table no longer has, and statistics of them.
struct FormerSnapshots: Sendable {
  var snapshots: [SnapshotID: Snapshot] = [:]
  var statistics: Set<String> = []

  /// Notes what `before` had and `now` has not.
  mutating func note(
    _ before: TableMetadata, now: TableMetadata, where isThere: (Snapshot) -> Bool = { _ in true }
  ) {
    for snapshot in before.snapshots where now.snapshot(snapshot.id) == nil && isThere(snapshot) {
      snapshots[snapshot.id] = snapshot
    }
    let files =
      before.statistics.map { ($0.snapshotID, $0.path) }
      + before.partitionStatistics.map { ($0.snapshotID, $0.path) }
    for (id, path) in files where snapshots[id] != nil { statistics.insert(path) }
  }
}

/// The files that only snapshots need which a table no longer has.
///
/// Law: a file is among them only if no entry of a manifest of the table has it live, and nothing else
/// of the table names it. What entries say of removed files counts for nothing: such a file may
/// have been added again.
///
/// Cost: a request for each manifest list, and one for each manifest that is the table's or was a
/// former snapshot's: none is read twice. The table's own manifests are read only where former
/// ones name files, and no further than is needed to know of each that it is in use.
struct UnreachableFiles {
  /// Data and delete files.
  private(set) var contents: Set<ObjectPath> = []
  private(set) var manifests: Set<ObjectPath> = []
  private(set) var lists: Set<ObjectPath> = []
  private(set) var statistics: Set<ObjectPath> = []
  /// What could not be read of former snapshots: the files that it alone names are left alone.
  private(set) var problems: [String] = []

  private static let concurrency = 8

  /// - Throws: ``MaintenanceError/unreadable(file:reason:)`` if something of the table itself can't
  ///   be read: what it needs is not known then.
  init(_ former: FormerSnapshots, notIn table: Table) async throws(MaintenanceError) {
    let files = ManifestFiles(table)
    let (kept, keptFiles) = try await Self.manifests(of: table, files)
    var named = Set<ObjectPath>()
    for reference in table.metadata.referencedFiles() {
      named.insert(try Self.own(reference.path))
    }
    let formerFiles = try await note(former, files, kept, named)
    let candidates = try await contents(of: formerFiles, files)
    contents = try await Self.without(candidates, keptFiles, files)
    for path in former.statistics {
      if let path = try? ObjectPath(path), !named.contains(path) { statistics.insert(path) }
    }
  }

  /// The paths of the manifests of all snapshots of `table`, and the manifests themselves.
  static func manifests(
    of table: Table, _ files: ManifestFiles
  ) async throws(MaintenanceError) -> (Set<ObjectPath>, [ManifestFile]) {
    var kept: Set<ObjectPath> = []
    var manifests: [ManifestFile] = []
    let snapshots = Array(table.metadata.snapshots)
    for some in snapshots.chunks(of: 64) {
      if Task.isCancelled { throw .cancelled }
      let lists = try await mapConcurrently(some, limit: concurrency) {
        snapshot throws(MaintenanceError) -> [ManifestFile] in
        do throws(CatalogError) { return try await files.list(of: snapshot).manifests } catch {
          throw .needed(snapshot.manifestList ?? "snapshot \(snapshot.id.rawValue)", error)
        }
      }
      for manifest in lists.joined() where kept.insert(try own(manifest.path)).inserted {
        manifests.append(manifest)
      }
    }
    return (kept, manifests)
  }

  /// The path of a file that the table names.
  static func own(_ path: String) throws(MaintenanceError) -> ObjectPath {
    do throws(StorageError) { return try ObjectPath(path) } catch {
      throw .unreadable(file: path, reason: "\(error)")
    }
  }

  /// The manifests of former snapshots that no snapshot has now; their lists are noted.
  private mutating func note(
    _ former: FormerSnapshots, _ files: ManifestFiles, _ kept: Set<ObjectPath>,
    _ named: Set<ObjectPath>
  ) async throws(MaintenanceError) -> [ManifestFile] {
    var found: [ManifestFile] = []
    let snapshots = former.snapshots.values.sorted { $0.id < $1.id }
    for some in snapshots.chunks(of: 64) {
      if Task.isCancelled { throw .cancelled }
      let lists = try await mapConcurrently(some, limit: Self.concurrency) {
        snapshot throws(MaintenanceError) -> Result<[ManifestFile], CatalogError> in
        try await Self.former { () async throws(CatalogError) in
          try await files.list(of: snapshot).manifests
        }
      }
      for (snapshot, list) in zip(some, lists) {
        let path = snapshot.manifestList.flatMap { try? ObjectPath($0) }
        switch list {
        case .success(let list):
          if let path, !named.contains(path) { self.lists.insert(path) }
          for manifest in list {
            guard let path = try? ObjectPath(manifest.path), !kept.contains(path),
              manifests.insert(path).inserted
            else { continue }
            found.append(manifest)
          }
        case .failure(let error):
          // One that is gone was cleaned up before.
          if !error.isMissingFile { problems.append("\(error)") }
        }
      }
    }
    return found
  }

  /// The live files of `manifests`.
  private mutating func contents(
    of manifests: [ManifestFile], _ files: ManifestFiles
  ) async throws(MaintenanceError) -> Set<ObjectPath> {
    var found: Set<ObjectPath> = []
    for some in manifests.chunks(of: 64) {
      if Task.isCancelled { throw .cancelled }
      let results = try await mapConcurrently(some, limit: Self.concurrency) {
        manifest throws(MaintenanceError) -> Result<[ManifestEntry], CatalogError> in
        try await Self.former { () async throws(CatalogError) in
          try await files.entries(of: manifest, .liveFiles)
        }
      }
      for result in results {
        switch result {
        case .success(let entries):
          for entry in entries {
            if let path = try? ObjectPath(entry.file.path) { found.insert(path) }
          }
        case .failure(let error): problems.append("\(error)")
        }
      }
    }
    return found
  }

  /// What `read` gives of a former snapshot; damage is a result, and anything else an error.
  private static func former<Value>(
    _ read: () async throws(CatalogError) -> Value
  ) async throws(MaintenanceError) -> Result<Value, CatalogError> {
    do throws(CatalogError) {
      return .success(try await read())
    } catch {
      guard error.isDamage else { throw .catalog(error) }
      return .failure(error)
    }
  }

  /// `candidates` without those that are live in `manifests`.
  private static func without(
    _ candidates: Set<ObjectPath>, _ manifests: [ManifestFile], _ files: ManifestFiles
  ) async throws(MaintenanceError) -> Set<ObjectPath> {
    var candidates = candidates
    for some in manifests.filter(\.mayHaveLiveFiles).chunks(of: 64) {
      if candidates.isEmpty { break }
      if Task.isCancelled { throw .cancelled }
      let entries = try await mapConcurrently(some, limit: concurrency) {
        manifest throws(MaintenanceError) -> [ManifestEntry] in
        do throws(CatalogError) { return try await files.entries(of: manifest, .liveFiles) } catch {
          throw .needed(manifest.path, error)
        }
      }
      for entry in entries.joined() { candidates.remove(try own(entry.file.path)) }
    }
    return candidates
  }
}

extension MaintenanceError {
  /// That `file`, which the table needs, can't be read.
  static func needed(_ file: String, _ error: CatalogError) -> MaintenanceError {
    error.isDamage ? .unreadable(file: file, reason: "\(error)") : .catalog(error)
  }
}

extension Array {
  /// The elements, `count` at a time.
  func chunks(of count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: count).map {
      Array(self[$0..<Swift.min($0 + count, self.count)])
    }
  }
}

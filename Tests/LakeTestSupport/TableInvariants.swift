// SPDX-License-Identifier: Apache-2.0
import Lake

/// Checks what must hold of a table whatever was done to it, by reading the store it lies in.
///
/// - I1, linear history: versions follow each other without a gap, each names the one before in its
///   log, and the snapshots of a branch are one chain.
/// - I5, no dangling reference: what is reachable from the newest version exists, as long as it is
///   said to be.
/// - I8, sequence numbers ascend along the chain, and no entry is older than its manifest's minimum.
public struct TableInvariants: Sendable {
  private let location: ObjectPath
  private let store: any ObjectStore

  public init(_ location: ObjectPath, in store: any ObjectStore) {
    self.location = location
    self.store = store
  }

  /// What does not hold; empty if all is well.
  ///
  /// - Parameter acknowledged: snapshots that must be in the history of the main branch.
  public func violations(acknowledged: [SnapshotID] = []) async throws -> [String] {
    let versions = try await versions()
    guard let newest = versions.last else { return ["I1: there is no version"] }
    var found = try await linearity(versions)
    let table = try await TableAtLocation.open(newest.path, store: store)
    found += history(table.metadata, acknowledged)
    let files = FilesOnce(table: table)
    for snapshot in table.metadata.snapshots { found += try await references(of: snapshot, files) }
    return found
  }

  /// What does not hold of a table that a catalog keeps the newest state of: its earlier ones are
  /// those its log names.
  public static func violations(
    of table: Table, acknowledged: [SnapshotID] = []
  ) async throws -> [String] {
    let checks = TableInvariants(try ObjectPath(table.metadata.location), in: table.store)
    let paths = try table.metadata.metadataLog.map { try ObjectPath($0.location) }
    let versions = (paths + [table.metadataLocation]).enumerated().map {
      Version(number: $0.offset, path: $0.element)
    }
    var found = try await checks.linearity(versions)
    found += checks.history(table.metadata, acknowledged)
    let files = FilesOnce(table: table)
    for snapshot in table.metadata.snapshots {
      found += try await checks.references(of: snapshot, files)
    }
    return found
  }

  /// The files under the table's location that its newest version does not reach, names only.
  public func orphans() async throws -> [String] {
    let versions = try await versions()
    var reachable = Set(versions.map(\.path))
    for name in ["version-hint.text", "lake-lowest-version.text"] {
      reachable.insert(try location.appending(relativePath: "metadata/" + name))
    }
    if let newest = versions.last {
      let table = try await TableAtLocation.open(newest.path, store: store)
      let files = FilesOnce(table: table)
      for snapshot in table.metadata.snapshots {
        if let list = snapshot.manifestList { reachable.insert(try ObjectPath(list)) }
        for manifest in try await files.list(of: snapshot).manifests {
          reachable.insert(try ObjectPath(manifest.path))
          for entry in try await files.entries(of: manifest) {
            reachable.insert(try ObjectPath(entry.file.path))
          }
        }
      }
    }
    return try await store.listAll(location).map(\.path).filter { !reachable.contains($0) }
      .map(\.name)
  }

  // MARK: I1

  private struct Version {
    let number: Int
    let path: ObjectPath
  }

  private func versions() async throws -> [Version] {
    let folder = try location.appending("metadata")
    return try await store.listAll(folder).compactMap { info in
      let name = info.path.name
      guard name.hasPrefix("v"), name.hasSuffix(".metadata.json"),
        let number = Int(name.dropFirst().prefix { $0.isNumber })
      else { return nil }
      return Version(number: number, path: info.path)
    }.sorted { $0.number < $1.number }
  }

  private func linearity(_ versions: [Version]) async throws -> [String] {
    var found: [String] = []
    var previous: (version: Version, metadata: TableMetadata)?
    for version in versions {
      let metadata = try await TableAtLocation.open(version.path, store: store).metadata
      if let previous {
        if version.number != previous.version.number + 1 {
          found.append("I1: version \(version.number) follows \(previous.version.number)")
        }
        if metadata.uuid != previous.metadata.uuid {
          found.append("I1: version \(version.number) is of another table")
        }
        if metadata.metadataLog.last?.location != previous.version.path.text {
          found.append("I1: version \(version.number) does not name the one before it")
        }
        let kept = Set(metadata.snapshots.map(\.id))
        for lost in previous.metadata.snapshots where !kept.contains(lost.id) {
          found.append("I1: version \(version.number) lost snapshot \(lost.id.rawValue)")
        }
      }
      previous = (version, metadata)
    }
    return found
  }

  private func history(
    _ metadata: TableMetadata, _ acknowledged: [SnapshotID]
  ) -> [String] {
    var found: [String] = []
    var chain: [Snapshot] = []
    var next = metadata.currentSnapshot
    while let snapshot = next, chain.count <= metadata.snapshots.count {
      chain.append(snapshot)
      next = snapshot.parentID.flatMap { metadata.snapshot($0) }
      if snapshot.parentID != nil, next == nil {
        found.append("I1: snapshot \(snapshot.id.rawValue) has a parent that is not there")
      }
      // Snapshots of version 1 have none, and keep it that way when the table is upgraded.
      let isNumbered = snapshot.sequenceNumber.rawValue > 0
      if isNumbered, let next, next.sequenceNumber >= snapshot.sequenceNumber {
        found.append("I8: snapshot \(snapshot.id.rawValue) is not after its parent")
      }
    }
    if chain.count > metadata.snapshots.count { found.append("I1: snapshots form a circle") }
    if let newest = chain.first, newest.sequenceNumber > metadata.lastSequenceNumber {
      found.append("I8: the last sequence number is \(metadata.lastSequenceNumber.rawValue)")
    }
    let ids = Set(chain.map(\.id))
    for id in acknowledged where !ids.contains(id) {
      found.append("I1: snapshot \(id.rawValue) was acknowledged, and is not in the history")
    }
    return found
  }

  // MARK: I5 and I8

  /// The manifests of a table, each read once: every snapshot lists those before it again.
  private final class FilesOnce {
    private let files: ManifestFiles
    private let store: any ObjectStore
    private var entries: [ManifestFile: [ManifestEntry]] = [:]
    private var lengths: [String: Int64] = [:]

    init(table: Table) {
      files = ManifestFiles(table)
      store = table.store
    }

    func list(of snapshot: Snapshot) async throws(CatalogError) -> ManifestList {
      try await files.list(of: snapshot)
    }

    func entries(of manifest: ManifestFile) async throws(CatalogError) -> [ManifestEntry] {
      if let known = entries[manifest] { return known }
      let read = try await files.entries(of: manifest, .all)
      entries[manifest] = read
      return read
    }

    /// What is wrong with the length of the file at `path`, if anything.
    func length(of path: String, _ expected: Int64) async throws -> [String] {
      if lengths[path] == expected { return [] }
      guard let info = try await store.headIfPresent(ObjectPath(path)) else {
        return ["I5: \(path) does not exist"]
      }
      lengths[path] = info.byteCount
      return info.byteCount == expected
        ? [] : ["I5: \(path) has \(info.byteCount) bytes, expected \(expected)"]
    }
  }

  private func references(of snapshot: Snapshot, _ files: FilesOnce) async throws -> [String] {
    let list: ManifestList
    do {
      list = try await files.list(of: snapshot)
    } catch {
      return ["I5: the manifest list of \(snapshot.id.rawValue): \(error)"]
    }
    var found: [String] = []
    var rows: Int64 = 0
    var paths: Set<DataFile.Identity> = []
    for manifest in list.manifests {
      found += try await files.length(of: manifest.path, manifest.byteCount)
      let entries: [ManifestEntry]
      do {
        entries = try await files.entries(of: manifest)
      } catch {
        found.append("I5: manifest \(manifest.path): \(error)")
        continue
      }
      if manifest.sequenceNumber > snapshot.sequenceNumber {
        found.append("I8: manifest \(manifest.path) is newer than its snapshot")
      }
      for entry in entries where entry.isLive {
        found += try await check(entry, manifest, snapshot, files)
        if !paths.insert(entry.file.identity).inserted {
          found.append("I2: \(entry.file.path) is in snapshot \(snapshot.id.rawValue) twice")
        }
        if entry.file.content == .data { rows += entry.file.recordCount }
      }
    }
    if let total = snapshot.summary["total-records"].flatMap(Int64.init), total != rows {
      found.append("snapshot \(snapshot.id.rawValue) says \(total) rows, its files have \(rows)")
    }
    return found
  }

  private func check(
    _ entry: ManifestEntry, _ manifest: ManifestFile, _ snapshot: Snapshot,
    _ files: FilesOnce
  ) async throws -> [String] {
    var found = try await files.length(of: entry.file.path, entry.file.byteCount)
    if entry.sequenceNumber < manifest.minSequenceNumber {
      found.append("I8: \(entry.file.path) is older than the minimum of its manifest")
    }
    if entry.sequenceNumber > manifest.sequenceNumber {
      found.append("I8: \(entry.file.path) is newer than its manifest")
    }
    // What stands for other files is as old as they are.
    let isReplacement = snapshot.operation == .replace && entry.file.content == .data
    if entry.status == .added, entry.snapshotID == snapshot.id, !isReplacement,
      entry.sequenceNumber != snapshot.sequenceNumber
    {
      found.append("I8: \(entry.file.path) has not the sequence number of its commit")
    }
    return found
  }
}

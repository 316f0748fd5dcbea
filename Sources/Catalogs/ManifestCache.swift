// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Iceberg
internal import Storage
internal import Synchronization

/// Manifests and manifest lists that were read, kept for whoever plans next: they never change.
///
/// Shared by the tables of a catalog, each of which sees only what was read for itself.
///
/// Law: an answer is what reading the file would give. Memory is bounded: what was not used for
/// longest goes first.
public final class ManifestCache: Sendable {
  private let byteLimit: Int
  private let state: Mutex<RecentlyUsed<Key, Content>>
  let decoders = ManifestDecoders()

  private enum Key: Hashable {
    case list(scope: String, path: String)
    case manifest(scope: String, path: String, ManifestProjection)
  }

  private enum Content {
    case list(ManifestList)
    case manifest(Manifest)
  }

  /// What of a manifest's entries does not stand in its file, and what does.
  private struct Manifest {
    let file: ManifestFile
    let layout: PartitionLayout
    let entries: [ManifestEntry]
  }

  /// - Parameter byteLimit: about how much memory is kept; 0 for none.
  public init(byteLimit: Int = 128 << 20) {
    self.byteLimit = byteLimit
    state = Mutex(RecentlyUsed(byteLimit: byteLimit))
  }

  /// About how much memory is kept.
  public var byteCount: Int { state.withLock { $0.byteCount } }

  // MARK: manifests

  func entries(
    _ manifest: ManifestFile, _ layout: PartitionLayout, _ projection: ManifestProjection,
    scope: String
  ) -> [ManifestEntry]? {
    let key = Key.manifest(scope: scope, path: manifest.path, projection)
    guard case .manifest(let found)? = state.withLock({ $0.use(key) }) else { return nil }
    // What entries inherit is told by the list, and what their partitions are by the schema.
    return found.file == manifest && found.layout == layout ? found.entries : nil
  }

  func keep(
    _ entries: [ManifestEntry], of manifest: ManifestFile, _ layout: PartitionLayout,
    _ projection: ManifestProjection, scope: String
  ) {
    let content = Manifest(file: manifest, layout: layout, entries: entries)
    keep(
      .manifest(content), byteCount: entries.reduce(512) { $0 + $1.estimatedByteCount },
      for: .manifest(scope: scope, path: manifest.path, projection))
  }

  // MARK: lists

  func list(_ path: String, scope: String) -> ManifestList? {
    let key = Key.list(scope: scope, path: path)
    guard case .list(let list)? = state.withLock({ $0.use(key) }) else { return nil }
    return list
  }

  func keep(_ list: ManifestList, at path: String, scope: String) {
    keep(
      .list(list), byteCount: 512 + list.bytes.count + list.count * 512,
      for: .list(scope: scope, path: path))
  }

  private func keep(_ content: Content, byteCount: Int, for key: Key) {
    // What would drive nearly all else out is read again.
    guard byteCount <= byteLimit / 2 else { return }
    state.withLock { $0.keep(content, byteCount: byteCount, for: key) }
  }
}

extension ManifestEntry {
  /// About how much memory an entry takes.
  fileprivate var estimatedByteCount: Int {
    let array = 32
    var count = MemoryLayout<ManifestEntry>.stride + array + file.path.utf8.count
    count += array + file.partition.values.count * MemoryLayout<Value?>.stride
    for value in file.partition.values {
      if case .string(let text)? = value { count += text.utf8.count + array }
    }
    if let offsets = file.splitOffsets { count += array + offsets.count * 8 }
    if let ids = file.equalityIDs { count += array + ids.count * 4 }
    if let path = file.referencedDataFile { count += array + path.utf8.count }
    if !file.metrics.isEmpty { count += array }
    for column in file.metrics.columns {
      count += MemoryLayout<ColumnMetrics>.stride
      count += column.lowerBound.map { $0.count + array } ?? 0
      count += column.upperBound.map { $0.count + array } ?? 0
    }
    return count
  }
}

extension Table {
  /// What tells this table's files in the cache from other tables'.
  fileprivate var cacheScope: String { metadataLocation.parent?.text ?? metadataLocation.text }
}

extension ManifestFiles {
  /// As ``list(of:)``, without a request if it was read before.
  package func knownList(of snapshot: Snapshot) async throws(CatalogError) -> ManifestList {
    guard case .list(let path) = snapshot.manifests else { return try await list(of: snapshot) }
    if let known = table.manifestCache.list(path, scope: table.cacheScope) { return known }
    let list = try await list(of: snapshot)
    table.manifestCache.keep(list, at: path, scope: table.cacheScope)
    return list
  }

  /// Keeps `list`, which was written at `path`, for whoever goes on from its snapshot.
  ///
  /// Paths are used once, so it does no harm if the snapshot never comes about.
  package func keep(_ list: ManifestList, at path: String) {
    table.manifestCache.keep(list, at: path, scope: table.cacheScope)
  }

  /// As ``entries(of:_:)``, if they were read before and are kept.
  ///
  /// - Parameter layout: of the manifest's spec, in the table.
  package func knownEntries(
    of manifest: ManifestFile, _ layout: PartitionLayout, _ projection: ManifestProjection
  ) -> [ManifestEntry]? {
    table.manifestCache.entries(manifest, layout, projection, scope: table.cacheScope)
  }

  /// As ``entries(of:_:)``; they are kept.
  package func keptEntries(
    of manifest: ManifestFile, _ layout: PartitionLayout, _ projection: ManifestProjection
  ) async throws(CatalogError) -> [ManifestEntry] {
    let entries = try await entries(of: manifest, projection)
    table.manifestCache.keep(entries, of: manifest, layout, projection, scope: table.cacheScope)
    return entries
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
internal import Iceberg
internal import Storage

/// What a table's metadata tells, as rows.
///
/// Names, order and types of columns are those of the reference implementation (1.10), but for
/// `properties` and `partition_statistics`, which it has no tables of; the columns of the latter are
/// those of the specification.
public struct MetadataTable: Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A row a snapshot, in the order they were added.
    case snapshots
    /// Which snapshot was current from when on.
    case history
    /// Branches and tags by name.
    case refs
    /// The metadata files, the current one last.
    case metadataLogEntries = "metadata_log_entries"
    /// Names and values, by name.
    case properties
    /// The manifests of a snapshot.
    case manifests
    /// The live files of a snapshot.
    case files
    case dataFiles = "data_files"
    case deleteFiles = "delete_files"
    /// All lines of the manifests of a snapshot, those of removed files too.
    case entries
    /// What a snapshot has in each partition.
    case partitions
    /// What the statistics file of a snapshot tells of each partition; no rows if it has no file.
    case partitionStatistics = "partition_statistics"
    /// The rows a snapshot deletes by position, of files and of deletion vectors.
    case positionDeletes = "position_deletes"
    /// As those without `all_`, over all snapshots; each manifest counts once.
    case allManifests = "all_manifests"
    case allFiles = "all_files"
    case allDataFiles = "all_data_files"
    case allDeleteFiles = "all_delete_files"
    case allEntries = "all_entries"
  }

  public let kind: Kind
  let table: Table
  private let selection: SnapshotSelection

  /// - Parameter selection: the snapshot that tables of one snapshot are about.
  public init(_ kind: Kind, of table: Table, at selection: SnapshotSelection = .current) {
    self.kind = kind
    self.table = table
    self.selection = selection
  }

  /// The columns of the rows.
  ///
  /// - Throws: ``ScanError/invalidRequest(_:)`` if the table's partition specs fit none of its
  ///   schemas.
  public func fields() throws(ScanError) -> [ColumnField] {
    switch kind {
    case .snapshots: Self.snapshotFields
    case .history: Self.historyFields
    case .refs: Self.referenceFields
    case .metadataLogEntries: Self.metadataLogFields
    case .properties: Self.propertyFields
    case .manifests: Self.manifestFields
    case .allManifests: Self.allManifestsFields
    case .files, .dataFiles, .deleteFiles, .allFiles, .allDataFiles, .allDeleteFiles:
      try FileRows(table.metadata).fields
    case .entries, .allEntries: try FileRows(table.metadata).entryFields
    case .partitions: try PartitionRows(table.metadata).fields
    case .partitionStatistics: try PartitionStatisticsRows(table).fields
    case .positionDeletes: try PositionDeleteRows(table).fields
    }
  }

  /// Hands all rows to `consume`, some at a time; it says whether to go on.
  ///
  /// Cost: what is in the table's metadata takes no request, manifests one for the list of each
  /// snapshot, files and partitions one more for each manifest; position deletes and partition
  /// statistics read their files.
  public func read(
    _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let metadata = table.metadata
    switch kind {
    case .snapshots: try await hand(Self.snapshots(metadata), consume)
    case .history: try await hand(Self.history(metadata), consume)
    case .refs: try await hand(Self.references(metadata), consume)
    case .metadataLogEntries:
      let rows = Self.metadataLog(metadata, current: table.metadataLocation.text)
      try await hand(rows, consume)
    case .properties: try await hand(Self.properties(metadata), consume)
    case .manifests:
      var rows: [[Cell]] = []
      for manifest in try await manifests() { rows.append(try manifestRow(manifest, of: nil)) }
      try await hand(rows, consume)
    case .allManifests: try await readAllManifests(consume)
    case .partitions:
      var partitions = try PartitionRows(metadata)
      try await eachManifest(manifests(), .liveFiles) { _, entries throws(ScanError) in
        for entry in entries { partitions.add(entry) }
        return true
      }
      try await hand(partitions.rows, consume)
    case .partitionStatistics:
      try await PartitionStatisticsRows(table).read(
        of: metadata.state(selection).snapshot, consume)
    case .positionDeletes: try await readPositionDeletes(consume)
    default: try await readFiles(consume)
    }
  }

  private func hand(
    _ rows: [[Cell]], _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    _ = try await consume(RecordBatch(fields(), rows: rows))
  }

  // MARK: manifests

  private func readAllManifests(
    _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    for snapshot in table.metadata.snapshots {
      var rows: [[Cell]] = []
      for manifest in try await list(of: snapshot) {
        rows.append(try manifestRow(manifest, of: snapshot.id))
      }
      guard try await consume(RecordBatch(fields(), rows: rows)) else { return }
    }
  }

  private func list(of snapshot: Snapshot) async throws(ScanError) -> [ManifestFile] {
    do throws(CatalogError) {
      return try await ManifestFiles(table).list(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
  }

  /// The manifests of the snapshot that is asked for.
  private func manifests() async throws(ScanError) -> [ManifestFile] {
    guard let snapshot = try table.metadata.state(selection).snapshot else { return [] }
    return try await list(of: snapshot)
  }

  /// The manifests of all snapshots, each once.
  private func allManifests() async throws(ScanError) -> [ManifestFile] {
    var seen: Set<String> = []
    var found: [ManifestFile] = []
    for snapshot in table.metadata.snapshots {
      for manifest in try await list(of: snapshot) where seen.insert(manifest.path).inserted {
        found.append(manifest)
      }
    }
    return found
  }

  private func readPositionDeletes(
    _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let rows = try PositionDeleteRows(table)
    let manifests = try await manifests().filter { $0.content == .deletes }
    try await eachManifest(manifests, .liveFiles) { _, entries async throws(ScanError) in
      for entry in entries where entry.file.content == .positionDeletes {
        guard try await rows.read(entry.file, consume) else { return false }
      }
      return true
    }
  }

  // MARK: files

  private func readFiles(
    _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let rows = try FileRows(table.metadata)
    var content: ManifestFile.Content?
    var isEntries = false
    var manifests: [ManifestFile]
    switch kind {
    case .allFiles, .allDataFiles, .allDeleteFiles, .allEntries:
      manifests = try await allManifests()
    default: manifests = try await self.manifests()
    }
    switch kind {
    case .dataFiles, .allDataFiles: content = .data
    case .deleteFiles, .allDeleteFiles: content = .deletes
    case .entries, .allEntries: isEntries = true
    default: break
    }
    if let content { manifests.removeAll { $0.content != content } }
    let fields = try fields()
    let projection = ManifestProjection(metrics: .all, liveOnly: !isEntries)
    try await eachManifest(manifests, projection) { _, entries throws(ScanError) in
      let cells = entries.map { isEntries ? rows.row($0) : rows.row($0.file) }
      return cells.isEmpty ? true : try await consume(RecordBatch(fields, rows: cells))
    }
  }

  /// How many manifests are fetched at a time.
  private static let concurrency = 8

  /// Hands on the entries of each manifest, in order.
  private func eachManifest(
    _ manifests: [ManifestFile], _ projection: ManifestProjection,
    _ body: (ManifestFile, [ManifestEntry]) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let files = ManifestFiles(table)
    for start in stride(from: 0, to: manifests.count, by: Self.concurrency) {
      if Task.isCancelled { throw .cancelled }
      let some = Array(manifests[start..<min(start + Self.concurrency, manifests.count)])
      let entries = try await mapConcurrently(some, limit: Self.concurrency) {
        manifest throws(ScanError) in
        do throws(CatalogError) {
          return try await files.entries(of: manifest, projection)
        } catch {
          throw ScanError.catalog(error)
        }
      }
      for (manifest, entries) in zip(some, entries) {
        guard try await body(manifest, entries) else { return }
      }
    }
  }
}

extension Table {
  /// What this table's metadata tells of it, as rows.
  public func metadataTable(
    _ kind: MetadataTable.Kind, at selection: SnapshotSelection = .current
  ) -> MetadataTable { MetadataTable(kind, of: self, at: selection) }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
package import Iceberg
internal import Storage

/// Finds the data files a scan has to read: those that partition values and column metrics can't
/// rule out.
///
/// Law: a file that has a matching row is always kept.
/// Source: Iceberg spec, "Scan Planning".
struct ScanPlanner {
  let table: Table
  let snapshot: Snapshot?
  let schema: Schema
  let filter: BoundPredicate

  /// How many manifests are fetched at a time.
  private static let concurrency = 8

  func plan() async throws(ScanError) -> ScanPlan {
    var counts = PlanCounts()
    guard let snapshot, filter != .alwaysFalse else {
      return ScanPlan(snapshot: snapshot, schema: schema, tasks: [], counts: counts)
    }
    let list = try await list(of: snapshot)
    counts.manifests = list.count
    var kept: [ManifestFile] = []
    for manifest in list where try mightMatch(manifest) { kept.append(manifest) }
    counts.manifestsRead = kept.count
    let deletes = try await deletes(in: kept.filter { $0.content == .deletes })
    counts.deleteFiles = deletes.all
    let index = try DeleteIndex(deletes.kept)
    var applied: Set<ObjectIdentifier> = []
    var tasks: [ScanTask] = []
    kept.removeAll { $0.content == .deletes }
    let projection = ManifestProjection.planning(
      Set(filter.columns.map(\.id)).union(index.equalityIDs))
    for (manifest, entries) in try await entries(of: kept, projection) {
      let spec = try spec(manifest.partitionSpecID)
      let partitions = spec.inclusiveProjection(of: filter)
      for entry in entries {
        counts.dataFiles += 1
        guard partitions.mightMatch(PartitionFacts(entry.file.partition.values, of: spec)),
          filter.mightMatch(DataFileFacts(file: entry.file))
        else { continue }
        counts.dataFilesKept += 1
        let deletes = try index.deletes(of: entry, schema: schema)
        for delete in deletes { applied.insert(ObjectIdentifier(delete)) }
        tasks.append(
          ScanTask(file: entry.file, sequenceNumber: entry.sequenceNumber, deletes: deletes))
      }
    }
    counts.deleteFilesKept = applied.count
    return ScanPlan(snapshot: snapshot, schema: schema, tasks: tasks, counts: counts)
  }

  /// The delete files of `manifests` that may be about rows that match, and how many there are.
  ///
  /// Rows of a partition that the filter leaves out need no deletes.
  private func deletes(
    in manifests: [ManifestFile]
  ) async throws(ScanError) -> (kept: [DeleteFile], all: Int) {
    var kept: [DeleteFile] = []
    var count = 0
    let projection = ManifestProjection(metrics: .all, liveOnly: true)
    for (manifest, entries) in try await entries(of: manifests, projection) {
      let spec = try spec(manifest.partitionSpecID)
      let partitions = spec.inclusiveProjection(of: filter)
      for entry in entries {
        count += 1
        guard partitions.mightMatch(PartitionFacts(entry.file.partition.values, of: spec)),
          let delete = DeleteFile(entry, isGlobal: spec.isUnpartitioned)
        else { continue }
        kept.append(delete)
      }
    }
    return (kept, count)
  }

  private func entries(
    of manifests: [ManifestFile], _ projection: ManifestProjection
  ) async throws(ScanError) -> [(ManifestFile, [ManifestEntry])] {
    let files = ManifestFiles(table)
    return try await mapConcurrently(manifests, limit: Self.concurrency) {
      manifest throws(ScanError) in
      do throws(CatalogError) {
        return (manifest, try await files.entries(of: manifest, projection))
      } catch {
        throw ScanError.catalog(error)
      }
    }
  }

  private func list(of snapshot: Snapshot) async throws(ScanError) -> [ManifestFile] {
    do throws(CatalogError) {
      return try await ManifestFiles(table).list(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
  }

  private func spec(_ id: PartitionSpecID) throws(ScanError) -> PartitionSpec {
    guard let spec = table.metadata.partitionSpec(id) else {
      throw .invalidRequest(.unknownField("partition spec \(id.rawValue)", in: "the table"))
    }
    return spec
  }

  private func mightMatch(_ manifest: ManifestFile) throws(ScanError) -> Bool {
    guard manifest.mayHaveLiveFiles else { return false }
    let spec = try spec(manifest.partitionSpecID)
    guard let summaries = manifest.partitions, summaries.count == spec.fields.count else {
      return true
    }
    do throws(IcebergError) {
      let types = try table.metadata.partitionLayout(spec.id).types
      return spec.inclusiveProjection(of: filter)
        .mightMatch(SummaryFacts(summaries, types: types, of: spec))
    } catch {
      throw .invalidRequest(error)
    }
  }
}

/// What the manifest list tells of the partitions of a manifest's files.
private struct SummaryFacts: ColumnFactsSource {
  private let summaries: [FieldSummary]
  private let types: [PrimitiveType]
  private let spec: PartitionSpec

  init(_ summaries: [FieldSummary], types: [PrimitiveType], of spec: PartitionSpec) {
    self.summaries = summaries
    self.types = types
    self.spec = spec
  }

  func facts(of column: BoundColumn) -> ColumnFacts? {
    guard let index = spec.fields.firstIndex(where: { $0.fieldID == column.id }),
      index < types.count
    else { return nil }
    let summary = summaries[index]
    return ColumnFacts(
      containsNull: summary.containsNull, containsNaN: summary.containsNaN,
      lower: summary.lowerBound, upper: summary.upperBound, type: types[index])
  }
}

/// What a manifest tells of the columns of a data file.
package struct DataFileFacts: ColumnFactsSource {
  private let file: DataFile

  package init(file: DataFile) { self.file = file }

  package func facts(of column: BoundColumn) -> ColumnFacts? {
    if let known = MetadataColumn(column.id) { return facts(of: known) }
    guard let metrics = file.metrics[column.id], let type = column.type.primitive else {
      return nil
    }
    return ColumnFacts(
      valueCount: metrics.valueCount, nullCount: metrics.nullCount, nanCount: metrics.nanCount,
      lower: Value(bound: metrics.lowerBound, as: type),
      upper: Value(bound: metrics.upperBound, as: type), type: type)
  }

  /// What is stored of row lineage is not all that rows have of it, so nothing is told of that.
  private func facts(of column: MetadataColumn) -> ColumnFacts? {
    func constant(_ lower: Value, _ upper: Value, _ type: PrimitiveType) -> ColumnFacts {
      ColumnFacts(
        valueCount: file.recordCount, nullCount: 0, nanCount: nil, lower: lower, upper: upper,
        type: type)
    }
    switch column {
    case .file: return constant(.string(file.path), .string(file.path), .string)
    case .specID:
      let id = Value.int(file.partition.specID.rawValue)
      return constant(id, id, .int)
    case .position: return constant(.long(0), .long(max(0, file.recordCount - 1)), .long)
    case .partition, .rowID, .lastUpdatedSequenceNumber: return nil
    }
  }
}

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
  /// As many rows are enough, if the files that are found have them for certain.
  var rowLimit: Int? = nil

  func plan() async throws(ScanError) -> ScanPlan { try await planAll().plan }

  /// The plan, the manifests of the snapshot, and the delete files that may be about rows that match.
  func planAll() async throws(ScanError) -> (
    plan: ScanPlan, manifests: [ManifestFile], deletes: [DeleteFile]
  ) {
    var counts = PlanCounts()
    guard let snapshot, filter != .alwaysFalse else {
      return (ScanPlan(snapshot: snapshot, schema: schema, tasks: [], counts: counts), [], [])
    }
    let list = try await list(of: snapshot)
    counts.manifests = list.count
    let layouts = try SpecPlans(list, table.metadata, filter)
    var kept: [ManifestFile] = []
    for manifest in list where layouts.mightMatch(manifest) { kept.append(manifest) }
    let deletes = try await deletes(in: kept.filter { $0.content == .deletes }, layouts)
    counts.deleteFiles = deletes.all
    let index = try DeleteIndex(deletes.kept)
    counts.manifestsRead = kept.count
    kept.removeAll { $0.content == .deletes }
    let projection = ManifestProjection.planning(
      Set(filter.columns.map(\.id)).union(index.equalityIDs))
    let planning = ManifestPlanning(
      files: ManifestFiles(table), specs: layouts, filter: filter, deletes: index, schema: schema,
      projection: projection)
    let found = try await planning.plan(kept, until: filter == .alwaysTrue ? rowLimit : nil)
    counts.manifestsRead -= kept.count - found.count
    let plan = ScanPlan(
      snapshot: snapshot, schema: schema, tasks: tasks(found, &counts), counts: counts)
    return (plan, list, deletes.kept)
  }

  private func tasks(_ found: [PlannedManifest], _ counts: inout PlanCounts) -> [ScanTask] {
    var tasks: [ScanTask] = []
    tasks.reserveCapacity(found.reduce(0) { $0 + $1.tasks.count })
    var applied: Set<ObjectIdentifier> = []
    for manifest in found {
      counts.dataFiles += manifest.fileCount
      for task in manifest.tasks {
        for delete in task.deletes { applied.insert(ObjectIdentifier(delete)) }
      }
      tasks.append(contentsOf: manifest.tasks)
    }
    counts.dataFilesKept = tasks.count
    counts.deleteFilesKept = applied.count
    return tasks
  }

  /// What of delete files tells what they are about.
  static let deleteProjection = ManifestProjection(metrics: .all, liveOnly: true)

  /// The delete files of `manifests` that may be about rows that match, and how many there are.
  ///
  /// Rows of a partition that the filter leaves out need no deletes.
  private func deletes(
    in manifests: [ManifestFile], _ specs: SpecPlans
  ) async throws(ScanError) -> (kept: [DeleteFile], all: Int) {
    var kept: [DeleteFile] = []
    var count = 0
    let projection = Self.deleteProjection
    let files = ManifestFiles(table)
    let read = try await mapConcurrently(manifests, limit: ManifestPlanning.concurrency) {
      manifest throws(ScanError) in
      try await files.entries(of: manifest, specs[manifest].layout, projection)
    }
    for (manifest, entries) in zip(manifests, read) {
      let spec = specs[manifest]
      for entry in entries {
        count += 1
        guard spec.mightMatch(entry.file.partition),
          let delete = DeleteFile(entry, isGlobal: spec.layout.spec.isUnpartitioned)
        else { continue }
        kept.append(delete)
      }
    }
    return (kept, count)
  }

  private func list(of snapshot: Snapshot) async throws(ScanError) -> [ManifestFile] {
    do throws(CatalogError) {
      return try await ManifestFiles(table).knownList(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
  }
}

/// What a manifest tells of the columns of a data file.
package struct DataFileFacts: ColumnFactsSource {
  private let file: DataFile

  package init(file: DataFile) { self.file = file }

  package func facts(of column: BoundColumn) -> ColumnFacts? {
    if let known = MetadataColumn(column.id) { return facts(of: known) }
    return ColumnMetricsFacts(metrics: file.metrics).facts(of: column)
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

/// What the metrics of a data file tell of its columns.
struct ColumnMetricsFacts: ColumnFactsSource {
  let metrics: ColumnMetricsList

  func facts(of column: BoundColumn) -> ColumnFacts? {
    guard let metrics = metrics[column.id], let type = column.type.primitive else { return nil }
    return ColumnFacts(
      valueCount: metrics.valueCount, nullCount: metrics.nullCount, nanCount: metrics.nanCount,
      lower: Value(bound: metrics.lowerBound, as: type),
      upper: Value(bound: metrics.upperBound, as: type), type: type)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

extension TableScan {
  /// What a reader of rows has to read: as the table's catalog says, if it wants to plan, and else
  /// as metadata tells.
  ///
  /// Changes of rows are planned by ``plan()``: they go by the ages of files, which a catalog does
  /// not tell of.
  package func readingPlan(until rowCount: Int? = nil) async throws(ScanError) -> ScanPlan {
    guard tasks == nil, let planner = table.planner else { return try await plan(until: rowCount) }
    let (snapshot, schema) = try table.metadata.state(selection)
    let filter = try bind(schema)
    let output = try outputFields(schema)
    guard let snapshot, filter != .alwaysFalse, !needsLineage(output, filter) else {
      return try await plan(until: rowCount)
    }
    let question = PlanQuestion(
      snapshotID: snapshot.id, schema: schema, isSnapshotSchema: isPointInTime,
      columns: hasSelection ? names(output, filter, in: schema) : nil, filter: filter)
    let files: PlannedFiles?
    do throws(CatalogError) {
      files = try await planner.plan(question, of: table)
    } catch {
      if case .storage(.cancelled, _) = error { throw .cancelled }
      throw .catalog(error)
    }
    guard let files else { return try await plan(until: rowCount) }
    return try CatalogPlan(table: table, filter: filter).plan(files, snapshot, schema)
  }

  /// True if a snapshot is read by its own schema.
  private var isPointInTime: Bool {
    switch selection {
    case .current: false
    case .id, .asOf: true
    case .reference(let name): table.metadata.reference(name)?.kind == .tag
    }
  }

  /// True if rows show what hangs on the ages of files.
  private func needsLineage(_ output: [Field], _ filter: BoundPredicate) -> Bool {
    (output.map(\.id) + filter.columns.map(\.id)).contains { id in
      id == MetadataColumn.rowID.fieldID || id == MetadataColumn.lastUpdatedSequenceNumber.fieldID
    }
  }

  /// The columns of `schema` that are read.
  private func names(
    _ output: [Field], _ filter: BoundPredicate, in schema: Schema
  ) -> [String] {
    var names: [String] = []
    for id in output.map(\.id) + filter.columns.map(\.id) {
      if let name = schema.name(of: id), !names.contains(name) { names.append(name) }
    }
    return names
  }
}

/// Makes of what a catalog tells a plan as metadata would have given, and holds it to what can be
/// seen of it.
private struct CatalogPlan {
  let table: Table
  let filter: BoundPredicate

  func plan(
    _ files: PlannedFiles, _ snapshot: Snapshot, _ schema: Schema
  ) throws(ScanError) -> ScanPlan {
    var counts = PlanCounts()
    counts.dataFiles = files.tasks.count
    counts.deleteFiles = files.deletes.count
    var deletes: [DeleteFile] = []
    for file in files.deletes { deletes.append(try delete(file)) }
    var specs: [PartitionSpecID: SpecPlan] = [:]
    var tasks: [ScanTask] = []
    var used: Set<Int> = []
    var paths: Set<PathKey> = []
    for task in files.tasks {
      guard paths.insert(PathKey(task.file.path)).inserted else {
        throw .invalidManifest(
          file: task.file.path, .duplicate("a data file", in: "the catalog's plan"))
      }
      let spec: SpecPlan
      if let known = specs[task.file.partition.specID] {
        spec = known
      } else {
        spec = try self.spec(of: task.file)
        specs[task.file.partition.specID] = spec
      }
      guard spec.mightMatch(task.file.partition),
        filter.mightMatch(DataFileFacts(file: task.file))
      else { continue }
      used.formUnion(task.deletes)
      tasks.append(try scanTask(task, deletes))
    }
    counts.dataFilesKept = tasks.count
    counts.deleteFilesKept = used.count
    return ScanPlan(
      snapshot: snapshot, schema: schema, tasks: tasks, counts: counts, store: files.store)
  }

  private func spec(of file: DataFile) throws(ScanError) -> SpecPlan {
    do throws(IcebergError) {
      return SpecPlan(try table.metadata.partitionLayout(file.partition.specID), filter)
    } catch {
      throw .invalidManifest(file: file.path, error)
    }
  }

  private func delete(_ file: DataFile) throws(ScanError) -> DeleteFile {
    let spec = table.metadata.partitionSpec(file.partition.specID)
    let entry = ManifestEntry(
      status: .existing, snapshotID: SnapshotID(0), sequenceNumber: SequenceNumber(0),
      fileSequenceNumber: nil, file: file)
    guard let delete = DeleteFile(entry, isGlobal: spec?.isUnpartitioned ?? true) else {
      throw .invalidManifest(
        file: file.path, .invalid("a data file among delete files", reason: "it deletes no rows"))
    }
    return delete
  }

  private func scanTask(
    _ planned: PlannedFiles.Task, _ all: [DeleteFile]
  ) throws(ScanError) -> ScanTask {
    var deletes = planned.deletes.map { all[$0] }
    let vectors = deletes.filter { $0.kind == .vector }
    if !vectors.isEmpty {
      let others = vectors.filter { vector in
        PathKey(vector.file.referencedDataFile ?? "") != PathKey(planned.file.path)
      }
      guard vectors.count == 1, others.isEmpty else {
        throw .invalidManifest(
          file: planned.file.path,
          .invalid("its deletion vectors", reason: "there is one of another file, or two"))
      }
      // What the vector tells is all that is deleted by position.
      deletes.removeAll { $0.kind == .positions }
    }
    var task = ScanTask(
      file: planned.file, sequenceNumber: planned.sequenceNumber ?? SequenceNumber(0),
      deletes: deletes)
    task.hasChosenDeletes = true
    return task
  }
}

// SPDX-License-Identifier: Apache-2.0
package import Catalogs
internal import Columnar
package import Iceberg
internal import Storage

// What changes of rows ask of a scan: which files have rows that match, and which rows.

extension TableScan {
  /// The same question to the files of `tasks` alone, which a plan of it had.
  package func of(_ tasks: [ScanTask]) -> TableScan {
    var scan = self
    scan.tasks = tasks
    return scan
  }

  /// The tasks of `plan`, which is of this scan: those of whose files metadata tells that every row
  /// matches, and those that have to be read to know.
  package func decided(
    _ plan: ScanPlan
  ) throws(ScanError) -> (whole: [ScanTask], open: [ScanTask]) {
    let filter = try bind(plan.schema)
    var whole: [ScanTask] = []
    var open: [ScanTask] = []
    for task in plan.tasks {
      if try decided(task, filter) { whole.append(task) } else { open.append(task) }
    }
    return (whole, open)
  }
}

extension Table {
  /// The rows of the files of `tasks` that are deleted by position, one vector a task.
  package func deletedPositions(
    of tasks: [ScanTask]
  ) async throws(ScanError) -> [DeletionVector] {
    let loader = DeleteLoader(tasks, of: self, parallelism: max(1, environment.processorCount))
    var vectors: [DeletionVector] = []
    for task in tasks { vectors.append(try await loader.positions(of: task)) }
    return vectors
  }

  /// The positions of the live rows of the files of `tasks`, which are files of the state
  /// `selection`; one vector a task.
  package func livePositions(
    of tasks: [ScanTask], at selection: SnapshotSelection
  ) async throws(ScanError) -> [DeletionVector] {
    var vectors: [PathKey: DeletionVector] = [:]
    let columns = [MetadataColumn.file.rawValue, MetadataColumn.position.rawValue]
    let scan = scan().at(selection).of(tasks).select(columns)
    try await scan.read { batch throws(ScanError) in
      batch
    } consume: { batch throws(ScanError) in
      // A batch is of one file.
      let path = batch.columns[0].string(0)
      let positions = batch.columns[1]
      do throws(IcebergError) {
        try vectors[PathKey(path), default: DeletionVector()].insert(
          contentsOf: positions.fixedValues(as: Int64.self))
      } catch {
        throw .invalidManifest(file: path, error)
      }
      return true
    }
    return tasks.map { vectors[PathKey($0.file.path)] ?? DeletionVector() }
  }
}

extension Table {
  /// The rows of the data files of `data` that the live delete files of `deletes` delete by position;
  /// one vector a data file.
  package func deletedPositions(
    of data: [ManifestEntry], by deletes: [ManifestEntry]
  ) async throws(ScanError) -> [DeletionVector] {
    var files: [DeleteFile] = []
    for entry in deletes where DeleteKind(entry.file) != .equality {
      let spec = metadata.partitionSpec(entry.file.partition.specID)
      if let file = DeleteFile(entry, isGlobal: spec?.isUnpartitioned ?? true) {
        files.append(file)
      }
    }
    let index = try DeleteIndex(files)
    var tasks: [ScanTask] = []
    for entry in data {
      tasks.append(
        ScanTask(
          file: entry.file, sequenceNumber: entry.sequenceNumber,
          deletes: try index.deletes(of: entry, schema: metadata.currentSchema)))
    }
    return try await deletedPositions(of: tasks)
  }
}

// SPDX-License-Identifier: Apache-2.0
package import Catalogs
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

  /// True if metadata tells that every row of the task's file matches.
  package func isDecided(_ task: ScanTask, schema: Schema) throws(ScanError) -> Bool {
    try decided(task, try bind(schema))
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
}

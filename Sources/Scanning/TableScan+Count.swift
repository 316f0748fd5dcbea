// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

extension TableScan {
  /// How many rows there are, a limit put aside.
  ///
  /// Cost: files whose rows all match are counted from metadata, and those with position delete
  /// files by reading these; only the others are read, and of them only the columns of the filter
  /// and of equality deletes.
  public func count() async throws(ScanError) -> Int64 {
    let plan = try await readingPlan()
    return try await reading(plan).count(plan)
  }

  private func count(_ plan: ScanPlan) async throws(ScanError) -> Int64 {
    let filter = try bind(plan.schema)
    var total: Int64 = 0
    var undecided: [ScanTask] = []
    var positional: [ScanTask] = []
    for task in plan.tasks {
      if try !decided(task, filter) || task.deletes.contains(where: { $0.kind == .equality }) {
        undecided.append(task)
      } else if task.deletes.contains(where: { $0.kind == .positions }) {
        positional.append(task)
      } else {
        // What a deletion vector deletes is counted.
        let deleted = task.deletes.reduce(0) { $0 + $1.file.recordCount }
        guard deleted >= 0, deleted <= task.file.recordCount else {
          throw .wrongSize(
            file: task.file.path, what: "rows, fewer deleted", expected: task.file.recordCount,
            found: deleted)
        }
        total += task.file.recordCount - deleted
      }
    }
    let loader = DeleteLoader(positional, of: table, parallelism: taskLimit)
    for task in positional {
      let rows = 0..<max(0, task.file.recordCount)
      total += task.file.recordCount - Int64(try await loader.positions(of: task).count(in: rows))
    }
    guard !undecided.isEmpty else { return total }
    let source = UnitSource(
      undecided, try countRequest(plan.schema, filter), parallelism: taskLimit)
    _ = try await OrderedPipeline.run(source, parallelism: taskLimit) {
      batches throws(ScanError) -> Int64 in
      batches.reduce(0) { $0 + Int64($1.rowCount) }
    } consume: { count throws(ScanError) in
      total += count
      return true
    }
    return total
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

extension TableScan {
  /// How many rows there are, a limit put aside.
  ///
  /// Cost: files whose rows all match are counted from metadata; only the others are read, and of
  /// them only the columns of the filter.
  public func count() async throws(ScanError) -> Int64 {
    let plan = try await self.plan()
    let filter = try bind(plan.schema)
    var total: Int64 = 0
    var undecided: [ScanTask] = []
    for task in plan.tasks {
      if try decided(task, filter) {
        total += task.file.recordCount
      } else {
        undecided.append(task)
      }
    }
    guard !undecided.isEmpty else { return total }
    let source = UnitSource(undecided, try countRequest(plan.schema, filter))
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

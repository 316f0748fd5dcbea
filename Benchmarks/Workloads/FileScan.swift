// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Reads one Parquet file into memory, row groups in parallel: what a program does that has a file
/// and no table.
struct FileScan {
  let path: ObjectPath
  let store: any ObjectStore
  /// Nil: all of them.
  let columns: [String]?
  let threads: Int

  func readAll() async throws -> [RecordBatch] {
    let file = try await ParquetFile.open(path, in: store)
    var projection = file.footer.schema.all
    if let columns { projection = try file.footer.schema.projection(named: columns) }
    if threads == 1 { return try await Self.read(file, 0..<file.footer.rowGroupCount, projection) }
    let wanted = projection
    let share = (file.footer.rowGroupCount + threads - 1) / threads
    var results = [[RecordBatch]](repeating: [], count: threads)
    try await withThrowingTaskGroup(of: (Int, [RecordBatch]).self) { tasks in
      for worker in 0..<threads {
        let first = min(worker * share, file.footer.rowGroupCount)
        let own = first..<min(first + share, file.footer.rowGroupCount)
        tasks.addTask { (worker, try await Self.read(file, own, wanted)) }
      }
      for try await (worker, batches) in tasks { results[worker] = batches }
    }
    return results.flatMap { $0 }
  }

  private static func read(
    _ file: ParquetFile, _ groups: Range<Int>, _ projection: ParquetProjection
  ) async throws -> [RecordBatch] {
    let workspace = DecodeWorkspace()
    var batches: [RecordBatch] = []
    for group in groups {
      let (plan, bytes) = try await file.fetch(group, projection: projection)
      let decoder = try RowGroupDecoder(
        file.footer, plan: plan, bytes: bytes, workspace: workspace)
      while let batch = try decoder.next() { batches.append(batch) }
    }
    return batches
  }
}

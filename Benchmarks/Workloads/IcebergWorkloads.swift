// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Tables of the filesystem catalog: one large append, a delete by keys, and scans of what has deletes.
enum IcebergWorkloads {
  /// lineitem in memory to a committed snapshot.
  @Sendable
  static func append(_ context: BenchContext) async throws -> Workloads.Metrics {
    let batches = try await context.load("lineitem.parquet")
    let catalog = FilesystemCatalog(warehouse: context.work, store: context.unsynced)
    let table = try await catalog.createTable(
      TableIdentifier("b.li"), TableDefinition(schema: Schema(inferredFrom: batches[0].fields)))
    var receipt: CommitReceipt?
    let measurement = try await Measurement.of { receipt = try await table.append(batches) }
    let summary = receipt?.snapshot?.summary ?? [:]
    let rows = summary["added-records"].flatMap { Int($0) } ?? 0
    guard rows == 6_001_215 else { throw BenchError.wrongResult("\(rows) rows appended") }
    let bytes = summary["added-files-size"].flatMap { Double($0) } ?? 0
    try await context.cleanUp()
    return measurement.metrics + [
      ("rows_per_s", rows.rate(over: measurement)), ("data_mb", bytes / 1e6),
    ]
  }

  /// Deletes some keys of 1 M rows in 10 files, as the table's properties say: merge-on-read.
  @Sendable
  static func delete(_ context: BenchContext) async throws -> Workloads.Metrics {
    let keys = try context.number("keys")
    let rows = try await context.rows(of: "events_base_1m.parquet", count: 1_000_000)
    let catalog = FilesystemCatalog(warehouse: context.work, store: context.unsynced)
    var table = try await catalog.createTable(
      TableIdentifier("b.ev"), TableDefinition(schema: Schema(inferredFrom: rows[0].fields)))
    for start in stride(from: 0, to: 1_000_000, by: 100_000) {
      table = try await table.append(rows.slice(start..<start + 100_000))?.table ?? table
    }
    let list = (0..<keys).map { "\($0 * 997)" }.joined(separator: ", ")
    let filter = try PredicateParser.parse("user_id IN (\(list))")
    var receipt: CommitReceipt?
    let measurement = try await Measurement.of {
      receipt = try await table.deleteRows(where: filter)
    }
    let left = try await receipt?.table.scan().count() ?? 0
    guard left == 1_000_000 - keys else { throw BenchError.wrongResult("\(left) rows left") }
    try await context.cleanUp()
    return measurement.metrics + [("rows_per_s", keys.rate(over: measurement))]
  }

  /// Four columns of 6 M rows in 10 files, a share of them under position deletes, to memory. The
  /// first peer makes the tables and leaves them.
  @Sendable
  static func scanDeletes(_ context: BenchContext) async throws -> Workloads.Metrics {
    let percent = Int((try context.fraction("deleted") * 100).rounded())
    return try await scan(context, "posdel/b/pd_\(percent)")
  }

  /// The same columns of the same rows, of which some keys are deleted by value in a table of its
  /// own under `eqdel`.
  @Sendable
  static func scanEqualityDeletes(_ context: BenchContext) async throws -> Workloads.Metrics {
    try await scan(context, "eqdel/b/eq_\(try context.number("keys"))")
  }

  /// Reads the newest state of the table in `folder`, which others wrote.
  private static func scan(
    _ context: BenchContext, _ folder: String
  ) async throws -> Workloads.Metrics {
    let newest = try await context.newestMetadata(in: folder)
    let table = try await TableAtLocation.open(newest, store: context.store)
    let scan = table.scan().select("user_id", "event_ts", "score", "amount")
      .parallelism(context.threads)
    var batches: [RecordBatch] = []
    let measurement = try await Measurement.of {
      try await scan.read { (batch) throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        batches.append(batch)
        return true
      }
    }
    let rows = batches.reduce(0) { $0 + $1.rowCount }
    return measurement.metrics + [
      ("rows_per_s", 6_000_000.rate(over: measurement)), ("out_rows", Double(rows)),
    ]
  }
}

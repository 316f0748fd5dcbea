// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Tables of the filesystem catalog: one large append, and many small ones.
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
    let location = try context.root.appending(relativePath: folder)
    let files = try await context.store.listAll(location.appending("metadata")).map(\.path)
    guard
      let newest = files.filter({ $0.name.hasSuffix(".metadata.json") })
        .max(by: { $0.name < $1.name })
    else { throw BenchError.wrongResult("no table at \(location)") }
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

  /// 300 commits of a few rows each to a new table.
  @Sendable
  static func smallCommits(_ context: BenchContext) async throws -> Workloads.Metrics {
    let commits = try context.number("commits")
    let rows = try await batch(context, rows: try context.number("rows"))
    var table = try await emptyTable(context, rows, context.unsynced)
    var latencies = Latencies()
    let measurement = try await Measurement.of {
      for _ in 0..<commits { table = try await timedAppend(rows, to: table, &latencies) }
    }
    try await context.cleanUp()
    let first = Array(latencies.seconds.prefix(10)).reduce(0, +) / 10
    let last = Array(latencies.seconds.suffix(10)).reduce(0, +) / 10
    return measurement.metrics + latencies.metrics + [
      ("commits_per_s", Double(commits) / measurement.wallSeconds), ("first_ms", first * 1e3),
      ("last_ms", last * 1e3),
    ]
  }

  /// 30 appends of 100 rows to a table that has `snapshots` snapshots already; synced.
  @Sendable
  static func commit(_ context: BenchContext) async throws -> Workloads.Metrics {
    let snapshots = try context.number("snapshots")
    let rows = try await batch(context, rows: 100)
    var table = try await emptyTable(context, rows, context.unsynced)
    for _ in 0..<snapshots { table = try await append(rows, to: table) }
    let synced = FilesystemCatalog(warehouse: context.work, store: context.store)
    table = try await synced.loadTable(TableIdentifier("b.t"))
    var latencies = Latencies()
    let measurement = try await Measurement.of {
      for _ in 0..<30 { table = try await timedAppend(rows, to: table, &latencies) }
    }
    let metadata = try await context.store.head(table.metadataLocation).byteCount
    let list = try table.metadata.currentSnapshot?.manifestList.map { try ObjectPath($0) }
    var listBytes: Int64 = 0
    if let list { listBytes = try await context.store.head(list).byteCount }
    try await context.cleanUp()
    return measurement.metrics + latencies.metrics + [
      ("rows_per_s_stream", 3000 / measurement.wallSeconds),
      ("metadata_json_kb", Double(metadata) / 1e3), ("manifest_list_kb", Double(listBytes) / 1e3),
    ]
  }

  // MARK: helpers

  private static func batch(_ context: BenchContext, rows: Int) async throws -> RecordBatch {
    let reader = try await InputReader.open(
      try context.input("stream_1m.parquet"), in: context.store)
    guard let batch = try await reader.next() else { throw BenchError.wrongResult("no events") }
    return batch.slice(0..<rows)
  }

  private static func emptyTable(
    _ context: BenchContext, _ rows: RecordBatch, _ store: LocalStore
  ) async throws -> Table {
    let catalog = FilesystemCatalog(warehouse: context.work, store: store)
    return try await catalog.createTable(
      TableIdentifier("b.t"), TableDefinition(schema: Schema(inferredFrom: rows.fields)))
  }

  private static func append(_ rows: RecordBatch, to table: Table) async throws -> Table {
    guard let receipt = try await table.append([rows]) else {
      throw BenchError.wrongResult("nothing was committed")
    }
    return receipt.table
  }

  private static func timedAppend(
    _ rows: RecordBatch, to table: Table, _ latencies: inout Latencies
  ) async throws -> Table {
    let start = ContinuousClock.now
    let after = try await append(rows, to: table)
    let elapsed = start.duration(to: .now).components
    latencies.seconds.append(Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    return after
  }
}

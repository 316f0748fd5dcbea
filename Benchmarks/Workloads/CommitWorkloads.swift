// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Many small appends, each a commit.
enum CommitWorkloads {
  /// Commits of a few rows each to a new table: by one writer and by four, with files synced and
  /// not. What carries no prefix is of one writer that does not sync, as the peers.
  @Sendable
  static func small(_ context: BenchContext) async throws -> Workloads.Metrics {
    let commits = try context.number("commits")
    let size = try context.number("rows")
    let rows = try await context.rows(of: "stream_1m.parquet", count: commits * size)
    let batches = (0..<commits).map { rows.slice($0 * size..<($0 + 1) * size) }
    var latencies = Latencies()
    var table = try await emptyTable(context, "b.one", rows, context.unsynced)
    let measurement = try await Measurement.of {
      for batch in batches { table = try await timedAppend(batch, to: table, &latencies) }
    }
    let rate = Double(commits) / measurement.wallSeconds
    var metrics = measurement.metrics + latencies.metrics + [("commits_per_s", rate)]
    metrics.append(("first_ms", latencies.mean(of: latencies.seconds.prefix(10)) * 1e3))
    metrics.append(("last_ms", latencies.mean(of: latencies.seconds.suffix(10)) * 1e3))
    for (name, store, writers) in [
      ("synced", context.store, 1), ("four_writers", context.unsynced, 4),
      ("four_writers_synced", context.store, 4),
    ] {
      let table = try await emptyTable(context, "b.\(name)", rows, store)
      let measurement = try await Measurement.of {
        try await append(batches, to: table, writers: writers)
      }
      let snapshots = try await table.refreshed().metadata.snapshots.count
      guard snapshots == commits else { throw BenchError.wrongResult("\(snapshots) snapshots") }
      metrics.append(("\(name)_commits_per_s", Double(commits) / measurement.wallSeconds))
    }
    try await context.cleanUp()
    return metrics
  }

  /// 30 appends of 100 rows to a table that has `snapshots` snapshots already: with files synced,
  /// and then with files that are not, as the peers' are.
  @Sendable
  static func aged(_ context: BenchContext) async throws -> Workloads.Metrics {
    let snapshots = try context.number("snapshots")
    let rows = try await context.rows(of: "stream_1m.parquet", count: 3000)
    let young = try await emptyTable(context, "b.t", rows, context.unsynced)
    let first = try await append(rows.slice(0..<100), to: young)
    if snapshots > 1 {
      try await AgedTable(first, snapshots: snapshots, store: context.unsynced).make()
    }
    let synced = FilesystemCatalog(warehouse: context.work, store: context.store)
    var table = try await synced.loadTable(TableIdentifier("b.t"))
    guard table.metadata.snapshots.count == snapshots else {
      throw BenchError.wrongResult("\(table.metadata.snapshots.count) snapshots")
    }
    var latencies = Latencies()
    let measurement = try await Measurement.of {
      for i in 0..<30 {
        table = try await timedAppend(rows.slice(i * 100..<(i + 1) * 100), to: table, &latencies)
      }
    }
    var unsynced = Latencies()
    var fast = try await FilesystemCatalog(warehouse: context.work, store: context.unsynced)
      .loadTable(TableIdentifier("b.t"))
    for i in 0..<30 {
      fast = try await timedAppend(rows.slice(i * 100..<(i + 1) * 100), to: fast, &unsynced)
    }
    let metadata = try await context.store.head(table.metadataLocation).byteCount
    let list = try table.metadata.currentSnapshot?.manifestList.map { try ObjectPath($0) }
    var listBytes: Int64 = 0
    if let list { listBytes = try await context.store.head(list).byteCount }
    try await context.cleanUp()
    return measurement.metrics + latencies.metrics + [
      ("unsynced_p50_ms", unsynced.percentile(0.5) * 1e3),
      ("unsynced_p99_ms", unsynced.percentile(0.99) * 1e3),
      ("rows_per_s_stream", 3000 / measurement.wallSeconds),
      ("metadata_json_kb", Double(metadata) / 1e3), ("manifest_list_kb", Double(listBytes) / 1e3),
    ]
  }

  /// 1,000 appends of 100 rows to a new table, and their times on the way; not synced.
  @Sendable
  static func series(_ context: BenchContext) async throws -> Workloads.Metrics {
    let commits = try context.number("commits")
    let rows = try await context.rows(of: "stream_1m.parquet", count: commits * 100)
    var table = try await emptyTable(context, "b.t", rows, context.unsynced)
    var latencies = Latencies()
    let measurement = try await Measurement.of {
      for i in 0..<commits {
        table = try await timedAppend(rows.slice(i * 100..<(i + 1) * 100), to: table, &latencies)
      }
    }
    let files = try await context.store.listAll(context.work)
    let metadata = files.filter { $0.path.parent?.name == "metadata" }
      .reduce(0) { $0 + Double($1.byteCount) }
    try await context.cleanUp()
    var metrics = measurement.metrics + latencies.metrics
    for at in [20, 100, 300, 1000] where at <= commits {
      let window = Latencies(seconds: Array(latencies.seconds[max(0, at - 20)..<at]))
      metrics.append(("at_\(at)_ms", window.percentile(0.5) * 1e3))
    }
    return metrics + [("metadata_dir_mb", metadata / 1e6), ("files", Double(files.count))]
  }

  // MARK: helpers

  private static func emptyTable(
    _ context: BenchContext, _ name: String, _ rows: [RecordBatch], _ store: LocalStore
  ) async throws -> Table {
    let catalog = FilesystemCatalog(warehouse: context.work, store: store)
    return try await catalog.createTable(
      TableIdentifier(name), TableDefinition(schema: Schema(inferredFrom: rows[0].fields)))
  }

  private static func append(_ rows: [RecordBatch], to table: Table) async throws -> Table {
    guard let receipt = try await table.append(rows) else {
      throw BenchError.wrongResult("nothing was committed")
    }
    return receipt.table
  }

  /// Each batch a commit, by several writers that each take the next one.
  private static func append(
    _ batches: [[RecordBatch]], to table: Table, writers: Int
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          var table = table
          for i in stride(from: writer, to: batches.count, by: writers) {
            table = try await append(batches[i], to: table)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private static func timedAppend(
    _ rows: [RecordBatch], to table: Table, _ latencies: inout Latencies
  ) async throws -> Table {
    let start = ContinuousClock.now
    let after = try await append(rows, to: table)
    let elapsed = start.duration(to: .now).components
    latencies.seconds.append(Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    return after
  }
}

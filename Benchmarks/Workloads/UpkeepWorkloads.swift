// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Compaction, expiry and the search for orphans.
enum UpkeepWorkloads {
  /// Compacts a table of `rows` rows in `files` files, a tenth of them deleted by vectors; with `make`
  /// that table is made and left for others.
  @Sendable
  static func compact(_ context: BenchContext) async throws -> Workloads.Metrics {
    let (rows, files) = (try context.number("rows"), try context.number("files"))
    var table = try await table(context, formatVersion: .v3)
    for file in 0..<files {
      _ = try await table.append([batch(rows / files, from: file * (rows / files), of: table)])
      table = try await table.refreshed()
    }
    _ = try await table.deleteRows(where: .equal("d", 3), mode: .mergeOnRead)
    table = try await table.refreshed()
    if context.optionalNumber("make") != nil { return [("rows", Double(rows))] }
    let before = try await table.scan().count()
    var report = CompactionReport()
    let measurement = try await Measurement.of { report = try await table.compact() }
    guard try await table.refreshed().scan().count() == before, report.rewrittenFiles == files
    else { throw BenchError.wrongResult("\(report)") }
    try await context.cleanUp()
    return measurement.metrics + [
      ("rows_per_s", rows.rate(over: measurement)),
      ("mb_per_s", Double(report.rewrittenBytes) / 1e6 / measurement.wallSeconds),
      ("files_before", Double(report.rewrittenFiles)), ("files_after", Double(report.addedFiles)),
    ]
  }

  /// Lets all but `kept` of `snapshots` snapshots go, each an append of one file, with their lists and
  /// the manifests that were merged since; with `make` that table is made and left for others.
  @Sendable
  static func expire(_ context: BenchContext) async throws -> Workloads.Metrics {
    let (snapshots, kept) = (try context.number("snapshots"), try context.number("kept"))
    var table = try await table(context, formatVersion: .v2)
    let perCommit = 100
    for _ in 0..<snapshots / perCommit {
      var changes: [any TableChange] = []
      for _ in 0..<perCommit {
        let writer = try PartitionedWriter(
          table.metadata, store: context.unsynced, environment: .system)
        try await writer.write(batch(10, from: 0, of: table))
        let files = try await writer.finish()
        changes.append(try AppendFiles(files))
      }
      table = try await table.commit(Transaction(changes)).table
    }
    if context.optionalNumber("make") != nil { return [("snapshots", Double(snapshots))] }
    var report: ExpiryReport?
    let environment = Environment(
      time: LateClock(), random: Environment.system.random, processorCount: context.threads)
    let late = try await TableAtLocation.open(
      ObjectPath(table.metadata.location), store: context.unsynced, environment: environment)
    let measurement = try await Measurement.of {
      report = try await late.expireSnapshots(
        ExpiryPolicy(maxSnapshotAge: .seconds(1), minSnapshotsToKeep: kept))
    }
    guard let report, report.snapshotIDs.count == snapshots - kept, report.problems.isEmpty else {
      throw BenchError.wrongResult("\(String(describing: report))")
    }
    try await context.cleanUp()
    return measurement.metrics + [
      ("snapshots_per_s", Double(report.snapshotIDs.count) / measurement.wallSeconds),
      ("deleted_files", Double(report.deletedFiles)),
    ]
  }

  /// Looks for orphans among `files` files, half of them.
  @Sendable
  static func orphans(_ context: BenchContext) async throws -> Workloads.Metrics {
    let count = try context.number("files")
    let table = try await table(context, formatVersion: .v2)
    let folder = try ObjectPath(table.metadata.location).appending("data")
    var files: [DataFile] = []
    for number in 0..<count {
      let path = try folder.appending("f\(number).parquet")
      _ = try await context.unsynced.put(.empty, to: path, if: .none)
      if number % 2 == 0 {
        files.append(
          DataFile(
            path: path.text, format: .parquet, partition: .unpartitioned(), recordCount: 1,
            byteCount: 0))
      }
    }
    let state = try await table.commit(AppendFiles(files)).table
    var report: OrphanReport?
    let measurement = try await Measurement.of {
      report = try await state.sweepOrphans(olderThan: .zero)
    }
    guard report?.orphans.count == count - files.count else {
      throw BenchError.wrongResult("\(report?.orphans.count ?? 0) orphans")
    }
    try await context.cleanUp()
    return measurement.metrics + [("files_per_s", count.rate(over: measurement))]
  }

  /// How scans slow down over `rounds` rounds of ten merges of 10,000 rows and `maintain`: the mean
  /// of the relative changes from one round's scan to the next one's, which is 0 for a table that
  /// stays as fast as it was.
  ///
  /// A round's figure is the lowest of some scans, by processor time, as what scatters adds its
  /// variance to that mean; it is told of wall times, too, and of the last table again and again,
  /// which says how much of it is scatter.
  ///
  /// Source: LST-Bench (Camacho-Rodríguez and others, 2024), degradation rate:
  /// Σ (M_i − M_{i−1}) ÷ M_{i−1} ÷ (n − 1).
  @Sendable
  static func rounds(_ context: BenchContext) async throws -> Workloads.Metrics {
    let rounds = try context.number("rounds")
    var table = try await EventTable.make(context)
    var policy = MaintenancePolicy()
    try policy.apply("keep=1s,keep-last=1,orphans=off")
    var scans = [try await table.leastScan()]
    var upkeep = Latencies()
    var merges = Latencies()
    for round in 0..<rounds {
      let writer = try await UpsertWriter.open(table.table, table.options)
      for merge in 0..<10 {
        let number = "\((round * 10 + merge) % 100)"
        let name = String(repeating: "0", count: 5 - number.count) + number
        let rows = try await context.load("upsert_10k/\(name).parquet")
        let start = ContinuousClock.now
        for part in rows { try await writer.upsert(part) }
        _ = try await writer.commit()
        merges.seconds.append(start.duration(to: .now).seconds)
      }
      try await writer.close()
      let start = ContinuousClock.now
      for step in try await Upkeep(try await table.table.refreshed(), policy).run(.run) {
        if step.outcome == .failed { throw BenchError.wrongResult("upkeep: \(step.reason)") }
      }
      upkeep.seconds.append(start.duration(to: .now).seconds)
      table = try await table.reopened()
      scans.append(try await table.leastScan())
    }
    var again: [Double] = []
    for _ in 0..<min(rounds, 20) { again.append(try await table.leastScan().processorSeconds) }
    let left = try await context.writtenByteCount()
    try await context.cleanUp()
    let processor = scans.map(\.processorSeconds)
    let tenth = max(1, rounds / 10)
    let last = Latencies(seconds: Array(processor.suffix(tenth))).percentile(0.5)
    let first = Latencies(seconds: Array(processor.prefix(tenth))).percentile(0.5)
    return [
      ("degradation_rate", degradationRate(processor)),
      ("degradation_rate_wall", degradationRate(scans.map(\.wallSeconds))),
      ("degradation_rate_still", degradationRate(again)),
      ("scan_first_s", first), ("scan_last_s", last), ("scan_ratio", last / first),
      ("trend_rate", pow(last / first, 1 / Double(max(1, rounds - tenth))) - 1),
      ("merge_p50_ms", merges.percentile(0.5) * 1e3),
      ("upkeep_p50_ms", upkeep.percentile(0.5) * 1e3),
      ("space_mb", Double(left.bytes) / 1e6), ("files", Double(left.files)),
    ]
  }

  private static func degradationRate(_ values: [Double]) -> Double {
    let changes = zip(values, values.dropFirst()).map { ($1 - $0) / $0 }
    return changes.reduce(0, +) / Double(max(1, changes.count))
  }

  private static func table(
    _ context: BenchContext, formatVersion: FormatVersion
  ) async throws -> Table {
    let catalog = FilesystemCatalog(warehouse: context.work, store: context.unsynced)
    return try await catalog.createTable(
      TableIdentifier("b.t"),
      TableDefinition(
        schema: Schema("k long not null, d int, price double, name string"),
        properties: ["write.metadata.previous-versions-max": "3"], formatVersion: formatVersion))
  }

  /// Rows numbered from `start` on.
  private static func batch(_ count: Int, from start: Int, of table: Table) -> RecordBatch {
    let builder = BatchBuilder(table.metadata.currentSchema.columnFields)
    for row in start..<start + count {
      let mixed = UInt64(row) &* 0x9e37_79b9_7f4a_7c15 >> 33
      builder.columns[0].append(Int64(row))
      builder.columns[1].append(Int32(mixed % 10))
      builder.columns[2].append(Double(mixed % 100_000) / 100)
      builder.columns[3].append("name \(mixed % 5000)")
    }
    return builder.finish()
  }

  /// The machine's clock, an hour on.
  private struct LateClock: TimeSource {
    func now() -> Timestamp { Environment.system.now().adding(.seconds(3600)) }
    func uptime() -> Duration { Environment.system.uptime() }
    func sleep(for duration: Duration) async throws(CancellationError) {
      try await Environment.system.sleep(for: duration)
    }
  }
}

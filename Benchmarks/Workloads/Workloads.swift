// SPDX-License-Identifier: Apache-2.0

/// The workloads by the names the peers know them by.
enum Workloads {
  typealias Metrics = [(String, Double)]

  static let all: [String: @Sendable (BenchContext) async throws -> Metrics] =
    ofTables.merging(ofStores) { $1 }

  #if Network
    private static let ofStores: [String: @Sendable (BenchContext) async throws -> Metrics] = [
      "store_throughput": StoreWorkloads.throughput, "store_costs": StoreWorkloads.costs,
    ]
  #else
    private static let ofStores: [String: @Sendable (BenchContext) async throws -> Metrics] = [:]
  #endif

  private static let ofTables: [String: @Sendable (BenchContext) async throws -> Metrics] = [
    "cdf_read": ChangesWorkloads.cdfRead,
    "cdf_rewrite": ChangesWorkloads.cdfRewrite,
    "parquet_write": ParquetWorkloads.write,
    "parquet_read": ParquetWorkloads.read,
    "csv_read": TextWorkloads.csvRead,
    "jsonl_read": TextWorkloads.jsonLinesRead,
    "iceberg_append": IcebergWorkloads.append,
    "iceberg_commit": CommitWorkloads.aged,
    "iceberg_commit_series": CommitWorkloads.series,
    "iceberg_delete": IcebergWorkloads.delete,
    "iceberg_plan": PlanWorkloads.plan,
    "iceberg_scan_deletes": IcebergWorkloads.scanDeletes,
    "iceberg_scan_equality_deletes": IcebergWorkloads.scanEqualityDeletes,
    "small_commits": CommitWorkloads.small,
    "upsert_series": UpsertWorkloads.series,
    "upsert_scale": UpsertWorkloads.series,
    "upsert_flights": FlightsWorkload.year,
    "scan_updated": UpsertWorkloads.scanUpdated,
    "key_index": UpsertWorkloads.index,
    "lookup": LookupWorkloads.single,
    "lookup_batch": LookupWorkloads.batches,
    "upkeep_compact": UpkeepWorkloads.compact,
    "upkeep_expire": UpkeepWorkloads.expire,
    "upkeep_orphans": UpkeepWorkloads.orphans,
    "upkeep_rounds": UpkeepWorkloads.rounds,
    "soak": SoakWorkload.run,
  ]
}

extension Int {
  /// Rows a second.
  func rate(over measurement: Measurement) -> Double { Double(self) / measurement.wallSeconds }
}

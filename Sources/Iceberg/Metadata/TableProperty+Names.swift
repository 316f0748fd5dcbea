// SPDX-License-Identifier: Apache-2.0

// The names and defaults are the reference implementation's, but for conflicts: a table that does
// not say how often to retry is retried by total time, and not by count.

extension TableProperty<Int64> {
  // Commits
  public static let commitRetryCount = number("commit.retry.num-retries", 4)
  public static let commitRetryMinWaitMilliseconds = number("commit.retry.min-wait-ms", 100)
  public static let commitRetryMaxWaitMilliseconds = number("commit.retry.max-wait-ms", 60_000)
  public static let commitRetryTotalMilliseconds = number(
    "commit.retry.total-timeout-ms", 1_800_000)
  public static let commitStatusCheckCount = number("commit.status-check.num-retries", 3)
  public static let commitStatusCheckMinWaitMilliseconds = number(
    "commit.status-check.min-wait-ms", 1_000)
  public static let commitStatusCheckMaxWaitMilliseconds = number(
    "commit.status-check.max-wait-ms", 60_000)
  public static let commitStatusCheckTotalMilliseconds = number(
    "commit.status-check.total-timeout-ms", 1_800_000)
  public static let manifestTargetByteCount = number(
    "commit.manifest.target-size-bytes", 8 << 20, in: 1...Int64.max)
  public static let manifestMinCountToMerge = number("commit.manifest.min-count-to-merge", 100)

  // Files
  public static let targetFileByteCount = number(
    "write.target-file-size-bytes", 512 << 20, in: 1...Int64.max)
  public static let targetDeleteFileByteCount = number(
    "write.delete.target-file-size-bytes", 64 << 20, in: 1...Int64.max)
  public static let parquetRowGroupByteCount = number(
    "write.parquet.row-group-size-bytes", 128 << 20, in: 1...Int64.max)
  public static let parquetPageByteCount = number(
    "write.parquet.page-size-bytes", 1 << 20, in: 1...Int64.max)
  public static let parquetPageRowLimit = number(
    "write.parquet.page-row-limit", 20_000, in: 1...Int64.max)
  public static let parquetDictionaryByteCount = number(
    "write.parquet.dict-size-bytes", 2 << 20, in: 1...Int64.max)
  public static let parquetBloomFilterMaxByteCount = number(
    "write.parquet.bloom-filter-max-bytes", 1 << 20, in: 1...Int64.max)
  public static let splitTargetByteCount = number(
    "read.split.target-size", 128 << 20, in: 1...Int64.max)

  // Metadata
  public static let previousMetadataFileCount = number(
    "write.metadata.previous-versions-max", 100)
  public static let metricsInferredColumnLimit = number(
    "write.metadata.metrics.max-inferred-column-defaults", 100)
  public static let summaryPartitionLimit = number("write.summary.partition-limit", 0)

  // History
  public static let maxSnapshotAgeMilliseconds = number(
    "history.expire.max-snapshot-age-ms", 432_000_000, in: 1...Int64.max)
  public static let minSnapshotsToKeep = number(
    "history.expire.min-snapshots-to-keep", 1, in: 1...Int64.max)
  public static let maxReferenceAgeMilliseconds = number(
    "history.expire.max-ref-age-ms", .max, in: 1...Int64.max)
}

extension TableProperty<Int64?> {
  public static let parquetCompressionLevel = optionalNumber("write.parquet.compression-level")
  public static let avroCompressionLevel = optionalNumber("write.avro.compression-level")

  private static func optionalNumber(_ name: String) -> Self {
    Self(name, default: nil, expected: "a whole number") { text in
      Int64(text).map { .some($0) }
    }
  }
}

extension TableProperty<Bool> {
  public static let manifestMergeEnabled = flag("commit.manifest-merge.enabled", true)
  public static let deletePreviousMetadata = flag(
    "write.metadata.delete-after-commit.enabled", false)
  public static let objectStorageLayout = flag("write.object-storage.enabled", false)
  public static let partitionedObjectPaths = flag(
    "write.object-storage.partitioned-paths", true)
  public static let garbageCollection = flag("gc.enabled", true)
  public static let writeAuditPublish = flag("write.wap.enabled", false)
}

extension TableProperty<String> {
  public static let defaultFileFormat = choice(
    "write.format.default", "parquet", of: ["parquet", "avro", "orc"])
  public static let parquetCompression = choice(
    "write.parquet.compression-codec", "zstd",
    of: ["zstd", "snappy", "gzip", "lz4", "lz4_raw", "brotli", "uncompressed", "none"])
  public static let avroCompression = choice(
    "write.avro.compression-codec", "gzip",
    of: ["gzip", "zstd", "snappy", "uncompressed", "none", "deflate"])
  public static let metadataCompression = choice(
    "write.metadata.compression-codec", "none", of: ["none", "gzip"])
  public static let deleteMode = choice(
    "write.delete.mode", "copy-on-write", of: ["copy-on-write", "merge-on-read"])
  public static let updateMode = choice(
    "write.update.mode", "copy-on-write", of: ["copy-on-write", "merge-on-read"])
  public static let mergeMode = choice(
    "write.merge.mode", "copy-on-write", of: ["copy-on-write", "merge-on-read"])
  public static let deleteIsolation = choice(
    "write.delete.isolation-level", "serializable", of: ["serializable", "snapshot"])
  public static let updateIsolation = choice(
    "write.update.isolation-level", "serializable", of: ["serializable", "snapshot"])
  public static let mergeIsolation = choice(
    "write.merge.isolation-level", "serializable", of: ["serializable", "snapshot"])
  public static let deleteGranularity = choice(
    "write.delete.granularity", "partition", of: ["partition", "file"])
  public static let distributionMode = choice(
    "write.distribution-mode", "none", of: ["none", "hash", "range"])
  /// The metrics kept of a column: `none`, `counts`, `full` or `truncate(n)`; read by who writes.
  public static let defaultMetricsMode = TableProperty(
    "write.metadata.metrics.default", default: "truncate(16)", expected: "a metrics mode"
  ) { $0 }
}

extension TableProperty<String?> {
  public static let defaultDeleteFileFormat = text("write.delete.format.default")
  public static let dataPath = text("write.data.path")
  public static let metadataPath = text("write.metadata.path")
  public static let defaultNameMapping = text(NameMapping.propertyName)
  public static let encryptionKeyID = text("encryption.key-id")
}

extension TableProperties {
  /// Before the name of a column: the metrics kept of it.
  public static let columnMetricsModePrefix = "write.metadata.metrics.column."
  /// Before the name of a column: whether it gets a bloom filter.
  public static let columnBloomFilterPrefix = "write.parquet.bloom-filter-enabled.column."
  /// Before the name of a column: the false positive probability its bloom filter aims at.
  public static let columnBloomFilterProbabilityPrefix = "write.parquet.bloom-filter-fpp.column."

  /// Names that stand for fields of the metadata, and are never kept as properties.
  public static let reservedNames: Set<String> = [
    "format-version", "uuid", "snapshot-count", "current-snapshot-summary",
    "current-snapshot-id", "current-snapshot-timestamp-ms", "current-schema",
    "default-partition-spec", "default-sort-order",
  ]
}

// SPDX-License-Identifier: Apache-2.0
public import Codecs

/// How a Parquet file is written. The defaults are Iceberg's where it has any.
///
/// Source: Iceberg documentation, "Configuration", "Write properties" (`write.parquet.*`).
public struct WriterOptions: Sendable {
  /// A row group is closed when it has this many rows …
  public var rowGroupRowCount = 1 << 20
  /// … or when its encoded and compressed pages take this many bytes.
  public var rowGroupByteCount = 128 << 20
  /// A page is closed when it has this many rows …
  public var pageRowCount = 20_000
  /// … or this many bytes before compression.
  public var pageByteCount = 1 << 20
  /// A dictionary of more bytes is closed, and the rest of the column chunk goes without.
  public var dictionaryByteCount = 2 << 20
  public var codec: Codec = .zstd
  public var compressionLevel: CompressionLevel = .standard
  public var dataPageVersion: DataPageVersion = .v1
  public var encodings: EncodingSet = .current
  /// Longer strings and binaries are cut in statistics and page indexes, upper bounds rounded up.
  public var statisticsByteCount = 64
  /// Longer ones are cut in the bounds of ``WrittenFile``.
  public var metricsByteCount = 4096
  /// By column, as ``ColumnOptions`` says.
  public var columns: [String: ColumnOptions] = [:]
  /// What columns mean beyond their types, by paths as ``ColumnOptions`` has them; a structure's is
  /// the beginning of its leaves'.
  public var annotations: [String: ColumnAnnotation] = [:]
  /// By what the rows are sorted; a promise of the caller, written into each row group.
  public var sortingColumns: [SortingKey] = []
  public var keyValueMetadata: [(key: String, value: String)] = []
  public var createdBy = "lake version 0.1.0"

  public init() {}
}

/// The two layouts of data pages. Both are read everywhere; the second one leaves levels and
/// incompressible pages uncompressed.
public enum DataPageVersion: Hashable, Sendable {
  case v1
  case v2
}

/// Which encodings the writer may choose from, each by what it saves on the data at hand.
public enum EncodingSet: Hashable, Sendable {
  /// PLAIN and RLE_DICTIONARY: what every reader there ever was can read.
  case widest
  /// Also DELTA_BINARY_PACKED for integers: read by current Spark, Trino, DuckDB, ClickHouse,
  /// polars and PyArrow; by Iceberg's own vectorized reader from its release 1.10 on.
  case current
  /// Also DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY for strings and BYTE_STREAM_SPLIT for floats,
  /// which Iceberg's vectorized reader does not have before its release 1.11.
  case smallest
}

/// What is special about one column.
///
/// Columns are named by the path of names from the root, joined by dots; a list's elements are
/// called `element`, a map's entries `key` and `value`.
public struct ColumnOptions: Hashable, Sendable {
  public var dictionary: DictionaryUse = .measured
  /// The encoding of pages without dictionary; nil: the one that measures best.
  public var encoding: Encoding?
  /// Nil: no filter.
  public var bloomFilter: BloomFilterOptions?

  public init() {}
}

/// When a column chunk gets a dictionary.
public enum DictionaryUse: Hashable, Sendable {
  /// Where it makes the first pages smaller, until it is too big.
  case measured
  /// From the start, until it is too big.
  case always
  case never
}

/// How big a Bloom filter gets.
public struct BloomFilterOptions: Hashable, Sendable {
  public var falsePositiveRate: Double
  public var maxByteCount: Int

  public init(falsePositiveRate: Double = 0.01, maxByteCount: Int = 1 << 20) {
    self.falsePositiveRate = falsePositiveRate
    self.maxByteCount = maxByteCount
  }
}

/// A column the rows are sorted by.
public struct SortingKey: Hashable, Sendable {
  /// The path, as in ``ColumnOptions``.
  public var column: String
  public var direction: Direction
  public var nulls: NullOrder

  public enum Direction: Hashable, Sendable { case ascending, descending }
  public enum NullOrder: Hashable, Sendable { case first, last }

  public init(_ column: String, _ direction: Direction, nulls: NullOrder) {
    self.column = column
    self.direction = direction
    self.nulls = nulls
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Columnar

/// What a catalog wants to know of a file that was written, gathered on the way.
public struct WrittenFile: Hashable, Sendable {
  public let byteCount: Int64
  public let rowCount: Int64
  /// Where each row group starts: Iceberg's `split_offsets`.
  public let splitOffsets: [Int64]
  /// One a leaf, in the order of the schema.
  public let columns: [ColumnMetrics]
  /// How many bytes the footer takes with its length and the magic behind it.
  public let footerByteCount: Int
}

/// What a column of a written file holds, over all row groups.
///
/// Source: Iceberg spec, "Data File Fields", ids 108 to 137.
public struct ColumnMetrics: Hashable, Sendable {
  public let fieldID: Int32?
  /// As in ``ColumnOptions``.
  public let path: String
  public let type: ColumnType
  /// True for leaves inside lists and maps: their counts are of elements, and bounds are left out,
  /// as Iceberg's writers do.
  public let isRepeated: Bool
  /// Compressed, page headers and dictionary included.
  public let byteCount: Int64
  /// Nulls and NaNs included.
  public let valueCount: Int64
  public let nullCount: Int64
  /// Nil but for floats and doubles.
  public let nanCount: Int64?
  public let lowerBound: ColumnBound?
  public let upperBound: ColumnBound?
}

/// The least or greatest value of a column, or what is known to lie below or above it.
public struct ColumnBound: Hashable, Sendable {
  /// In Iceberg's single-value serialization.
  public let bytes: [UInt8]
  /// False if the value was longer than ``WriterOptions/metricsByteCount`` and was cut.
  public let isExact: Bool
}

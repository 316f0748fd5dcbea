// SPDX-License-Identifier: Apache-2.0

/// What a manifest tells of one column of a file. Nil is unknown, never zero.
///
/// Source: Iceberg spec, "Manifests", `data_file`: `column_sizes` to `upper_bounds`.
public struct ColumnMetrics: Hashable, Sendable {
  public let fieldID: FieldID
  /// Bytes on disk, without footers; nil for row-oriented formats.
  public var byteCount: Int64?
  /// Values, nulls and NaNs among them. Of list elements and map sides, not a number of rows.
  public var valueCount: Int64?
  public var nullCount: Int64?
  public var nanCount: Int64?
  /// No value but null and NaN is lower; in the binary form of the type the column had when the
  /// file was written, which may be narrower than it is now.
  public var lowerBound: [UInt8]?
  /// No value but null and NaN is higher; form as of ``lowerBound``.
  public var upperBound: [UInt8]?

  public init(
    fieldID: FieldID, byteCount: Int64? = nil, valueCount: Int64? = nil, nullCount: Int64? = nil,
    nanCount: Int64? = nil, lowerBound: [UInt8]? = nil, upperBound: [UInt8]? = nil
  ) {
    self.fieldID = fieldID
    self.byteCount = byteCount
    self.valueCount = valueCount
    self.nullCount = nullCount
    self.nanCount = nanCount
    self.lowerBound = lowerBound
    self.upperBound = upperBound
  }
}

/// The metrics of a file's columns, by ascending field id, each id once.
///
/// Cost: a lookup is O(log n).
public struct ColumnMetricsList: Sendable {
  public private(set) var columns: [ColumnMetrics]

  /// Nothing is known.
  public static let unknown = ColumnMetricsList(sorted: [])

  /// Of two with one field id the later counts.
  public init(_ columns: [ColumnMetrics]) {
    var byID: [FieldID: ColumnMetrics] = [:]
    for column in columns { byID[column.fieldID] = column }
    self.columns = byID.values.sorted { $0.fieldID < $1.fieldID }
  }

  /// Requires: field ids ascend.
  init(sorted columns: [ColumnMetrics]) { self.columns = columns }

  /// What is known of the column `id`; nil if nothing is.
  public subscript(_ id: FieldID) -> ColumnMetrics? {
    var low = 0
    var high = columns.count
    while low < high {
      let middle = (low + high) / 2
      if columns[middle].fieldID < id { low = middle + 1 } else { high = middle }
    }
    return low < columns.count && columns[low].fieldID == id ? columns[low] : nil
  }

  public var isEmpty: Bool { columns.isEmpty }
}

extension ColumnMetricsList: Hashable {}

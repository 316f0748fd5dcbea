// SPDX-License-Identifier: Apache-2.0

/// Some rows of a table: columns of equal length with their names and types.
public struct RecordBatch: Sendable {
  public let fields: [ColumnField]
  public let columns: [Column]
  public let rowCount: Int

  /// Requires: a column for each field, of its type, all of `rowCount` rows.
  public init(fields: [ColumnField], columns: [Column], rowCount: Int) {
    precondition(fields.count == columns.count, "a column for each field")
    for (field, column) in zip(fields, columns) {
      precondition(column.count == rowCount, "column \(field.name) is of another length")
      precondition(
        column.type.layout == field.type.layout, "column \(field.name) is of another type")
    }
    self.fields = fields
    self.columns = columns
    self.rowCount = rowCount
  }

  /// The column called `name`; nil if there is none.
  public func column(_ name: String) -> Column? {
    fields.firstIndex { $0.name == name }.map { columns[$0] }
  }

  /// The column of field `id`; nil if there is none.
  public func column(fieldID id: Int32) -> Column? {
    fields.firstIndex { $0.fieldID == id }.map { columns[$0] }
  }

  /// The rows in `range`, without a copy of their values.
  public func slice(_ range: Range<Int>) -> RecordBatch {
    if range == 0..<rowCount { return self }
    return RecordBatch(
      fields: fields, columns: columns.map { $0.slice(range) }, rowCount: range.count)
  }

  /// The columns at `indices`, in that order.
  public func selecting(_ indices: [Int]) -> RecordBatch {
    RecordBatch(
      fields: indices.map { fields[$0] }, columns: indices.map { columns[$0] }, rowCount: rowCount)
  }

  /// How many bytes the rows take in memory.
  public var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}

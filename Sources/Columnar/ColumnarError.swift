// SPDX-License-Identifier: Apache-2.0

/// Why columns could not be made of columns.
@nonexhaustive
public enum ColumnarError: Error, Hashable, Sendable {
  /// The strings, bytes or elements of one column would be more than 32-bit offsets can tell
  /// apart; fewer rows at once may do.
  case tooLarge(count: Int64)
  /// Values of one type are not values of the other.
  case notPromotable(from: ColumnType, to: ColumnType)
  /// The value in `row` is none of `type`.
  case outOfRange(row: Int, value: Int64, type: ColumnType)
}

extension ColumnarError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooLarge(let count):
      "column of \(count) bytes or elements is over the limit of \(Int32.max)"
    case .notPromotable(let from, let to):
      "column of \(from) can not be promoted to \(to)"
    case .outOfRange(let row, let value, let type):
      "value \(value) in row \(row) is out of range for \(type)"
    }
  }
}

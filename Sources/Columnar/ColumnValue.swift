// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A single value that is not null, as columns are compared with and filled with.
public enum ColumnValue: Sendable {
  case boolean(Bool)
  /// Of an int, long, date, time or timestamp; or the unscaled value of a decimal, at its column's
  /// scale.
  case integer(Int128)
  /// Of a float or double.
  case floatingPoint(Double)
  /// Of a string (UTF-8), binary, fixed or uuid.
  case bytes(Buffer)
}

extension ColumnValue {
  /// A string.
  public static func string(_ text: String) -> ColumnValue { .bytes(Buffer(utf8: text)) }
}

extension Column {
  /// The value in `row`; nil if it is null. Not of nested columns.
  public func value(_ row: Int) -> ColumnValue? {
    if isNull(row) { return nil }
    return switch type {
    case .boolean: .boolean(boolean(row))
    case .int32, .int64, .date, .time, .timestamp: .integer(Int128(integer(row)))
    case .decimal: .integer(unscaled(row))
    case .float, .double: .floatingPoint(floatingPoint(row))
    case .string, .binary, .fixed, .uuid: .bytes(bytes(row))
    case .null, .structure, .list, .map: preconditionFailure("no single values of \(type)")
    }
  }
}

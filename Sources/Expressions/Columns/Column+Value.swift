// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Iceberg

extension Column {
  /// The value in `row` as Iceberg's rules take it; nil for a null.
  ///
  /// For single rows: partition values, keys, defaults.
  /// Requires: a column of a type without parts.
  public func icebergValue(_ row: Int) -> Value? {
    if isNull(row) { return nil }
    switch type {
    case .null: return nil
    case .boolean: return .boolean(boolean(row))
    case .int32, .date: return .int(Int32(truncatingIfNeeded: integer(row)))
    case .int64, .time, .timestamp: return .long(integer(row))
    case .float: return .float(Float(floatingPoint(row)))
    case .double: return .double(floatingPoint(row))
    case .decimal: return .decimal(unscaled(row))
    case .string: return .string(string(row))
    case .binary, .fixed, .uuid: return .bytes(bytes(row).array())
    case .structure, .list, .map: preconditionFailure("a nested column has no single values")
    }
  }

  /// A column of `count` rows that all hold `value`, which must suit `type`.
  ///
  /// Cost: text and bytes are kept once.
  public static func repeating(
    _ value: Value?, _ type: ColumnType, count: Int
  ) throws(ColumnarError) -> Column {
    guard let value else { return .nulls(type, count: count) }
    if let single = value.columnValue { return try constant(single, type: type, count: count) }
    let builder = ColumnBuilder(type)
    for _ in 0..<count { builder.append(value) }
    return builder.finish()
  }
}

extension Value {
  /// The value as columns are compared with and filled with; nil for nested ones.
  public var columnValue: ColumnValue? {
    switch self {
    case .boolean(let value): .boolean(value)
    case .int(let value): .integer(Int128(value))
    case .long(let value): .integer(Int128(value))
    case .decimal(let value): .integer(value)
    case .float(let value): .floatingPoint(Double(value))
    case .double(let value): .floatingPoint(value)
    case .string(let value): .string(value)
    case .bytes(let value): .bytes(Buffer(value))
    case .structure, .list, .map: nil
    }
  }
}

extension ColumnBuilder {
  /// Appends `value`, which must suit the column's type.
  public func append(_ value: Value?) {
    guard let value else { return appendNull() }
    switch value {
    case .boolean(let value): append(value)
    case .int(let value):
      if type.layout == .fixed(width: 8) { append(Int64(value)) } else { append(value) }
    case .long(let value): append(value)
    case .float(let value): if type == .double { append(Double(value)) } else { append(value) }
    case .double(let value): append(value)
    case .decimal(let value): append(value)
    case .string(let value): append(value)
    case .bytes(let value): append(Buffer(value).bytes)
    case .structure(let values): appendStructure(values)
    case .list(let values):
      for value in values { children[0].append(value) }
      endList()
    case .map(let entries):
      for entry in entries {
        children[0].children[0].append(entry.key)
        children[0].children[1].append(entry.value)
        children[0].endStructure()
      }
      endList()
    }
  }

  private func appendStructure(_ values: [FieldID: Value?]) {
    for (child, field) in zip(children, type.children) {
      let value = field.fieldID.flatMap { values[FieldID($0)] } ?? nil
      child.append(value)
    }
    endStructure()
  }
}

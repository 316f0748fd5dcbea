// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Iceberg

/// The column that tells which of two rows of a key is newer.
public struct OrderColumn: Hashable, Sendable {
  public let field: Field

  /// - Throws: ``KeyIndexError/unknownColumn(_:)``; ``KeyIndexError/unsupportedKey(column:type:)``
  ///   for what has parts or no order.
  public init(schema: Schema, name: String) throws(KeyIndexError) {
    guard let field = schema.field(named: name) else { throw .unknownColumn(name) }
    guard let type = field.type.primitive, schema.parent(of: field.id) == nil else {
      throw .unsupportedKey(column: name, type: "\(field.type)")
    }
    switch type {
    case .unknown, .variant, .geometry, .geography:
      throw .unsupportedKey(column: name, type: "\(field.type)")
    default: self.field = field
    }
  }

  /// True if an index keeps the column's values; others are read by position.
  public var isIndexed: Bool { Self.isIndexed(field.type.primitive) }

  static func isIndexed(_ type: PrimitiveType?) -> Bool {
    switch type {
    case .boolean, .int, .long, .float, .double, .date, .time, .timestamp, .timestamptz,
      .timestampNs, .timestamptzNs:
      true
    case .decimal(let precision, _): precision <= 18
    default: false
    }
  }

  /// What stands for a value that is not known, or null.
  static let unknown = Int64.min

  /// A number for each value of a column of an indexed type, in the order of the values; nil for a
  /// null, and for the one value that has no number.
  public static func numbers(of column: Column) -> [Int64?] {
    let numbers = stored(column)
    let span = numbers.values(as: Int64.self)
    return span.indices.map { span[$0] == unknown ? nil : span[$0] }
  }

  /// As ``numbers(of:)``, with ``unknown`` for nil.
  static func stored(_ column: Column) -> Buffer {
    var target = MutableBuffer(byteCount: column.count * 8)
    var numbers = target.mutableValues(as: Int64.self)
    if case .dictionary(let codes, let entries) = column.values, entries.count > 0 {
      let some = stored(entries)
      let of = some.values(as: Int64.self)
      let rows = codes.values(as: Int32.self)
      for i in numbers.indices { numbers[i] = of[Int(rows[i])] }
    } else {
      for i in numbers.indices { numbers[i] = column.isNull(i) ? unknown : number(column, i) }
    }
    for i in numbers.indices where column.isNull(i) { numbers[i] = unknown }
    return target.freeze()
  }

  @inline(__always)
  private static func number(_ column: Column, _ row: Int) -> Int64 {
    switch column.type {
    case .boolean: column.boolean(row) ? 1 : 0
    case .float, .double: number(column.floatingPoint(row))
    default: column.integer(row)
    }
  }

  /// Numbers in the order of the values, -0 as 0, NaN last.
  private static func number(_ value: Double) -> Int64 {
    if value.isNaN { return .max }
    let bits = Int64(bitPattern: (value + 0).bitPattern)
    return bits < 0 ? bits ^ .max : bits
  }
}

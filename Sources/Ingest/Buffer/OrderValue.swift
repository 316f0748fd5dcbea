// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// A value that rows of a key are ordered by, in a form that compares as the values do.
struct OrderValue: Hashable, Sendable {
  /// The value, if it fits 64 bits; numbers with a fraction as the bits that sort like them.
  var number: Int64
  /// The value's bytes if it does not fit, in an order of bytes.
  var bytes: [UInt8]?

  static let arrival = OrderValue(number: 0)

  init(number: Int64, bytes: [UInt8]? = nil) {
    self.number = number
    self.bytes = bytes
  }
}

extension OrderValue: Comparable {
  static func < (a: OrderValue, b: OrderValue) -> Bool {
    if let x = a.bytes, let y = b.bytes { return x.lexicographicallyPrecedes(y) }
    return a.number < b.number
  }
}

/// The order values of the rows of a batch.
struct OrderValues: Sendable {
  /// Empty if rows are ordered by arrival.
  private let numbers: Buffer
  private let bytes: [[UInt8]]

  static let arrival = OrderValues(numbers: .empty, bytes: [])

  private init(numbers: Buffer, bytes: [[UInt8]]) {
    self.numbers = numbers
    self.bytes = bytes
  }

  /// - Throws: ``IngestError/badOrder(column:row:found:)`` for a null or NaN.
  init(_ column: Column, name: String) throws(IngestError) {
    if column.nullCount > 0 {
      let row = (0..<column.count).first { column.isNull($0) } ?? 0
      throw .badOrder(column: name, row: row, found: "none")
    }
    let plain: Column
    do throws(ColumnarError) { plain = try column.materialized() } catch {
      throw .badOrder(column: name, row: 0, found: "text of more than 2 GiB")
    }
    try self.init(plain: plain, name: name)
  }

  private init(plain column: Column, name: String) throws(IngestError) {
    switch (column.type, column.type.layout) {
    case (.float, _), (.double, _):
      if let row = column.nans.positionsOfOnes().first {
        throw .badOrder(column: name, row: Int(row), found: "NaN")
      }
      numbers = Self.numbers(column) { Self.sortable(column.floatingPoint($0)) }
      bytes = []
    case (.boolean, _):
      numbers = Self.numbers(column) { column.boolean($0) ? 1 : 0 }
      bytes = []
    case (.uuid, _), (.fixed, _), (_, .variable):
      numbers = .empty
      bytes = (0..<column.count).map { column.bytes($0).array() }
    case (_, .fixed(width: 4)):
      let values = column.fixedValues(as: Int32.self)
      numbers = Self.numbers(column) { Int64(values[$0]) }
      bytes = []
    case (_, .fixed(width: 8)):
      guard case .fixed(let buffer) = column.values else { preconditionFailure("not fixed") }
      numbers = buffer.isAligned(to: 8) ? buffer : Buffer(copying: buffer.bytes)
      bytes = []
    default:
      numbers = .empty
      bytes = (0..<column.count).map { Self.sortable(column.unscaled($0)) }
    }
  }

  @inline(__always)
  private static func numbers(_ column: Column, _ value: (Int) -> Int64) -> Buffer {
    var target = MutableBuffer(byteCount: column.count * 8)
    var values = target.mutableValues(as: Int64.self)
    for row in values.indices { values[row] = value(row) }
    return target.freeze()
  }

  /// The values of rows that are in a table; nil for nulls. NaN is above all others.
  static func optional(_ column: Column, name: String) throws(IngestError) -> [OrderValue?] {
    var isKnown = column.nulls.inverted()
    let isNumber = column.type == .float || column.type == .double
    let nans = isNumber ? column.nans : nil
    if let nans { isKnown = isKnown.andNot(nans) }
    let known = try OrderValues(column.filter(by: isKnown), name: name)
    var next = 0
    return (0..<column.count).map { row in
      if nans?[row] ?? false { return OrderValue(number: .max) }
      guard isKnown[row] else { return nil }
      defer { next += 1 }
      return known[next]
    }
  }

  subscript(_ row: Int) -> OrderValue {
    if !numbers.isEmpty { return OrderValue(number: numbers.values(as: Int64.self)[row]) }
    return bytes.isEmpty ? .arrival : OrderValue(number: 0, bytes: bytes[row])
  }

  /// Bits that sort as numbers do; -0 is 0.
  private static func sortable(_ number: Double) -> Int64 {
    let bits = Int64(bitPattern: (number + 0.0).bitPattern)
    return bits < 0 ? bits ^ .max : bits
  }

  /// The bytes of a number, the highest first, in an order of bytes.
  private static func sortable(_ number: Int128) -> [UInt8] {
    let bits = UInt128(bitPattern: number) ^ (1 << 127)
    return (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) }
  }
}

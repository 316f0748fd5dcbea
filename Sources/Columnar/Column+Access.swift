// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Single values, for the edges: rendering rows, reading a key, tests. Loops over many rows take
/// the buffers.
extension Column {
  /// The values as spans of `T`, for columns of fixed width that are no dictionary.
  @inlinable
  @_lifetime(borrow self)
  public func fixedValues<T: BitwiseCopyable>(as type: T.Type) -> Span<T> {
    guard case .fixed(let buffer) = values else {
      preconditionFailure("not a plain column of fixed width")
    }
    let span = buffer.values(as: T.self)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// Where row `row` is in a column without dictionary.
  private func resolved(_ row: Int) -> (Column, Int) {
    precondition(row >= 0 && row < count, "a row outside the column")
    guard case .dictionary(let codes, let dictionary) = values else { return (self, row) }
    return (dictionary, Int(codes.values(as: Int32.self)[row]))
  }

  /// The boolean in `row`, which must not be null.
  public func boolean(_ row: Int) -> Bool {
    let (column, row) = resolved(row)
    guard case .bits(let bits) = column.values else { preconditionFailure("not booleans") }
    return bits[row]
  }

  /// The integer in `row`, which must not be null: of an int, long, date, time, timestamp, or the
  /// unscaled value of a decimal of up to 18 digits.
  public func integer(_ row: Int) -> Int64 {
    let (column, row) = resolved(row)
    guard case .fixed(let buffer) = column.values else { preconditionFailure("not integers") }
    switch column.type.layout {
    case .fixed(width: 4): return Int64(buffer.bytes.loadLE(at: row * 4, as: Int32.self))
    case .fixed(width: 8): return buffer.bytes.loadLE(at: row * 8, as: Int64.self)
    default: preconditionFailure("not integers of up to 64 bits")
    }
  }

  /// The unscaled value of the decimal in `row`, which must not be null.
  public func unscaled(_ row: Int) -> Int128 {
    let (column, row) = resolved(row)
    guard case .fixed(width: 16) = column.type.layout else { return Int128(column.integer(row)) }
    guard case .fixed(let buffer) = column.values else { preconditionFailure("not decimals") }
    let low = buffer.bytes.loadLE(at: row * 16, as: UInt64.self)
    let high = buffer.bytes.loadLE(at: row * 16 + 8, as: Int64.self)
    return Int128(high) << 64 | Int128(low)
  }

  /// The number in `row`, which must not be null, of a float or double column.
  public func floatingPoint(_ row: Int) -> Double {
    let (column, row) = resolved(row)
    guard case .fixed(let buffer) = column.values else { preconditionFailure("not floats") }
    if column.type == .float {
      let bits = buffer.bytes.loadLE(at: row * 4, as: UInt32.self)
      return Double(Float(bitPattern: bits))
    }
    return Double(bitPattern: buffer.bytes.loadLE(at: row * 8, as: UInt64.self))
  }

  /// The bytes in `row`, which must not be null: of a string, binary, fixed, uuid, or of any other
  /// column of fixed width.
  public func bytes(_ row: Int) -> Buffer {
    let (column, row) = resolved(row)
    switch column.values {
    case .fixed(let buffer):
      let width = buffer.count / column.count
      return buffer.slice(row * width..<(row + 1) * width)
    case .variable(let offsets, let bytes):
      let span = offsets.values(as: Int32.self)
      return bytes.slice(Int(span[row])..<Int(span[row + 1]))
    default: preconditionFailure("not bytes")
    }
  }

  /// The text in `row`, which must not be null.
  public func string(_ row: Int) -> String {
    let bytes = self.bytes(row)
    let span = bytes.bytes
    return String(validatingUTF8: span) ?? String(decoding: span.array(), as: UTF8.self)
  }

  /// Which rows of the elements are in `row`, of a list or map.
  public func elementRange(_ row: Int) -> Range<Int> {
    guard case .list(let offsets, _) = values else { preconditionFailure("not a list") }
    let span = offsets.values(as: Int32.self)
    return Int(span[row])..<Int(span[row + 1])
  }

  /// The columns one level down: a structure's fields, or the elements of a list or map.
  public var children: [Column] {
    switch values {
    case .structure(let children): children
    case .list(_, let elements): [elements]
    default: []
    }
  }
}

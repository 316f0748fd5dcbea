// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Values of one width made those of a column of another.
struct Conversion {
  let source: Buffer
  let count: Int
  let validity: Bitmap?
  let type: ColumnType
  let path: String

  /// - Throws: ``ArrowError/outOfRange(field:row:value:type:)`` if the value of a row is none of the
  ///   column's type.
  func run(_ arrow: ArrowType) throws(ArrowError) -> Buffer {
    switch arrow {
    case .integer(8, true): try map { (x: Int8) in Int32(x) }
    case .integer(16, true): try map { (x: Int16) in Int32(x) }
    case .integer(8, false): try map { (x: UInt8) in Int32(x) }
    case .integer(16, false): try map { (x: UInt16) in Int32(x) }
    case .integer(32, false): try map { (x: UInt32) in Int64(x) }
    case .integer(64, false): try map { (x: UInt64) in Wide(low: x, high: 0) }
    case .floatingPoint: try map { (x: UInt16) in Self.float(half: x).bitPattern }
    case .dateMilliseconds: try map { (x: Int64) in Int32(exactly: x.floored(by: 86_400_000)) }
    case .time(.seconds, 32): try map { (x: Int32) in Int64(x) * 1_000_000 }
    case .time(.milliseconds, 32): try map { (x: Int32) in Int64(x) * 1000 }
    case .time(.microseconds, 32): try map { (x: Int32) in Int64(x) }
    case .time(.seconds, _), .timestamp(.seconds, _): try scaled(by: 1_000_000)
    case .time(.milliseconds, _), .timestamp(.milliseconds, _): try scaled(by: 1000)
    case .time(.nanoseconds, 64):
      try map { (x: Int64) in x % 1000 == 0 ? x / 1000 : nil }
    case .decimal(_, _, let bitWidth): try decimals(bitWidth)
    default: throw .unsupported(field: path, type: "\(arrow)")
    }
  }

  private func scaled(by factor: Int64) throws(ArrowError) -> Buffer {
    try map { (x: Int64) in
      let (product, overflow) = x.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
  }

  private func decimals(_ bitWidth: Int) throws(ArrowError) -> Buffer {
    let isShort = type.layout == .fixed(width: 8)
    switch bitWidth {
    case 32 where isShort: return try map { (x: Int32) in Int64(x) }
    case 32: return try map { (x: Int32) in Wide(Int64(x)) }
    case 64: return try map { (x: Int64) in Wide(x) }
    case 128: return try map { (x: Wide) in x.narrow }
    default:
      if isShort { return try map { (x: VeryWide) in x.narrow?.narrow } }
      return try map { (x: VeryWide) in x.narrow }
    }
  }

  /// Each value through `convert`, which gives nil for one that is out of range.
  private func map<T: BitwiseCopyable, U: BitwiseCopyable>(
    _ convert: (T) -> U?
  ) throws(ArrowError) -> Buffer {
    let size = MemoryLayout<U>.stride
    var target = MutableBuffer(zeroed: count * size)
    let values = source.aligned(for: MemoryLayout<T>.alignment).values(as: T.self)
    var results = target.mutableValues(as: U.self)
    for row in 0..<count {
      if let result = convert(values[row]) {
        results[row] = result
      } else if validity?[row] ?? true {
        throw .outOfRange(field: path, row: row, value: "\(values[row])", type: type)
      }
    }
    return target.freeze()
  }

  /// The number that the IEEE 754 binary16 pattern `half` is.
  static func float(half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10 & 0x1f)
    let fraction = UInt32(half & 0x3ff)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * Float(sign: .plus, exponent: -24, significand: 1)
      return Float(bitPattern: magnitude.bitPattern | sign)
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

/// An integer of 128 bits, aligned to 8 bytes, as columns have it.
private struct Wide: BitwiseCopyable, CustomStringConvertible {
  var low: UInt64
  var high: Int64

  init(low: UInt64, high: Int64) {
    self.low = low
    self.high = high
  }

  init(_ value: Int64) {
    low = UInt64(bitPattern: value)
    high = value >> 63
  }

  /// The value in 64 bits; nil if it takes more.
  var narrow: Int64? {
    let value = Int64(bitPattern: low)
    return high == value >> 63 ? value : nil
  }

  var description: String { "unscaled \(Int128(high) << 64 | Int128(low))" }
}

/// An integer of 256 bits.
private struct VeryWide: BitwiseCopyable, CustomStringConvertible {
  var low: Wide
  var high: Wide

  /// The value in 128 bits; nil if it takes more.
  var narrow: Wide? {
    let sign = low.high >> 63
    return high.high == sign && Int64(bitPattern: high.low) == sign ? low : nil
  }

  var description: String { "a decimal of more than 38 digits" }
}

extension Int64 {
  /// The quotient rounded down.
  fileprivate func floored(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

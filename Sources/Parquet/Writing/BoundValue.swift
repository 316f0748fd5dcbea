// SPDX-License-Identifier: Apache-2.0

/// A value as bounds compare it: in the units of the column it is of.
public enum BoundValue: Hashable, Sendable {
  /// Of booleans (0 and 1) and all integers.
  case integer(Int64)
  /// The unscaled value of a decimal of more than 18 digits.
  case wide(Int128)
  /// Never NaN.
  case floating(Double)
  /// Compared as unsigned bytes.
  case bytes([UInt8])

  func isLess(than other: BoundValue) -> Bool {
    switch (self, other) {
    case (.integer(let a), .integer(let b)): a < b
    case (.wide(let a), .wide(let b)): a < b
    case (.floating(let a), .floating(let b)):
      a < b || (a == 0 && b == 0 && a.sign == .minus && b.sign == .plus)
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    default: false
    }
  }
}

/// The least and the greatest of some values.
struct ValueBounds: Hashable {
  var least: BoundValue
  var greatest: BoundValue

  /// Zeros become the one that is further out, as readers may take 0.0 and -0.0 for equal.
  /// Source: parquet.thrift, `ColumnOrder`, rules for TYPE_ORDER.
  static func floating(least: Double, greatest: Double) -> ValueBounds {
    ValueBounds(
      least: .floating(least == 0 ? -0.0 : least),
      greatest: .floating(greatest == 0 ? 0.0 : greatest))
  }

  mutating func extend(to other: ValueBounds) {
    if other.least.isLess(than: least) { least = other.least }
    if greatest.isLess(than: other.greatest) { greatest = other.greatest }
  }
}

extension BoundValue {
  /// As Parquet's statistics have it: the PLAIN encoding without a length.
  func plain(_ kind: LeafKind) -> [UInt8] {
    switch (self, kind) {
    case (.integer(let value), .boolean): [value == 0 ? 0 : 1]
    case (.integer(let value), .int32): littleEndian(Int32(truncatingIfNeeded: value))
    case (.integer(let value), _): littleEndian(value)
    case (.floating(let value), .float): littleEndian(Float(value).bitPattern)
    case (.floating(let value), _): littleEndian(value.bitPattern)
    case (.wide(let value), .wideDecimal(let byteCount)):
      (0..<byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> Int128(8 * $0)) }
    case (.wide(let value), _): Self.leastBigEndian(value)
    case (.bytes(let value), _): value
    }
  }

  /// As Iceberg's manifests have it. Source: Iceberg spec, "Appendix D: Single-value serialization".
  func singleValue(_ kind: LeafKind, isDecimal: Bool) -> [UInt8] {
    switch self {
    case .integer(let value) where isDecimal: Self.leastBigEndian(Int128(value))
    case .wide(let value): Self.leastBigEndian(value)
    default: plain(kind)
    }
  }

  /// The fewest bytes of big-endian two's complement that hold `value`.
  private static func leastBigEndian(_ value: Int128) -> [UInt8] {
    var count = 1
    while count < 16, value >> Int128(8 * count - 1) != 0, value >> Int128(8 * count - 1) != -1 {
      count += 1
    }
    return (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> Int128(8 * $0)) }
  }

  private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// Cuts bounds of byte strings.
///
/// A cut lower bound is a prefix. A cut upper bound is the least string of at most so many bytes
/// that is above all strings with that prefix: the last code point (of text) or byte that can be
/// increased is, and what follows it is dropped. Text stays valid UTF-8.
/// Source: parquet-format PageIndex.md; Iceberg spec, "Data File Fields", bounds.
enum BoundTruncation {
  static func lower(_ value: [UInt8], to limit: Int, isText: Bool) -> [UInt8] {
    value.count <= limit ? value : Array(value[..<cut(value, limit, isText)])
  }

  /// Nil if no string of at most `limit` bytes is above: all of them are at their highest.
  static func upper(_ value: [UInt8], to limit: Int, isText: Bool) -> [UInt8]? {
    if value.count <= limit { return value }
    let prefix = value[..<cut(value, limit, isText)]
    return isText ? increasedText(prefix) : increasedBytes(prefix)
  }

  /// At most `limit`, and for text not inside a code point.
  private static func cut(_ value: [UInt8], _ limit: Int, _ isText: Bool) -> Int {
    var end = min(limit, value.count)
    while isText, end > 0, end < value.count, value[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  private static func increasedBytes(_ prefix: ArraySlice<UInt8>) -> [UInt8]? {
    guard let place = prefix.lastIndex(where: { $0 < 0xFF }) else { return nil }
    return Array(prefix[..<place]) + [prefix[place] + 1]
  }

  private static func increasedText(_ prefix: ArraySlice<UInt8>) -> [UInt8]? {
    guard let text = String(validating: prefix, as: UTF8.self) else {
      return increasedBytes(prefix)
    }
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      guard let next = successor(of: last) else { continue }
      // A longer code point than its predecessor could exceed the limit: the one before grows then.
      if UTF8.width(next) > UTF8.width(last), scalars.isEmpty == false { continue }
      scalars.append(next)
      return scalars.flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }
    }
    return nil
  }

  /// The next code point that is a character: surrogates are none.
  private static func successor(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
    scalar.value == 0xD7FF ? Unicode.Scalar(0xE000) : Unicode.Scalar(scalar.value + 1)
  }
}

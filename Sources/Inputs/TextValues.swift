// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Reads values from text: the fields of CSV, the strings of JSON. Nil is "not such a value".
///
/// Nothing here allocates but the fall-backs that say so.
enum TextValues {
  /// `[+-]digits`, within 64 bits.
  static func integer(_ text: RawSpan) -> Int64? {
    var at = 0
    let count = text.byteCount
    guard count > 0 else { return nil }
    let first = text.loadLE(at: 0, as: UInt8.self)
    let isNegative = first == UInt8(ascii: "-")
    if isNegative || first == UInt8(ascii: "+") { at = 1 }
    guard at < count else { return nil }
    // Up to 18 digits can't overflow, and longer ones are rare.
    guard count - at <= 18 else { return longInteger(text, from: at, isNegative: isNegative) }
    var value: Int64 = 0
    while at < count {
      let digit = text.loadLE(at: at, as: UInt8.self) &- 48
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
      at &+= 1
    }
    return isNegative ? 0 &- value : value
  }

  private static func longInteger(_ text: RawSpan, from: Int, isNegative: Bool) -> Int64? {
    var value: Int64 = 0
    for at in from..<text.byteCount {
      let digit = text.loadLE(at: at, as: UInt8.self) &- 48
      guard digit < 10 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowToo) =
        isNegative
        ? product.subtractingReportingOverflow(Int64(digit))
        : product.addingReportingOverflow(Int64(digit))
      if overflow || overflowToo { return nil }
      value = sum
    }
    return value
  }

  /// A decimal or scientific number, `NaN`, `Infinity`, `inf` in any case; correctly rounded.
  static func double(_ text: RawSpan) -> Double? {
    if let value = simpleDouble(text) { return value }
    guard let string = String(validatingUTF8: text) else { return nil }
    switch string.lowercased() {
    case "nan": return .nan
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: break
    }
    // Hexadecimal floats, which Swift's reader takes, are nothing people mean.
    guard string.utf8.allSatisfy({ isNumberByte($0) }) else { return nil }
    return Double(string)
  }

  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  /// `[+-]digits[.digits]` of at most 15 digits, all told: digits and power of ten are exact
  /// doubles then, so one division rounds correctly.
  private static func simpleDouble(_ text: RawSpan) -> Double? {
    guard let (unscaled, scale, isNegative) = digits(text), unscaled < 1_000_000_000_000_000 else {
      return nil
    }
    let magnitude = Double(unscaled) / exactPowers[scale]
    return isNegative ? -magnitude : magnitude
  }

  private static let exactPowers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
  ]

  /// The digits of `[+-]digits[.digits]` without the point, of at most 18 digits.
  private static func digits(
    _ text: RawSpan
  ) -> (unscaled: UInt64, scale: Int, isNegative: Bool)? {
    var at = 0
    let count = text.byteCount
    guard count > 0, count <= 20 else { return nil }
    let first = text.loadLE(at: 0, as: UInt8.self)
    let isNegative = first == UInt8(ascii: "-")
    if isNegative || first == UInt8(ascii: "+") { at = 1 }
    var value: UInt64 = 0
    var seen = 0
    var scale = -1
    while at < count {
      let byte = text.loadLE(at: at, as: UInt8.self)
      at &+= 1
      if byte == UInt8(ascii: "."), scale < 0 {
        scale = 0
        continue
      }
      let digit = byte &- 48
      guard digit < 10 else { return nil }
      value = value &* 10 &+ UInt64(digit)
      seen &+= 1
      if scale >= 0 { scale &+= 1 }
    }
    guard seen > 0, seen <= 18 else { return nil }
    return (value, max(scale, 0), isNegative)
  }

  /// The unscaled value of `[+-]digits[.digits]` at `scale`; nil too if digits would be lost or
  /// there are more than `precision`.
  static func decimal(_ text: RawSpan, precision: Int, scale: Int) -> Int128? {
    var at = 0
    let count = text.byteCount
    guard count > 0, count <= 128 else { return nil }
    let first = text.loadLE(at: 0, as: UInt8.self)
    let isNegative = first == UInt8(ascii: "-")
    if isNegative || first == UInt8(ascii: "+") { at = 1 }
    var value: Int128 = 0
    var seen = 0
    var places = -1
    while at < count {
      let byte = text.loadLE(at: at, as: UInt8.self)
      at &+= 1
      if byte == UInt8(ascii: "."), places < 0 {
        places = 0
        continue
      }
      guard byte &- 48 < 10 else { return nil }
      seen &+= 1
      if places >= scale {
        // Zeros past the scale lose nothing.
        guard byte == 48 else { return nil }
        continue
      }
      if places >= 0 { places &+= 1 }
      guard let next = appendDigit(value, Int128(byte &- 48)) else { return nil }
      value = next
    }
    guard seen > 0 else { return nil }
    for _ in max(places, 0)..<max(scale, max(places, 0)) {
      guard let next = appendDigit(value, 0) else { return nil }
      value = next
    }
    guard value < powerOfTen(precision) else { return nil }
    return isNegative ? -value : value
  }

  private static func appendDigit(_ value: Int128, _ digit: Int128) -> Int128? {
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    return overflow ? nil : product + digit
  }

  /// 10 to the power of `exponent`, which is at most 38.
  static func powerOfTen(_ exponent: Int) -> Int128 {
    (0..<min(exponent, 38)).reduce(Int128(1)) { value, _ in value * 10 }
  }

  private static let trueText = Array("true".utf8)
  private static let falseText = Array("false".utf8)

  /// `true` or `false` in any case.
  static func boolean(_ text: RawSpan) -> Bool? {
    func matches(_ word: [UInt8]) -> Bool {
      guard text.byteCount == word.count else { return false }
      for i in word.indices where text.loadLE(at: i, as: UInt8.self) | 0x20 != word[i] {
        return false
      }
      return true
    }
    if matches(trueText) { return true }
    return matches(falseText) ? false : nil
  }

  /// 32 hexadecimal digits, hyphens between them allowed; 16 bytes, as written.
  static func uuid(_ text: RawSpan) -> [UInt8]? {
    var digits: [UInt8] = []
    for i in 0..<text.byteCount {
      let byte = text.loadLE(at: i, as: UInt8.self)
      if byte != UInt8(ascii: "-") { digits.append(byte) }
    }
    guard digits.count == 32 else { return nil }
    return hexadecimal(digits)
  }

  /// The bytes of `0x…` in hexadecimal.
  static func binary(_ text: RawSpan) -> [UInt8]? {
    guard text.byteCount >= 2, text.loadLE(at: 0, as: UInt8.self) == UInt8(ascii: "0"),
      text.loadLE(at: 1, as: UInt8.self) | 0x20 == UInt8(ascii: "x")
    else { return nil }
    return hexadecimal(text.extracting(2..<text.byteCount).array())
  }

  private static func hexadecimal(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let high = nibble(digits[i]), let low = nibble(digits[i + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - 55
    default: nil
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A decimal number, exactly: `unscaled * 10^-scale`.
package struct DecimalNumber: Hashable, Sendable {
  package var unscaled: Int128
  /// Digits after the point; below zero, zeros before it that are not in ``unscaled``.
  package var scale: Int

  package init(unscaled: Int128, scale: Int) {
    self.unscaled = unscaled
    self.scale = scale
  }

  /// Of digits with or without sign, point and exponent; nil if `text` is no such number, or needs
  /// more than 38 digits.
  package init?(_ text: String) {
    var bytes = text.utf8[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    var value: Int128 = 0
    var scale = 0
    var digits = 0
    var isFraction = false
    scan: while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard value < DecimalNumber.limit / 10 else { return nil }
        value = value * 10 + Int128(byte - 0x30)
        digits += 1
        if isFraction { scale += 1 }
      case UInt8(ascii: ".") where !isFraction: isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard let exponent = Int32(Substring(bytes)) else { return nil }
        scale -= Int(exponent)
        break scan
      default: return nil
      }
    }
    guard digits > 0 else { return nil }
    self.unscaled = isNegative ? -value : value
    self.scale = scale
  }

  /// 10^38: no unscaled value reaches it.
  static let limit: Int128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

  /// 10 to the power of `exponent`, which is from 0 to 38.
  package static func powerOfTen(_ exponent: Int) -> Int128 {
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
  }

  /// The highest unscaled value of `precision` digits.
  package static func highest(precision: Int) -> Int128 {
    powerOfTen(min(max(precision, 0), 38)) - 1
  }

  /// This number at another scale.
  enum Rescaled: Equatable {
    case exact(Int128)
    /// Between this unscaled value and the next.
    case above(Int128)
    /// Beyond 38 digits.
    case tooHigh
    case tooLow
  }

  func rescaled(to newScale: Int) -> Rescaled {
    if unscaled == 0 { return .exact(0) }
    let (shift, overflow) = newScale.subtractingReportingOverflow(scale)
    let isFar = overflow || abs(shift) > 38
    if shift >= 0 {
      guard !isFar else { return unscaled > 0 ? .tooHigh : .tooLow }
      let (value, overflow) = unscaled.multipliedReportingOverflow(
        by: DecimalNumber.powerOfTen(shift))
      guard !overflow, value.magnitude < DecimalNumber.limit.magnitude else {
        return unscaled > 0 ? .tooHigh : .tooLow
      }
      return .exact(value)
    }
    guard !isFar else { return .above(unscaled > 0 ? 0 : -1) }
    let (quotient, remainder) = unscaled.quotientAndRemainder(
      dividingBy: DecimalNumber.powerOfTen(-shift))
    if remainder == 0 { return .exact(quotient) }
    return .above(remainder < 0 ? quotient - 1 : quotient)
  }
}

extension DecimalNumber: CustomStringConvertible {
  /// Plain digits with as many after the point as the scale has: `14.20`; of a scale below zero
  /// with an exponent: `2E+20`. Where that were more zeros than anyone reads, with one as well.
  ///
  /// Source: Iceberg spec, "Appendix D: Single-value serialization", "JSON".
  package var description: String {
    if scale < 0 { return "\(unscaled)E+\(-scale)" }
    if scale == 0 { return "\(unscaled)" }
    if scale > 100 { return "\(unscaled)E-\(scale)" }
    var digits = String(unscaled.magnitude)
    digits = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
    return "\(unscaled < 0 ? "-" : "")\(digits.dropLast(scale)).\(digits.suffix(scale))"
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A number as it stands in the text.
struct NumberToken {
  var range: Range<Int>
  var isNegative = false
  /// Neither a fraction nor an exponent.
  var isInteger = true
  /// All digits as an integer, the point left out; meaningless past 19 digits.
  var significand: UInt64 = 0
  /// How many digits, zeros in front and at the end included.
  var digitCount = 0
  /// The power of ten to scale the significand by.
  var exponent = 0

  /// The integer, if it is one and fits.
  var int64: Int64? {
    guard isInteger, digitCount <= 19 else { return nil }
    guard isNegative else { return Int64(exactly: significand) }
    return significand <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- significand) : nil
  }

  /// The nearest double, if one multiplication or division gives it exactly rounded.
  ///
  /// Both operands are exact then: an integer to 2^53 and a power of ten to 10^22.
  var fastDouble: Double? {
    guard digitCount <= 19, significand <= 1 << 53, abs(exponent) <= 22 else { return nil }
    let magnitude = Double(significand)
    let scaled =
      exponent < 0
      ? magnitude / powersOfTen[-exponent] : magnitude * powersOfTen[exponent]
    return isNegative ? -scaled : scaled
  }
}

private let powersOfTen: [23 of Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
  1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]

extension JSONReader {
  /// The next value as an integer of 64 bits, exactly.
  ///
  /// - Throws: ``JSONError/outOfRange(offset:expected:found:)`` if it has a fraction or an exponent
  ///   (even one that changes nothing), or does not fit.
  public mutating func readInt64() throws(JSONError) -> Int64 {
    let token = try nextNumber()
    guard let value = token.int64 else { throw outOfRange(token, "an integer of 64 bits") }
    return value
  }

  /// The next value as an integer of 32 bits, exactly.
  public mutating func readInt32() throws(JSONError) -> Int32 {
    let token = try nextNumber()
    guard let wide = token.int64, let value = Int32(exactly: wide) else {
      throw outOfRange(token, "an integer of 32 bits")
    }
    return value
  }

  /// The double nearest to the next value, ties to even.
  ///
  /// - Throws: ``JSONError/outOfRange(offset:expected:found:)`` if it is beyond all doubles.
  public mutating func readDouble() throws(JSONError) -> Double {
    let token = try nextNumber()
    return try double(token)
  }

  /// The next value, a number, as it stands in the text, not copied.
  @_lifetime(copy self)
  public mutating func readNumberText() throws(JSONError) -> RawSpan {
    bytes.extracting(try nextNumber().range)
  }

  mutating func nextNumber() throws(JSONError) -> NumberToken {
    let first = try nextByte("a number")
    guard first == UInt8(ascii: "-") || first &- 48 < 10 else { throw try mismatch(.number) }
    return try scanNumber()
  }

  func double(_ token: NumberToken) throws(JSONError) -> Double {
    if let value = token.fastDouble { return value }
    let text = String(validatingUTF8: bytes.extracting(token.range)) ?? ""
    guard let value = Double(text), value.isFinite else { throw outOfRange(token, "a double") }
    return value
  }

  @inline(never)
  func outOfRange(_ token: NumberToken, _ expected: String) -> JSONError {
    // A hostile number may be as long as the text is: no one needs to see all of it.
    let shown = min(token.range.count, 40)
    let start = token.range.lowerBound
    var text = String(validatingUTF8: bytes.extracting(start..<start + shown)) ?? ""
    if shown < token.range.count { text += "…" }
    return .outOfRange(offset: start, expected: expected, found: text)
  }

  /// Passes the number that is next: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
  mutating func scanNumber() throws(JSONError) -> NumberToken {
    var token = NumberToken(range: offset..<offset)
    let start = offset
    if bytes[offset] == UInt8(ascii: "-") {
      token.isNegative = true
      offset &+= 1
    }
    let firstDigit = offset
    try scanDigits(into: &token)
    if bytes[firstDigit] == UInt8(ascii: "0"), offset > firstDigit &+ 1 {
      throw .malformed(offset: firstDigit, .leadingZero)
    }
    if offset < bytes.byteCount, bytes[offset] == UInt8(ascii: ".") {
      offset &+= 1
      token.isInteger = false
      let fraction = offset
      try scanDigits(into: &token)
      token.exponent = fraction &- offset
    }
    if offset < bytes.byteCount, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset &+= 1
      token.isInteger = false
      token.exponent &+= try scanExponent()
    }
    token.range = start..<offset
    return token
  }

  /// Passes one digit or more.
  @inline(__always)
  private mutating func scanDigits(into token: inout NumberToken) throws(JSONError) {
    let start = offset
    var i = start
    var significand = token.significand
    while i < bytes.byteCount {
      let digit = bytes[i] &- 48
      guard digit < 10 else { break }
      significand = significand &* 10 &+ UInt64(digit)
      i &+= 1
    }
    offset = i
    if i == start { throw unexpected("a digit") }
    token.significand = significand
    token.digitCount &+= i &- start
  }

  /// Passes the digits of an exponent; past a million it is taken for a million.
  private mutating func scanExponent() throws(JSONError) -> Int {
    var isNegative = false
    if offset < bytes.byteCount,
      bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+")
    {
      isNegative = bytes[offset] == UInt8(ascii: "-")
      offset &+= 1
    }
    while offset &+ 1 < bytes.byteCount, bytes[offset] == UInt8(ascii: "0"),
      bytes[offset &+ 1] &- 48 < 10
    { offset &+= 1 }
    var digits = NumberToken(range: offset..<offset)
    try scanDigits(into: &digits)
    let magnitude = digits.digitCount > 6 ? 1_000_000 : Int(digits.significand)
    return isNegative ? -magnitude : magnitude
  }
}

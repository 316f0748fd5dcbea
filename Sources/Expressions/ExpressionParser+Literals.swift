// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg

extension ExpressionParser {
  /// The literal of `digits`, maybe behind a minus, which `token` spells.
  func number(_ digits: String, at token: TextToken) throws(ExpressionError) -> Expression {
    let isDouble = digits.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") }
    if !isDouble {
      let isInteger = !digits.utf8.contains(UInt8(ascii: "."))
      if isInteger, let value = Int64(digits) { return .integer(value) }
      if let value = DecimalNumber(digits), value.scale <= 38 {
        return .literal(
          .decimal(value.unscaled), .decimal(precision: value.precision, scale: value.scale))
      }
    }
    // Of more digits than decimals have, too: the nearest double.
    guard let value = Double(digits), value.isFinite else {
      throw unexpected("a number that a double can hold", at: token)
    }
    return .double(value)
  }

  /// A literal that the keyword `word` announces, with the text behind it; nil if it is none.
  mutating func marked(_ word: String) throws(ExpressionError) -> Expression? {
    guard ["date", "time", "timestamp", "timestamptz", "x"].contains(word) else { return nil }
    _ = lexer.take()
    let token = lexer.take()
    guard case .string(let text) = token.kind else { return nil }
    switch word {
    case "x":
      if let bytes = Hexadecimal.bytes(Array(text.utf8)) { return .literal(.bytes(bytes), .binary) }
      throw unexpected("pairs of hexadecimal digits", at: token)
    case "date":
      if let days = TimestampText.date(text), let days = Int32(exactly: days) {
        return .literal(.int(days), .date)
      }
      throw unexpected("a date as 2026-01-31", at: token)
    case "time":
      if let time = TimestampText.timeOfDay(text), time % 1000 == 0 {
        return .literal(.long(time / 1000), .time)
      }
      throw unexpected("a time as 23:59:59.123456", at: token)
    default:
      guard let time = TimestampText(text),
        let literal = Self.timestamp(time, isZoned: time.hasZone || word == "timestamptz")
      else { throw unexpected("a timestamp as 2026-01-31T23:59:59Z", at: token) }
      return literal
    }
  }

  /// Of microseconds where they tell it all, else of nanoseconds; nil if it is out of their range.
  static func timestamp(_ time: TimestampText, isZoned: Bool) -> Expression? {
    if time.nanoseconds % 1000 == 0 {
      guard let value = Int64(exactly: time.nanoseconds / 1000) else { return nil }
      return .literal(.long(value), isZoned ? .timestamptz : .timestamp)
    }
    guard let value = Int64(exactly: time.nanoseconds) else { return nil }
    return .literal(.long(value), isZoned ? .timestamptzNs : .timestampNs)
  }
}

extension DecimalNumber {
  /// How many digits a decimal needs for this number, whose scale is not negative.
  var precision: Int {
    var digits = 0
    var rest = unscaled.magnitude
    while rest > 0 {
      rest /= 10
      digits += 1
    }
    return Swift.max(digits, scale, 1)
  }
}

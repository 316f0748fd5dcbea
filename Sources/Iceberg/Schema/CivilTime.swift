// SPDX-License-Identifier: Apache-2.0

/// Dates and times of day of the proleptic Gregorian calendar, as numbers and as ISO 8601 text.
package enum CivilTime {
  /// Leap seconds are not counted.
  package static let nanosecondsPerDay: Int64 = 86_400_000_000_000

  /// The number of days from 1970-01-01 to a date whose year is within ±10 million.
  ///
  /// Months count from March of an era of 400 years, so that the leap day is the last of a year.
  package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = floorDivide(year, 400)
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date that lies `days` days after 1970-01-01; `days` may be any that a 64-bit number of
  /// microseconds reaches.
  @inline(__always)
  package static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days &+ 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted &- era &* 146_097
    let yearOfEra =
      (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let marchMonth = (5 &* dayOfYear &+ 2) / 153
    let day = dayOfYear &- (153 &* marchMonth &+ 2) / 5 &+ 1
    let month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
    return (yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month, day)
  }

  /// Division that rounds down; `divisor` is positive.
  @inline(__always)
  package static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient &- 1 : quotient
  }

  /// From 28 to 31.
  package static func daysInMonth(_ month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

// MARK: - Writing

extension CivilTime {
  /// `2017-11-16`; a year beyond 0…9999 has a sign.
  static func dateText(_ days: Int64) -> String {
    let (year, month, day) = date(days)
    return "\(yearText(year))-\(padded(month, 2))-\(padded(day, 2))"
  }

  static func yearText(_ year: Int64) -> String {
    if (0...9999).contains(year) { return padded(year, 4) }
    return (year < 0 ? "-" : "+") + padded(abs(year), 4)
  }

  /// `22:31:08`, and if they are not zero the digits after the second: 6 of `microseconds`.
  static func timeText(microseconds: Int64) -> String {
    timeText(second: microseconds / 1_000_000, fraction: microseconds % 1_000_000, digits: 6)
  }

  private static func timeText(second: Int64, fraction: Int64, digits: Int) -> String {
    let text =
      "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    return fraction == 0 ? text : "\(text).\(padded(fraction, digits))"
  }

  /// `2017-11-16T22:31:08.000001`, without a zone.
  static func timestampText(microseconds: Int64) -> String {
    timestampText(microseconds, perSecond: 1_000_000, digits: 6)
  }

  /// `2017-11-16T22:31:08.000000001`, without a zone.
  static func timestampText(nanoseconds: Int64) -> String {
    timestampText(nanoseconds, perSecond: 1_000_000_000, digits: 9)
  }

  private static func timestampText(_ value: Int64, perSecond: Int64, digits: Int) -> String {
    let seconds = floorDivide(value, perSecond)
    let days = floorDivide(seconds, 86_400)
    let time = timeText(
      second: seconds - days * 86_400, fraction: value &- seconds &* perSecond, digits: digits)
    return "\(dateText(days))T\(time)"
  }

  /// `value`, which is not negative, with zeros in front.
  static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

// MARK: - Reading

/// A point in time, or a reading of a clock, of any precision to the nanosecond.
package struct TimestampText: Hashable, Sendable {
  /// Since 1970-01-01T00:00:00; of a point in time, in UTC.
  package var nanoseconds: Int128
  /// The text said which zone it is in.
  package var hasZone: Bool
  /// The text said no time, only a date.
  package var isDate = false

  /// Of a date (`2017-11-16`), or a date and a time with `T` or a space between them and maybe a
  /// zone (`Z`, `+01:00`) behind; nil if `text` is none.
  package init?(_ text: String) {
    var parser = TimeParser(text)
    guard let days = parser.date() else { return nil }
    nanoseconds = Int128(days) * Int128(CivilTime.nanosecondsPerDay)
    hasZone = false
    if parser.isAtEnd {
      isDate = true
      return
    }
    guard parser.take("T") || parser.take("t") || parser.take(" "), let time = parser.time()
    else { return nil }
    nanoseconds += Int128(time)
    if !parser.isAtEnd {
      _ = parser.take(" ")
      guard let offset = parser.zone() else { return nil }
      nanoseconds -= Int128(offset) * 1_000_000_000
      hasZone = true
    }
    guard parser.isAtEnd else { return nil }
  }

  /// Nanoseconds since midnight of `22:31`, `22:31:08` or `22:31:08.123456789`; nil if it is none.
  package static func timeOfDay(_ text: String) -> Int64? {
    var parser = TimeParser(text)
    guard let time = parser.time(), parser.isAtEnd else { return nil }
    return time
  }

  /// Days since 1970-01-01 of `2017-11-16`; nil if it is no date.
  package static func date(_ text: String) -> Int64? {
    var parser = TimeParser(text)
    guard let days = parser.date(), parser.isAtEnd else { return nil }
    return days
  }
}

private struct TimeParser {
  private let bytes: [UInt8]
  private var at = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { at == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, UInt32(bytes[at]) == character.value else { return false }
    at += 1
    return true
  }

  /// `count` digits as a number.
  private mutating func digits(_ count: Int) -> Int64? {
    guard bytes.count - at >= count else { return nil }
    var value: Int64 = 0
    for byte in bytes[at..<at + count] {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    at += count
    return value
  }

  /// `[±]YYYY-MM-DD`; a year of more than four digits needs the sign.
  mutating func date() -> Int64? {
    let isNegative = take("-")
    let isSigned = isNegative || take("+")
    var length = 0
    while at + length < bytes.count, (0x30...0x39).contains(bytes[at + length]) { length += 1 }
    guard isSigned ? (4...7).contains(length) : length == 4, let magnitude = digits(length),
      take("-"), let month = digits(2), take("-"), let day = digits(2)
    else { return nil }
    let year = isNegative ? -magnitude : magnitude
    guard (1...12).contains(month), day >= 1, day <= CivilTime.daysInMonth(month, year: year)
    else { return nil }
    return CivilTime.days(year: year, month: month, day: day)
  }

  mutating func time() -> Int64? {
    guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else {
      return nil
    }
    var nanoseconds = (hour * 60 + minute) * 60_000_000_000
    guard take(":") else { return nanoseconds }
    guard let second = digits(2), second < 60 else { return nil }
    nanoseconds += second * 1_000_000_000
    guard take(".") else { return nanoseconds }
    guard let fraction = fraction() else { return nil }
    return nanoseconds + fraction
  }

  /// 1 to 9 digits, as nanoseconds.
  private mutating func fraction() -> Int64? {
    var value: Int64 = 0
    var count = 0
    while count < 9, let digit = digits(1) {
      value = value * 10 + digit
      count += 1
    }
    guard count > 0 else { return nil }
    for _ in count..<9 { value *= 10 }
    return value
  }

  /// `Z`, `±HH`, `±HHMM` or `±HH:MM`, as seconds east of UTC.
  mutating func zone() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isNegative = take("-")
    guard isNegative || take("+"), let hours = digits(2), hours <= 18 else { return nil }
    var seconds = hours * 3600
    if !isAtEnd {
      _ = take(":")
      guard let minutes = digits(2), minutes < 60 else { return nil }
      seconds += minutes * 60
    }
    return isNegative ? -seconds : seconds
  }
}

// SPDX-License-Identifier: Apache-2.0

extension Timestamp {
  /// How many digits a moment's text has after the second.
  public enum Precision: Hashable, Sendable {
    case seconds
    case milliseconds
    case microseconds

    fileprivate var digits: (count: Int, unit: Int64) {
      switch self {
      case .seconds: (0, 1_000_000)
      case .milliseconds: (3, 1000)
      case .microseconds: (6, 1)
      }
    }
  }

  /// The moment in UTC, as `2026-09-01T08:30:00.123456Z`; finer digits are cut off.
  ///
  /// Years outside 0…9999 are written with a sign and at least six digits, as ISO 8601 has it.
  ///
  /// Source: RFC 3339, section 5.6.
  public func formatted(_ precision: Precision) -> String {
    let (day, microsecond) = microseconds.dividedRoundingDown(by: 86_400_000_000)
    let (year, month, dayOfMonth) = CivilDate.civil(day: day)
    let second = microsecond / 1_000_000
    var text = CivilDate.yearText(year)
    text += "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2)
    text += "T" + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2)
    text += ":" + padded(second % 60, 2)
    let (count, unit) = precision.digits
    if count > 0 { text += "." + padded(microsecond % 1_000_000 / unit, count) }
    return text + "Z"
  }

  /// Reads the text of a moment: `2026-09-01T10:30:00.123456+02:00`.
  ///
  /// The letters may be small, and a space may stand for the `T`. Digits past the microsecond are
  /// cut off. A leap second counts as the first of the next minute. Nil for anything else.
  ///
  /// Source: RFC 3339, section 5.6.
  public init?(rfc3339 text: String) {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(4), scanner.skip("-"),
      let month = scanner.number(2), scanner.skip("-"),
      let day = scanner.number(2), scanner.skip("Tt "),
      let hour = scanner.number(2), scanner.skip(":"),
      let minute = scanner.number(2), scanner.skip(":"),
      let second = scanner.number(2)
    else { return nil }
    guard (1...12).contains(month), day >= 1, day <= CivilDate.days(ofMonth: month, year: year),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let fraction = scanner.skip(".") ? scanner.fractionInMicroseconds() : 0
    guard let fraction, let offset = scanner.offsetInMinutes(), scanner.isAtEnd else { return nil }
    let days = CivilDate.day(year: year, month: month, dayOfMonth: day)
    let seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }
}

private func padded(_ value: Int64, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// Days since 1970-01-01 to and from the Gregorian calendar, extended to all years.
private enum CivilDate {
  static func isLeap(_ year: Int64) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  static func days(ofMonth month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  // Counting years from March puts the leap day last: day numbers within a year are then a
  // straight line over months, and the calendar repeats every 400 years = 146,097 days.
  private static let daysTo1970FromMarchOfYear0: Int64 = 719_468

  static func day(year: Int64, month: Int64, dayOfMonth: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let (cycle, yearOfCycle) = marchYear.dividedRoundingDown(by: 400)
    let marchMonth = (month + 9) % 12
    let dayOfYear = (153 * marchMonth + 2) / 5 + dayOfMonth - 1
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    return cycle * 146_097 + dayOfCycle - daysTo1970FromMarchOfYear0
  }

  static func civil(day: Int64) -> (year: Int64, month: Int64, dayOfMonth: Int64) {
    let (cycle, dayOfCycle) = (day + daysTo1970FromMarchOfYear0).dividedRoundingDown(by: 146_097)
    let leapDaysBefore = dayOfCycle / 1460 - dayOfCycle / 36_524 + dayOfCycle / 146_096
    let yearOfCycle = (dayOfCycle - leapDaysBefore) / 365
    let dayOfYear = dayOfCycle - (yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, dayOfMonth)
  }

  static func yearText(_ year: Int64) -> String {
    if (0...9999).contains(year) { return padded(year, 4) }
    return (year < 0 ? "-" : "+") + padded(abs(year), 6)
  }
}

/// Reads a moment's text from left to right.
private struct DigitScanner {
  private var rest: ArraySlice<UInt8>

  init(_ text: String) { rest = Array(text.utf8)[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ anyOf: String) -> Bool {
    guard let first = rest.first, anyOf.utf8.contains(first) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func digit() -> Int64? {
    guard let first = rest.first, (48...57).contains(first) else { return nil }
    rest.removeFirst()
    return Int64(first) - 48
  }

  mutating func number(_ width: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  mutating func fractionInMicroseconds() -> Int64? {
    var value: Int64 = 0
    var unit: Int64 = 1_000_000
    var count = 0
    while let digit = digit() {
      unit /= 10
      value += digit * unit
      count += 1
    }
    return count > 0 ? value : nil
  }

  mutating func offsetInMinutes() -> Int64? {
    if skip("Zz") { return 0 }
    let sign: Int64
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hours = number(2), skip(":"), let minutes = number(2) else { return nil }
    guard hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}

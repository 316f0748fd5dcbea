// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Reads dates, times and timestamps from text, by RFC 3339 and what people write near it.
///
///     date       [+-]YYYY…-MM-DD
///     time       HH:MM[:SS[.fraction]]
///     timestamp  date ("T" | " ") time [zone]        zone := "Z" | [ ]"UTC" | (+|-)HH[[:]MM]
enum TextMoments {
  /// Days since 1970-01-01.
  static func date(_ text: RawSpan) -> Int32? {
    var scanner = MomentScanner(text)
    guard let day = scanner.date(), scanner.isAtEnd else { return nil }
    return Int32(exactly: day)
  }

  /// Microseconds since midnight; finer digits must be zero.
  static func time(_ text: RawSpan) -> Int64? {
    var scanner = MomentScanner(text)
    guard let nanoseconds = scanner.time(), scanner.isAtEnd, nanoseconds % 1000 == 0 else {
      return nil
    }
    return nanoseconds / 1000
  }

  /// A timestamp's units since 1970 and whether it named a zone; nil if it does not fit.
  ///
  /// A date alone is its midnight.
  static func timestamp(
    _ text: RawSpan, nanoseconds: Bool
  ) -> (value: Int64, hasZone: Bool)? {
    var scanner = MomentScanner(text)
    guard let day = scanner.date() else { return nil }
    var ofDay: Int64 = 0
    var offsetMinutes: Int64?
    if !scanner.isAtEnd {
      guard scanner.skip(UInt8(ascii: "T")) || scanner.skip(UInt8(ascii: " ")),
        let time = scanner.time()
      else { return nil }
      ofDay = time
      if !scanner.isAtEnd {
        guard let offset = scanner.zone(), scanner.isAtEnd else { return nil }
        offsetMinutes = offset
      }
    }
    let perSecond: Int64 = nanoseconds ? 1_000_000_000 : 1_000_000
    if !nanoseconds {
      guard ofDay % 1000 == 0 else { return nil }
      ofDay /= 1000
    }
    let (days, overflow) = day.multipliedReportingOverflow(by: 86_400 * perSecond)
    let (local, overflowToo) = days.addingReportingOverflow(ofDay)
    let shift = (offsetMinutes ?? 0) * 60 * perSecond
    let (value, overflowAgain) = local.subtractingReportingOverflow(shift)
    if overflow || overflowToo || overflowAgain { return nil }
    return (value, offsetMinutes != nil)
  }
}

/// A cursor over the text of a moment.
private struct MomentScanner: ~Escapable {
  private let text: RawSpan
  private var at = 0

  @_lifetime(copy text)
  init(_ text: RawSpan) { self.text = text }

  var isAtEnd: Bool { at == text.byteCount }

  private func peek() -> UInt8? {
    at < text.byteCount ? text.loadLE(at: at, as: UInt8.self) : nil
  }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at += 1
    return true
  }

  /// A number of `count` digits.
  private mutating func number(_ count: Int) -> Int64? {
    guard at + count <= text.byteCount else { return nil }
    var value: Int64 = 0
    for _ in 0..<count {
      let digit = text.loadLE(at: at, as: UInt8.self) &- 48
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
      at += 1
    }
    return value
  }

  mutating func date() -> Int64? {
    var sign: Int64 = 1
    if skip(UInt8(ascii: "-")) { sign = -1 } else { _ = skip(UInt8(ascii: "+")) }
    guard var year = number(4) else { return nil }
    while let byte = peek(), byte &- 48 < 10 {
      guard year < 1_000_000 else { return nil }
      year = year * 10 + Int64(byte - 48)
      at += 1
    }
    year *= sign
    guard skip(UInt8(ascii: "-")), let month = number(2), (1...12).contains(month),
      skip(UInt8(ascii: "-")), let day = number(2), day >= 1,
      day <= Self.length(ofMonth: month, year: year)
    else { return nil }
    return Self.day(year, month, day)
  }

  private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of the Gregorian calendar, extended to all years; counted in years that
  /// begin in March, so that the leap day is a year's last.
  private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let fromMarch = month > 2 ? month - 3 : month + 9
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let ofEra = marchYear - era * 400
    let ofYear = (153 * fromMarch + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }

  /// Nanoseconds since midnight.
  mutating func time() -> Int64? {
    guard let hour = number(2), hour < 24, skip(UInt8(ascii: ":")), let minute = number(2),
      minute < 60
    else { return nil }
    var total = (hour * 60 + minute) * 60_000_000_000
    guard skip(UInt8(ascii: ":")) else { return total }
    guard let second = number(2), second < 60 else { return nil }
    total += second * 1_000_000_000
    guard skip(UInt8(ascii: ".")) else { return total }
    var unit: Int64 = 100_000_000
    var seen = 0
    while let byte = peek(), byte &- 48 < 10 {
      // Digits past the nanosecond can't be kept.
      if unit == 0, byte != 48 { return nil }
      total += Int64(byte - 48) * unit
      unit /= 10
      seen += 1
      at += 1
    }
    return seen > 0 ? total : nil
  }

  /// Minutes east of UTC.
  mutating func zone() -> Int64? {
    if skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return 0 }
    _ = skip(UInt8(ascii: " "))
    if skip(UInt8(ascii: "U")) {
      return skip(UInt8(ascii: "T")) && skip(UInt8(ascii: "C")) ? 0 : nil
    }
    let sign: Int64
    if skip(UInt8(ascii: "+")) {
      sign = 1
    } else if skip(UInt8(ascii: "-")) {
      sign = -1
    } else {
      return nil
    }
    guard let hours = number(2), hours <= 18 else { return nil }
    guard !isAtEnd else { return sign * hours * 60 }
    _ = skip(UInt8(ascii: ":"))
    guard let minutes = number(2), minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}

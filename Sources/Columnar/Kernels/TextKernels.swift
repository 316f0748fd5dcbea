// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Writes the text of numbers and moments. Each function says how many bytes it may write at most;
/// the caller has made that room.
@unsafe
struct TextCursor {
  var at: UnsafeMutablePointer<UInt8>

  mutating func put(_ byte: UInt8) {
    unsafe at.pointee = byte
    unsafe at += 1
  }

  /// `value` in at least `width` digits. At most max(20, width) bytes.
  mutating func put(_ value: UInt64, width: Int = 1) {
    var count = 1
    var rest = value
    while rest >= 10 {
      rest /= 10
      count &+= 1
    }
    count = max(count, width)
    rest = value
    for i in stride(from: count &- 1, through: 0, by: -1) {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      unsafe at[i] = 48 &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    unsafe at += count
  }

  /// At most 20 bytes.
  mutating func put(_ value: Int64) {
    if value < 0 { unsafe put(UInt8(ascii: "-")) }
    unsafe put(value.magnitude)
  }

  /// Two digits of a number below 100.
  mutating func put2(_ value: Int) {
    let (tens, ones) = value.quotientAndRemainder(dividingBy: 10)
    unsafe put(48 &+ UInt8(truncatingIfNeeded: tens))
    unsafe put(48 &+ UInt8(truncatingIfNeeded: ones))
  }

  /// A decimal with `scale` digits after the point. At most 42 + `scale` bytes.
  mutating func put(decimal value: Int64, scale: Int) {
    if value < 0 { unsafe put(UInt8(ascii: "-")) }
    guard scale > 0, scale < powersOfTen.count else { return unsafe put(value.magnitude) }
    let unit = powersOfTen[scale]
    let (whole, part) = value.magnitude.quotientAndRemainder(dividingBy: unit)
    unsafe put(whole)
    unsafe put(UInt8(ascii: "."))
    unsafe put(part, width: scale)
  }

  /// A day as `2024-02-29`, with a sign past the year 9999 and before 0. At most 14 bytes.
  mutating func put(day: Int64) {
    let (year, month, dayOfMonth) = CivilDay.of(day)
    if year < 0 || year > 9999 { unsafe put(UInt8(ascii: year < 0 ? "-" : "+")) }
    unsafe put(year.magnitude, width: 4)
    unsafe put(UInt8(ascii: "-"))
    unsafe put2(month)
    unsafe put(UInt8(ascii: "-"))
    unsafe put2(dayOfMonth)
  }

  /// A time of day as `23:59:59.123456`. At most 18 bytes.
  mutating func put(timeOfDay units: Int64, perSecond: Int64, digits: Int) {
    let (seconds, fraction) = units.quotientAndRemainder(dividingBy: perSecond)
    let second = Int(truncatingIfNeeded: seconds)
    unsafe put2(second / 3600 % 100)
    unsafe put(UInt8(ascii: ":"))
    unsafe put2(second / 60 % 60)
    unsafe put(UInt8(ascii: ":"))
    unsafe put2(second % 60)
    unsafe put(UInt8(ascii: "."))
    unsafe put(fraction.magnitude, width: digits)
  }

  /// A moment as `2024-02-29T23:59:59.123456Z`. At most 38 bytes.
  mutating func put(moment: Int64, perSecond: Int64, digits: Int, zoned: Bool) {
    let perDay = 86_400 &* perSecond
    var (day, rest) = moment.quotientAndRemainder(dividingBy: perDay)
    if rest < 0 {
      day &-= 1
      rest &+= perDay
    }
    unsafe put(day: day)
    unsafe put(UInt8(ascii: "T"))
    unsafe put(timeOfDay: rest, perSecond: perSecond, digits: digits)
    if zoned { unsafe put(UInt8(ascii: "Z")) }
  }
}

/// 10 to the power of the index.
private let powersOfTen: [UInt64] = (0...19).map { (0..<$0).reduce(1) { value, _ in value * 10 } }

/// How a whole number is spelled.
enum NumberText {
  case integer
  case decimal(scale: Int)
  case date
  case time
  case moment(TimestampUnit, zoned: Bool)

  /// No spelling is longer, quotes included.
  private static let widest = 64

  /// Appends the text of `value`.
  @inline(__always)
  func append(_ value: Int64, quoted: Bool, to output: inout MutableBuffer) {
    let start = output.count
    output.resize(to: start + NumberText.widest)
    var room = output.mutableBytes
    let used = unsafe room.withUnsafeMutableBytes { raw -> Int in
      guard let base = raw.baseAddress else { return 0 }
      let first = unsafe (base + start).assumingMemoryBound(to: UInt8.self)
      var cursor = unsafe TextCursor(at: first)
      if quoted { unsafe cursor.put(UInt8(ascii: "\"")) }
      unsafe put(value, &cursor)
      if quoted { unsafe cursor.put(UInt8(ascii: "\"")) }
      return unsafe cursor.at - first
    }
    output.resize(to: start + used)
  }

  @inline(__always)
  private func put(_ value: Int64, _ cursor: inout TextCursor) {
    switch self {
    case .integer: unsafe cursor.put(value)
    case .decimal(let scale): unsafe cursor.put(decimal: value, scale: scale)
    case .date: unsafe cursor.put(day: value)
    case .time: unsafe cursor.put(timeOfDay: value, perSecond: 1_000_000, digits: 6)
    case .moment(.microseconds, let zoned):
      unsafe cursor.put(moment: value, perSecond: 1_000_000, digits: 6, zoned: zoned)
    case .moment(.nanoseconds, let zoned):
      unsafe cursor.put(moment: value, perSecond: 1_000_000_000, digits: 9, zoned: zoned)
    }
  }
}

/// Days since 1970-01-01 as dates of the Gregorian calendar, extended to all years.
enum CivilDay {
  static func of(_ day: Int64) -> (year: Int64, month: Int, day: Int) {
    // The calendar repeats every 400 years, 146,097 days; years counted from March end in the
    // leap day, so that days before a month are a straight line.
    let shifted = day &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
    let ofEra = shifted &- era &* 146_097
    let yearOfEra = (ofEra &- ofEra / 1460 &+ ofEra / 36_524 &- ofEra / 146_096) / 365
    let ofYear = ofEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let marchMonth = (5 &* ofYear &+ 2) / 153
    let dayOfMonth = ofYear &- (153 &* marchMonth &+ 2) / 5 &+ 1
    let month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
    let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    return (year, Int(truncatingIfNeeded: month), Int(truncatingIfNeeded: dayOfMonth))
  }
}

enum TextKernels {
  /// Lays cells row by row: before the cell of column c comes `prefixes[c]`, after the last one
  /// `ending`. Copies 16 bytes at a time, past the end of short cells: measured 1.9 × the copy of
  /// exact lengths on sixteen columns of lineitem.
  ///
  /// Requires: cells of the same number of rows.
  static func interleave(
    _ cells: [TextCells], prefixes: [[UInt8]], ending: [UInt8], rowCount: Int,
    into output: inout MutableBuffer
  ) {
    precondition(cells.count == prefixes.count && cells.allSatisfy { $0.rowCount == rowCount })
    let fixed = prefixes.reduce(ending.count) { $0 + $1.count } * rowCount
    let total = cells.reduce(fixed) { $0 + $1.totalByteCount }
    let start = output.count
    // Room for the last copy's overhang.
    output.resize(to: start + total + 16)
    var padded = prefixes.map { $0 + [UInt8](repeating: 0, count: 16) }
    padded.append(ending + [UInt8](repeating: 0, count: 16))
    var sink = output.mutableBytes
    unsafe sink.withUnsafeMutableBytes { raw in
      guard var at = unsafe raw.baseAddress.map({ unsafe $0 + start }) else { return }
      for row in 0..<rowCount {
        for column in cells.indices {
          unsafe copy(padded[column], prefixes[column].count, to: &at)
          unsafe cells[column].withCell(row) { source, count in
            unsafe copy(source, count, to: &at)
          }
        }
        unsafe copy(padded[cells.count], ending.count, to: &at)
      }
    }
    output.resize(to: start + total)
  }

  /// Copies in steps of 16 bytes; source and target have 16 more than `count`.
  @inline(__always)
  private static func copy(
    _ source: UnsafeRawPointer, _ count: Int, to target: inout UnsafeMutableRawPointer
  ) {
    var done = 0
    repeat {
      let chunk = unsafe source.loadUnaligned(fromByteOffset: done, as: SIMD16<UInt8>.self)
      unsafe target.storeBytes(of: chunk, toByteOffset: done, as: SIMD16<UInt8>.self)
      done &+= 16
    } while done < count
    unsafe target += count
  }

  @inline(__always)
  private static func copy(
    _ source: [UInt8], _ count: Int, to target: inout UnsafeMutableRawPointer
  ) {
    unsafe source.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      unsafe copy(base, count, to: &target)
    }
  }
}

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
  ///
  /// Two digits a division, from the last on.
  mutating func put(_ value: UInt64, width: Int = 1) {
    let count = max(digitCount(value), width)
    var rest = value
    var end = count
    while end >= 2 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      let tens = pair / 10
      unsafe at[end &- 1] = 48 &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
      unsafe at[end &- 2] = 48 &+ UInt8(truncatingIfNeeded: tens)
      rest = quotient
      end &-= 2
    }
    if end == 1 { unsafe at[0] = 48 &+ UInt8(truncatingIfNeeded: rest) }
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

/// How many digits `value` has.
@inline(__always)
private func digitCount(_ value: UInt64) -> Int {
  var count = 1
  var limit: UInt64 = 10
  while value >= limit {
    count &+= 1
    let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
    if overflow { break }
    limit = next
  }
  return count
}

/// How a whole number is spelled.
enum NumberText {
  case integer
  case decimal(scale: Int)
  case date
  case time
  case moment(TimestampUnit, zoned: Bool)

  /// No spelling is longer, quotes included.
  private static let widest = 64

  /// Appends the text of each value to `output`, and where it ends to `offsets`; of nulls, `null`.
  ///
  /// Measured 6 × a loop that makes room value by value.
  /// - Parameters:
  ///   - values: of 4 or 8 bytes (`width`) each.
  ///   - validity: 0 where a row is null; nil if none is.
  func append(
    _ values: Buffer, width: Int, validity: Bitmap?, null: [UInt8], quoted: Bool,
    to output: inout MutableBuffer, _ offsets: inout MutableBuffer
  ) {
    precondition((width == 4 || width == 8) && values.count % width == 0)
    precondition(null.count <= NumberText.widest)
    let count = values.count / width
    precondition(validity.map { $0.count == count } ?? true)
    for start in stride(from: 0, to: count, by: 1024) {
      let block = start..<min(start + 1024, count)
      let from = output.count
      let firstOffset = offsets.count
      output.resize(to: from + block.count * NumberText.widest)
      offsets.resize(to: firstOffset + block.count * 4)
      var ends = offsets.mutableBytes
      var room = output.mutableBytes
      let used = unsafe room.withUnsafeMutableBytes { raw in
        unsafe ends.withUnsafeMutableBytes { ends in
          unsafe write(
            block, values, width, validity, null, quoted, raw, from, ends, firstOffset)
        }
      }
      output.resize(to: used)
      precondition(used <= Int(Int32.max), "more than 2 GiB of text in one batch")
    }
  }

  @inline(__always)
  private func write(
    _ rows: Range<Int>, _ values: Buffer, _ width: Int, _ validity: Bitmap?, _ null: [UInt8],
    _ quoted: Bool, _ output: UnsafeMutableRawBufferPointer, _ from: Int,
    _ ends: UnsafeMutableRawBufferPointer, _ firstOffset: Int
  ) -> Int {
    guard let base = output.baseAddress else { return from }
    let first = unsafe (base + from).assumingMemoryBound(to: UInt8.self)
    var cursor = unsafe TextCursor(at: first)
    let bytes = values.bytes
    for row in rows {
      if validity?[row] ?? true {
        let value =
          width == 4
          ? Int64(bytes.loadLE(at: row &* 4, as: Int32.self))
          : bytes.loadLE(at: row &* 8, as: Int64.self)
        if quoted { unsafe cursor.put(UInt8(ascii: "\"")) }
        unsafe put(value, &cursor)
        if quoted { unsafe cursor.put(UInt8(ascii: "\"")) }
      } else {
        for byte in null { unsafe cursor.put(byte) }
      }
      let end = unsafe from &+ (cursor.at - first)
      unsafe ends.storeBytes(
        of: Int32(truncatingIfNeeded: end),
        toByteOffset: firstOffset &+ (row &- rows.lowerBound) &* 4, as: Int32.self)
    }
    return unsafe from + (cursor.at - first)
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
    let sources = unsafe cells.map { unsafe CellSource($0) }
    var sink = output.mutableBytes
    unsafe sink.withUnsafeMutableBytes { raw in
      guard var at = unsafe raw.baseAddress.map({ unsafe $0 + start }) else { return }
      for row in 0..<rowCount {
        for column in unsafe sources.indices {
          unsafe copy(padded[column], prefixes[column].count, to: &at)
          let (source, count) = unsafe sources[column].cell(row)
          unsafe copy(source, count, to: &at)
        }
        unsafe copy(padded[cells.count], ending.count, to: &at)
      }
    }
    withExtendedLifetime(cells) {}
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

/// Where the cells of a column are; good as long as the ``TextCells`` are, which proved the bounds.
@unsafe
private struct CellSource {
  private let offsets: UnsafePointer<Int32>?
  private let bytes: UnsafeRawPointer?
  private let codes: UnsafePointer<Int32>?

  init(_ cells: TextCells) {
    unsafe offsets = unsafe CellSource.start(cells.offsets)?.assumingMemoryBound(to: Int32.self)
    unsafe bytes = unsafe CellSource.start(cells.bytes)
    unsafe codes =
      unsafe cells.codes.flatMap { unsafe CellSource.start($0) }?
      .assumingMemoryBound(to: Int32.self)
  }

  private static func start(_ buffer: Buffer) -> UnsafeRawPointer? {
    unsafe buffer.bytes.withUnsafeBytes { $0.baseAddress }
  }

  @inline(__always)
  func cell(_ row: Int) -> (UnsafeRawPointer, Int) {
    guard let offsets = unsafe offsets, let bytes = unsafe bytes else {
      preconditionFailure("cells without memory")
    }
    let cell = unsafe codes.map { unsafe Int($0[row]) } ?? row
    let from = unsafe Int(offsets[cell])
    return unsafe (bytes + from, Int(offsets[cell &+ 1]) &- from)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg

/// Conversions between text and other types. Spaces around what text spells do not count.
///
///     boolean        true, t, yes, y, 1; false, f, no, n, 0; in any case
///     numbers        digits with a point and an exponent; for doubles also NaN and Infinity
///     date time …    ISO 8601, with a space or a T; a zone where there is none means UTC
///     uuid           digits in five groups
///     binary fixed   the UTF-8 of the text
struct TextCasts {
  let type: PrimitiveType
  /// Numbers must not have more digits than the type.
  let isExact: Bool

  /// - Parameter column: strings, plain.
  func parsed(_ column: Column) -> Outcome {
    if case .binary = type { return Outcome(column.retyped(as: .binary)) }
    let builder = OutcomeBuilder(type.columnType, capacity: column.count)
    let rows = TextRows(column)
    for row in 0..<column.count {
      if column.isNull(row) {
        builder.appendNull()
      } else if !append(rows, row, to: builder.values) {
        builder.appendFailure()
      }
    }
    return builder.finish()
  }

  /// Appends what the text in `row` spells; false if that is nothing.
  private func append(_ rows: TextRows, _ row: Int, to builder: ColumnBuilder) -> Bool {
    switch type {
    case .int, .long:
      let integer = rows.withBytes(row) { Self.integer($0) } ?? rows.text(row).rescaled(0, isExact)
      if type == .int {
        guard let value = integer.flatMap({ Int32(exactly: $0) }) else { return false }
        builder.append(value)
      } else {
        guard let value = integer.flatMap({ Int64(exactly: $0) }) else { return false }
        builder.append(value)
      }
      return true
    case .decimal(let precision, let scale):
      let highest = DecimalNumber.highest(precision: precision)
      guard let value = rows.text(row).rescaled(scale, isExact), value.magnitude <= highest else {
        return false
      }
      builder.append(value)
      return true
    case .fixed(let width):
      guard rows.count(row) == width else { return false }
      rows.withBytes(row) { builder.append($0) }
      return true
    default:
      guard let value = value(of: rows.text(row).trimmed) else { return false }
      builder.append(value)
      return true
    }
  }

  /// Of digits alone, maybe behind a sign; nil if there is anything else, or too many.
  private static func integer(_ bytes: RawSpan) -> Int128? {
    guard bytes.byteCount > 0 else { return nil }
    let sign = bytes.loadLE(at: 0, as: UInt8.self)
    let isNegative = sign == UInt8(ascii: "-")
    let start = isNegative || sign == UInt8(ascii: "+") ? 1 : 0
    guard (1...18).contains(bytes.byteCount - start) else { return nil }
    var value: Int64 = 0
    for offset in start..<bytes.byteCount {
      let digit = bytes.loadLE(at: offset, as: UInt8.self) &- 0x30
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return Int128(isNegative ? -value : value)
  }

  /// Values other than exact numbers.
  private func value(of text: String) -> Value? {
    switch type {
    case .boolean: return Self.boolean(text.lowercased()).map { .boolean($0) }
    case .double: return Self.number(text, Double.init).map { .double($0) }
    case .float: return Self.number(text, Float.init).map { .float($0) }
    case .date: return date(text).map { .int($0) }
    case .time:
      guard let time = TimestampText.timeOfDay(text), !isExact || time % 1000 == 0 else {
        return nil
      }
      return .long(time / 1000)
    case .timestamp, .timestamptz, .timestampNs, .timestamptzNs: return timestamp(text)
    case .uuid: return UUIDText.bytes(text).map { .bytes($0) }
    default: return nil
    }
  }

  private static func boolean(_ text: String) -> Bool? {
    switch text {
    case "true", "t", "yes", "y", "1": true
    case "false", "f", "no", "n", "0": false
    default: nil
    }
  }

  /// Of digits; what is too large fails, rather than to be infinite.
  private static func number<T: BinaryFloatingPoint>(
    _ text: String, _ parse: (String) -> T?
  ) -> T? {
    switch text.lowercased() {
    case "nan": return T.nan
    case "infinity", "inf", "+infinity", "+inf": return T.infinity
    case "-infinity", "-inf": return -T.infinity
    default:
      // Not hexadecimal digits, which Swift takes as well.
      guard text.utf8.allSatisfy({ (0x2b...0x39).contains($0) || $0 | 0x20 == 0x65 }),
        let value = parse(text), value.isFinite
      else { return nil }
      return value
    }
  }

  private func date(_ text: String) -> Int32? {
    if let days = TimestampText.date(text) { return Int32(exactly: days) }
    guard let time = TimestampText(text) else { return nil }
    let day = Int128(CivilTime.nanosecondsPerDay)
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: day)
    guard !isExact || remainder == 0 else { return nil }
    return Int32(exactly: remainder < 0 ? quotient - 1 : quotient)
  }

  private func timestamp(_ text: String) -> Value? {
    guard let time = TimestampText(text) else { return nil }
    // A reading of a clock is not the point in time that text with a zone is.
    guard type.hasZone || !time.hasZone else { return nil }
    if type.isNanosecondTimestamp { return Int64(exactly: time.nanoseconds).map { .long($0) } }
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: 1000)
    guard !isExact || remainder == 0 else { return nil }
    return Int64(exactly: remainder < 0 ? quotient - 1 : quotient).map { .long($0) }
  }

  // MARK: Spelling

  /// The text of each value of a plain column: as `lake scan` prints it.
  static func spelled(_ column: Column, _ type: PrimitiveType) -> Outcome {
    let builder = OutcomeBuilder(.string, capacity: column.count)
    for row in 0..<column.count {
      guard let value = column.icebergValue(row) else {
        builder.appendNull()
        continue
      }
      switch value {
      case .double(let number) where !number.isFinite: builder.values.append(spelled(number))
      case .float(let number) where !number.isFinite: builder.values.append(spelled(Double(number)))
      case .bytes(let bytes) where type != .uuid:
        if let text = String(validating: bytes, as: UTF8.self) {
          builder.values.append(text)
        } else {
          builder.appendFailure()
        }
      default: builder.values.append(value.text(as: type))
      }
    }
    return builder.finish()
  }

  private static func spelled(_ number: Double) -> String {
    number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }
}

extension String {
  /// Without the ASCII spaces around it.
  var trimmed: String {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    guard let first = utf8.firstIndex(where: { !isSpace($0) }),
      let last = utf8.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(self[first...last])
  }

  /// The unscaled value of the number that this text spells, at `scale`: the nearest, half away
  /// from zero; nil if it is no number, is beyond all decimals, or is not exact and must be.
  fileprivate func rescaled(_ scale: Int, _ isExact: Bool) -> Int128? {
    guard let number = DecimalNumber(trimmed) else { return nil }
    let (shift, overflow) = scale.subtractingReportingOverflow(number.scale)
    guard !overflow else { return nil }
    let highest = DecimalNumber.highest(precision: 38)
    let (value, failed) = Rescaling(
      shift: max(min(shift, 100), -100), limits: -highest...highest, isExact: isExact
    ).apply(number.unscaled)
    return failed ? nil : value
  }
}

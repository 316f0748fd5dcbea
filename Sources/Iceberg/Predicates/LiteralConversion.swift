// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A literal as a value of a column's type, or where it lies among such values.
package enum ConvertedLiteral: Equatable {
  case exact(Value)
  /// Between this value and the next higher one.
  case above(Value)
  /// Above all values of the type.
  case tooHigh
  /// Below all values of the type.
  case tooLow
}

extension Literal {
  /// This literal as one of `type`; nil if it can't be compared with such values.
  package func converted(to type: PrimitiveType) -> ConvertedLiteral? {
    switch type {
    case .boolean: return boolean
    case .int: return integer(Int128(Int32.min)...Int128(Int32.max)) { .int(Int32(clamping: $0)) }
    case .long: return integer(Int128(Int64.min)...Int128(Int64.max)) { .long(Int64(clamping: $0)) }
    case .float, .double: return floating(type)
    case .decimal(let precision, let scale): return decimal(precision: precision, scale: scale)
    case .date: return date
    case .time: return timeOfDay
    case .timestamp, .timestamptz, .timestampNs, .timestamptzNs: return timestamp(type)
    case .string:
      if case .string(let text) = kind { return .exact(.string(text)) }
      return nil
    case .uuid, .fixed, .binary: return bytes(type)
    case .unknown, .variant, .geometry, .geography: return nil
    }
  }

  private var boolean: ConvertedLiteral? {
    switch kind {
    case .boolean(let value): return .exact(.boolean(value))
    case .string(let text):
      switch text.lowercased() {
      case "true": return .exact(.boolean(true))
      case "false": return .exact(.boolean(false))
      default: return nil
      }
    default: return nil
    }
  }

  /// The number this literal is or, if it is text, spells.
  private var number: Kind? {
    switch kind {
    case .number: return kind
    case .double(let value): return value.isNaN ? nil : kind
    case .string(let text):
      switch text.lowercased() {
      case "infinity", "inf", "+infinity": return .double(.infinity)
      case "-infinity", "-inf": return .double(-.infinity)
      default: return DecimalNumber(text).map { .number($0) }
      }
    default: return nil
    }
  }

  private func integer(
    _ range: ClosedRange<Int128>, _ value: (Int128) -> Value
  ) -> ConvertedLiteral? {
    guard let rescaled = rescaled(to: 0) else { return nil }
    return rescaled.placed(in: range, value)
  }

  private func decimal(precision: Int, scale: Int) -> ConvertedLiteral? {
    let highest = DecimalNumber.highest(precision: precision)
    return rescaled(to: scale)?.placed(in: -highest...highest) { .decimal($0) }
  }

  private func rescaled(to scale: Int) -> DecimalNumber.Rescaled? {
    switch number {
    case .number(let number): return number.rescaled(to: scale)
    case .double(let value):
      // Of too many digits for a decimal: those that fit decide.
      guard value.magnitude < 1e38, let near = DecimalNumber("\(value)") else {
        return value > 0 ? .tooHigh : .tooLow
      }
      return near.rescaled(to: scale)
    default: return nil
    }
  }

  /// The nearest value; of a number beyond all finite ones the highest or lowest of those.
  private func floating(_ type: PrimitiveType) -> ConvertedLiteral? {
    let wide: Double
    switch number {
    case .number(let number): wide = Double("\(number.unscaled)e\(-number.scale)") ?? 0
    case .double(let value): wide = value
    default: return nil
    }
    let isInfinite = if case .double(let value) = number { value.isInfinite } else { false }
    let isFloat = type == .float
    let value = isFloat ? Double(Float(wide)) : wide
    let greatest =
      isFloat ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
    func make(_ value: Double) -> Value {
      let positiveZero = value == 0 ? 0 : value
      return isFloat ? .float(Float(positiveZero)) : .double(positiveZero)
    }
    if value.isFinite || isInfinite { return .exact(make(value)) }
    // Between the highest finite number and infinity, or between -infinity and the lowest.
    return .above(make(value > 0 ? greatest : -.infinity))
  }

  private var date: ConvertedLiteral? {
    let days: Int128
    var isExact = true
    switch kind {
    case .date(let value): days = Int128(value)
    case .timestamp(let time) where !time.hasZone: (days, isExact) = Literal.days(time)
    case .string(let text):
      guard let time = TimestampText(text), !time.hasZone else { return nil }
      (days, isExact) = Literal.days(time)
    default: return nil
    }
    let rescaled = isExact ? DecimalNumber.Rescaled.exact(days) : .above(days)
    return rescaled.placed(in: Int128(Int32.min)...Int128(Int32.max)) { .int(Int32(clamping: $0)) }
  }

  private static func days(_ time: TimestampText) -> (Int128, Bool) {
    let day = Int128(CivilTime.nanosecondsPerDay)
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: day)
    return (remainder < 0 ? quotient - 1 : quotient, remainder == 0)
  }

  private var timeOfDay: ConvertedLiteral? {
    let nanoseconds: Int64
    switch kind {
    case .timeOfDay(let value): nanoseconds = value
    case .string(let text):
      guard let value = TimestampText.timeOfDay(text) else { return nil }
      nanoseconds = value
    default: return nil
    }
    let value = Value.long(nanoseconds / 1000)
    return nanoseconds % 1000 == 0 ? .exact(value) : .above(value)
  }

  /// A literal without a zone is in UTC where points in time are meant; one with a zone can't be
  /// compared with readings of a clock.
  private func timestamp(_ type: PrimitiveType) -> ConvertedLiteral? {
    let time: TimestampText
    switch kind {
    case .date(let days):
      time = TimestampText(
        nanoseconds: Int128(days) * Int128(CivilTime.nanosecondsPerDay), hasZone: false)
    case .timestamp(let value): time = value
    case .string(let text):
      guard let value = TimestampText(text) else { return nil }
      time = value
    default: return nil
    }
    guard !time.hasZone || type.hasZone else { return nil }
    let unit: Int128 = type.isNanosecondTimestamp ? 1 : 1000
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: unit)
    let floor = remainder < 0 ? quotient - 1 : quotient
    let rescaled = remainder == 0 ? DecimalNumber.Rescaled.exact(floor) : .above(floor)
    return rescaled.placed(in: Int128(Int64.min)...Int128(Int64.max)) { .long(Int64(clamping: $0)) }
  }

  private func bytes(_ type: PrimitiveType) -> ConvertedLiteral? {
    switch kind {
    case .bytes(let bytes):
      if type == .uuid, bytes.count != 16 { return nil }
      return .exact(.bytes(bytes))
    case .string(let text) where type == .uuid:
      return UUIDText.bytes(text).map { .exact(.bytes($0)) }
    default: return nil
    }
  }
}

extension DecimalNumber.Rescaled {
  /// Where this lies in `range`, whose numbers `value` makes values of.
  fileprivate func placed(
    in range: ClosedRange<Int128>, _ value: (Int128) -> Value
  ) -> ConvertedLiteral {
    switch self {
    case .tooHigh: return .tooHigh
    case .tooLow: return .tooLow
    case .exact(let number):
      if number > range.upperBound { return .tooHigh }
      if number < range.lowerBound { return .tooLow }
      return .exact(value(number))
    case .above(let number):
      if number >= range.upperBound { return .tooHigh }
      if number < range.lowerBound { return .tooLow }
      return .above(value(number))
    }
  }
}

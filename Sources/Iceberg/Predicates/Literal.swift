// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A value in a predicate, before it is known which type it is compared with.
///
/// Integers, decimals, floating-point numbers, strings and booleans can be written as Swift
/// literals.
public struct Literal: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case boolean(Bool)
    case number(DecimalNumber)
    /// One of too many digits for a decimal; infinite only while text is converted.
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case date(Int64)
    case timeOfDay(nanoseconds: Int64)
    case timestamp(TimestampText)
  }
  let kind: Kind

  init(_ kind: Kind) { self.kind = kind }

  public static func boolean(_ value: Bool) -> Literal { Literal(.boolean(value)) }
  public static func integer(_ value: Int64) -> Literal {
    Literal(.number(DecimalNumber(unscaled: Int128(value), scale: 0)))
  }
  /// What is not finite is as the text `Infinity`, `-Infinity` or `NaN` is.
  public static func double(_ value: Double) -> Literal { floating("\(value)", value) }
  /// `unscaled * 10^-scale`
  public static func decimal(unscaled: Int128, scale: Int) -> Literal {
    Literal(.number(DecimalNumber(unscaled: unscaled, scale: scale)))
  }
  /// Text; or a date, time, timestamp or UUID in text, where the column is one.
  public static func string(_ value: String) -> Literal { Literal(.string(value)) }
  public static func bytes(_ value: [UInt8]) -> Literal { Literal(.bytes(value)) }

  /// Of `value`, which is one of `type`; nil of a structure, list or map, or of an opaque type.
  public init?(_ value: Value, of type: PrimitiveType) {
    switch (value, type) {
    case (.boolean(let value), _): self = .boolean(value)
    case (.int(let days), .date): self = Literal(.date(Int64(days)))
    case (.int(let value), _): self = .integer(Int64(value))
    case (.long(let value), .time): self = Literal(.timeOfDay(nanoseconds: value &* 1000))
    case (.long(let value), _) where type.isTimestamp:
      let nanoseconds = Int128(value) * (type.isNanosecondTimestamp ? 1 : 1000)
      self = Literal(
        .timestamp(TimestampText(nanoseconds: nanoseconds, hasZone: type.hasZone)))
    case (.long(let value), _): self = .integer(value)
    case (.float(let value), _): self = .floating("\(value)", Double(value))
    case (.double(let value), _): self = .double(value)
    case (.decimal(let unscaled), .decimal(_, let scale)):
      self = .decimal(unscaled: unscaled, scale: scale)
    case (.string(let text), _): self = .string(text)
    case (.bytes(let bytes), _) where !type.isOpaque: self = .bytes(bytes)
    default: return nil
    }
  }

  /// Of a number and the shortest text that gives it back.
  private static func floating(_ text: String, _ value: Double) -> Literal {
    guard value.isFinite else {
      return .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }
    return Literal(DecimalNumber(text).map { .number($0) } ?? .double(value))
  }
}

extension TimestampText {
  init(nanoseconds: Int128, hasZone: Bool) {
    self.nanoseconds = nanoseconds
    self.hasZone = hasZone
  }
}

extension Literal: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension Literal: CustomStringConvertible {
  /// The literal as ``PredicateParser`` reads it.
  public var description: String {
    switch kind {
    case .boolean(let value): value ? "TRUE" : "FALSE"
    case .number(let number): number.description
    case .double(let value): "\(value)"
    case .string(let text): text.inQuotes
    case .bytes(let bytes): "X'\(bytes.hexadecimal)'"
    case .date(let days): "DATE '\(CivilTime.dateText(days))'"
    case .timeOfDay(let nanoseconds):
      "TIME '\(CivilTime.timestampText(nanoseconds: nanoseconds).split(separator: "T")[1])'"
    case .timestamp(let time):
      "TIMESTAMP '\(CivilTime.timestampText(time.nanoseconds))\(time.hasZone ? "+00:00" : "")'"
    }
  }
}

extension CivilTime {
  /// Of any point in time that can be written.
  static func timestampText(_ nanoseconds: Int128) -> String {
    let (quotient, remainder) = nanoseconds.quotientAndRemainder(
      dividingBy: Int128(nanosecondsPerDay))
    let days = Int64(clamping: remainder < 0 ? quotient - 1 : quotient)
    let time = Int64(remainder < 0 ? remainder + Int128(nanosecondsPerDay) : remainder)
    let text = timestampText(nanoseconds: time)
    return dateText(days) + text.dropFirst(10)
  }
}

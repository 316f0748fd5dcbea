// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// Which types expressions have, by those of their parts.
///
///     int  with long                 long
///     int or long with decimal(p,s)  the decimal that holds both (an int is decimal(10,0), a long
///                                    decimal(19,0), a literal as many digits as it has)
///     decimal with decimal           the larger scale, and as many digits before the point as either
///     float with any of these        float
///     double with any of these       double
///     date with timestamp            timestamp (of its unit, zoned as it is)
///     timestamp with timestamp_ns    timestamp_ns; zoned and not zoned have nothing in common
///     fixed or uuid with binary      binary
///     NULL with any type             that type
enum TypeRules {
  /// The type that values of both become to be compared, or to stand in one column; nil if none.
  static func common(_ a: PrimitiveType, _ b: PrimitiveType) -> PrimitiveType? {
    if a == b { return a }
    switch (a, b) {
    case (.unknown, let other), (let other, .unknown): return other
    case (.fixed, .fixed), (.fixed, .binary), (.binary, .fixed): return .binary
    case (.uuid, .binary), (.binary, .uuid): return .binary
    default: break
    }
    if a.isNumber, b.isNumber { return commonNumber(a, b) }
    return commonMoment(a, b)
  }

  private static func commonNumber(_ a: PrimitiveType, _ b: PrimitiveType) -> PrimitiveType? {
    if a == .double || b == .double { return .double }
    if a == .float || b == .float { return .float }
    guard let (p, s) = a.decimalShape, let (q, t) = b.decimalShape else { return nil }
    if !a.isDecimal, !b.isDecimal { return .long }
    let scale = max(s, t)
    return .decimal(precision: min(38, max(p - s, q - t) + scale), scale: scale)
  }

  private static func commonMoment(_ a: PrimitiveType, _ b: PrimitiveType) -> PrimitiveType? {
    switch (a, b) {
    case (.date, let other) where other.isTimestamp: return other
    case (let other, .date) where other.isTimestamp: return other
    case (_, _) where a.isTimestamp && b.isTimestamp && a.hasZone == b.hasZone:
      return a.hasZone ? .timestamptzNs : .timestampNs
    default: return nil
    }
  }

  /// The type of `a op b`; nil if they are no numbers, or the result has more than 38 digits behind
  /// the point.
  ///
  ///     int, long          the wider of the two
  ///     decimals  + - %    the larger scale; one more digit before the point (as many, for %)
  ///               *        the sum of the scales and of the precisions, which end at 38
  ///               /        double
  ///     float, double      the wider of the two
  static func arithmetic(
    _ op: ArithmeticOperator, _ a: PrimitiveType, _ b: PrimitiveType
  ) -> PrimitiveType? {
    guard let common = common(a, b), common.isNumber else { return nil }
    if op == .divide { return .double }
    guard case .decimal(let precision, let scale) = common else { return common }
    guard let (p, s) = a.decimalShape, let (q, t) = b.decimalShape else { return nil }
    switch op {
    case .add, .subtract: return .decimal(precision: min(38, precision + 1), scale: scale)
    case .multiply:
      return s + t > 38 ? nil : .decimal(precision: min(38, p + q), scale: s + t)
    case .divide, .remainder: return common
    }
  }

  /// Which conversions `CAST` does.
  static func canCast(_ from: PrimitiveType, to type: PrimitiveType) -> Bool {
    if from == type || from == .unknown { return true }
    if from.isOpaque || type.isOpaque || type == .unknown { return false }
    if from == .string { return true }
    if type == .string { return true }
    switch (from, type) {
    case _ where from.isNumber && type.isNumber: return true
    case (.boolean, .int), (.boolean, .long), (.int, .boolean), (.long, .boolean): return true
    case (.date, _) where type.isTimestamp: return true
    case (_, .date) where from.isTimestamp: return true
    case (_, .time) where from.isTimestamp: return true
    case _ where from.isTimestamp && type.isTimestamp: return true
    case (.fixed, .binary), (.binary, .fixed), (.fixed, .fixed): return true
    case (.uuid, .binary), (.binary, .uuid), (.uuid, .fixed(16)), (.fixed(16), .uuid): return true
    default: return false
    }
  }

  /// Which conversions an assignment does by itself. All keep the value, or fail in its row; but a
  /// double becomes the float that is nearest.
  static func canAssign(_ from: PrimitiveType, to type: PrimitiveType) -> Bool {
    if from == type || from == .unknown { return type != .variant || from == .unknown }
    if from.isNumber, type.isNumber {
      // What a binary fraction is in decimal digits, its author says.
      return !(from.isFloatingPoint && type.isDecimal)
    }
    switch (from, type) {
    case (.date, _) where type.isTimestamp: return !type.hasZone
    case _ where from.isTimestamp && type.isTimestamp: return from.hasZone == type.hasZone
    case (.fixed, .binary), (.binary, .fixed): return true
    default: return false
    }
  }
}

extension PrimitiveType {
  var isDecimal: Bool {
    if case .decimal = self { true } else { false }
  }
  var isInteger: Bool { self == .int || self == .long }
  var isNumber: Bool { isInteger || isDecimal || isFloatingPoint }

  /// The digits, and how many of them behind the point, of an exact number's type.
  var decimalShape: (precision: Int, scale: Int)? {
    switch self {
    case .int: (10, 0)
    case .long: (19, 0)
    case .decimal(let precision, let scale): (precision, scale)
    default: nil
    }
  }

  /// How expressions and errors name the type.
  var name: String { self == .unknown ? "NULL" : description }
}

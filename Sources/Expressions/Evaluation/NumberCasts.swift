// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Conversions among numbers. To fewer digits: the nearest, half away from zero.
struct NumberCasts {
  private let from: PrimitiveType
  private let to: PrimitiveType
  private let isExact: Bool
  private var type: ColumnType { to.columnType }

  init(_ from: PrimitiveType, _ to: PrimitiveType, _ mode: CastMode) {
    self.from = from
    self.to = to
    self.isExact = mode == .exact
  }

  /// - Parameter column: plain.
  func cast(_ column: Column) -> Outcome {
    if column.isAllNull { return Outcome(.nulls(type, count: column.count)) }
    switch from {
    case .float: return fromDoubles(ColumnLoops.map(column, Float.self, as: .double) { Double($0) })
    case .double: return fromDoubles(column)
    default: break
    }
    switch (to, from) {
    case (.float, .int): return Outcome(ColumnLoops.map(column, Int32.self, as: type) { Float($0) })
    case (.float, .long):
      return Outcome(ColumnLoops.map(column, Int64.self, as: type) { Float($0) })
    case (.double, .int):
      return Outcome(ColumnLoops.map(column, Int32.self, as: type) { Double($0) })
    case (.double, .long):
      return Outcome(ColumnLoops.map(column, Int64.self, as: type) { Double($0) })
    case (.float, _), (.double, _): return toBinaryFractions(column)
    case (.long, .int):
      return Outcome(ColumnLoops.map(column, Int32.self, as: type) { Int64($0) })
    case (.int, .long):
      return ColumnLoops.checked(column, Int64.self, as: type) { value in
        (Int32(truncatingIfNeeded: value), failed: Int64(Int32(truncatingIfNeeded: value)) != value)
      }
    default: return rescaled(column)
    }
  }

  // MARK: Exact numbers

  private func rescaled(_ column: Column) -> Outcome {
    let (precision, scale) = to.decimalShape ?? (38, 0)
    let shift = scale - (from.decimalShape?.scale ?? 0)
    let limits: ClosedRange<Int128>
    switch to {
    case .int: limits = Int128(Int32.min)...Int128(Int32.max)
    case .long: limits = Int128(Int64.min)...Int128(Int64.max)
    default:
      let highest = DecimalNumber.highest(precision: precision)
      limits = -highest...highest
    }
    let rescaling = Rescaling(shift: shift, limits: limits, isExact: isExact)
    let wide = column.widened(to: 16)
    switch type.layout {
    case .fixed(width: 4):
      return ColumnLoops.checked(wide, Int128.self, as: type) { value in
        let (result, failed) = rescaling.apply(value)
        return (Int32(truncatingIfNeeded: result), failed)
      }
    case .fixed(width: 8):
      return ColumnLoops.checked(wide, Int128.self, as: type) { value in
        let (result, failed) = rescaling.apply(value)
        return (Int64(truncatingIfNeeded: result), failed)
      }
    default: return ColumnLoops.checked(wide, Int128.self, as: type) { rescaling.apply($0) }
    }
  }

  /// The nearest double or float of decimals.
  private func toBinaryFractions(_ column: Column) -> Outcome {
    let scale = from.decimalShape?.scale ?? 0
    let wide = column.widened(to: 16)
    if to == .double {
      return Outcome(
        ColumnLoops.map(wide, Int128.self, as: type) { DecimalFraction.double($0, scale: scale) })
    }
    return Outcome(
      ColumnLoops.map(wide, Int128.self, as: type) { DecimalFraction.float($0, scale: scale) })
  }

  // MARK: Binary fractions

  private func fromDoubles(_ column: Column) -> Outcome {
    let isExact = self.isExact
    switch to {
    case .double: return Outcome(column)
    case .float:
      return ColumnLoops.checked(column, Double.self, as: type) { value in
        let nearest = Float(value)
        return (nearest, failed: nearest.isInfinite && value.isFinite)
      }
    case .int:
      return ColumnLoops.checked(column, Double.self, as: type) { value in
        let nearest = value.rounded(.toNearestOrAwayFromZero)
        let result = Int32(exactly: nearest)
        return (result ?? 0, failed: result == nil || isExact && nearest != value)
      }
    case .long:
      return ColumnLoops.checked(column, Double.self, as: type) { value in
        let nearest = value.rounded(.toNearestOrAwayFromZero)
        let result = Int64(exactly: nearest)
        return (result ?? 0, failed: result == nil || isExact && nearest != value)
      }
    default: return decimals(column)
    }
  }

  private func decimals(_ column: Column) -> Outcome {
    guard let (precision, scale) = to.decimalShape else { preconditionFailure("\(to)") }
    let highest = DecimalNumber.highest(precision: precision)
    let factor = DecimalFraction.power(scale)
    func unscaled(_ value: Double) -> (Int128, failed: Bool) {
      guard value.isFinite else { return (0, failed: true) }
      let nearest = (value * factor).rounded(.toNearestOrAwayFromZero)
      guard nearest.magnitude < 1e38 else { return (0, failed: true) }
      let result = Int128(nearest)
      return (result, failed: result > highest || result < -highest)
    }
    if type.layout == .fixed(width: 8) {
      return ColumnLoops.checked(column, Double.self, as: type) { value in
        let (result, failed) = unscaled(value)
        return (Int64(truncatingIfNeeded: result), failed)
      }
    }
    return ColumnLoops.checked(column, Double.self, as: type) { unscaled($0) }
  }
}

/// Unscaled values of one scale as those of another.
struct Rescaling {
  /// By how many digits the scale grows; negative if it shrinks.
  private let shift: Int
  private let factor: Int128
  private let limits: ClosedRange<Int128>
  private let isExact: Bool

  init(shift: Int, limits: ClosedRange<Int128>, isExact: Bool) {
    self.shift = shift
    self.factor = DecimalNumber.powerOfTen(min(abs(shift), 38))
    self.limits = limits
    self.isExact = isExact
  }

  @inline(__always)
  func apply(_ value: Int128) -> (Int128, failed: Bool) {
    if shift == 0 { return (value, failed: !limits.contains(value)) }
    if shift > 0 {
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      let isTooFar = shift > 38 && value != 0
      return (product, failed: overflow || isTooFar || !limits.contains(product))
    }
    if shift < -38 { return (0, failed: isExact && value != 0) }
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: factor)
    let isHalf = remainder.magnitude >= (factor / 2).magnitude
    let result = isHalf ? quotient + (value < 0 ? -1 : 1) : quotient
    return (result, failed: isExact && remainder != 0 || !limits.contains(result))
  }
}

/// Decimals as the binary fractions nearest to them.
enum DecimalFraction {
  /// Powers that doubles hold exactly; those that floats do are 0…10.
  private static let powers: [Double] = (0...22).map { Double("1e\($0)") ?? 1 }

  static func power(_ exponent: Int) -> Double {
    powers.indices.contains(exponent) ? powers[exponent] : Double("1e\(exponent)") ?? 1
  }

  static func double(_ unscaled: Int128, scale: Int) -> Double {
    // Of two exact numbers the quotient is the nearest.
    if (0...22).contains(scale), unscaled.magnitude <= 1 << 53 {
      return Double(Int64(truncatingIfNeeded: unscaled)) / powers[scale]
    }
    return Double("\(unscaled)e\(-scale)") ?? 0
  }

  static func float(_ unscaled: Int128, scale: Int) -> Float {
    if (0...10).contains(scale), unscaled.magnitude <= 1 << 24 {
      return Float(Int64(truncatingIfNeeded: unscaled)) / Float(powers[scale])
    }
    return Float("\(unscaled)e\(-scale)") ?? 0
  }
}

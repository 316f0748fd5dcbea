// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Functions of plain columns of numbers.
struct NumberFunctions {
  private let function: NumberFunction
  private let from: PrimitiveType
  private let type: ColumnType

  init(_ function: NumberFunction, _ from: PrimitiveType, _ to: PrimitiveType) {
    self.function = function
    self.from = from
    self.type = to.columnType
  }

  func apply(to column: Column) -> Outcome {
    if column.isAllNull { return Outcome(.nulls(type, count: column.count)) }
    switch function {
    case .squareRoot: return doubles(column) { ($0.squareRoot(), failed: $0 < 0) }
    case .exponential: return doubles(column) { (exp($0), failed: false) }
    case .naturalLogarithm: return doubles(column) { (log($0), failed: $0 <= 0) }
    case .decimalLogarithm: return doubles(column) { (log10($0), failed: $0 <= 0) }
    case .binaryLogarithm: return doubles(column) { (log2($0), failed: $0 <= 0) }
    case .absolute: return absolute(column)
    case .sign: return sign(column)
    case .floor, .ceiling, .round: return rounded(column)
    }
  }

  @inline(__always)
  private func doubles(_ column: Column, _ body: (Double) -> (Double, failed: Bool)) -> Outcome {
    ColumnLoops.checked(column, Double.self, as: .double, body)
  }

  static func power(_ a: Column, _ b: Column) -> Column {
    ColumnLoops.checked(a, b, Double.self, as: .double) { (pow($0, $1), failed: false) }.column
  }

  private func absolute(_ column: Column) -> Outcome {
    switch (from, type.layout) {
    case (.float, _): Outcome(ColumnLoops.map(column, Float.self, as: type) { $0.magnitude })
    case (.double, _): Outcome(ColumnLoops.map(column, Double.self, as: type) { $0.magnitude })
    case (_, .fixed(width: 4)):
      ColumnLoops.checked(column, Int32.self, as: type) { value in
        (value < 0 ? 0 &- value : value, failed: value == .min)
      }
    case (_, .fixed(width: 8)):
      ColumnLoops.checked(column, Int64.self, as: type) { value in
        (value < 0 ? 0 &- value : value, failed: value == .min)
      }
    default:
      ColumnLoops.checked(column, Int128.self, as: type) { value in
        (value < 0 ? 0 &- value : value, failed: value == .min)
      }
    }
  }

  /// -1, 0 or 1; 0 of NaN.
  private func sign(_ column: Column) -> Outcome {
    switch (from, column.type.layout) {
    case (.float, _):
      Outcome(ColumnLoops.map(column, Float.self, as: type) { Int32($0 > 0 ? 1 : $0 < 0 ? -1 : 0) })
    case (.double, _):
      Outcome(
        ColumnLoops.map(column, Double.self, as: type) { Int32($0 > 0 ? 1 : $0 < 0 ? -1 : 0) })
    case (_, .fixed(width: 4)):
      Outcome(ColumnLoops.map(column, Int32.self, as: type) { Int32($0.signum()) })
    case (_, .fixed(width: 8)):
      Outcome(
        ColumnLoops.map(column, Int64.self, as: type) { Int32(truncatingIfNeeded: $0.signum()) })
    default:
      Outcome(
        ColumnLoops.map(column, Int128.self, as: type) { Int32(truncatingIfNeeded: $0.signum()) })
    }
  }

  // MARK: Rounding

  private func rounded(_ column: Column) -> Outcome {
    switch from {
    case .float: return Outcome(roundedFractions(column, Float.self))
    case .double: return Outcome(roundedFractions(column, Double.self))
    default: return exact(column)
    }
  }

  /// Rounds in doubles. What has no such digits left stays as it is.
  @inline(__always)
  private func roundedFractions<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ column: Column, _ from: T.Type
  ) -> Column {
    switch function {
    case .floor: return ColumnLoops.map(column, T.self, as: type) { $0.rounded(.down) }
    case .ceiling: return ColumnLoops.map(column, T.self, as: type) { $0.rounded(.up) }
    case .round(let digits) where digits >= 0:
      let factor = DecimalFraction.power(digits)
      return ColumnLoops.map(column, T.self, as: type) { value in
        let result = (Double(value) * factor).rounded(.toNearestOrAwayFromZero) / factor
        return result.isFinite ? T(result) : value
      }
    case .round(let digits):
      let factor = DecimalFraction.power(-digits)
      return ColumnLoops.map(column, T.self, as: type) { value in
        T((Double(value) / factor).rounded(.toNearestOrAwayFromZero) * factor)
      }
    default: preconditionFailure("\(function) does not round")
    }
  }

  private func exact(_ column: Column) -> Outcome {
    let scale = from.decimalShape?.scale ?? 0
    let digits: Int
    if case .round(let wanted) = function { digits = wanted } else { digits = 0 }
    if digits >= scale { return Outcome(column.retyped(as: type)) }
    let rounding = ExactRounding(function, dropping: scale - digits, restoring: max(-digits, 0))
    let wide = column.widened(to: 16)
    switch type.layout {
    case .fixed(width: 4):
      return ColumnLoops.checked(wide, Int128.self, as: type) { value in
        let result = rounding.apply(value)
        return (Int32(truncatingIfNeeded: result), failed: Int32(exactly: result) == nil)
      }
    case .fixed(width: 8):
      return ColumnLoops.checked(wide, Int128.self, as: type) { value in
        let result = rounding.apply(value)
        return (Int64(truncatingIfNeeded: result), failed: Int64(exactly: result) == nil)
      }
    default:
      let highest = DecimalNumber.highest(precision: 38)
      return ColumnLoops.checked(wide, Int128.self, as: type) { value in
        let result = rounding.apply(value)
        return (result, failed: result > highest || result < -highest)
      }
    }
  }
}

/// Takes digits off an unscaled value.
private struct ExactRounding {
  private enum Direction { case down, up, nearest }
  private let direction: Direction
  private let divisor: Int128
  private let factor: Int128
  /// More digits are dropped than there can be.
  private let isAll: Bool

  init(_ function: NumberFunction, dropping digits: Int, restoring zeros: Int) {
    direction = function == .floor ? .down : function == .ceiling ? .up : .nearest
    isAll = digits > 38
    divisor = DecimalNumber.powerOfTen(min(digits, 38))
    factor = DecimalNumber.powerOfTen(min(zeros, 38))
  }

  func apply(_ value: Int128) -> Int128 {
    if isAll && direction == .nearest { return 0 }
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    let result: Int128
    switch direction {
    case .down: result = remainder < 0 ? quotient - 1 : quotient
    case .up: result = remainder > 0 ? quotient + 1 : quotient
    case .nearest:
      let isHalf = remainder.magnitude >= (divisor / 2).magnitude
      result = isHalf ? quotient + (value < 0 ? -1 : 1) : quotient
    }
    // The product is no longer than the value, but for a carry.
    let (product, overflow) = result.multipliedReportingOverflow(by: factor)
    return overflow ? (result < 0 ? .min : .max) : product
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// `+ - * / %` of plain columns of numbers.
enum Arithmetic {
  /// - Parameter type: what ``TypeRules/arithmetic(_:_:_:)`` says. The columns are of it, or exact
  ///   numbers if it is a decimal.
  static func combined(
    _ op: ArithmeticOperator, _ a: Column, _ typeA: PrimitiveType, _ b: Column,
    _ typeB: PrimitiveType, as type: PrimitiveType
  ) -> Outcome {
    if a.isAllNull || b.isAllNull { return Outcome(.nulls(type.columnType, count: a.count)) }
    switch type {
    case .int: return integers(op, a, b, as: .int32, Int32.self)
    case .long: return integers(op, a, b, as: .int64, Int64.self)
    case .float: return binaryFractions(op, a, b, as: .float, Float.self)
    case .double: return binaryFractions(op, a, b, as: .double, Double.self)
    case .decimal(let precision, let scale):
      return DecimalOperation(
        op, scaleA: typeA.decimalShape?.scale ?? 0, scaleB: typeB.decimalShape?.scale ?? 0,
        precision: precision, scale: scale
      ).combined(a, b)
    default: preconditionFailure("no arithmetic on \(type)")
    }
  }

  @inline(__always)
  private static func integers<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ op: ArithmeticOperator, _ a: Column, _ b: Column, as type: ColumnType, _ from: T.Type
  ) -> Outcome {
    switch op {
    case .add:
      ColumnLoops.checked(a, b, T.self, as: type) { x, y in
        let (sum, overflow) = x.addingReportingOverflow(y)
        return (sum, failed: overflow)
      }
    case .subtract:
      ColumnLoops.checked(a, b, T.self, as: type) { x, y in
        let (difference, overflow) = x.subtractingReportingOverflow(y)
        return (difference, failed: overflow)
      }
    case .multiply:
      ColumnLoops.checked(a, b, T.self, as: type) { x, y in
        let (product, overflow) = x.multipliedReportingOverflow(by: y)
        return (product, failed: overflow)
      }
    case .remainder:
      ColumnLoops.checked(a, b, T.self, as: type) { x, y in
        // The lowest number by -1 has no quotient, but nothing is left of it.
        y == 0 ? (0, failed: true) : y == -1 ? (0, failed: false) : (x % y, failed: false)
      }
    case .divide: preconditionFailure("division is in doubles")
    }
  }

  /// Whole quotients, rounded toward zero, of ints or longs.
  static func wholeQuotients(_ a: Column, _ b: Column, as type: ColumnType) -> Outcome {
    if a.isAllNull || b.isAllNull { return Outcome(.nulls(type, count: a.count)) }
    return type == .int32
      ? wholeQuotients(a, b, as: type, Int32.self) : wholeQuotients(a, b, as: type, Int64.self)
  }

  @inline(__always)
  private static func wholeQuotients<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ a: Column, _ b: Column, as type: ColumnType, _ from: T.Type
  ) -> Outcome {
    ColumnLoops.checked(a, b, T.self, as: type) { x, y in
      let (quotient, overflow) = y == 0 ? (0, true) : x.dividedReportingOverflow(by: y)
      return (quotient, failed: overflow)
    }
  }

  @inline(__always)
  private static func binaryFractions<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ op: ArithmeticOperator, _ a: Column, _ b: Column, as type: ColumnType, _ from: T.Type
  ) -> Outcome {
    switch op {
    case .add: ColumnLoops.checked(a, b, T.self, as: type) { ($0 + $1, failed: false) }
    case .subtract: ColumnLoops.checked(a, b, T.self, as: type) { ($0 - $1, failed: false) }
    case .multiply: ColumnLoops.checked(a, b, T.self, as: type) { ($0 * $1, failed: false) }
    case .divide: ColumnLoops.checked(a, b, T.self, as: type) { ($0 / $1, failed: $1 == 0) }
    case .remainder:
      ColumnLoops.checked(a, b, T.self, as: type) { x, y in
        (x.truncatingRemainder(dividingBy: y), failed: y == 0)
      }
    }
  }

  static func negated(_ a: Column, _ type: PrimitiveType) -> Outcome {
    let columnType = type.columnType
    if a.isAllNull { return Outcome(.nulls(columnType, count: a.count)) }
    switch columnType.layout {
    case _ where type == .float:
      return Outcome(ColumnLoops.map(a, Float.self, as: columnType) { -$0 })
    case _ where type == .double:
      return Outcome(ColumnLoops.map(a, Double.self, as: columnType) { -$0 })
    case .fixed(width: 4): return negated(a, Int32.self)
    case .fixed(width: 8): return negated(a, Int64.self)
    default: return negated(a, Int128.self)
    }
  }

  @inline(__always)
  private static func negated<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ a: Column, _ from: T.Type
  ) -> Outcome {
    ColumnLoops.checked(a, T.self, as: a.type) { x in
      let (negated, overflow) = T(0).subtractingReportingOverflow(x)
      return (negated, failed: overflow)
    }
  }
}

/// An operation on exact numbers whose result is a decimal.
private struct DecimalOperation {
  let op: ArithmeticOperator
  /// What the operands' unscaled values are multiplied by first.
  let factorA: Int128
  let factorB: Int128
  let precision: Int
  let type: ColumnType

  init(_ op: ArithmeticOperator, scaleA: Int, scaleB: Int, precision: Int, scale: Int) {
    self.op = op
    self.precision = precision
    type = .decimal(precision: precision, scale: scale)
    // Products bring their scales along. A shift past all digits leaves only zeros in range.
    let isProduct = op == .multiply
    factorA = isProduct ? 1 : DecimalNumber.powerOfTen(min(max(scale - scaleA, 0), 38))
    factorB = isProduct ? 1 : DecimalNumber.powerOfTen(min(max(scale - scaleB, 0), 38))
  }

  func combined(_ a: Column, _ b: Column) -> Outcome {
    if precision <= 18, let factorA = Int64(exactly: factorA), let factorB = Int64(exactly: factorB)
    {
      return combined(a.widened(to: 8), b.widened(to: 8), factorA, factorB)
    }
    return combined(a.widened(to: 16), b.widened(to: 16), factorA, factorB)
  }

  @inline(__always)
  private func combined<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ a: Column, _ b: Column, _ factorA: T, _ factorB: T
  ) -> Outcome {
    let highest = T(truncatingIfNeeded: DecimalNumber.highest(precision: precision))
    let op = self.op
    return ColumnLoops.checked(a, b, T.self, as: type) { x, y in
      let (x, overflowX) = x.multipliedReportingOverflow(by: factorA)
      let (y, overflowY) = y.multipliedReportingOverflow(by: factorB)
      let (result, overflow) =
        switch op {
        case .add: x.addingReportingOverflow(y)
        case .subtract: x.subtractingReportingOverflow(y)
        case .multiply: x.multipliedReportingOverflow(by: y)
        default: y == 0 ? (0, true) : y == -1 ? (0, false) : (x % y, false)
        }
      let isBeyond = result > highest || result < -highest
      return (result, failed: overflowX || overflowY || overflow || isBeyond)
    }
  }
}

extension Column {
  /// The integers or unscaled values of a plain column, in `width` bytes (8 or 16), which is no
  /// less than theirs.
  func widened(to width: Int) -> Column {
    let type = width == 8 ? ColumnType.int64 : .decimal(precision: 38, scale: 0)
    guard case .fixed(let own) = self.type.layout, own != width else { return self }
    switch (own, width) {
    case (4, 8): return ColumnLoops.map(self, Int32.self, as: type) { Int64($0) }
    case (4, 16): return ColumnLoops.map(self, Int32.self, as: type) { Int128($0) }
    case (8, 16): return ColumnLoops.map(self, Int64.self, as: type) { Int128($0) }
    default: preconditionFailure("\(self.type) is wider than \(width) bytes")
    }
  }
}

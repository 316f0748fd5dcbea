// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// A function with what is known of it before any row.
enum ScalarFunction: Hashable, Sendable {
  case number(NumberFunction)
  /// `power(x, y)`, in doubles.
  case power
  /// `div(x, y)`: whole quotients of ints or longs.
  case wholeQuotient
  /// `try_divide(x, y)`: null where y is 0.
  case lenientQuotient
  /// The highest, or lowest, of the values that are not null.
  case greatest, least
  case text(TextFunction)
  /// `concat(a, …)`: nulls are left out.
  case concatenation
  case moment(MomentFunction)
  case transform(Transform, PrimitiveType)

  /// True if no row can make it fail.
  var isTotal: Bool {
    switch self {
    case .power, .lenientQuotient, .greatest, .least, .transform: true
    // But for results of more than 2 GiB, which fail wherever they are computed.
    case .text, .concatenation: true
    case .moment(let function): function.isTotal
    case .number, .wholeQuotient: false
    }
  }
}

/// Functions of one number.
enum NumberFunction: Hashable, Sendable {
  case absolute
  case sign
  case floor
  case ceiling
  /// To so many digits behind the point, or zeros before it.
  case round(Int)
  case squareRoot
  case exponential
  case naturalLogarithm
  case decimalLogarithm
  case binaryLogarithm
}

/// Functions of text, which counts in code points.
enum TextFunction: Hashable, Sendable {
  case lower
  case upper
  case length
  /// Takes the text and the characters to take away.
  case trim, trimStart, trimEnd
  case substring
  case left
  case right
  case replace
  case startsWith
  case endsWith
  case contains
  case position
  case splitPart
  case padStart
  case padEnd
}

/// Functions of dates, times and timestamps, in UTC.
enum MomentFunction: Hashable, Sendable {
  case part(CalendarPart, of: PrimitiveType)
  /// The start of the unit that a moment is in.
  case truncated(CalendarUnit, PrimitiveType)
  /// Takes the number of units and the moment.
  case added(CalendarUnit, PrimitiveType)
  /// How many starts of a unit lie between two moments.
  case difference(CalendarUnit, PrimitiveType)
  /// Seconds since 1970, with a fraction.
  case epochSeconds(PrimitiveType)
  /// Whole such units since 1970, a second having so many.
  case epoch(perSecond: Int64, PrimitiveType)
  /// Of units since 1970 as doubles or longs.
  case fromSeconds
  case fromUnits(perSecond: Int64)

  var isTotal: Bool {
    switch self {
    case .part, .epochSeconds: true
    default: false
    }
  }
}

/// What a moment is asked for.
enum CalendarPart: String, Hashable, Sendable {
  case year, quarter, month, day
  case dayOfYear = "day_of_year"
  case hour, minute, second

  var isOfDay: Bool { self == .hour || self == .minute || self == .second }
}

/// A unit of the calendar, weeks beginning with Monday.
enum CalendarUnit: String, Hashable, Sendable, CaseIterable {
  case year, quarter, month, week, day, hour, minute, second, millisecond, microsecond

  /// How many of them a second has; nil if it is longer.
  var perSecond: Int64? {
    switch self {
    case .second: 1
    case .millisecond: 1000
    case .microsecond: 1_000_000
    default: nil
    }
  }

  /// How many microseconds it has; nil of those that are months.
  var microseconds: Int64? {
    switch self {
    case .year, .quarter, .month: nil
    case .week: 7 * 86_400_000_000
    case .day: 86_400_000_000
    case .hour: 3_600_000_000
    case .minute: 60_000_000
    case .second: 1_000_000
    case .millisecond: 1000
    case .microsecond: 1
    }
  }

  /// How many months it has; nil of those that are none.
  var months: Int64? {
    switch self {
    case .year: 12
    case .quarter: 3
    case .month: 1
    default: nil
    }
  }

  var isWithinDay: Bool {
    switch self {
    case .hour, .minute, .second, .millisecond, .microsecond: true
    default: false
    }
  }
}

extension Evaluation {
  func function(
    _ function: ScalarFunction, _ arguments: [BoundNode], _ node: BoundNode
  ) throws(ExpressionError) -> Column {
    switch function {
    case .number(let function):
      let column = try plain(arguments[0])
      return try settle(
        NumberFunctions(function, arguments[0].type, node.type).apply(to: column)
      ) { row in
        let isRange = [.absolute, .round(0)].contains(function) || node.type != .double
        return isRange
          ? overflow(node, row)
          : .outsideDomain(
            "\(node.source)", row: origin(row),
            value: column.icebergValue(row)?.text(as: arguments[0].type) ?? "NULL")
      }
    case .power:
      return NumberFunctions.power(try plain(arguments[0]), try plain(arguments[1]))
    case .wholeQuotient:
      let divisor = try plain(arguments[1])
      let outcome = Arithmetic.wholeQuotients(
        try plain(arguments[0]), divisor, as: node.type.columnType)
      return try settle(outcome) { row in
        divisor.integer(row) == 0
          ? .divisionByZero("\(node.source)", row: origin(row)) : overflow(node, row)
      }
    case .lenientQuotient:
      return try arithmetic(node, .divide, arguments[0], arguments[1], isLenient: true)
    case .greatest, .least: return try extreme(function == .greatest, arguments, node)
    case .text(let function): return try text(function, arguments, node)
    case .concatenation: return try concatenated(node, arguments, skippingNulls: ())
    case .moment(let function):
      let outcome = MomentFunctions.apply(function, try plain(arguments), node.type)
      return try settle(outcome) { row in overflow(node, row) }
    case .transform(let transform, let type):
      return transform.apply(to: try plain(arguments[0]), of: type)
    }
  }

  /// The highest or lowest of `arguments`, all of one type, that are not null.
  private func extreme(
    _ isGreatest: Bool, _ arguments: [BoundNode], _ node: BoundNode
  ) throws(ExpressionError) -> Column {
    var best = try plain(arguments[0])
    for argument in arguments.dropFirst() {
      let next = try plain(argument)
      // NaN is above all numbers here, as where rows are sorted.
      let isBetter = next.compare(isGreatest ? .greater : .less, to: best, nan: .aboveAll).trues
      let wins = isBetter.or(best.nulls.andNot(next.nulls))
      var places: [Int32] = []
      places.reserveCapacity(rowCount)
      for row in 0..<rowCount {
        places.append(Int32(truncatingIfNeeded: wins[row] ? rowCount + row : row))
      }
      do throws(ColumnarError) { best = try Column.concat([best, next]).gather(places) } catch {
        throw .columnar(error, in: "\(node.source)")
      }
    }
    return best
  }
}

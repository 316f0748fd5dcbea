// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Conversions among dates, times of day and timestamps. What has a zone is in UTC; what is finer
/// than the type is cut off, down.
struct MomentCasts {
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
    let isExact = self.isExact
    switch (from, to) {
    case (.date, _):
      let unitsPerDay = to.unitsPerDay
      return ColumnLoops.checked(column, Int32.self, as: type) { days in
        let (value, overflow) = Int64(days).multipliedReportingOverflow(by: unitsPerDay)
        return (value, failed: overflow)
      }
    case (_, .date):
      let unitsPerDay = from.unitsPerDay
      return ColumnLoops.checked(column, Int64.self, as: type) { time in
        let days = CivilTime.floorDivide(time, unitsPerDay)
        let result = Int32(exactly: days)
        return (
          result ?? 0, failed: result == nil || isExact && days &* unitsPerDay != time
        )
      }
    case (_, .time):
      let unitsPerDay = from.unitsPerDay
      let divisor: Int64 = from.isNanosecondTimestamp ? 1000 : 1
      return Outcome(
        ColumnLoops.map(column, Int64.self, as: type) { time in
          (time &- CivilTime.floorDivide(time, unitsPerDay) &* unitsPerDay) / divisor
        })
    default: return timestamps(column)
    }
  }

  private func timestamps(_ column: Column) -> Outcome {
    let isExact = self.isExact
    switch (from.isNanosecondTimestamp, to.isNanosecondTimestamp) {
    case (false, true):
      return ColumnLoops.checked(column, Int64.self, as: type) { time in
        let (value, overflow) = time.multipliedReportingOverflow(by: 1000)
        return (value, failed: overflow)
      }
    case (true, false):
      return ColumnLoops.checked(column, Int64.self, as: type) { time in
        (CivilTime.floorDivide(time, 1000), failed: isExact && time % 1000 != 0)
      }
    default: return Outcome(column.retyped(as: type))
    }
  }
}

extension PrimitiveType {
  /// How many units of this type of moments a day has: of dates 1.
  var unitsPerDay: Int64 {
    switch self {
    case .date: 1
    case .timestampNs, .timestamptzNs: CivilTime.nanosecondsPerDay
    default: CivilTime.nanosecondsPerDay / 1000
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Functions of plain columns of dates, times and timestamps.
enum MomentFunctions {
  static func apply(
    _ function: MomentFunction, _ columns: [Column], _ result: PrimitiveType
  ) -> Outcome {
    let type = result.columnType
    if columns.contains(where: \.isAllNull) {
      return Outcome(.nulls(type, count: columns[0].count))
    }
    let moments = columns.map { $0.widened(to: 8) }
    switch function {
    case .part(let part, let from): return Outcome(Self.part(part, moments[0], Scale(from)))
    case .truncated(let unit, let from): return truncated(unit, moments[0], Scale(from), type)
    case .added(let unit, let from): return added(unit, moments[0], moments[1], Scale(from), type)
    case .difference(let unit, let from):
      let scale = Scale(from)
      return ColumnLoops.checked(moments[0], moments[1], Int64.self, as: .int64) { start, end in
        scale.count(unit, from: start, to: end)
      }
    case .epochSeconds(let from):
      let perSecond = Double(Scale(from).perSecond)
      let days = from == .date ? 86_400.0 : 1
      return Outcome(
        ColumnLoops.map(moments[0], Int64.self, as: .double) { Double($0) * days / perSecond })
    case .epoch(let wanted, let from):
      let scale = Scale(from)
      return ColumnLoops.checked(moments[0], Int64.self, as: .int64) { value in
        scale.units(value, perSecond: wanted)
      }
    case .fromSeconds:
      return ColumnLoops.checked(columns[0], Double.self, as: type) { seconds in
        let value = Int64(exactly: (seconds * 1e6).rounded(.toNearestOrAwayFromZero))
        return (value ?? 0, failed: value == nil)
      }
    case .fromUnits(let perSecond):
      let factor = 1_000_000 / perSecond
      return ColumnLoops.checked(moments[0], Int64.self, as: type) { units in
        let (value, overflow) = units.multipliedReportingOverflow(by: factor)
        return (value, failed: overflow)
      }
    }
  }

  private static func part(_ part: CalendarPart, _ column: Column, _ scale: Scale) -> Column {
    let perDay = scale.perDay
    let perSecond = scale.perSecond
    @inline(__always)
    func calendar(_ body: (Int64, Int64, Int64) -> Int64) -> Column {
      ColumnLoops.map(column, Int64.self, as: .int32) { value in
        let (year, month, day) = CivilTime.date(CivilTime.floorDivide(value, perDay))
        return Int32(truncatingIfNeeded: body(year, month, day))
      }
    }
    @inline(__always)
    func clock(_ seconds: Int64, _ count: Int64) -> Column {
      ColumnLoops.map(column, Int64.self, as: .int32) { value in
        let units = value &- CivilTime.floorDivide(value, perDay) &* perDay
        return Int32(truncatingIfNeeded: units / (perSecond &* seconds) % count)
      }
    }
    switch part {
    case .year: return calendar { year, _, _ in year }
    case .quarter: return calendar { _, month, _ in (month &+ 2) / 3 }
    case .month: return calendar { _, month, _ in month }
    case .day: return calendar { _, _, day in day }
    case .dayOfYear:
      return ColumnLoops.map(column, Int64.self, as: .int32) { value in
        let days = CivilTime.floorDivide(value, perDay)
        let start = CivilTime.days(year: CivilTime.date(days).year, month: 1, day: 1)
        return Int32(truncatingIfNeeded: days &- start &+ 1)
      }
    case .hour: return clock(3600, 24)
    case .minute: return clock(60, 60)
    case .second: return clock(1, 60)
    }
  }

  private static func truncated(
    _ unit: CalendarUnit, _ column: Column, _ scale: Scale, _ type: ColumnType
  ) -> Outcome {
    // Days have no hours to cut off.
    if scale.isDate, unit.isWithinDay || unit == .day {
      return Outcome(
        ColumnLoops.map(column, Int64.self, as: type) { Int32(truncatingIfNeeded: $0) })
    }
    if scale.isDate {
      return ColumnLoops.checked(column, Int64.self, as: type) { value in
        let (start, failed) = scale.start(ofIndex: scale.index(value, unit), unit)
        return (Int32(truncatingIfNeeded: start), failed || Int32(exactly: start) == nil)
      }
    }
    return ColumnLoops.checked(column, Int64.self, as: type) { value in
      scale.start(ofIndex: scale.index(value, unit), unit)
    }
  }

  private static func added(
    _ unit: CalendarUnit, _ counts: Column, _ column: Column, _ scale: Scale, _ type: ColumnType
  ) -> Outcome {
    if scale.isDate {
      return ColumnLoops.checked(counts, column, Int64.self, as: type) { count, value in
        let (sum, failed) = scale.adding(count, unit, to: value)
        return (Int32(truncatingIfNeeded: sum), failed || Int32(exactly: sum) == nil)
      }
    }
    return ColumnLoops.checked(counts, column, Int64.self, as: type) { count, value in
      scale.adding(count, unit, to: value)
    }
  }
}

/// How a type of moments counts.
private struct Scale {
  let isDate: Bool
  /// Units in a second; of dates, 1, and a unit is a day.
  let perSecond: Int64
  let perDay: Int64

  init(_ type: PrimitiveType) {
    isDate = type == .date
    perDay = type.unitsPerDay
    perSecond = type == .date ? 1 : perDay / 86_400
  }

  /// How many units of `unit` there were from 1970 to that which `value` is in. Weeks count from
  /// Monday, 1969-12-29.
  @inline(__always)
  func index(_ value: Int64, _ unit: CalendarUnit) -> Int64 {
    let days = CivilTime.floorDivide(value, perDay)
    if let months = unit.months {
      let (year, month, _) = CivilTime.date(days)
      return CivilTime.floorDivide(year &* 12 &+ month &- 1, months)
    }
    if unit == .week { return CivilTime.floorDivide(days &+ 3, 7) }
    if unit == .day { return days }
    let micros = unit.microseconds ?? 1
    let finer = perSecond / 1_000_000
    return CivilTime.floorDivide(value, micros &* finer)
  }

  /// How many units begin after `start` up to `end`; negative the other way round.
  @inline(__always)
  func count(_ unit: CalendarUnit, from start: Int64, to end: Int64) -> (Int64, failed: Bool) {
    if isDate, unit.isWithinDay {
      let perDay = 86_400_000_000 / (unit.microseconds ?? 1)
      let (count, overflow) = (end &- start).multipliedReportingOverflow(by: perDay)
      return (count, failed: overflow)
    }
    let (count, overflow) = index(end, unit).subtractingReportingOverflow(index(start, unit))
    return (count, failed: overflow)
  }

  /// The moment at which unit `index` begins.
  @inline(__always)
  func start(ofIndex index: Int64, _ unit: CalendarUnit) -> (Int64, failed: Bool) {
    let days: Int64
    if let months = unit.months {
      let total = index &* months
      let year = CivilTime.floorDivide(total, 12)
      days = CivilTime.days(year: year, month: total &- year &* 12 &+ 1, day: 1)
    } else if unit == .week {
      days = index &* 7 &- 3
    } else if unit == .day {
      days = index
    } else {
      let (value, overflow) = index.multipliedReportingOverflow(
        by: (unit.microseconds ?? 1) &* (perSecond / 1_000_000))
      return (value, failed: overflow)
    }
    let (value, overflow) = days.multipliedReportingOverflow(by: perDay)
    return (value, failed: overflow)
  }

  /// `value` moved by `count` units. In a month that is too short, its last day.
  @inline(__always)
  func adding(_ count: Int64, _ unit: CalendarUnit, to value: Int64) -> (Int64, failed: Bool) {
    if let months = unit.months { return adding(count, months, to: value) }
    let size =
      isDate
      ? (unit.microseconds ?? 1) / 86_400_000_000
      : (unit.microseconds ?? 1) &* (perSecond / 1_000_000)
    let (units, overflow) = count.multipliedReportingOverflow(by: size)
    let (sum, overflowSum) = value.addingReportingOverflow(units)
    return (sum, failed: overflow || overflowSum)
  }

  private func adding(_ count: Int64, _ months: Int64, to value: Int64) -> (Int64, failed: Bool) {
    // Further than any type reaches.
    guard count.magnitude <= 200_000_000 else { return (0, failed: true) }
    let days = CivilTime.floorDivide(value, perDay)
    let (year, month, day) = CivilTime.date(days)
    let total = year &* 12 &+ month &- 1 &+ count &* months
    let newYear = CivilTime.floorDivide(total, 12)
    guard newYear.magnitude <= 9_000_000 else { return (0, failed: true) }
    let newMonth = total &- newYear &* 12 &+ 1
    let newDay = min(day, CivilTime.daysInMonth(newMonth, year: newYear))
    let newDays = CivilTime.days(year: newYear, month: newMonth, day: newDay)
    let (start, overflow) = newDays.multipliedReportingOverflow(by: perDay)
    let (sum, overflowSum) = start.addingReportingOverflow(value &- days &* perDay)
    return (sum, failed: overflow || overflowSum)
  }

  /// Whole units of which a second has `wanted`.
  @inline(__always)
  func units(_ value: Int64, perSecond wanted: Int64) -> (Int64, failed: Bool) {
    if isDate {
      let (units, overflow) = value.multipliedReportingOverflow(by: 86_400 &* wanted)
      return (units, failed: overflow)
    }
    if wanted >= perSecond {
      let (units, overflow) = value.multipliedReportingOverflow(by: wanted / perSecond)
      return (units, failed: overflow)
    }
    return (CivilTime.floorDivide(value, perSecond / wanted), failed: false)
  }
}

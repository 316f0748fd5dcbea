// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Binds the functions of dates, times and timestamps.
struct MomentBinding {
  let call: FunctionBinding
  private var binder: Binder { call.binder }

  /// Nil if no function of moments has the name.
  func bind(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode? {
    switch call.name {
    case "date_trunc": return try truncated(arguments)
    case "date_add": return try added(arguments)
    case "date_diff": return try difference(arguments)
    case "to_date":
      try call.expect(
        arguments.count == 1 && TypeRules.canCast(arguments[0].type, to: .date), "one moment",
        arguments)
      return try binder.cast(arguments[0], to: .date, onFailure: .fails, call.source)
    case "epoch", "epoch_ms", "epoch_us": return try epoch(arguments)
    case "to_timestamp":
      try call.expect(
        arguments.count == 1 && (arguments[0].type.isNumber || arguments[0].type == .unknown),
        "a number of seconds", arguments)
      return moment(.fromSeconds, [binder.coerced(arguments[0], to: .double)], .timestamptz)
    case "timestamp_millis": return try fromUnits(1000, arguments)
    case "timestamp_micros": return try fromUnits(1_000_000, arguments)
    default:
      guard let part = CalendarPart(rawValue: call.name) else { return nil }
      return try self.part(part, arguments)
    }
  }

  private func moment(
    _ function: MomentFunction, _ arguments: [BoundNode], _ type: PrimitiveType
  ) -> BoundNode {
    call.function(.moment(function), arguments, type)
  }

  private func part(
    _ part: CalendarPart, _ arguments: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    let expected = part.isOfDay ? "one time or timestamp" : "one date or timestamp"
    try call.expect(arguments.count == 1, expected, arguments)
    let type = arguments[0].type
    if type == .unknown { return BoundNode(.constant(nil), .int, call.source) }
    try call.expect(
      type.isTimestamp || (part.isOfDay ? type == .time : type == .date), expected, arguments)
    return moment(.part(part, of: type), arguments, .int)
  }

  /// The unit that the text in quotes `node` names, in the singular or plural.
  private func unit(
    _ arguments: [BoundNode], _ expected: String, count: Int
  ) throws(ExpressionError) -> CalendarUnit {
    try call.expect(arguments.count == count, expected, arguments)
    if case .constant(.string(let text)?) = arguments[0].kind {
      let word = text.lowercased()
      if let unit = CalendarUnit(rawValue: word) { return unit }
      if word.hasSuffix("s"), let unit = CalendarUnit(rawValue: String(word.dropLast())) {
        return unit
      }
    }
    let units = CalendarUnit.allCases.map(\.rawValue).joined(separator: ", ")
    throw .wrongArguments(
      function: call.name, expected: "one of \(units), in quotes", found: "\(arguments[0].source)")
  }

  private func truncated(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let expected = "a unit in quotes and a date or timestamp"
    let unit = try unit(arguments, expected, count: 2)
    let type = arguments[1].type
    if type == .unknown { return BoundNode(.constant(nil), .unknown, call.source) }
    try call.expect(type == .date || type.isTimestamp, expected, arguments)
    return moment(.truncated(unit, type), [arguments[1]], type)
  }

  private func added(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let expected = "a unit in quotes, a whole number, and a timestamp, or a date if it is of days"
    let unit = try unit(arguments, expected, count: 3)
    let type = arguments[2].type
    try call.expect(
      (arguments[1].type.isInteger || arguments[1].type == .unknown)
        && (type.isTimestamp || type == .unknown || type == .date && !unit.isWithinDay),
      expected, arguments)
    if type == .unknown { return BoundNode(.constant(nil), .unknown, call.source) }
    return moment(
      .added(unit, type), [binder.coerced(arguments[1], to: .long), arguments[2]], type)
  }

  private func difference(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let expected = "a unit in quotes and two dates or timestamps"
    let unit = try unit(arguments, expected, count: 3)
    let (type, pair) = try binder.unified(Array(arguments.dropFirst()), in: call.source)
    if type == .unknown { return BoundNode(.constant(nil), .long, call.source) }
    try call.expect(type == .date || type.isTimestamp, expected, arguments)
    return moment(.difference(unit, type), pair, .long)
  }

  private func epoch(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let expected = "one date or timestamp"
    try call.expect(arguments.count == 1, expected, arguments)
    let type = arguments[0].type
    let result: PrimitiveType = call.name == "epoch" ? .double : .long
    if type == .unknown { return BoundNode(.constant(nil), result, call.source) }
    try call.expect(type == .date || type.isTimestamp, expected, arguments)
    switch call.name {
    case "epoch": return moment(.epochSeconds(type), arguments, .double)
    case "epoch_ms": return moment(.epoch(perSecond: 1000, type), arguments, .long)
    default: return moment(.epoch(perSecond: 1_000_000, type), arguments, .long)
    }
  }

  private func fromUnits(
    _ perSecond: Int64, _ arguments: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    try call.expect(
      arguments.count == 1 && (arguments[0].type.isInteger || arguments[0].type == .unknown),
      "a whole number since 1970", arguments)
    return moment(
      .fromUnits(perSecond: perSecond), [binder.coerced(arguments[0], to: .long)], .timestamptz)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Binds calls: which function a name is, what it takes, and of which type its result is.
///
///     coalesce(x, …) ifnull(x, y) nullif(x, y) greatest(x, …) least(x, …)
///     abs(n) sign(n) floor(n) ceil(n) round(n[, digits]) sqrt(n) exp(n) ln(n) log10(n) log2(n)
///     power(n, m) mod(n, m) div(n, m) try_divide(n, m)
///     lower(s) upper(s) length(s) trim(s[, characters]) ltrim(…) rtrim(…) substr(s, start[, count])
///     left(s, n) right(s, n) concat(s, …) replace(s, old, new) starts_with(s, t) ends_with(s, t)
///     contains(s, t) strpos(s, t) split_part(s, separator, n) lpad(s, n[, t]) rpad(s, n[, t])
///     year(t) quarter(t) month(t) day(t) day_of_year(t) hour(t) minute(t) second(t)
///     date_trunc('unit', t) date_add('unit', n, t) date_diff('unit', from, to) to_date(s)
///     epoch(t) epoch_ms(t) epoch_us(t) to_timestamp(seconds) timestamp_millis(n)
///     timestamp_micros(n)
///     bucket(n, x) truncate(width, x) years(t) months(t) days(t) hours(t)   the table's transforms
struct FunctionBinding {
  let binder: Binder
  let name: String
  let source: Expression

  func bind(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    switch name {
    case "coalesce", "ifnull", "nullif", "greatest", "least": return try conditional(arguments)
    case "abs", "sign", "floor", "ceil", "ceiling", "round", "sqrt", "exp", "ln", "log10", "log2":
      return try ofOneNumber(arguments)
    case "power", "pow", "mod", "div", "try_divide": return try ofTwoNumbers(arguments)
    case "bucket", "truncate", "years", "months", "days", "hours": return try transform(arguments)
    case "concat":
      try expect(arguments.count > 0, "one string or more", arguments)
      return function(.concatenation, try joinable(arguments), .string)
    default: break
    }
    if let function = Self.textFunctions[name] { return try text(function, arguments) }
    if let bound = try MomentBinding(call: self).bind(arguments) { return bound }
    throw .unknownFunction(name)
  }

  func function(
    _ function: ScalarFunction, _ arguments: [BoundNode], _ type: PrimitiveType
  ) -> BoundNode {
    BoundNode(.function(function, arguments), type, source)
  }

  func expect(
    _ condition: Bool, _ expected: String, _ arguments: [BoundNode]
  ) throws(ExpressionError) {
    if condition { return }
    let found = arguments.map(\.type.name).joined(separator: ", ")
    throw .wrongArguments(function: name, expected: expected, found: "(\(found))")
  }

  // MARK: Choosing

  private func conditional(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let isPair = name == "ifnull" || name == "nullif"
    try expect(
      isPair ? arguments.count == 2 : arguments.count > 0,
      isPair ? "two values" : "one value or more", arguments)
    if name == "nullif" {
      let isEqual = try binder.comparing(.equal, arguments[0], arguments[1], source)
      let branch = (
        condition: BoundNode(isEqual, .boolean, source),
        value: BoundNode(.constant(nil), arguments[0].type, source)
      )
      return BoundNode(
        .cases([branch], otherwise: arguments[0]), arguments[0].type, source)
    }
    let (type, unified) = try binder.unified(arguments, in: source)
    if type == .unknown { return BoundNode(.constant(nil), .unknown, source) }
    switch name {
    case "greatest": return function(.greatest, unified, type)
    case "least": return function(.least, unified, type)
    default: return BoundNode(.coalesced(unified), type, source)
    }
  }

  // MARK: Numbers

  private func ofOneNumber(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let takesDigits = name == "round" && arguments.count == 2
    try expect(
      arguments.count == 1 || takesDigits,
      name == "round" ? "a number, and maybe how many digits" : "one number", arguments)
    let number = try binder.number(arguments[0])
    let type = number.type
    switch name {
    case "abs": return self.number(.absolute, number, type)
    case "sign": return self.number(.sign, number, .int)
    case "floor": return self.number(.floor, number, wholeType(of: type))
    case "ceil", "ceiling": return self.number(.ceiling, number, wholeType(of: type))
    case "round":
      let digits = takesDigits ? try constant(arguments[1], in: -38...38, "digits") : 0
      return self.number(.round(digits), number, roundedType(of: type, digits: digits))
    default: break
    }
    let function: NumberFunction =
      switch name {
      case "sqrt": .squareRoot
      case "exp": .exponential
      case "ln": .naturalLogarithm
      case "log10": .decimalLogarithm
      default: .binaryLogarithm
      }
    return self.number(function, binder.coerced(number, to: .double), .double)
  }

  private func number(
    _ function: NumberFunction, _ argument: BoundNode, _ type: PrimitiveType
  ) -> BoundNode {
    if argument.type == .unknown {
      return BoundNode(.constant(nil), type, source)
    }
    return self.function(.number(function), [argument], type)
  }

  private func wholeType(of type: PrimitiveType) -> PrimitiveType {
    guard case .decimal(let precision, let scale) = type, scale > 0 else { return type }
    return .decimal(precision: max(1, precision - scale + 1), scale: 0)
  }

  private func roundedType(of type: PrimitiveType, digits: Int) -> PrimitiveType {
    guard case .decimal(let precision, let scale) = type, digits < scale else { return type }
    let kept = max(digits, 0)
    return .decimal(precision: min(38, max(precision - scale + kept + 1, 1)), scale: kept)
  }

  private func ofTwoNumbers(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    try expect(arguments.count == 2, "two numbers", arguments)
    let left = try binder.number(arguments[0])
    let right = try binder.number(arguments[1])
    switch name {
    case "mod": return try binder.arithmetic(.remainder, left, right, source)
    case "div":
      try expect(
        [left, right].allSatisfy { $0.type.isInteger || $0.type == .unknown },
        "two ints or longs", arguments)
      let (type, pair) = try binder.unified([left, right], in: source)
      if type == .unknown { return BoundNode(.constant(nil), .int, source) }
      return function(.wholeQuotient, pair, type)
    default:
      let pair = [left, right].map { binder.coerced($0, to: .double) }
      return function(name == "try_divide" ? .lenientQuotient : .power, pair, .double)
    }
  }

  /// The whole number that `node` is in every row.
  private func constant(
    _ node: BoundNode, in range: ClosedRange<Int>, _ what: String
  ) throws(ExpressionError) -> Int {
    let number: Int? =
      switch node.kind {
      case .constant(.int(let value)?) where node.type == .int: Int(value)
      case .constant(.long(let value)?) where node.type == .long: Int(value)
      default: nil
      }
    guard let number, range.contains(number) else {
      throw .wrongArguments(
        function: name, expected: "a number of \(what) that is a literal in \(range)",
        found: "\(node.source)")
    }
    return number
  }

  // MARK: Transforms

  private func transform(_ arguments: [BoundNode]) throws(ExpressionError) -> BoundNode {
    let takesWidth = name == "bucket" || name == "truncate"
    try expect(
      arguments.count == (takesWidth ? 2 : 1), takesWidth ? "a number and a value" : "one moment",
      arguments)
    let transform: Transform
    let limits = 1...Int(Int32.max)
    switch name {
    case "bucket": transform = .bucket(try constant(arguments[0], in: limits, "buckets"))
    case "truncate": transform = .truncate(try constant(arguments[0], in: limits, "width"))
    case "years": transform = .year
    case "months": transform = .month
    case "days": transform = .day
    default: transform = .hour
    }
    let value = arguments[arguments.count - 1]
    try expect(transform.applies(to: value.type), "a type that \(transform) is of", arguments)
    return function(
      .transform(transform, value.type), [value], transform.resultType(of: value.type))
  }

  // MARK: Text

  private static let textFunctions: [String: TextFunction] = [
    "lower": .lower, "upper": .upper, "length": .length, "trim": .trim, "ltrim": .trimStart,
    "rtrim": .trimEnd, "substr": .substring, "substring": .substring, "left": .left,
    "right": .right, "replace": .replace, "starts_with": .startsWith, "ends_with": .endsWith,
    "contains": .contains, "strpos": .position, "split_part": .splitPart, "lpad": .padStart,
    "rpad": .padEnd,
  ]

  private func text(
    _ function: TextFunction, _ arguments: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    // s is text, n a whole number; what is behind the point may be left out.
    let shape: (needed: String, optional: String, result: PrimitiveType) =
      switch function {
      case .lower, .upper: ("s", "", .string)
      case .length: ("s", "", .int)
      case .trim, .trimStart, .trimEnd: ("s", "s", .string)
      case .substring: ("sn", "n", .string)
      case .left, .right: ("sn", "", .string)
      case .replace: ("sss", "", .string)
      case .startsWith, .endsWith, .contains: ("ss", "", .boolean)
      case .position: ("ss", "", .int)
      case .splitPart: ("ssn", "", .string)
      case .padStart, .padEnd: ("sn", "s", .string)
      }
    let letters = Array(shape.needed + shape.optional)
    let spelled = letters.map { $0 == "s" ? "string" : "int" }.joined(separator: ", ")
    let optional = shape.optional.isEmpty ? "" : ", the last of them if wanted"
    try expect(
      (shape.needed.count...letters.count).contains(arguments.count), "(\(spelled))\(optional)",
      arguments)
    var bound: [BoundNode] = []
    for (argument, letter) in zip(arguments, letters) {
      let isFit =
        argument.type == .unknown
        || (letter == "s" ? argument.type == .string : argument.type.isInteger)
      try expect(isFit, "(\(spelled))\(optional)", arguments)
      bound.append(binder.coerced(argument, to: letter == "s" ? .string : .long))
    }
    if bound.count < letters.count, shape.optional == "s" {
      bound.append(BoundNode(.constant(.string(" ")), .string, .string(" ")))
    }
    return self.function(.text(function), bound, shape.result)
  }

  /// `arguments` as text, what is none as `CAST` spells it.
  func joinable(_ arguments: [BoundNode]) throws(ExpressionError) -> [BoundNode] {
    try binder.joinable(arguments)
  }
}

extension Binder {
  /// `nodes` as text, what is none as `CAST` spells it.
  func joinable(_ nodes: [BoundNode]) throws(ExpressionError) -> [BoundNode] {
    var result: [BoundNode] = []
    for node in nodes {
      guard TypeRules.canCast(node.type, to: .string) else {
        throw .wrongType("\(node.source)", expected: "a string", found: node.type.name)
      }
      result.append(coerced(node, to: .string))
    }
    return result
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Finds the columns and types of expressions.
struct Binder {
  let schema: Schema

  func bind(_ expression: Expression) throws(ExpressionError) -> BoundNode {
    try bind(expression, depth: 0)
  }

  func field(named name: String) throws(ExpressionError) -> Field {
    guard let field = schema.resolve(name) else { throw .unknownColumn(name) }
    guard !schema.isRepeated(field.id) else { throw .repeatedColumn(name) }
    return field
  }

  /// What a column of the result is called: as the column it is, or its text.
  func name(of node: BoundNode) -> String {
    if case .column(let id) = node.kind, let field = schema.field(id) { return field.name }
    return "\(node.source)"
  }

  private func bind(_ expression: Expression, depth: Int) throws(ExpressionError) -> BoundNode {
    guard depth < Expression.depthLimit else { throw .tooDeep(limit: Expression.depthLimit) }
    var parts: [BoundNode] = []
    for child in expression.children { parts.append(try bind(child, depth: depth + 1)) }
    return try combine(expression, parts).folded()
  }

  /// The node of `expression`, whose children are `parts`.
  private func combine(
    _ expression: Expression, _ parts: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    switch expression {
    case .null: return BoundNode(.constant(nil), .unknown, expression)
    case .literal(let value, let type):
      guard value.isOne(of: .primitive(type)) else { throw .notAValue("\(value)", of: type.name) }
      return BoundNode(.constant(value), type, expression)
    case .column(let name):
      let field = try field(named: name)
      return BoundNode(.column(field.id), of: field.type, expression)
    case .isNull:
      return BoundNode(.isNull(parts[0]), .boolean, expression)
    default: break
    }
    for part in parts { _ = try primitive(part) }
    switch expression {
    case .negated, .arithmetic: return try combineNumbers(expression, parts)
    case .cases(let branches, _):
      return try combineCases(expression, parts, count: branches.count)
    case .cast(_, let type, let onFailure):
      return try cast(parts[0], to: type, onFailure: onFailure, expression)
    case .concatenated:
      return BoundNode(.concatenated(try joinable(parts)), .string, expression)
    case .call(let name, _):
      return try FunctionBinding(binder: self, name: name, source: expression).bind(parts)
    default: return try combineTruth(expression, parts)
    }
  }

  /// The type of a part that has to be without parts itself.
  func primitive(_ node: BoundNode) throws(ExpressionError) -> PrimitiveType {
    guard case .primitive(let type) = node.fieldType, !type.isOpaque else {
      throw .wrongType("\(node.source)", expected: "a single value", found: "\(node.fieldType)")
    }
    return type
  }

  // MARK: Numbers

  private func combineNumbers(
    _ expression: Expression, _ parts: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    guard case .arithmetic(let op, _, _) = expression else {
      let part = try number(parts[0])
      return BoundNode(.negated(part), part.type, expression)
    }
    return try arithmetic(op, parts[0], parts[1], expression)
  }

  func arithmetic(
    _ op: ArithmeticOperator, _ a: BoundNode, _ b: BoundNode, _ expression: Expression
  ) throws(ExpressionError) -> BoundNode {
    let pair = exactShapes(try contextual([a, b]))
    let left = try number(pair[0])
    let right = try number(pair[1])
    if left.type == .unknown || right.type == .unknown {
      let other = left.type == .unknown ? right.type : left.type
      return BoundNode(.constant(nil), op == .divide ? .double : other, expression)
    }
    guard let type = TypeRules.arithmetic(op, left.type, right.type) else {
      throw .noCommonType("\(expression)", left.type.name, right.type.name)
    }
    let operand: (BoundNode) -> BoundNode = { node in
      // Decimals are brought to one scale by the operation itself.
      type.isDecimal && (node.type.isDecimal || node.type.isInteger)
        ? node : coerced(node, to: type)
    }
    return BoundNode(.arithmetic(op, operand(left), operand(right)), type, expression)
  }

  func number(_ node: BoundNode) throws(ExpressionError) -> BoundNode {
    guard node.type.isNumber || node.type == .unknown else {
      throw .wrongType("\(node.source)", expected: "a number", found: node.type.name)
    }
    return node
  }

  // MARK: Truth

  private func combineTruth(
    _ expression: Expression, _ parts: [BoundNode]
  ) throws(ExpressionError) -> BoundNode {
    let kind: BoundNode.Kind
    switch expression {
    case .compared(let comparison, _, _):
      kind = try comparing(comparison, parts[0], parts[1], expression)
    case .not: kind = .not(try boolean(parts[0]))
    case .and: kind = .and(try booleans(parts))
    case .or: kind = .or(try booleans(parts))
    case .isNaN:
      guard parts[0].type.isFloatingPoint || parts[0].type == .unknown else {
        throw .wrongType(
          "\(parts[0].source)", expected: "a float or double", found: parts[0].type.name)
      }
      kind = .isNaN(parts[0])
    case .isBetween:
      let low = try comparing(.greaterOrEqual, parts[0], parts[1], expression)
      let high = try comparing(.lessOrEqual, parts[0], parts[2], expression)
      kind = .and([
        BoundNode(low, .boolean, expression), BoundNode(high, .boolean, expression),
      ])
    case .isLike(_, let pattern, let escape):
      guard let pattern = LikePattern(pattern, escape: escape) else {
        throw .notAValue(pattern.inQuotes, of: "pattern")
      }
      kind = .isLike(try text(parts, of: expression)[0], pattern)
    case .isIn: kind = try isIn(expression, parts)
    default: preconditionFailure("\(expression) is bound elsewhere")
    }
    return BoundNode(kind, .boolean, expression)
  }

  func boolean(_ node: BoundNode) throws(ExpressionError) -> BoundNode {
    guard node.type == .boolean || node.type == .unknown else {
      throw .wrongType("\(node.source)", expected: "a boolean", found: node.type.name)
    }
    return node
  }

  private func booleans(_ nodes: [BoundNode]) throws(ExpressionError) -> [BoundNode] {
    var result: [BoundNode] = []
    for node in nodes { result.append(try boolean(node)) }
    return result
  }

  // MARK: Branches

  private func combineCases(
    _ expression: Expression, _ parts: [BoundNode], count: Int
  ) throws(ExpressionError) -> BoundNode {
    let conditions = try booleans((0..<count).map { parts[2 * $0] })
    var values = (0..<count).map { parts[2 * $0 + 1] }
    if parts.count > 2 * count { values.append(parts[2 * count]) }
    let (type, unified) = try unified(values, in: expression)
    let branches = zip(conditions, unified).map { (condition: $0, value: $1) }
    return BoundNode(
      .cases(branches, otherwise: unified.count > count ? unified[count] : nil), type, expression)
  }
}

extension BoundNode {
  /// Computed now, if its parts are the same for every row and it does not fail.
  func folded() -> BoundNode {
    if isConstant || children.isEmpty || !children.allSatisfy(\.isConstant) { return self }
    let frame = Evaluation(rowCount: 1)
    guard let column = try? frame.column(self), column.count == 1 else { return self }
    return BoundNode(.constant(column.icebergValue(0)), of: fieldType, source)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// How nodes become those of another type where none says so.
extension Binder {
  /// `nodes` as values of the one type that all have in common; `unknown` if all are NULL.
  func unified(
    _ nodes: [BoundNode], in expression: Expression
  ) throws(ExpressionError) -> (PrimitiveType, [BoundNode]) {
    let nodes = exactShapes(try contextual(nodes))
    var type = PrimitiveType.unknown
    for node in nodes {
      guard let common = TypeRules.common(type, node.type) else {
        throw .noCommonType("\(expression)", type.name, node.type.name)
      }
      type = common
    }
    return (type, nodes.map { coerced($0, to: type) })
  }

  /// Text in quotes among values of another type as what it spells.
  func contextual(_ nodes: [BoundNode]) throws(ExpressionError) -> [BoundNode] {
    guard let type = nodes.first(where: { $0.type != .string && $0.type != .unknown })?.type,
      nodes.contains(where: \.isText)
    else { return nodes }
    var result: [BoundNode] = []
    for node in nodes { result.append(node.isText ? try spelled(node, type) : node) }
    return result
  }

  /// What the text in quotes `node` spells as one of `type`; numbers as the decimals they are, and
  /// moments as fine as they are.
  private func spelled(
    _ node: BoundNode, _ type: PrimitiveType
  ) throws(ExpressionError) -> BoundNode {
    if type.isInteger || type.isDecimal, case .constant(.string(let text)?) = node.kind,
      let number = DecimalNumber(text), (0...38).contains(number.scale)
    {
      let type = PrimitiveType.decimal(precision: number.precision, scale: number.scale)
      return BoundNode(.constant(.decimal(number.unscaled)), type, node.source)
    }
    if type == .date || type.isTimestamp, case .constant(.string(let text)?) = node.kind,
      let time = TimestampText(text), type.hasZone || !time.hasZone,
      case .literal(let value, let finest)? = ExpressionParser.timestamp(
        time, isZoned: type.hasZone),
      type != .date || !value.isMidnight(finest)
    {
      return BoundNode(.constant(value), finest, node.source)
    }
    return try converted(node, to: type)
  }

  /// The constant `node` as one of `type`, exactly.
  private func converted(
    _ node: BoundNode, to type: PrimitiveType
  ) throws(ExpressionError) -> BoundNode {
    let folded = BoundNode(.cast(node, .exact), type, node.source).folded()
    guard folded.isConstant else { throw .notAValue("\(node.source)", of: type.name) }
    return folded
  }

  /// Integer literals beside decimals as decimals of as many digits as they have.
  func exactShapes(_ nodes: [BoundNode]) -> [BoundNode] {
    guard nodes.contains(where: { $0.type.isDecimal }) else { return nodes }
    return nodes.map { node in
      let unscaled: Int128
      switch node.kind {
      case .constant(.int(let value)?) where node.type == .int: unscaled = Int128(value)
      case .constant(.long(let value)?) where node.type == .long: unscaled = Int128(value)
      default: return node
      }
      let precision = DecimalNumber(unscaled: unscaled, scale: 0).precision
      return BoundNode(
        .constant(.decimal(unscaled)), .decimal(precision: precision, scale: 0), node.source)
    }
  }

  /// `node` as one of `type`, which all its values have a place in.
  func coerced(_ node: BoundNode, to type: PrimitiveType) -> BoundNode {
    if node.type == type { return node }
    if node.type == .unknown { return BoundNode(.constant(nil), type, node.source) }
    return BoundNode(.cast(node, .rounding), type, node.source).folded()
  }

  // MARK: Casts

  func cast(
    _ node: BoundNode, to type: PrimitiveType, onFailure: Expression.CastFailure,
    _ expression: Expression
  ) throws(ExpressionError) -> BoundNode {
    guard TypeRules.canCast(node.type, to: type), type.columnType.layout != .null else {
      throw .wrongType(
        "\(expression)", expected: "a value that becomes \(type.name)", found: node.type.name)
    }
    if node.type == .unknown { return BoundNode(.constant(nil), type, expression) }
    if node.type == type { return BoundNode(node.kind, of: node.fieldType, expression) }
    let mode: CastMode = onFailure == .fails ? .rounding : .nullOnFailure
    return BoundNode(.cast(node, mode), type, expression)
  }

  /// `node` as values of `field`'s type, for an assignment.
  func assigned(
    _ node: BoundNode, to field: Field, named name: String
  ) throws(ExpressionError) -> BoundNode {
    if node.fieldType == field.type { return node }
    if node.fieldType == .unknown {
      return BoundNode(.constant(nil), of: field.type, node.source)
    }
    guard case .primitive(let type) = field.type, case .primitive(let from) = node.fieldType else {
      throw notAssignable(node, field, name)
    }
    if node.isText, TypeRules.canCast(.string, to: type) { return try converted(node, to: type) }
    guard TypeRules.canAssign(from, to: type) else { throw notAssignable(node, field, name) }
    if node.isConstant { return try converted(node, to: type) }
    return BoundNode(.cast(node, .exact), type, .column(name))
  }

  private func notAssignable(_ node: BoundNode, _ field: Field, _ name: String) -> ExpressionError {
    .notAssignable(column: name, from: "\(node.fieldType)", to: "\(field.type)")
  }

  /// `nodes`, which all have to be text.
  func text(_ nodes: [BoundNode], of expression: Expression) throws(ExpressionError) -> [BoundNode]
  {
    var result: [BoundNode] = []
    for node in nodes {
      guard node.type == .string || node.type == .unknown else {
        throw .wrongType("\(node.source)", expected: "a string", found: node.type.name)
      }
      result.append(coerced(node, to: .string))
    }
    return result
  }
}

extension Value {
  /// True of a timestamp of `type` that begins a day.
  fileprivate func isMidnight(_ type: PrimitiveType) -> Bool {
    guard case .long(let time) = self else { return false }
    return time % type.unitsPerDay == 0
  }
}

extension BoundNode {
  /// True of text in quotes, which takes the type of what is around it.
  var isText: Bool {
    guard case .literal(.string, .string) = source, case .constant(.string?) = kind else {
      return false
    }
    return type == .string
  }
}

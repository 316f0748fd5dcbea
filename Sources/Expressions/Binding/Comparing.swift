// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Comparisons. Values of different types are compared as those of the type they have in common;
/// but a literal is compared by value with those of the other side's type, so that nothing has to
/// be converted in each row, and a number between two values of that type, or beyond all of them,
/// decides as it should.
extension Binder {
  func comparing(
    _ comparison: Comparison, _ a: BoundNode, _ b: BoundNode, _ expression: Expression
  ) throws(ExpressionError) -> BoundNode.Kind {
    let pair = try contextual([a, b])
    if let place = placed(pair[1], among: pair[0].type) {
      return compared(comparison, pair[0], place)
    }
    if let place = placed(pair[0], among: pair[1].type) {
      return compared(comparison.flipped, pair[1], place)
    }
    let (type, unified) = try unified(pair, in: expression)
    if type == .unknown { return .constant(nil) }
    return .compared(comparison.columnOperator, unified[0], unified[1])
  }

  /// Where the constant `node` lies among values of `type`; nil if it has no place there.
  private func placed(_ node: BoundNode, among type: PrimitiveType) -> ConvertedLiteral? {
    guard case .constant(let value?) = node.kind, node.type != type,
      TypeRules.common(node.type, type) != nil
    else { return nil }
    // A double is finer than a float, and compared as it is.
    if type.isFloatingPoint && node.type.isFloatingPoint { return nil }
    return Literal(value, of: node.type)?.converted(to: type)
  }

  private func compared(
    _ comparison: Comparison, _ node: BoundNode, _ place: ConvertedLiteral
  ) -> BoundNode.Kind {
    func with(_ comparison: Comparison, _ value: Value) -> BoundNode.Kind {
      .compared(
        comparison.columnOperator, node, BoundNode(.constant(value), node.type, node.source))
    }
    switch (place, comparison) {
    case (.exact(let value), _): return with(comparison, value)
    case (.above(let floor), .less), (.above(let floor), .lessOrEqual):
      return with(.lessOrEqual, floor)
    case (.above(let floor), .greater), (.above(let floor), .greaterOrEqual):
      return with(.greater, floor)
    case (_, .equal): return .decided(node, false)
    case (_, .notEqual): return .decided(node, true)
    case (.tooHigh, .less), (.tooHigh, .lessOrEqual): return .decided(node, true)
    case (.tooLow, .greater), (.tooLow, .greaterOrEqual): return .decided(node, true)
    case (.tooHigh, _), (.tooLow, _): return .decided(node, false)
    }
  }

  func isIn(
    _ expression: Expression, _ parts: [BoundNode]
  ) throws(ExpressionError) -> BoundNode.Kind {
    let parts = try contextual(parts)
    if let kind = isIn(parts[0], parts.dropFirst()) { return kind }
    let (type, unified) = try unified(parts, in: expression)
    if type == .unknown { return .constant(nil) }
    if let kind = isIn(unified[0], unified.dropFirst()) { return kind }
    // Not known before the rows: as many comparisons.
    return .or(
      unified.dropFirst().map { item in
        BoundNode(.compared(.equal, unified[0], item), .boolean, expression)
      })
  }

  /// Among constants, of which those that no value of `node` equals are left out; nil if they are
  /// none, or not of its type.
  private func isIn(_ node: BoundNode, _ list: ArraySlice<BoundNode>) -> BoundNode.Kind? {
    if node.type == .unknown { return nil }
    var values: [Value] = []
    var hasNull = false
    for item in list {
      guard case .constant(let constant) = item.kind else { return nil }
      guard let value = constant else {
        hasNull = true
        continue
      }
      if item.type == node.type {
        values.append(value)
      } else {
        guard let place = placed(item, among: node.type) else { return nil }
        if case .exact(let value) = place { values.append(value) }
      }
    }
    return .isIn(node, values, hasNull: hasNull)
  }
}

// SPDX-License-Identifier: Apache-2.0

extension Predicate {
  /// This predicate on the columns of `schema`.
  ///
  /// A name that no column has as it is spelled is looked for in any case. Literals become values of
  /// their column's type, by value: a number that lies between two values of the column, or beyond
  /// all, decides a comparison as it should.
  ///
  /// - Throws: ``IcebergError/unknownField(_:in:)`` if a column is not there;
  ///   ``IcebergError/invalid(_:reason:)`` if a test does not fit its column's type.
  public func bound(to schema: Schema) throws(IcebergError) -> BoundPredicate {
    try bound(to: schema, isNegated: false)
  }

  private func bound(
    to schema: Schema, isNegated: Bool
  ) throws(IcebergError) -> BoundPredicate {
    switch self {
    case .always(let value): return .always(value != isNegated)
    case .not(let part): return try part.bound(to: schema, isNegated: !isNegated)
    case .and(let parts), .or(let parts):
      var bound: [BoundPredicate] = []
      for part in parts { bound.append(try part.bound(to: schema, isNegated: isNegated)) }
      if case .and = self { return isNegated ? .any(bound) : .all(bound) }
      return isNegated ? .all(bound) : .any(bound)
    case .test(let name, let test):
      let column = try schema.column(named: name)
      guard isNegated else { return try TestBinding(column: column, test: test).bind() }
      let negated = try TestBinding(column: column, test: test.negated).bind()
      // NaN is not lower than 5, nor is it 5 or higher.
      return test.isOrdering && column.primitive.isFloatingPoint
        ? .any([negated, .test(column, .isNaN)]) : negated
    }
  }
}

extension Schema {
  fileprivate func column(named name: String) throws(IcebergError) -> BoundColumn {
    guard let field = resolve(name), let name = self.name(of: field.id) else {
      throw .unknownField("'\(name)'", in: "the table's schema")
    }
    guard !isRepeated(field.id) else {
      throw .invalid("a predicate on '\(name)'", reason: "it lies in a list or map")
    }
    return BoundColumn(
      id: field.id, name: name, type: field.type, isOptional: isOptional(field.id))
  }
}

/// One test about to be bound.
private struct TestBinding {
  let column: BoundColumn
  let test: Predicate.Test

  func bind() throws(IcebergError) -> BoundPredicate {
    if column.type == .unknown { return try bindUnknown() }
    switch test {
    case .isNull: return column.isOptional ? .test(column, .isNull) : .always(false)
    case .isNotNull: return isNotNull
    case .isNaN, .isNotNaN:
      guard column.primitive.isFloatingPoint else {
        throw misfit("only floats and doubles are NaN")
      }
      return .test(column, test == .isNaN ? .isNaN : .isNotNaN)
    case .compare(let comparison, let literal): return try compare(comparison, literal)
    case .isIn(let literals): return isIn(try values(literals))
    case .isNotIn(let literals): return isNotIn(try values(literals))
    case .startsWith(let prefix):
      guard column.type == .string else { throw misfit("only strings have prefixes") }
      return prefix.isEmpty ? isNotNull : .test(column, .startsWith(prefix))
    case .doesNotStartWith(let prefix):
      guard column.type == .string else { throw misfit("only strings have prefixes") }
      return prefix.isEmpty ? .always(false) : .test(column, .doesNotStartWith(prefix))
    }
  }

  private var isNotNull: BoundPredicate {
    column.isOptional ? .test(column, .isNotNull) : .always(true)
  }

  /// All its values are null.
  private func bindUnknown() throws(IcebergError) -> BoundPredicate {
    switch test {
    case .isNull, .isNotNaN: .always(true)
    default: .always(false)
    }
  }

  private func compare(
    _ comparison: Comparison, _ literal: Literal
  ) throws(IcebergError) -> BoundPredicate {
    switch try convert(literal) {
    case .exact(let value): return .test(column, .compare(comparison, value))
    case .above(let floor):
      switch comparison {
      case .equal: return .always(false)
      case .notEqual: return isNotNull
      case .less, .lessOrEqual: return .test(column, .compare(.lessOrEqual, floor))
      case .greater, .greaterOrEqual: return .test(column, .compare(.greater, floor))
      }
    case .tooHigh:
      return [.notEqual, .less, .lessOrEqual].contains(comparison) ? isNotNull : .always(false)
    case .tooLow:
      return [.notEqual, .greater, .greaterOrEqual].contains(comparison)
        ? isNotNull : .always(false)
    }
  }

  /// Those of `literals` that values of the column can equal, ascending.
  private func values(_ literals: [Literal]) throws(IcebergError) -> [Value] {
    var values: [Value] = []
    for literal in literals {
      if case .exact(let value) = try convert(literal) { values.append(value) }
    }
    return values.sortedOnce()
  }

  private func isIn(_ values: [Value]) -> BoundPredicate { .isIn(column, values) }

  private func isNotIn(_ values: [Value]) -> BoundPredicate {
    values.isEmpty ? isNotNull : .isNotIn(column, values)
  }

  private func convert(_ literal: Literal) throws(IcebergError) -> ConvertedLiteral {
    if case .string(let text) = literal.kind, column.primitive.isFloatingPoint,
      text.lowercased() == "nan"
    {
      throw misfit("nothing compares with NaN; ask with IS NAN")
    }
    guard let type = column.type.primitive, let converted = literal.converted(to: type) else {
      throw misfit("\(literal) is no value of \(column.type)")
    }
    return converted
  }

  private func misfit(_ reason: String) -> IcebergError {
    .invalid("'\(column.name.asIdentifier) \(test)'", reason: reason)
  }
}

extension BoundPredicate {
  /// The value of `column` is one of `values`, which ascend, each once.
  static func isIn(_ column: BoundColumn, _ values: [Value]) -> BoundPredicate {
    switch values.count {
    case 0: .always(false)
    case 1: .test(column, .compare(.equal, values[0]))
    default: .test(column, .isIn(values))
    }
  }

  /// The value of `column` is none of `values`, which ascend, each once, one or more.
  static func isNotIn(_ column: BoundColumn, _ values: [Value]) -> BoundPredicate {
    values.count == 1
      ? .test(column, .compare(.notEqual, values[0])) : .test(column, .isNotIn(values))
  }
}

extension Predicate.Test {
  /// What is true just where this test is false and not unknown, of all but NaN.
  fileprivate var negated: Predicate.Test {
    switch self {
    case .isNull: .isNotNull
    case .isNotNull: .isNull
    case .isNaN: .isNotNaN
    case .isNotNaN: .isNaN
    case .compare(let comparison, let value): .compare(comparison.negated, value)
    case .isIn(let values): .isNotIn(values)
    case .isNotIn(let values): .isIn(values)
    case .startsWith(let prefix): .doesNotStartWith(prefix)
    case .doesNotStartWith(let prefix): .startsWith(prefix)
    }
  }

  /// True of the comparisons that NaN makes false on both sides.
  fileprivate var isOrdering: Bool {
    guard case .compare(let comparison, _) = self else { return false }
    return comparison != .equal && comparison != .notEqual
  }
}

extension [Value] {
  /// These values, ascending, each once.
  func sortedOnce() -> [Value] {
    let sorted = self.sorted { (Value.compare($0, $1) ?? 0) < 0 }
    var result: [Value] = []
    for value in sorted where result.last != value { result.append(value) }
    return result
  }
}

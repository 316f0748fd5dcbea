// SPDX-License-Identifier: Apache-2.0

/// A predicate on the columns of a schema, by field id, with literals of the columns' types.
///
/// There is no negation left in it. Its meaning is that of ``Predicate``, written out so that two
/// truths are enough: a test is true or false of any value, and false of null but for `isNull` and
/// `isNotNaN`. Of NaN only `isNotNull`, `isNaN`, `notEqual` and `isNotIn` are true.
public enum BoundPredicate: Hashable, Sendable {
  case always(Bool)
  case and([BoundPredicate])
  case or([BoundPredicate])
  case test(BoundColumn, BoundTest)
}

/// A column that a predicate asks about.
public struct BoundColumn: Hashable, Sendable {
  public let id: FieldID
  /// The full name, for people.
  public let name: String
  public let type: FieldType
  /// A row may be without a value.
  public let isOptional: Bool

  public init(id: FieldID, name: String, type: FieldType, isOptional: Bool) {
    self.id = id
    self.name = name
    self.type = type
    self.isOptional = isOptional
  }

  /// The primitive type; `unknown` of nested ones, of which only null can be asked.
  public var primitive: PrimitiveType { type.primitive ?? .unknown }
}

/// A test of one column's value.
public enum BoundTest: Hashable, Sendable {
  case isNull
  case isNotNull
  /// Of float and double only.
  case isNaN
  /// Of float and double only; true of null.
  case isNotNaN
  /// With a value of the column's type that is not NaN; of zeros, 0.0.
  case compare(Comparison, Value)
  /// Ascending, each once, two or more.
  case isIn([Value])
  /// Ascending, each once, two or more.
  case isNotIn([Value])
  /// Of strings only; not empty.
  case startsWith(String)
  /// Of strings only; not empty.
  case doesNotStartWith(String)
}

extension BoundPredicate {
  public static let alwaysTrue = BoundPredicate.always(true)
  public static let alwaysFalse = BoundPredicate.always(false)

  /// All of `parts`, simplified: what is always true is left out.
  public static func all(_ parts: [BoundPredicate]) -> BoundPredicate {
    var kept: [BoundPredicate] = []
    for part in parts {
      switch part {
      case .always(true): continue
      case .always(false): return .always(false)
      case .and(let inner): kept += inner
      default: kept.append(part)
      }
    }
    return kept.isEmpty ? .always(true) : kept.count == 1 ? kept[0] : .and(kept)
  }

  /// One of `parts`, simplified: what is always false is left out.
  public static func any(_ parts: [BoundPredicate]) -> BoundPredicate {
    var kept: [BoundPredicate] = []
    for part in parts {
      switch part {
      case .always(false): continue
      case .always(true): return .always(true)
      case .or(let inner): kept += inner
      default: kept.append(part)
      }
    }
    return kept.isEmpty ? .always(false) : kept.count == 1 ? kept[0] : .or(kept)
  }

  /// This predicate with each test replaced, simplified.
  func mapTests(_ replace: (BoundColumn, BoundTest) -> BoundPredicate) -> BoundPredicate {
    switch self {
    case .always: self
    case .and(let parts): .all(parts.map { $0.mapTests(replace) })
    case .or(let parts): .any(parts.map { $0.mapTests(replace) })
    case .test(let column, let test): replace(column, test)
    }
  }

  /// All columns that are asked about, each once, in their order: what must be read to decide.
  public var columns: [BoundColumn] {
    var columns: [BoundColumn] = []
    collectColumns(&columns)
    return columns
  }

  private func collectColumns(_ columns: inout [BoundColumn]) {
    switch self {
    case .always: break
    case .and(let parts), .or(let parts): for part in parts { part.collectColumns(&columns) }
    case .test(let column, _):
      if !columns.contains(where: { $0.id == column.id }) { columns.append(column) }
    }
  }

  /// The parts that must all be true: one, unless this is a conjunction.
  public var conjuncts: [BoundPredicate] {
    switch self {
    case .always(true): []
    case .and(let parts): parts
    default: [self]
    }
  }
}

// MARK: - Rows

extension BoundPredicate {
  /// True if a row matches whose values `value` gives (nil is null).
  ///
  /// The meaning of a predicate, and its slow form: for a few rows.
  public func matches(_ value: (FieldID) -> Value?) -> Bool {
    switch self {
    case .always(let truth): truth
    case .and(let parts): parts.allSatisfy { $0.matches(value) }
    case .or(let parts): parts.contains { $0.matches(value) }
    case .test(let column, let test): test.holds(value(column.id))
    }
  }
}

extension BoundTest {
  /// True if this test holds of `value`; nil is null.
  public func holds(_ value: Value?) -> Bool {
    guard let value else { return self == .isNull || self == .isNotNaN }
    if value.isNaN {
      switch self {
      case .isNotNull, .isNaN, .compare(.notEqual, _), .isNotIn: return true
      default: return false
      }
    }
    switch self {
    case .isNull, .isNaN: return false
    case .isNotNull, .isNotNaN: return true
    case .compare(let comparison, let other):
      return Value.predicateOrder(value, other).map(comparison.holds) ?? false
    case .isIn(let values): return values.containsSorted(value)
    case .isNotIn(let values): return !values.containsSorted(value)
    case .startsWith(let prefix): return value.starts(with: prefix)
    case .doesNotStartWith(let prefix): return !value.starts(with: prefix)
    }
  }
}

extension Value {
  /// True of a string whose UTF-8 begins with that of `prefix`.
  func starts(with prefix: String) -> Bool {
    if case .string(let text) = self { text.utf8.starts(with: prefix.utf8) } else { false }
  }
}

extension [Value] {
  /// True if `value` is one of these, which ascend.
  func containsSorted(_ value: Value) -> Bool {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      guard let order = Value.predicateOrder(self[middle], value) else { return false }
      if order == 0 { return true }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }
}

// MARK: - As text

extension BoundPredicate: CustomStringConvertible {
  public var description: String { unbound.description }

  /// The predicate by names again.
  ///
  /// Law: bound to the same schema it is this one, if it asks nothing of opaque values.
  public var unbound: Predicate {
    switch self {
    case .always(let value): .always(value)
    case .and(let parts): .and(parts.map(\.unbound))
    case .or(let parts): .or(parts.map(\.unbound))
    case .test(let column, let test): .test(column.name, test.unbound(column.primitive))
    }
  }
}

extension BoundTest {
  fileprivate func unbound(_ type: PrimitiveType) -> Predicate.Test {
    func literal(_ value: Value) -> Literal { Literal(value, of: type) ?? .string("\(value)") }
    return switch self {
    case .isNull: .isNull
    case .isNotNull: .isNotNull
    case .isNaN: .isNaN
    case .isNotNaN: .isNotNaN
    case .compare(let comparison, let value): .compare(comparison, literal(value))
    case .isIn(let values): .isIn(values.map(literal))
    case .isNotIn(let values): .isNotIn(values.map(literal))
    case .startsWith(let prefix): .startsWith(prefix)
    case .doesNotStartWith(let prefix): .doesNotStartWith(prefix)
    }
  }
}

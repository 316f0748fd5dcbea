// SPDX-License-Identifier: Apache-2.0

/// A condition on rows, by column names: what a scan is filtered with and a delete deletes.
///
/// Its meaning is SQL's, of three truths: a comparison, `IN` or prefix test of a null is unknown,
/// so is its negation, and a row matches only what is true. `IS NULL` and `IS NAN` are never
/// unknown. NaN equals nothing and is neither lower nor higher than anything; 0.0 equals -0.0.
///
/// A predicate knows no types. ``bound(to:)`` finds its columns in a schema, and makes its literals
/// values of their types.
public enum Predicate: Hashable, Sendable {
  case always(Bool)
  /// True if all are; of none, true.
  case and([Predicate])
  /// True if one is; of none, false.
  case or([Predicate])
  indirect case not(Predicate)
  /// A test of one column, nested ones by dots.
  case test(_ column: String, Test)

  /// What can be asked about the values of one column.
  public enum Test: Hashable, Sendable {
    case isNull
    case isNotNull
    case isNaN
    case isNotNaN
    case compare(Comparison, Literal)
    case isIn([Literal])
    case isNotIn([Literal])
    case startsWith(String)
    case doesNotStartWith(String)
  }
}

/// How two values are compared.
public enum Comparison: Hashable, Sendable, CaseIterable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

  /// The comparison that is true where this one is false, were there no null and no NaN.
  var negated: Comparison {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }

  /// The comparison with its sides exchanged.
  package var flipped: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// True if values in the order `order` (negative, zero, positive) are compared so.
  @inline(__always)
  func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  package var sign: String {
    switch self {
    case .equal: "="
    case .notEqual: "<>"
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    }
  }
}

// MARK: - Making predicates

extension Predicate {
  public static let alwaysTrue = Predicate.always(true)
  public static let alwaysFalse = Predicate.always(false)

  public static func isNull(_ column: String) -> Predicate { .test(column, .isNull) }
  public static func isNotNull(_ column: String) -> Predicate { .test(column, .isNotNull) }
  public static func isNaN(_ column: String) -> Predicate { .test(column, .isNaN) }
  public static func isNotNaN(_ column: String) -> Predicate { .test(column, .isNotNaN) }
  public static func equal(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.equal, value))
  }
  public static func notEqual(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.notEqual, value))
  }
  public static func less(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.less, value))
  }
  public static func lessOrEqual(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.lessOrEqual, value))
  }
  public static func greater(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.greater, value))
  }
  public static func greaterOrEqual(_ column: String, _ value: Literal) -> Predicate {
    .test(column, .compare(.greaterOrEqual, value))
  }
  public static func isIn(_ column: String, _ values: [Literal]) -> Predicate {
    .test(column, .isIn(values))
  }
  public static func isNotIn(_ column: String, _ values: [Literal]) -> Predicate {
    .test(column, .isNotIn(values))
  }
  public static func startsWith(_ column: String, _ prefix: String) -> Predicate {
    .test(column, .startsWith(prefix))
  }
  public static func doesNotStartWith(_ column: String, _ prefix: String) -> Predicate {
    .test(column, .doesNotStartWith(prefix))
  }

  /// The names of all columns that are asked about, each once, in their order.
  public var columnNames: [String] {
    var names: [String] = []
    collectNames(&names)
    return names
  }

  private func collectNames(_ names: inout [String]) {
    switch self {
    case .always: break
    case .and(let parts), .or(let parts): for part in parts { part.collectNames(&names) }
    case .not(let part): part.collectNames(&names)
    case .test(let name, _): if !names.contains(name) { names.append(name) }
    }
  }
}

// MARK: - As text

extension Predicate: CustomStringConvertible {
  /// The predicate as ``PredicateParser`` reads it.
  public var description: String {
    switch self {
    case .always(let value): value ? "TRUE" : "FALSE"
    case .and(let parts):
      parts.isEmpty ? "TRUE" : parts.map { $0.part(of: .and) }.joined(separator: " AND ")
    case .or(let parts):
      parts.isEmpty ? "FALSE" : parts.map { $0.part(of: .or) }.joined(separator: " OR ")
    case .not(let part): "NOT (\(part))"
    case .test(let column, let test):
      column.split(separator: ".", omittingEmptySubsequences: false)
        .map { String($0).asIdentifier }.joined(separator: ".") + " \(test)"
    }
  }

  private enum Chain { case and, or }

  /// This predicate as a part of a chain: in parentheses if it is a chain itself.
  private func part(of chain: Chain) -> String {
    switch self {
    case .or: "(\(self))"
    case .and where chain == .and: "(\(self))"
    default: description
    }
  }
}

extension Predicate.Test: CustomStringConvertible {
  /// What stands behind the column's name.
  public var description: String {
    switch self {
    case .isNull: "IS NULL"
    case .isNotNull: "IS NOT NULL"
    case .isNaN: "IS NAN"
    case .isNotNaN: "IS NOT NAN"
    case .compare(let comparison, let value): "\(comparison.sign) \(value)"
    case .isIn(let values): "IN (\(values.map(\.description).joined(separator: ", ")))"
    case .isNotIn(let values): "NOT IN (\(values.map(\.description).joined(separator: ", ")))"
    case .startsWith(let prefix): "LIKE \(prefix.likePattern)"
    case .doesNotStartWith(let prefix): "NOT LIKE \(prefix.likePattern)"
    }
  }
}

extension String {
  /// This text in single quotes, those in it doubled.
  package var inQuotes: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// The quoted pattern of all texts that start with this one.
  fileprivate var likePattern: String {
    guard contains(where: { "%_".contains($0) }) else { return (self + "%").inQuotes }
    var pattern = ""
    for scalar in unicodeScalars {
      if scalar == "%" || scalar == "_" || scalar == "!" { pattern += "!" }
      pattern.unicodeScalars.append(scalar)
    }
    return (pattern + "%").inQuotes + " ESCAPE '!'"
  }
}

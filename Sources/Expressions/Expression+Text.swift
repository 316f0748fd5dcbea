// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

extension Expression: CustomStringConvertible {
  /// The expression as ``ExpressionParser`` reads it, with no more parentheses than it needs.
  public var description: String { text(within: .disjunction) }

  /// What an expression may stand within without parentheses, the loosest first.
  enum Tightness: Int {
    case disjunction, conjunction, negation, comparison, concatenation, sum, product, unary, primary
  }

  private var tightness: Tightness {
    switch self {
    case .or(let parts): parts.count > 1 ? .disjunction : .primary
    case .and(let parts): parts.count > 1 ? .conjunction : .primary
    case .not(.isNull), .not(.isNaN), .not(.isIn), .not(.isBetween), .not(.isLike): .comparison
    case .not: .negation
    case .compared, .isNull, .isNaN, .isIn, .isBetween, .isLike: .comparison
    case .concatenated(let parts): parts.count > 1 ? .concatenation : .primary
    case .arithmetic(.add, _, _), .arithmetic(.subtract, _, _): .sum
    case .arithmetic: .product
    case .negated: .unary
    case .literal(let value, let type): value.isNegative(type) ? .unary : .primary
    case .null, .column, .cases, .cast, .call: .primary
    }
  }

  /// This expression where one as tight as `needed` is asked for.
  private func text(within needed: Tightness) -> String {
    tightness.rawValue >= needed.rawValue ? bareText : "(\(bareText))"
  }

  private var bareText: String {
    switch self {
    case .null: return "NULL"
    case .literal(let value, let type): return value.literalText(type)
    case .column(let name): return name.asColumnPath
    // A number behind the sign would become a negative number.
    case .negated(let part):
      if case .literal = part { return "-(\(part))" }
      if case .negated = part { return "-(\(part))" }
      return "-\(part.text(within: .unary))"
    case .arithmetic(let op, let left, let right):
      let isSum = op == .add || op == .subtract
      return left.text(within: isSum ? .sum : .product) + " \(op.sign) "
        + right.text(within: isSum ? .product : .unary)
    case .and(let parts):
      return parts.isEmpty ? "TRUE" : Self.joined(parts, " AND ", .negation)
    case .or(let parts):
      return parts.isEmpty ? "FALSE" : Self.joined(parts, " OR ", .conjunction)
    case .concatenated(let parts):
      return parts.isEmpty ? "''" : Self.joined(parts, " || ", .sum)
    case .cases(let branches, let otherwise):
      let whens = branches.map { "WHEN \($0.condition) THEN \($0.value) " }.joined()
      return "CASE \(whens)\(otherwise.map { "ELSE \($0) " } ?? "")END"
    case .cast(let part, let type, let onFailure):
      return "\(onFailure == .fails ? "CAST" : "TRY_CAST")(\(part) AS \(type))"
    case .call(let name, let arguments):
      return "\(name)(\(Self.joined(arguments, ", ", .disjunction)))"
    case .not(let part):
      return part.testText(isNegated: true) ?? "NOT \(part.text(within: .negation))"
    default: return testText(isNegated: false) ?? ""
    }
  }

  private static func joined(
    _ parts: [Expression], _ separator: String, _ needed: Tightness
  ) -> String {
    parts.map { $0.text(within: needed) }.joined(separator: separator)
  }

  /// A test, which has a form of its own for when it is negated; nil if this is none of those.
  private func testText(isNegated: Bool) -> String? {
    let not = isNegated ? "NOT " : ""
    func operand(_ part: Expression) -> String { part.text(within: .concatenation) }
    switch self {
    case .compared(let comparison, let left, let right) where !isNegated:
      return "\(operand(left)) \(comparison.sign) \(operand(right))"
    case .isNull(let part): return "\(operand(part)) IS \(not)NULL"
    case .isNaN(let part): return "\(operand(part)) IS \(not)NAN"
    case .isIn(let part, let list):
      return "\(operand(part)) \(not)IN (\(Self.joined(list, ", ", .disjunction)))"
    case .isBetween(let part, let low, let high):
      return "\(operand(part)) \(not)BETWEEN \(operand(low)) AND \(operand(high))"
    case .isLike(let part, let pattern, let escape):
      let tail = escape.map { " ESCAPE \(String($0).inQuotes)" } ?? ""
      return "\(operand(part)) \(not)LIKE \(pattern.inQuotes)\(tail)"
    default: return nil
    }
  }
}

extension Value {
  /// True of a number that is spelled with a minus.
  fileprivate func isNegative(_ type: PrimitiveType) -> Bool {
    switch (self, type) {
    case (.int(let value), .int): value < 0
    case (.long(let value), .long): value < 0
    case (.decimal(let value), .decimal): value < 0
    case (.double(let value), .double): value.sign == .minus && value.isFinite
    default: false
    }
  }

  /// This value of `type` as a literal, or as a cast where there is none.
  fileprivate func literalText(_ type: PrimitiveType) -> String {
    switch (self, type) {
    case (.boolean(let value), _): value ? "TRUE" : "FALSE"
    case (.string(let text), _): text.inQuotes
    case (.int, .int), (.long, .long): text(as: type)
    case (.decimal(let unscaled), .decimal(_, let scale)) where scale == 0:
      // Such a number of few digits is an integer without the point.
      Int64(exactly: unscaled) == nil ? "\(unscaled)" : "\(unscaled)."
    case (.decimal, .decimal(_, let scale)) where scale > 0: text(as: type)
    case (.double(let value), .double) where value.isFinite:
      "\(value)".contains("e") ? "\(value)" : "\(value)e0"
    case (.int, .date): "DATE '\(text(as: type))'"
    case (.long, .time): "TIME '\(text(as: type))'"
    case (.long, .timestamp), (.long, .timestamptz): "TIMESTAMP '\(text(as: type))'"
    // Of whole microseconds it would be read as one of microseconds.
    case (.long(let time), .timestampNs) where time % 1000 != 0,
      (.long(let time), .timestamptzNs) where time % 1000 != 0:
      "TIMESTAMP '\(text(as: type))'"
    case (.bytes, .binary): "X'\(text(as: type))'"
    default: "CAST(\(text(as: type).inQuotes) AS \(type))"
    }
  }
}

extension String {
  /// Words that begin or continue an expression, so that columns called so stand in quotes.
  private static let reserved: Set<String> = [
    "and", "or", "not", "in", "is", "like", "between", "null", "true", "false", "escape", "case",
    "when", "then", "else", "end", "as", "nan",
  ]

  /// This name with its parts as the parser takes them.
  var asColumnPath: String {
    split(separator: ".", omittingEmptySubsequences: false)
      .map { part in
        Self.reserved.contains(part.lowercased()) ? "\"\(part)\"" : String(part).asIdentifier
      }
      .joined(separator: ".")
  }
}

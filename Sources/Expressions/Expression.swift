// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// A value computed of a row's columns, as a person writes it: `price * 1.19`, `upper(carrier)`.
///
/// Names and types are not looked at before ``bound(to:)``. Its ``description`` is the text that
/// ``ExpressionParser`` reads back as the same expression (of what the parser makes, that is: a
/// float or a UUID has no literal, and is spelled as a cast).
public indirect enum Expression: Hashable, Sendable {
  case null
  /// A value of the type beside it.
  case literal(Value, PrimitiveType)
  /// A column, one of a structure by its dotted name.
  case column(String)
  case negated(Expression)
  case arithmetic(ArithmeticOperator, Expression, Expression)
  case compared(Comparison, Expression, Expression)
  case not(Expression)
  case and([Expression])
  case or([Expression])
  case isNull(Expression)
  case isNaN(Expression)
  case isIn(Expression, [Expression])
  case isBetween(Expression, Expression, Expression)
  /// `%` stands for any text, `_` for one code point; either is itself behind the escape.
  case isLike(Expression, pattern: String, escape: Unicode.Scalar?)
  /// The value beside the first condition that is true, else the last one (null if there is none).
  case cases([When], otherwise: Expression?)
  case cast(Expression, PrimitiveType, onFailure: CastFailure)
  /// `a || b`: null where one of them is.
  case concatenated([Expression])
  /// A function by its name, in lower case.
  case call(String, [Expression])

  /// One branch of ``cases(_:otherwise:)``.
  public struct When: Hashable, Sendable {
    public let condition: Expression
    public let value: Expression

    public init(_ condition: Expression, then value: Expression) {
      self.condition = condition
      self.value = value
    }
  }

  /// What becomes of a value that a type does not have.
  public enum CastFailure: Hashable, Sendable {
    /// `CAST`: an error that names the row.
    case fails
    /// `TRY_CAST`: null.
    case isNull
  }

  /// How many expressions may lie within each other, a chain such as `a + b + c` counting as one
  /// for each sign.
  ///
  /// What is deeper is refused, so that nothing uses up the stack.
  public static let depthLimit = 500
}

/// An operation on two numbers.
public enum ArithmeticOperator: Hashable, Sendable, CaseIterable {
  case add
  case subtract
  case multiply
  /// In doubles, whatever the numbers are: 7 / 2 is 3.5. Whole numbers are divided by `div(a, b)`.
  case divide
  /// What is left of the division that rounds toward zero; it has the sign of the dividend.
  case remainder

  /// The sign between the numbers.
  public var sign: String {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .remainder: "%"
    }
  }
}

extension Expression {
  public static func integer(_ value: Int64) -> Expression {
    if let narrow = Int32(exactly: value) { return .literal(.int(narrow), .int) }
    return .literal(.long(value), .long)
  }
  public static func string(_ value: String) -> Expression { .literal(.string(value), .string) }
  public static func boolean(_ value: Bool) -> Expression { .literal(.boolean(value), .boolean) }
  public static func double(_ value: Double) -> Expression { .literal(.double(value), .double) }

  /// The names of all columns it is computed of, each once, in their order.
  public var columnNames: [String] {
    var names: [String] = []
    collect(&names)
    return names
  }

  private func collect(_ names: inout [String]) {
    if case .column(let name) = self, !names.contains(name) { names.append(name) }
    for child in children { child.collect(&names) }
  }

  /// The expressions directly within this one, in their order.
  public var children: [Expression] {
    switch self {
    case .null, .literal, .column: []
    case .negated(let part), .not(let part), .isNull(let part), .isNaN(let part): [part]
    case .isLike(let part, _, _), .cast(let part, _, _): [part]
    case .arithmetic(_, let left, let right), .compared(_, let left, let right): [left, right]
    case .and(let parts), .or(let parts), .concatenated(let parts), .call(_, let parts): parts
    case .isIn(let part, let list): [part] + list
    case .isBetween(let part, let low, let high): [part, low, high]
    case .cases(let branches, let otherwise):
      branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? [])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg

/// Reads expressions as people write them, in the manner of SQL.
///
///     expression := conjunction { 'OR' conjunction }
///     conjunction := negation { 'AND' negation }
///     negation   := 'NOT' negation | test
///     test       := joined [compare joined
///                   | 'IS' ['NOT'] ('NULL' | 'NAN')
///                   | ['NOT'] 'IN' '(' expression {',' expression} ')'
///                   | ['NOT'] 'BETWEEN' joined 'AND' joined
///                   | ['NOT'] 'LIKE' 'pattern' ['ESCAPE' 'c']]
///     joined     := sum { '||' sum }
///     sum        := product { ('+' | '-') product }
///     product    := unary { ('*' | '/' | '%') unary }
///     unary      := ('-' | '+') unary | primary
///     primary    := literal | column | '(' expression ')'
///                   | name '(' [expression {',' expression}] ')'
///                   | ('CAST' | 'TRY_CAST') '(' expression 'AS' type ')'
///                   | 'CASE' [expression] {'WHEN' expression 'THEN' expression}
///                     ['ELSE' expression] 'END'
///     literal    := digits | digits '.' [digits] | digits ['.' digits] 'e' exponent | 'text'
///                   | 'TRUE' | 'FALSE' | 'NULL' | 'DATE' 'text' | 'TIME' 'text'
///                   | 'TIMESTAMP' 'text' | 'TIMESTAMPTZ' 'text' | 'X' 'hex'
///     compare    := '=' | '==' | '!=' | '<>' | '<' | '<=' | '>' | '>='
///     column     := name { '.' name }
///     selection  := item { ',' item },  item := '*' | expression ['AS' name]
///     assignment := column '=' expression
///
/// Digits alone are an int, or a long, or a decimal where they are too many for those; with a point
/// they are a decimal, with an exponent a double. Keywords go in any case; a name that is one, or
/// not of letters, digits and `_`, stands in double quotes.
public struct ExpressionParser {
  var lexer: TextLexer
  private let text: String
  private var depth = 0
  /// How many operations were put around what was read before them.
  private var chained = 0

  /// How many parentheses, calls and prefixes may lie within each other.
  ///
  /// Each lets through at most eight expressions: one of each tightness.
  private static let nestingLimit = 50

  /// - Throws: ``ExpressionError/syntax(_:offset:expected:found:)`` with the place of what is wrong;
  ///   ``ExpressionError/tooDeep(limit:)``.
  public static func parse(_ text: String) throws(ExpressionError) -> Expression {
    var parser = try ExpressionParser(text, what: "expression")
    let expression = try parser.wholeExpression()
    try parser.expectEnd()
    return expression
  }

  init(_ text: String, what: String) throws(ExpressionError) {
    self.text = what
    do throws(IcebergError) { self.lexer = try TextLexer(text, what: what) } catch {
      throw ExpressionError(error, text: what)
    }
  }

  /// One expression that is not within another.
  mutating func wholeExpression() throws(ExpressionError) -> Expression {
    chained = 0
    return try expression()
  }

  private mutating func expression() throws(ExpressionError) -> Expression {
    try descend()
    defer { depth -= 1 }
    let first = try conjunction()
    guard lexer.isKeyword(lexer.peek, "or") else { return first }
    var parts = [first]
    while lexer.take(keyword: "or") { parts.append(try conjunction()) }
    return .or(parts)
  }

  private mutating func descend() throws(ExpressionError) {
    guard depth < Self.nestingLimit else { throw .tooDeep(limit: Self.nestingLimit) }
    depth += 1
  }

  /// Counts an operation that goes around its left side.
  private mutating func chain() throws(ExpressionError) {
    let limit = Expression.depthLimit - 8 * Self.nestingLimit
    guard chained < limit else { throw .tooDeep(limit: limit) }
    chained += 1
  }

  private mutating func conjunction() throws(ExpressionError) -> Expression {
    let first = try negation()
    guard lexer.isKeyword(lexer.peek, "and") else { return first }
    var parts = [first]
    while lexer.take(keyword: "and") { parts.append(try negation()) }
    return .and(parts)
  }

  private mutating func negation() throws(ExpressionError) -> Expression {
    guard lexer.take(keyword: "not") else { return try test() }
    try descend()
    defer { depth -= 1 }
    return .not(try negation())
  }

  // MARK: Tests

  private mutating func test() throws(ExpressionError) -> Expression {
    let left = try joined()
    if let comparison = lexer.takeComparison() { return .compared(comparison, left, try joined()) }
    if lexer.take(keyword: "is") { return try nullness(of: left) }
    let isNegated = lexer.take(keyword: "not")
    let test: Expression
    if lexer.take(keyword: "in") {
      test = .isIn(left, try arguments(closing: "a value", atLeast: 1))
    } else if lexer.take(keyword: "between") {
      let low = try joined()
      guard lexer.take(keyword: "and") else { throw unexpected("AND") }
      test = .isBetween(left, low, try joined())
    } else if lexer.take(keyword: "like") {
      test = try like(left)
    } else {
      guard !isNegated else { throw unexpected("IN, BETWEEN or LIKE") }
      return left
    }
    return isNegated ? .not(test) : test
  }

  private mutating func nullness(of left: Expression) throws(ExpressionError) -> Expression {
    let isNegated = lexer.take(keyword: "not")
    let test: Expression
    if lexer.take(keyword: "null") {
      test = .isNull(left)
    } else if lexer.take(keyword: "nan") {
      test = .isNaN(left)
    } else {
      throw unexpected("NULL or NAN")
    }
    return isNegated ? .not(test) : test
  }

  private mutating func like(_ left: Expression) throws(ExpressionError) -> Expression {
    let token = lexer.take()
    guard case .string(let pattern) = token.kind else {
      throw unexpected("a pattern in quotes", at: token)
    }
    var escape: Unicode.Scalar?
    if lexer.take(keyword: "escape") {
      let mark = lexer.take()
      guard case .string(let text) = mark.kind, text.unicodeScalars.count == 1 else {
        throw unexpected("one character in quotes", at: mark)
      }
      escape = text.unicodeScalars.first
    }
    guard LikePattern(pattern, escape: escape) != nil else {
      throw unexpected("a pattern with a character behind each escape", at: token)
    }
    return .isLike(left, pattern: pattern, escape: escape)
  }

  // MARK: Operations

  private mutating func joined() throws(ExpressionError) -> Expression {
    let first = try sum()
    guard case .sign("||") = lexer.peek.kind else { return first }
    var parts = [first]
    while lexer.take(sign: "||") { parts.append(try sum()) }
    return .concatenated(parts)
  }

  private mutating func sum() throws(ExpressionError) -> Expression {
    var left = try product()
    while true {
      if lexer.take(sign: "+") {
        try chain()
        left = .arithmetic(.add, left, try product())
      } else if lexer.take(sign: "-") {
        try chain()
        left = .arithmetic(.subtract, left, try product())
      } else {
        return left
      }
    }
  }

  private mutating func product() throws(ExpressionError) -> Expression {
    var left = try unary()
    while true {
      let op: ArithmeticOperator
      switch lexer.peek.kind {
      case .sign("*"): op = .multiply
      case .sign("/"): op = .divide
      case .sign("%"): op = .remainder
      default: return left
      }
      _ = lexer.take()
      try chain()
      left = .arithmetic(op, left, try unary())
    }
  }

  private mutating func unary() throws(ExpressionError) -> Expression {
    let isMinus = lexer.take(sign: "-")
    guard isMinus || lexer.take(sign: "+") else { return try primary() }
    let token = lexer.peek
    if case .number(let digits) = token.kind {
      _ = lexer.take()
      return try number((isMinus ? "-" : "") + digits, at: token)
    }
    try descend()
    defer { depth -= 1 }
    return isMinus ? .negated(try unary()) : try unary()
  }

  // MARK: Primaries

  private mutating func primary() throws(ExpressionError) -> Expression {
    let token = lexer.peek
    switch token.kind {
    case .number(let digits):
      _ = lexer.take()
      return try number(digits, at: token)
    case .string(let text):
      _ = lexer.take()
      return .string(text)
    case .sign("("):
      _ = lexer.take()
      let inner = try expression()
      try expect(sign: ")")
      return inner
    case .word(let word): return try worded(word, at: token)
    case .quoted: return .column(try path())
    default: throw unexpected("a value")
    }
  }

  /// What a bare word begins.
  private mutating func worded(
    _ word: String, at token: TextToken
  ) throws(ExpressionError) -> Expression {
    let keyword = word.lowercased()
    if case .string = lexer.second.kind, let value = try marked(keyword) { return value }
    if lexer.second.kind == .sign("(") {
      _ = lexer.take()
      if keyword == "cast" || keyword == "try_cast" {
        return try cast(keyword == "cast" ? .fails : .isNull)
      }
      guard !Self.keywords.contains(keyword) else { throw unexpected("a value", at: token) }
      return .call(keyword, try arguments(closing: "an argument", atLeast: 0))
    }
    switch keyword {
    case "true", "false":
      _ = lexer.take()
      return .boolean(keyword == "true")
    case "null":
      _ = lexer.take()
      return .null
    case "case":
      _ = lexer.take()
      return try cases()
    default:
      guard !Self.keywords.contains(keyword) else { throw unexpected("a value") }
      return .column(try path())
    }
  }

  /// Words that no column and no function is called by without quotes.
  private static let keywords: Set<String> = [
    "and", "or", "not", "in", "is", "like", "between", "escape", "case", "when", "then", "else",
    "end", "as", "null", "true", "false",
  ]

  private mutating func cast(_ onFailure: Expression.CastFailure) throws(ExpressionError)
    -> Expression
  {
    try expect(sign: "(")
    let part = try expression()
    guard lexer.take(keyword: "as") else { throw unexpected("AS") }
    let type: PrimitiveType
    do throws(IcebergError) { type = try lexer.takePrimitiveType() } catch {
      throw ExpressionError(error, text: text)
    }
    try expect(sign: ")")
    return .cast(part, type, onFailure: onFailure)
  }

  private mutating func cases() throws(ExpressionError) -> Expression {
    let subject = lexer.isKeyword(lexer.peek, "when") ? nil : try expression()
    var branches: [Expression.When] = []
    while lexer.take(keyword: "when") {
      let condition = try expression()
      guard lexer.take(keyword: "then") else { throw unexpected("THEN") }
      let value = try expression()
      branches.append(
        .init(subject.map { .compared(.equal, $0, condition) } ?? condition, then: value))
    }
    guard !branches.isEmpty else { throw unexpected("WHEN") }
    let otherwise = lexer.take(keyword: "else") ? try expression() : nil
    guard lexer.take(keyword: "end") else {
      throw unexpected(otherwise == nil ? "WHEN, ELSE or END" : "END")
    }
    return .cases(branches, otherwise: otherwise)
  }

  /// `(a, b, …)`
  private mutating func arguments(
    closing expected: String, atLeast minimum: Int
  ) throws(ExpressionError) -> [Expression] {
    try expect(sign: "(")
    if minimum == 0, lexer.take(sign: ")") { return [] }
    var arguments = [try expression()]
    while lexer.take(sign: ",") { arguments.append(try expression()) }
    try expect(sign: ")")
    return arguments
  }
}

// MARK: - Tokens

extension ExpressionParser {
  func unexpected(_ expected: String) -> ExpressionError { unexpected(expected, at: lexer.peek) }

  func unexpected(_ expected: String, at token: TextToken) -> ExpressionError {
    .syntax(lexer.what, offset: token.range.lowerBound, expected: expected, found: token.name)
  }

  mutating func expect(sign: String) throws(ExpressionError) {
    guard lexer.take(sign: sign) else { throw unexpected("'\(sign)'") }
  }

  func expectEnd() throws(ExpressionError) {
    guard lexer.isAtEnd else { throw unexpected("an operator or the end") }
  }

  mutating func path() throws(ExpressionError) -> String {
    do throws(IcebergError) { return try lexer.takePath() } catch {
      throw ExpressionError(error, text: lexer.what)
    }
  }
}

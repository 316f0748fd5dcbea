// SPDX-License-Identifier: Apache-2.0

/// Reads predicates as people write them, in the manner of SQL.
///
///     predicate  := conjunction { 'OR' conjunction }
///     conjunction := factor { 'AND' factor }
///     factor     := 'NOT' factor | '(' predicate ')' | 'TRUE' | 'FALSE' | test
///     test       := column [compare literal | 'IS' ['NOT'] ('NULL' | 'NAN')
///                   | ['NOT'] 'IN' '(' literal {',' literal} ')'
///                   | ['NOT'] 'BETWEEN' literal 'AND' literal
///                   | ['NOT'] 'LIKE' 'prefix%' ['ESCAPE' 'c']]
///                   | literal compare column
///     compare    := '=' | '==' | '!=' | '<>' | '<' | '<=' | '>' | '>='
///     literal    := ['-'] number | 'text' | 'TRUE' | 'FALSE' | 'DATE' 'text' | 'TIME' 'text'
///                   | 'TIMESTAMP' 'text' | 'X' 'hex'
///     column     := name { '.' name }
///
/// A column alone is one of booleans that is to be true. Keywords go in any case; a name that is
/// one, or not of letters, digits and `_`, stands in double quotes.
public struct PredicateParser {
  private var lexer: TextLexer
  private var depth = 0

  /// - Throws: ``IcebergError/syntax(_:offset:expected:found:)`` with the place of what is wrong.
  public static func parse(_ text: String) throws(IcebergError) -> Predicate {
    var parser = PredicateParser(lexer: try TextLexer(text, what: "predicate"))
    let predicate = try parser.disjunction()
    try parser.lexer.expectEnd()
    return predicate
  }

  private init(lexer: TextLexer) { self.lexer = lexer }

  private mutating func disjunction() throws(IcebergError) -> Predicate {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 100 else { throw .unsupported("a predicate nested deeper than 100 levels") }
    var parts = [try conjunction()]
    while lexer.take(keyword: "or") { parts.append(try conjunction()) }
    return Predicate.disjunction(parts)
  }

  private mutating func conjunction() throws(IcebergError) -> Predicate {
    var parts = [try factor()]
    while lexer.take(keyword: "and") { parts.append(try factor()) }
    return Predicate.conjunction(parts)
  }

  private mutating func factor() throws(IcebergError) -> Predicate {
    if lexer.take(keyword: "not") {
      depth += 1
      defer { depth -= 1 }
      guard depth <= 100 else { throw .unsupported("a predicate nested deeper than 100 levels") }
      return .not(try factor())
    }
    if lexer.take(sign: "(") {
      let inner = try disjunction()
      try lexer.expect(sign: ")")
      return inner
    }
    if startsLiteral { return try literalFirst() }
    return try test(of: try lexer.takePath())
  }

  // MARK: Tests

  /// `TRUE` or `FALSE` alone, or a literal compared with a column.
  private mutating func literalFirst() throws(IcebergError) -> Predicate {
    let start = lexer.peek
    let value = try literal()
    guard let comparison = lexer.takeComparison() else {
      guard case .boolean(let truth) = value.kind else {
        throw lexer.unexpected("a comparison", at: lexer.peek)
      }
      return .always(truth)
    }
    guard !startsLiteral else { throw lexer.unexpected("a column", at: start) }
    return .test(try lexer.takePath(), .compare(comparison.flipped, value))
  }

  private mutating func test(of column: String) throws(IcebergError) -> Predicate {
    if let comparison = lexer.takeComparison() {
      return .test(column, .compare(comparison, try literal()))
    }
    if lexer.take(keyword: "is") { return .test(column, try nullness()) }
    let isNegated = lexer.take(keyword: "not")
    if lexer.take(keyword: "in") {
      let values = try list()
      return .test(column, isNegated ? .isNotIn(values) : .isIn(values))
    }
    if lexer.take(keyword: "between") { return try between(column, isNegated) }
    if lexer.take(keyword: "like") { return .test(column, try like(isNegated)) }
    guard !isNegated else { throw lexer.unexpected("IN, BETWEEN or LIKE") }
    switch lexer.peek.kind {
    case .end, .sign(")"): return .test(column, .compare(.equal, true))
    case .word where lexer.isKeyword(lexer.peek, "and") || lexer.isKeyword(lexer.peek, "or"):
      return .test(column, .compare(.equal, true))
    default: throw lexer.unexpected("a comparison")
    }
  }

  private mutating func nullness() throws(IcebergError) -> Predicate.Test {
    let isNegated = lexer.take(keyword: "not")
    if lexer.take(keyword: "null") { return isNegated ? .isNotNull : .isNull }
    if lexer.take(keyword: "nan") { return isNegated ? .isNotNaN : .isNaN }
    throw lexer.unexpected("NULL or NAN")
  }

  private mutating func list() throws(IcebergError) -> [Literal] {
    try lexer.expect(sign: "(")
    var values = [try literal()]
    while lexer.take(sign: ",") { values.append(try literal()) }
    try lexer.expect(sign: ")")
    return values
  }

  private mutating func between(
    _ column: String, _ isNegated: Bool
  ) throws(IcebergError) -> Predicate {
    let low = try literal()
    guard lexer.take(keyword: "and") else { throw lexer.unexpected("AND") }
    let high = try literal()
    return isNegated
      ? .or([.less(column, low), .greater(column, high)])
      : .and([.greaterOrEqual(column, low), .lessOrEqual(column, high)])
  }

  /// A pattern that stands for a prefix or for one text.
  private mutating func like(_ isNegated: Bool) throws(IcebergError) -> Predicate.Test {
    let token = lexer.take()
    guard case .string(let pattern) = token.kind else {
      throw lexer.unexpected("a pattern in quotes", at: token)
    }
    var escape: Unicode.Scalar?
    if lexer.take(keyword: "escape") {
      let mark = lexer.take()
      guard case .string(let text) = mark.kind, text.unicodeScalars.count == 1 else {
        throw lexer.unexpected("one character in quotes", at: mark)
      }
      escape = text.unicodeScalars.first
    }
    guard let (prefix, isOpen) = Self.split(pattern, escape: escape) else {
      throw lexer.unexpected("a pattern whose only wildcard is a '%' at its end", at: token)
    }
    if isOpen { return isNegated ? .doesNotStartWith(prefix) : .startsWith(prefix) }
    return .compare(isNegated ? .notEqual : .equal, .string(prefix))
  }

  /// The text before the wildcards, and whether there are any; nil if they are not just at the end.
  private static func split(
    _ pattern: String, escape: Unicode.Scalar?
  ) -> (prefix: String, isOpen: Bool)? {
    var prefix = String.UnicodeScalarView()
    var rest = pattern.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == escape {
        guard let escaped = rest.popFirst() else { return nil }
        prefix.append(escaped)
      } else if scalar == "%" {
        return rest.allSatisfy { $0 == "%" } ? (String(prefix), true) : nil
      } else if scalar == "_" {
        return nil
      } else {
        prefix.append(scalar)
      }
    }
    return (String(prefix), false)
  }

  // MARK: Literals

  /// True if a literal comes next, not a column.
  private var startsLiteral: Bool {
    switch lexer.peek.kind {
    case .number, .string, .sign("-"), .sign("+"): return true
    case .word(let word):
      switch word.lowercased() {
      case "true", "false", "null": return true
      case "date", "time", "timestamp", "timestamptz", "x":
        if case .string = lexer.second.kind { return true } else { return false }
      default: return false
      }
    default: return false
    }
  }

  private mutating func literal() throws(IcebergError) -> Literal {
    let token = lexer.peek
    guard startsLiteral else { throw lexer.unexpected("a literal", at: token) }
    _ = lexer.take()
    switch token.kind {
    case .number(let text): return try number(text, at: token)
    case .string(let text): return .string(text)
    case .sign(let sign):
      guard case .number(let digits) = lexer.peek.kind else { throw lexer.unexpected("a number") }
      _ = lexer.take()
      return try number((sign == "-" ? "-" : "") + digits, at: token)
    case .word(let word): return try worded(word.lowercased(), at: token)
    default: throw lexer.unexpected("a literal", at: token)
    }
  }

  private func number(_ text: String, at token: TextToken) throws(IcebergError) -> Literal {
    if let number = DecimalNumber(text) { return Literal(.number(number)) }
    // Of more digits than are kept: the nearest double, spelled as it is printed.
    guard let value = Double(text) else { throw lexer.unexpected("a number", at: token) }
    return .double(value)
  }

  /// A literal that a keyword begins.
  private mutating func worded(
    _ word: String, at token: TextToken
  ) throws(IcebergError) -> Literal {
    switch word {
    case "true": return true
    case "false": return false
    case "null": throw lexer.unexpected("a value; ask for null with IS NULL", at: token)
    default: break
    }
    let quoted = lexer.take()
    guard case .string(let text) = quoted.kind else { throw lexer.unexpected("text", at: quoted) }
    switch word {
    case "x":
      if let bytes = Hexadecimal.bytes(Array(text.utf8)) { return .bytes(bytes) }
      throw lexer.unexpected("pairs of hexadecimal digits", at: quoted)
    case "date":
      if let days = TimestampText.date(text) { return Literal(.date(days)) }
      throw lexer.unexpected("a date as 2026-01-31", at: quoted)
    case "time":
      if let time = TimestampText.timeOfDay(text) { return Literal(.timeOfDay(nanoseconds: time)) }
      throw lexer.unexpected("a time as 23:59:59.123456", at: quoted)
    default:
      guard var time = TimestampText(text) else {
        throw lexer.unexpected("a timestamp as 2026-01-31T23:59:59Z", at: quoted)
      }
      time.isDate = false
      if word == "timestamptz" { time.hasZone = true }
      return Literal(.timestamp(time))
    }
  }
}

extension Predicate {
  /// All of `parts`, those that are conjunctions taken apart.
  static func conjunction(_ parts: [Predicate]) -> Predicate {
    let flat = parts.flatMap { part in if case .and(let inner) = part { inner } else { [part] } }
    return flat.count == 1 ? flat[0] : .and(flat)
  }

  /// One of `parts`, those that are disjunctions taken apart.
  static func disjunction(_ parts: [Predicate]) -> Predicate {
    let flat = parts.flatMap { part in if case .or(let inner) = part { inner } else { [part] } }
    return flat.count == 1 ? flat[0] : .or(flat)
  }
}

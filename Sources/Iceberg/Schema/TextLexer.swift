// SPDX-License-Identifier: Apache-2.0

/// A word, number, string or sign of the small languages people write: schemas, partitions, sort
/// orders and predicates.
package struct TextToken: Equatable {
  package enum Kind: Equatable {
    /// A bare name or keyword, as it was spelled.
    case word(String)
    /// A name in double quotes.
    case quoted(String)
    /// Text in single quotes; a quote in it is doubled.
    case string(String)
    /// Digits, maybe with a point and an exponent, without a sign.
    case number(String)
    case sign(String)
    case end
  }
  package let kind: Kind
  /// Where it starts and ends, in bytes of the text.
  package let range: Range<Int>

  /// How an error names it.
  package var name: String {
    switch kind {
    case .word(let text), .number(let text), .sign(let text): "'\(text)'"
    case .quoted(let text): "\"\(text)\""
    case .string(let text): "'\(text)'"
    case .end: "the end"
    }
  }
}

/// Splits text into tokens and hands them out one by one.
///
/// Cost: one pass over the text when it is made.
package struct TextLexer {
  /// What the text is, for errors: `schema`, `predicate`.
  package let what: String
  private let text: [UInt8]
  private let tokens: [TextToken]
  private var next = 0

  package init(_ text: String, what: String) throws(IcebergError) {
    self.what = what
    self.text = Array(text.utf8)
    var scanner = TokenScanner(text: self.text, what: what)
    self.tokens = try scanner.tokens()
  }

  /// The token that comes next, left where it is.
  package var peek: TextToken { tokens[next] }
  /// The one after it.
  package var second: TextToken { tokens[min(next + 1, tokens.count - 1)] }
  package var isAtEnd: Bool { peek.kind == .end }

  package mutating func take() -> TextToken {
    let token = tokens[next]
    if token.kind != .end { next += 1 }
    return token
  }

  /// Passes the sign `sign` if it comes next.
  package mutating func take(sign: String) -> Bool {
    guard peek.kind == .sign(sign) else { return false }
    next += 1
    return true
  }

  /// Passes the word `keyword` (given in lower case) in any case, if it comes next.
  package mutating func take(keyword: String) -> Bool {
    guard isKeyword(peek, keyword) else { return false }
    next += 1
    return true
  }

  /// Passes the words `first second`, if both come next.
  package mutating func take(keywords first: String, _ second: String) -> Bool {
    guard isKeyword(peek, first), isKeyword(self.second, second) else { return false }
    next += 2
    return true
  }

  package func isKeyword(_ token: TextToken, _ keyword: String) -> Bool {
    if case .word(let word) = token.kind { word.lowercased() == keyword } else { false }
  }

  package mutating func expect(sign: String) throws(IcebergError) {
    guard take(sign: sign) else { throw unexpected("'\(sign)'") }
  }

  /// A name: a bare word or one in double quotes.
  package mutating func takeName(
    _ expected: String = "a name"
  ) throws(IcebergError) -> String {
    switch peek.kind {
    case .word(let name), .quoted(let name):
      next += 1
      return name
    default: throw unexpected(expected)
    }
  }

  /// A name, or several joined by dots.
  package mutating func takePath(
    _ expected: String = "a column"
  ) throws(IcebergError) -> String {
    var path = try takeName(expected)
    while take(sign: ".") { path += "." + (try takeName(expected)) }
    return path
  }

  /// How two values are to be compared, if a sign of that comes next.
  package mutating func takeComparison() -> Comparison? {
    guard case .sign(let sign) = peek.kind else { return nil }
    let comparison: Comparison
    switch sign {
    case "=", "==": comparison = .equal
    case "!=", "<>": comparison = .notEqual
    case "<": comparison = .less
    case "<=": comparison = .lessOrEqual
    case ">": comparison = .greater
    case ">=": comparison = .greaterOrEqual
    default: return nil
    }
    next += 1
    return comparison
  }

  /// A whole number within `range`.
  mutating func takeInteger(_ expected: String, in range: ClosedRange<Int>) throws(IcebergError)
    -> Int
  {
    guard case .number(let digits) = peek.kind, let value = Int(digits), range.contains(value)
    else { throw unexpected(expected) }
    next += 1
    return value
  }

  /// All text up to one of `signs` (left where it is), trimmed: for what has a grammar of its own.
  mutating func takeRaw(until signs: Set<String>) throws(IcebergError) -> String {
    let start = peek.range.lowerBound
    var end = start
    while true {
      switch peek.kind {
      case .sign(let sign) where signs.contains(sign):
        guard end > start else { throw unexpected("text") }
        return String(decoding: text[start..<end], as: UTF8.self)
      case .end: throw unexpected(signs.sorted().map { "'\($0)'" }.joined(separator: " or "))
      default:
        end = peek.range.upperBound
        next += 1
      }
    }
  }

  package func expectEnd() throws(IcebergError) {
    guard isAtEnd else { throw unexpected("the end") }
  }

  /// The error for what comes next, where `expected` should.
  package func unexpected(_ expected: String) -> IcebergError { unexpected(expected, at: peek) }

  package func unexpected(_ expected: String, at token: TextToken) -> IcebergError {
    .syntax(what, offset: token.range.lowerBound, expected: expected, found: token.name)
  }
}

/// The scanner behind ``TextLexer``.
private struct TokenScanner {
  let text: [UInt8]
  let what: String
  private var at = 0

  init(text: [UInt8], what: String) {
    self.text = text
    self.what = what
  }

  mutating func tokens() throws(IcebergError) -> [TextToken] {
    var tokens: [TextToken] = []
    while true {
      while at < text.count, isSpace(text[at]) { at += 1 }
      let start = at
      guard at < text.count else {
        tokens.append(TextToken(kind: .end, range: start..<start))
        return tokens
      }
      let kind = try scan()
      tokens.append(TextToken(kind: kind, range: start..<at))
    }
  }

  private mutating func scan() throws(IcebergError) -> TextToken.Kind {
    let byte = text[at]
    if isDigit(byte) { return .number(number()) }
    if isWordStart(byte) {
      let start = at
      while at < text.count, isWordStart(text[at]) || isDigit(text[at]) { at += 1 }
      return .word(slice(start))
    }
    switch byte {
    case UInt8(ascii: "'"): return .string(try delimited(by: byte, "a closing quote"))
    case UInt8(ascii: "\""): return .quoted(try delimited(by: byte, "a closing double quote"))
    default: return .sign(sign())
    }
  }

  private mutating func number() -> String {
    let start = at
    digits()
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      digits()
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      var exponent = at + 1
      if exponent < text.count,
        text[exponent] == UInt8(ascii: "+") || text[exponent] == UInt8(ascii: "-")
      {
        exponent += 1
      }
      if exponent < text.count, isDigit(text[exponent]) {
        at = exponent
        digits()
      }
    }
    return slice(start)
  }

  private mutating func digits() {
    while at < text.count, isDigit(text[at]) { at += 1 }
  }

  private mutating func delimited(by quote: UInt8, _ expected: String) throws(IcebergError)
    -> String
  {
    at += 1
    var bytes: [UInt8] = []
    while at < text.count {
      let byte = text[at]
      at += 1
      if byte != quote {
        bytes.append(byte)
      } else if at < text.count, text[at] == quote {
        bytes.append(quote)
        at += 1
      } else {
        return String(decoding: bytes, as: UTF8.self)
      }
    }
    throw .syntax(what, offset: at, expected: expected, found: "the end")
  }

  /// One or two characters that belong together.
  private mutating func sign() -> String {
    let start = at
    at += 1
    if at < text.count {
      switch (text[start], text[at]) {
      case (UInt8(ascii: "<"), UInt8(ascii: "=")), (UInt8(ascii: ">"), UInt8(ascii: "=")),
        (UInt8(ascii: "!"), UInt8(ascii: "=")), (UInt8(ascii: "<"), UInt8(ascii: ">")),
        (UInt8(ascii: "="), UInt8(ascii: "=")), (UInt8(ascii: "|"), UInt8(ascii: "|")):
        at += 1
      default: break
      }
    }
    return slice(start)
  }

  private func slice(_ start: Int) -> String { String(decoding: text[start..<at], as: UTF8.self) }
  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private func isWordStart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x80 || (0x61...0x7a).contains(byte | 0x20)
  }
}

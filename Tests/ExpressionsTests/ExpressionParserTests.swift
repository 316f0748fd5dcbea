// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("The text of expressions")
struct ExpressionParserTests {
  @Test func `an expression is read as people mean it`() throws {
    let one = Expression.integer(1)
    let cases: [(String, Expression)] = [
      (
        "a + b * c",
        .arithmetic(.add, .column("a"), .arithmetic(.multiply, .column("b"), .column("c")))
      ),
      (
        "a - b - c",
        .arithmetic(.subtract, .arithmetic(.subtract, .column("a"), .column("b")), .column("c"))
      ),
      ("-1", .integer(-1)), ("- a", .negated(.column("a"))),
      ("a -1", .arithmetic(.subtract, .column("a"), one)),
      ("-9223372036854775808", .integer(.min)),
      (
        "9223372036854775808",
        .literal(.decimal(9_223_372_036_854_775_808), .decimal(precision: 19, scale: 0))
      ),
      ("1.50", .literal(.decimal(150), .decimal(precision: 3, scale: 2))),
      ("1e3", .double(1000)), ("3000000000", .literal(.long(3_000_000_000), .long)),
      ("a.b", .column("a.b")), ("\"select\".\"x y\"", .column("select.x y")),
      ("NOT a AND b", .and([.not(.column("a")), .column("b")])),
      ("a OR b AND c", .or([.column("a"), .and([.column("b"), .column("c")])])),
      ("a not in (1)", .not(.isIn(.column("a"), [one]))),
      ("a IS NOT NULL", .not(.isNull(.column("a")))),
      ("a || 'x' || b", .concatenated([.column("a"), .string("x"), .column("b")])),
      ("a == 1", .compared(.equal, .column("a"), one)),
      (
        "CASE a WHEN 1 THEN b END",
        .cases([.init(.compared(.equal, .column("a"), one), then: .column("b"))], otherwise: nil)
      ),
      (
        "try_cast(a as DECIMAL(9,2))",
        .cast(.column("a"), .decimal(precision: 9, scale: 2), onFailure: .isNull)
      ),
      ("cast(a as bigint)", .cast(.column("a"), .long, onFailure: .fails)),
      ("Upper(a)", .call("upper", [.column("a")])), ("f()", .call("f", [])),
      ("date", .column("date")), ("DATE '1970-01-02'", .literal(.int(1), .date)),
      ("TIMESTAMP '1970-01-01 00:00:01'", .literal(.long(1_000_000), .timestamp)),
      ("TIMESTAMP '1970-01-01T01:00:00.000001+01:00'", .literal(.long(1), .timestamptz)),
      ("TIMESTAMP '1970-01-01 00:00:00.000000001'", .literal(.long(1), .timestampNs)),
      ("X'00ff'", .literal(.bytes([0, 255]), .binary)),
      ("TIME '00:00:01'", .literal(.long(1_000_000), .time)),
      ("a LIKE 'x!%%' ESCAPE '!'", .isLike(.column("a"), pattern: "x!%%", escape: "!")),
    ]
    for (text, expected) in cases {
      #expect(try ExpressionParser.parse(text) == expected, "\(text)")
    }
  }

  @Test func `what is not an expression is refused at its place`() {
    let cases: [(String, Int)] = [
      ("", 0), ("a +", 3), ("a b", 2), ("(a", 2), ("a)", 1), ("a = b = c", 6), ("f(a,)", 4),
      ("CASE a END", 7), ("CASE WHEN a THEN b", 18), ("CAST(a int)", 7), ("CAST(a AS number)", 10),
      ("a IS 5", 5), ("a NOT 5", 6), ("a IN ()", 6), ("a BETWEEN 1", 11), ("a LIKE b", 7),
      ("'open", 5), ("DATE '2024-13-01'", 5), ("X'0'", 1), ("and", 0),
      ("a LIKE 'x!' ESCAPE '!'", 7),
      ("1e999", 0), ("TIME '25:00'", 5), ("@", 0), ("a.", 2), ("select a from b", 7),
    ]
    for (text, offset) in cases {
      do {
        let parsed = try ExpressionParser.parse(text)
        Issue.record("\(text) is read as \(parsed)")
      } catch {
        guard case .syntax(_, let found, _, _) = error else {
          Issue.record("\(text): \(error)")
          continue
        }
        #expect(found == offset, "\(text): \(error)")
      }
    }
  }

  @Test func `what is printed is read as the same expression`() throws {
    let random = SeededRandom(printing: "expressions printed and read")
    for _ in 0..<3000 {
      let expression = RandomExpression.any(random, depth: random.int(in: 0..<5))
      let text = "\(expression)"
      do {
        let parsed = try ExpressionParser.parse(text)
        #expect(parsed == expression, "\(text), read as \(parsed)")
      } catch { Issue.record("\(text): \(error)") }
    }
  }

  @Test func `a selection has items with names`() throws {
    let list = try ExpressionParser.parse(
      selectList: "*, a.b, dep_delay / 60 AS hours, f(a, 1) as \"x y\"")
    #expect(
      list.items == [
        .all, .expression(.column("a.b"), name: nil),
        .expression(.arithmetic(.divide, .column("dep_delay"), .integer(60)), name: "hours"),
        .expression(.call("f", [.column("a"), .integer(1)]), name: "x y"),
      ])
    #expect(try ExpressionParser.parse(selectList: "\(list)") == list)
    for text in ["", "a,", "a AS", "a b", "* AS x", ", a"] {
      #expect(throws: ExpressionError.self, "\(text)") {
        try ExpressionParser.parse(selectList: text)
      }
    }
  }

  @Test func `an assignment has a column and a value`() throws {
    let assignment = try ExpressionParser.parse(assignment: "a.b = c = 1")
    #expect(
      assignment == Assignment("a.b", to: .compared(.equal, .column("c"), .integer(1))))
    #expect(try ExpressionParser.parse(assignment: "\(assignment)") == assignment)
    for text in ["a", "a =", "= 1", "1 = a", "a == 1", "a = 1, b = 2"] {
      #expect(throws: ExpressionError.self, "\(text)") {
        try ExpressionParser.parse(assignment: text)
      }
    }
  }

  @Test func `no text traps, however deep or broken`() throws {
    let many = 20_000
    let deep = [
      String(repeating: "(", count: many) + "a" + String(repeating: ")", count: many),
      String(repeating: "-", count: many) + "a", String(repeating: "NOT ", count: many) + "a",
      String(repeating: "f(", count: many), String(repeating: "CASE WHEN ", count: many),
      "a" + String(repeating: " + a", count: many), "a" + String(repeating: " * a", count: many),
      String(repeating: "CAST(", count: many), String(repeating: "- (", count: many),
    ]
    for text in deep {
      #expect(throws: ExpressionError.self) { try ExpressionParser.parse(text) }
    }
    let wide = "a" + String(repeating: " || a", count: many)
    #expect(try ExpressionParser.parse(wide).children.count == many + 1)

    let random = SeededRandom(printing: "broken expressions")
    let pieces = [
      "a", "\"b\"", "1", "1.5", "1e9", "'x'", "(", ")", ",", "+", "-", "*", "/", "%", "||", "=",
      "<", "AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN",
      "ELSE", "END", "CAST", "AS", "int", "DATE", "X", "TIMESTAMP", ".", "'", "\"", "é", "\u{0}",
    ]
    for _ in 0..<20_000 {
      let count = random.int(in: 1..<14)
      let text = (0..<count).map { _ in pieces[random.int(in: 0..<pieces.count)] }
        .joined(separator: random.oneIn(4) ? "" : " ")
      guard let parsed = try? ExpressionParser.parse(text) else { continue }
      #expect(try ExpressionParser.parse("\(parsed)") == parsed, "\(text)")
    }
  }
}

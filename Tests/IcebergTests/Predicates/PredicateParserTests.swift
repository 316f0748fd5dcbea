// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

@Suite("Predicates as text")
struct PredicateParserTests {
  @Test(
    arguments: [
      ("id = 5", Predicate.equal("id", 5)), ("id==5", .equal("id", 5)),
      ("id != 5", .notEqual("id", 5)),
      ("id <> -5", .notEqual("id", -5)), ("id<5", .less("id", 5)),
      ("id <= 5", .lessOrEqual("id", 5)),
      ("id > 5", .greater("id", 5)), ("id >= 5.25", .greaterOrEqual("id", 5.25)),
      ("5 < id", .greater("id", 5)), ("'x' = name", .equal("name", "x")),
      ("name = 'it''s'", .equal("name", "it's")), ("a.b.c IS NULL", .isNull("a.b.c")),
      ("\"odd name\".x is not null", .isNotNull("odd name.x")), ("x IS NAN", .isNaN("x")),
      ("x is not nan", .isNotNaN("x")), ("id IN (1, 2,3)", .isIn("id", [1, 2, 3])),
      ("id NOT IN (1)", .isNotIn("id", [1])), ("s LIKE 'a%'", .startsWith("s", "a")),
      ("s LIKE 'a%%'", .startsWith("s", "a")), ("s NOT LIKE 'a%'", .doesNotStartWith("s", "a")),
      ("s LIKE 'abc'", .equal("s", "abc")), ("s NOT LIKE 'abc'", .notEqual("s", "abc")),
      ("s LIKE '10!%%' ESCAPE '!'", .startsWith("s", "10%")),
      ("x BETWEEN 1 AND 3", .and([.greaterOrEqual("x", 1), .lessOrEqual("x", 3)])),
      ("x NOT BETWEEN 1 AND 3", .or([.less("x", 1), .greater("x", 3)])),
      ("TRUE", .always(true)), ("false", .always(false)), ("ok", .equal("ok", true)),
      ("NOT ok", .not(.equal("ok", true))),
      ("ok AND b = 1", .and([.equal("ok", true), .equal("b", 1)])),
      ("b = X'00fF'", .equal("b", .bytes([0, 255]))), ("ok = TRUE", .equal("ok", true)),
      (
        "a = 1 OR b = 2 AND NOT c = 3",
        .or([.equal("a", 1), .and([.equal("b", 2), .not(.equal("c", 3))])])
      ),
      (
        "(a = 1 OR b = 2) AND c = 3",
        .and([.or([.equal("a", 1), .equal("b", 2)]), .equal("c", 3)])
      ),
      (
        "a = 1 AND b BETWEEN 1 AND 2 AND c = 3",
        .and([.equal("a", 1), .greaterOrEqual("b", 1), .lessOrEqual("b", 2), .equal("c", 3)])
      ),
      ("x > 1e3", .greater("x", .decimal(unscaled: 1, scale: -3))), ("d = .5", nil),
      ("date = 5", .equal("date", 5)),
      ("x = date", nil),
    ] as [(String, Predicate?)])
  func `text is read as SQL is`(text: String, expected: Predicate?) {
    let found = try? PredicateParser.parse(text)
    #expect(found == expected, "\(text)")
  }

  static let mistakes: [(String, Int)] = [
    ("", 0), ("id", 99), ("id =", 4), ("id = = 5", 5), ("= 5", 0), ("id = 5 and", 10),
    ("(id = 5", 7), ("id = 5)", 6), ("id = NULL", 5), ("id IN ()", 7), ("id IN (1, NULL)", 10),
    ("id IS 5", 6), ("s LIKE '%a'", 7), ("s LIKE 'a_b'", 7), ("s LIKE 5", 7), ("id NOT 5", 7),
    ("id BETWEEN 1 OR 2", 13), ("s = 'open", 9), ("id 5", 3), ("5", 1), ("5 = 5", 0),
    ("b = X'0'", 5), ("t = DATE '2024-13-01'", 9), ("t = TIMESTAMP 'noon'", 14),
    ("id = 5 id = 6", 7),
    ("id ; 5", 3), ("a.=5", 2),
  ]

  @Test(arguments: mistakes)
  func `an error names its place`(text: String, offset: Int) {
    if offset == 99 {
      #expect((try? PredicateParser.parse(text)) == .equal("id", true))
      return
    }
    let error = #expect(throws: IcebergError.self, "\(text)") { try PredicateParser.parse(text) }
    guard case .syntax("predicate", let found, _, _) = error else {
      Issue.record("\(text): \(String(describing: error))")
      return
    }
    #expect(found == offset, "\(text): \(String(describing: error))")
  }

  @Test func `nesting without end is refused, not followed`() {
    for text in [
      String(repeating: "(", count: 100_000) + "a = 1",
      String(repeating: "not ", count: 100_000) + "a",
    ] {
      #expect(throws: IcebergError.self) { try PredicateParser.parse(text) }
    }
    let long = (0..<20_000).map { "a = \($0)" }.joined(separator: " OR ")
    #expect((try? PredicateParser.parse(long))?.columnNames == ["a"])
  }

  @Test func `what is printed is read back the same`() throws {
    var random = Seeded(printing: "predicate text")
    for _ in 0..<3000 {
      let predicate = Generators.predicate(&random, depth: 4)
      let text = predicate.description
      #expect(try PredicateParser.parse(text) == predicate, "\(text), seed \(random.seed)")
    }
    for name in ["odd name", "and", "Not", "a\"b", "1st", "x-y", "é"] {
      let predicate = Predicate.equal(name, 1)
      #expect(try PredicateParser.parse(predicate.description) == predicate)
    }
  }

  @Test func `what is bound, printed, read and bound again is the same`() throws {
    var random = Seeded(printing: "bound predicate text")
    for _ in 0..<3000 {
      let bound = try Generators.predicate(&random, depth: 3).bound(to: Generators.schema)
      let again = try PredicateParser.parse(bound.description).bound(to: Generators.schema)
      #expect(again == bound, "\(bound), seed \(random.seed)")
    }
  }
}

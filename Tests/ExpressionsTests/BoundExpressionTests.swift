// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("Bound expressions")
struct BoundExpressionTests {
  private static let schema: Schema = {
    do {
      return try Schema(
        """
        id int not null, n long, f float, d double, p decimal(9,2), w decimal(38,10), s string,
        b boolean, day date, t timestamp, z timestamptz, ns timestamp_ns, clock time, u uuid,
        x fixed[4], y binary, nested struct<a: int, inner: struct<c: string>>, l list<int>,
        "Case" int, gone unknown
        """)
    } catch { preconditionFailure("\(error)") }
  }()

  private static func bind(_ text: String) throws -> BoundExpression {
    try ExpressionParser.parse(text).bound(to: schema)
  }

  private static func batch(_ rows: [[Value?]]) -> RecordBatch {
    let width = schema.fields.count
    return Rows.batch(rows.map { $0 + Array(repeating: nil, count: width - $0.count) }, schema)
  }

  @Test func `types follow the rules`() throws {
    let cases: [(String, FieldType)] = [
      ("id + id", .int), ("id + n", .long), ("id + 1", .int), ("id + 3000000000", .long),
      ("id / id", .double), ("f + f", .float), ("f + id", .float), ("f + p", .float),
      ("f + d", .double), ("p + p", .decimal(10, 2)), ("p * p", .decimal(18, 4)),
      ("p + id", .decimal(13, 2)), ("p + 1", .decimal(10, 2)), ("p * 10", .decimal(11, 2)),
      ("p % 7", .decimal(9, 2)), ("p + w", .decimal(38, 10)), ("p / 2", .double),
      ("-p", .decimal(9, 2)), ("id % n", .long), ("div(id, 2)", .int),
      ("round(p, 1)", .decimal(9, 1)),
      ("floor(p)", .decimal(8, 0)), ("round(d)", .double), ("abs(f)", .float),
      ("sqrt(id)", .double),
      ("NULL", .unknown), ("NULL + 1", .int), ("coalesce(NULL, p)", .decimal(9, 2)),
      ("coalesce(id, n)", .long), ("coalesce(id, p)", .decimal(12, 2)),
      ("coalesce(day, t)", .timestamp),
      ("coalesce(t, ns)", .timestampNs), ("coalesce(x, y)", .binary), ("day = t", .boolean),
      ("CASE WHEN b THEN 1 ELSE 2.5 END", .decimal(2, 1)), ("s || id", .string),
      ("length(s)", .int), ("date_trunc('month', day)", .date),
      ("date_trunc('hour', z)", .timestamptz),
      ("date_add('month', 1, day)", .date), ("date_diff('day', day, t)", .long), ("year(ns)", .int),
      ("bucket(16, s)", .int), ("truncate(10, id)", .int), ("days(t)", .date),
      ("months(day)", .int),
      ("epoch(t)", .double), ("to_timestamp(1)", .timestamptz), ("nested.a", .int),
      ("nested.inner.c", .string), ("CASE WHEN b THEN day END", .date), ("\"Case\"", .int),
      ("CLOCK", .time),
      ("gone", .unknown), ("u = '00000000-0000-0000-0000-000000000001'", .boolean),
    ]
    for (text, type) in cases {
      do {
        let found = try Self.bind(text).type
        #expect(found == type, "\(text) is of type \(found)")
      } catch { Issue.record("\(text): \(error)") }
    }
  }

  @Test func `what has no meaning is refused when it is bound`() {
    let cases: [(String, (ExpressionError) -> Bool)] = [
      ("nope", { $0 == .unknownColumn("nope") }), ("nope(1)", { $0 == .unknownFunction("nope") }),
      ("l.element + 1", { $0 == .repeatedColumn("l.element") }),
      (
        "s + 1",
        { if case .notAValue = $0 { false } else if case .wrongType = $0 { true } else { false } }
      ),
      ("nested + 1", { if case .wrongType = $0 { true } else { false } }),
      ("id AND b", { if case .wrongType = $0 { true } else { false } }),
      ("t = z", { if case .noCommonType = $0 { true } else { false } }),
      ("s = id", { if case .noCommonType = $0 { true } else { false } }),
      ("id = 'abc'", { if case .notAValue = $0 { true } else { false } }),
      ("day > 'yesterday'", { if case .notAValue = $0 { true } else { false } }),
      ("w * w * w * w", { if case .noCommonType = $0 { true } else { false } }),
      ("lower(id)", { if case .wrongArguments = $0 { true } else { false } }),
      ("round(d, id)", { if case .wrongArguments = $0 { true } else { false } }),
      ("date_trunc('fortnight', t)", { if case .wrongArguments = $0 { true } else { false } }),
      ("date_add('hour', 1, day)", { if case .wrongArguments = $0 { true } else { false } }),
      ("bucket(0, id)", { if case .wrongArguments = $0 { true } else { false } }),
      ("bucket(16, d)", { if case .wrongArguments = $0 { true } else { false } }),
      ("CAST(day AS int)", { if case .wrongType = $0 { true } else { false } }),
      ("CAST(b AS date)", { if case .wrongType = $0 { true } else { false } }),
      ("-s", { if case .wrongType = $0 { true } else { false } }),
      (
        "day + 1",
        { if case .noCommonType = $0 { true } else if case .wrongType = $0 { true } else { false } }
      ),
    ]
    for (text, matches) in cases {
      do {
        let bound = try Self.bind(text)
        Issue.record("\(text) is bound as \(bound.type)")
      } catch let error as ExpressionError {
        #expect(matches(error), "\(text): \(error)")
      } catch { Issue.record("\(text): \(error)") }
    }
  }

  @Test func `an error names the expression and the row`() throws {
    let rows = Self.batch((0..<100).map { [.int(Int32($0)), .long($0 == 77 ? .max : 1)] })
    let cases: [(String, ExpressionError)] = [
      ("1 + n * 2", .overflow("n * 2", row: 77, type: "long")),
      ("10 / (id - 42)", .divisionByZero("10 / (id - 42)", row: 42)),
      ("id % (id - 9)", .divisionByZero("id % (id - 9)", row: 9)),
      (
        "CAST(n AS int)",
        .notConvertible("CAST(n AS int)", row: 77, value: "\(Int64.max)", to: "int")
      ),
      ("sqrt(30 - id)", .outsideDomain("sqrt(30 - id)", row: 31, value: "-1.0")),
      // Of the rows that a branch is asked for, too.
      ("CASE WHEN id > 50 THEN n + 1 END", .overflow("n + 1", row: 77, type: "long")),
      ("id > 60 AND id < 80 AND n + 1 > 0", .overflow("n + 1", row: 77, type: "long")),
      (
        "coalesce(CASE WHEN id < 70 THEN 1 END, CASE WHEN id > 75 THEN n + 1 ELSE 0 END)",
        .overflow("n + 1", row: 77, type: "long")
      ),
    ]
    for (text, expected) in cases {
      let bound = try Self.bind(text)
      #expect(throws: expected, "\(text)") { try bound.evaluate(rows) }
    }
  }

  @Test func `what is not asked for in a row does not fail in it`() throws {
    let rows = Self.batch([[.int(0), .long(5)], [.int(2), .long(.max)], [.int(1), nil]])
    let cases: [(String, [String?])] = [
      ("CASE WHEN id = 0 THEN 0 ELSE div(6, id) END", ["0", "3", "6"]),
      ("id <> 0 AND 6 / id > 4", ["false", "false", "true"]),
      ("id = 0 OR 6 / id > 4", ["true", "false", "true"]),
      ("coalesce(nullif(id, 0), div(1, id + 1))", ["1", "2", "1"]),
      ("CASE WHEN id = 2 THEN 0 ELSE n + 1 END", ["6", "0", nil]),
      ("try_divide(6, id)", [nil, "3.0", "6.0"]), ("TRY_CAST(n AS int)", ["5", nil, nil]),
      ("CASE WHEN TRUE THEN 1 ELSE 1 / 0 END", ["1.0", "1.0", "1.0"]),
    ]
    for (text, expected) in cases {
      let bound = try Self.bind(text)
      let column = try bound.evaluate(rows)
      let found = (0..<3).map { row in
        column.icebergValue(row).map { $0.text(as: bound.type.primitive ?? .unknown) }
      }
      #expect(found == expected, "\(text)")
    }
  }

  @Test func `an assignment keeps values or fails`() throws {
    let rows = Self.batch([[.int(1), .long(2), .float(0.5), .double(4), .decimal(150)]])
    let good: [(String, Value?)] = [
      ("n = id + 1", .long(2)), ("id = n", .int(2)), ("d = p", .double(1.5)),
      ("p = n", .decimal(200)),
      ("p = p * 2.0", .decimal(300)), ("id = d", .int(4)), ("f = d / 3", .float(Float(4.0 / 3))),
      ("s = 'x'", .string("x")), ("day = '1970-01-03'", .int(2)),
      ("t = DATE '1970-01-02'", .long(86_400_000_000)),
      ("n = NULL", nil), ("p = '1.5'", .decimal(150)), ("p = 7", .decimal(700)),
      (
        "u = '00000000-0000-0000-0000-00000000000a'",
        .bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10])
      ),
      ("nested.a = id", .int(1)), ("p = round(p * 1.119, 2)", .decimal(168)),
      ("z = '1970-01-01 01:00:00+01:00'", .long(0)),
    ]
    for (text, expected) in good {
      let bound = try ExpressionParser.parse(assignment: text).bound(to: Self.schema)
      #expect(bound.value.type == bound.field.type, "\(text)")
      #expect(try bound.value.evaluate(rows).icebergValue(0) == expected, "\(text)")
    }
    let refused = [
      "s = id", "id = s", "p = d", "t = z", "day = t", "b = 1", "p = '1.234'", "id = 2.5",
      "id = 3000000000", "day = 'x'", "nested = 1", "l = 1", "nope = 1", "l.element = 1",
      "p = 12345678.5",
    ]
    for text in refused {
      #expect(throws: ExpressionError.self, "\(text)") {
        try ExpressionParser.parse(assignment: text).bound(to: Self.schema)
      }
    }
    let failing: [(String, ExpressionError)] = [
      (
        "p = p * 1.119",
        .inexact("p * 1.119", row: 0, value: "1.67850", column: "p", type: "decimal(9, 2)")
      ),
      ("n = f", .inexact("f", row: 0, value: "0.5", column: "n", type: "long")),
      (
        "id = n * 2000000000",
        .inexact("n * 2000000000", row: 0, value: "4000000000", column: "id", type: "int")
      ),
      ("id = nullif(id, 1)", .nullNotAllowed("nullif(id, 1)", row: 0, column: "id")),
    ]
    for (text, expected) in failing {
      let bound = try ExpressionParser.parse(assignment: text).bound(to: Self.schema)
      #expect(throws: expected, "\(text)") { try bound.value.evaluate(rows) }
    }
  }

  @Test func `a selection makes batches of its columns`() throws {
    let rows = Self.batch([[.int(1), .long(2)], [.int(3), nil]])
    let list = try ExpressionParser.parse(selectList: "n, id * 2 AS twice, nested.a, id + 1")
    let bound = try list.bound(to: Self.schema)
    let result = try bound.evaluate(rows)
    #expect(bound.fields.map(\.name) == ["n", "twice", "a", "id + 1"])
    #expect(bound.fields[0].fieldID == 2 && bound.fields[1].fieldID == nil)
    #expect(
      result.columns[1].icebergValue(1) == .int(6) && result.columns[0].icebergValue(1) == nil)
    let all = try ExpressionParser.parse(selectList: "*").bound(to: Self.schema)
    #expect(all.fields.map(\.name) == Self.schema.fields.map(\.name))
    #expect(throws: ExpressionError.duplicateColumn("id")) {
      try ExpressionParser.parse(selectList: "*, n AS id").bound(to: Self.schema)
    }
  }

  @Test func `the deepest expression that is read is computed`() throws {
    let parentheses = String(repeating: "(NOT (id = 1 || -", count: 11)
    let text =
      parentheses + "id" + String(repeating: " + 1", count: 99) + String(repeating: "))", count: 11)
    _ = try? Self.bind(text)
    let sum = "id" + String(repeating: " + 1", count: 99)
    let rows = Self.batch([[.int(1)]])
    #expect(try Self.bind(sum).evaluate(rows).icebergValue(0) == .int(100))
    let nested = String(repeating: "abs(", count: 48) + "id" + String(repeating: ")", count: 48)
    #expect(try Self.bind(nested).evaluate(rows).icebergValue(0) == .int(1))
    let cases =
      String(repeating: "CASE WHEN id > 0 THEN ", count: 48) + "id"
      + String(repeating: " END", count: 48)
    #expect(try Self.bind(cases).evaluate(rows).icebergValue(0) == .int(1))
    var tower = Expression.column("b")
    for _ in 0..<490 { tower = .not(tower) }
    #expect(try tower.bound(to: Self.schema).evaluate(rows).icebergValue(0) == nil)
    for _ in 0..<20 { tower = .not(tower) }
    #expect(throws: ExpressionError.tooDeep(limit: Expression.depthLimit)) {
      try tower.bound(to: Self.schema)
    }
  }

  @Test func `no rows give no rows`() throws {
    let empty = Self.batch([])
    for text in [
      "id + 1", "s || 'x'", "CASE WHEN b THEN 1 END", "coalesce(n, id)", "upper(s)", "p * p",
      "b AND 1 / id > 2", "1", "NULL", "CAST(s AS int)", "greatest(id, n)", "bucket(4, s)",
    ] {
      #expect(try Self.bind(text).evaluate(empty).count == 0, "\(text)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

@Suite("Predicates bound to a schema")
struct BindingTests {
  let schema = try! Schema(
    """
    id long not null, i int, f float, d double, n decimal(9,2), s string, day date, ts timestamp,
    tz timestamptz, ns timestamptz_ns, t time, u uuid, b binary, x fixed(2), ok boolean,
    p struct<q int>, l list<int>, un unknown, g geometry
    """)

  func bound(_ text: String) throws -> String {
    try PredicateParser.parse(text).bound(to: schema).description
  }

  static let conversions: [(String, String)] = [
    ("i < 2147483648", "i IS NOT NULL"), ("i > 2147483647.5", "FALSE"),
    ("i = 2147483648", "FALSE"), ("i <> 2147483648", "i IS NOT NULL"),
    ("i > -2147483649", "i IS NOT NULL"), ("i <= -3e9", "FALSE"), ("id < 1e30", "TRUE"),
    ("i < 5.5", "i <= 5"), ("i >= 5.5", "i > 5"), ("i > -5.5", "i > -6"), ("i = 5.5", "FALSE"),
    ("i <> 5.5", "i IS NOT NULL"), ("i = 5.0", "i = 5"), ("i = '5'", "i = 5"),
    ("NOT i = 5.5", "i IS NOT NULL"), ("NOT id = 1e30", "TRUE"), ("n = 1.5", "n = 1.50"),
    ("n < 1.555", "n <= 1.55"), ("n > 1e10", "FALSE"), ("n = 1.555", "FALSE"),
    ("i IN (1, 1.5, 3e9, 2, 1)", "i IN (1, 2)"), ("i IN (1.5)", "FALSE"),
    ("i NOT IN (1.5)", "i IS NOT NULL"), ("i IN (1, 1.0)", "i = 1"),
    ("day = '2017-11-16'", "day = DATE '2017-11-16'"),
    ("day < '2017-11-16 12:00'", "day <= DATE '2017-11-16'"),
    ("ts = '2017-11-16'", "ts = TIMESTAMP '2017-11-16T00:00:00'"),
    ("ts > '2017-11-16T22:31:08.0000015'", "ts > TIMESTAMP '2017-11-16T22:31:08.000001000'"),
    ("tz = '2017-11-16T14:31:08-08:00'", "tz = TIMESTAMP '2017-11-16T22:31:08+00:00'"),
    ("tz = DATE '2017-11-16'", "tz = TIMESTAMP '2017-11-16T00:00:00+00:00'"),
    ("ns < '9999-12-31T00:00:00Z'", "ns IS NOT NULL"),
    ("t < '22:31'", "t < TIME '22:31:00'"),
    ("u = 'F79C3E09-677C-4BBD-A479-3F349CB785E7'", "u = X'f79c3e09677c4bbda4793f349cb785e7'"),
    ("b = X'ff'", "b = X'ff'"), ("ok", "ok = TRUE"), ("NOT ok", "ok <> TRUE"),
    ("ok = 'false'", "ok = FALSE"), ("p.q = 1", "p.q = 1"), ("P.Q = 1", "p.q = 1"),
    ("id IS NULL", "FALSE"), ("id IS NOT NULL", "TRUE"), ("p IS NULL", "p IS NULL"),
    ("l IS NOT NULL", "l IS NOT NULL"), ("un IS NULL", "TRUE"), ("un = 5", "FALSE"),
    ("NOT un = 5", "FALSE"), ("g IS NULL", "g IS NULL"), ("s LIKE '%'", "s IS NOT NULL"),
    ("s NOT LIKE '%'", "FALSE"),
    ("d < 1e400", "d <= 179769313486231570000000000000000000000000000"),
    ("f = -0.0", "f = 0.0"), ("NOT (i < 5 AND s = 'a')", "i >= 5 OR s <> 'a'"),
    ("NOT (i < 5 OR s IS NULL)", "i >= 5 AND s IS NOT NULL"), ("NOT d < 5", "d >= 5.0 OR d IS NAN"),
    ("NOT NOT d < 5", "d < 5.0"), ("NOT d = 5", "d <> 5.0"), ("i = 1 AND FALSE", "FALSE"),
    ("i = 1 AND (TRUE OR s = 'x')", "i = 1"), ("d = 'Infinity'", "d = 'Infinity'"),
  ]

  @Test(arguments: conversions)
  func `a literal becomes a value of the column, or decides`(text: String, expected: String) throws
  {
    guard text != "d < 1e400" else {
      let greatest = Value.double(.greatestFiniteMagnitude)
      let column = BoundColumn(id: FieldID(4), name: "d", type: .double, isOptional: true)
      #expect(
        try PredicateParser.parse(text).bound(to: schema)
          == .test(column, .compare(.lessOrEqual, greatest)))
      return
    }
    #expect(try bound(text) == expected)
  }

  @Test(arguments: [
    "s = 5", "i = 'x'", "i = TRUE", "ok = 1", "day = 5", "day = '2017-11-16T00:00:00Z'",
    "ts = '2017-11-16T22:31:08Z'", "ts = TIMESTAMP '2017-11-16T22:31:08+01:00'", "t = '2017-11-16'",
    "u = 'x'", "u = X'00'", "b = 'text'", "i IS NAN", "i LIKE 'a%'", "l.element = 1", "p = 1",
    "g = 'POINT (1 2)'", "d = 'NaN'", "i IN (1, 'x')", "s IN ('a', X'00')",
  ])
  func `a test that does not fit its column is refused`(text: String) throws {
    let predicate = try PredicateParser.parse(text)
    let error = #expect(throws: IcebergError.self) { try predicate.bound(to: schema) }
    guard case .invalid = error else {
      Issue.record("\(text): \(String(describing: error))")
      return
    }
  }

  @Test func `an unknown column is told`() throws {
    let predicate = try PredicateParser.parse("nope = 1")
    #expect(throws: IcebergError.unknownField("'nope'", in: "the table's schema")) {
      try predicate.bound(to: schema)
    }
  }

  /// SQL's three truths, straight from their definition; doubles stand for all numbers.
  enum Truth { case yes, no, unknown }

  static func truth(
    _ predicate: Predicate, _ row: [String: Double?], _ literals: [Predicate: [Double]]
  )
    -> Truth
  {
    switch predicate {
    case .always(let value): return value ? .yes : .no
    case .not(let part):
      switch truth(part, row, literals) {
      case .yes: return .no
      case .no: return .yes
      case .unknown: return .unknown
      }
    case .and(let parts):
      let truths = parts.map { truth($0, row, literals) }
      return truths.contains(.no) ? .no : truths.contains(.unknown) ? .unknown : .yes
    case .or(let parts):
      let truths = parts.map { truth($0, row, literals) }
      return truths.contains(.yes) ? .yes : truths.contains(.unknown) ? .unknown : .no
    case .test(let name, let test):
      let value = row[name] ?? nil
      func decide(_ truth: Bool) -> Truth { truth ? .yes : .no }
      switch test {
      case .isNull: return decide(value == nil)
      case .isNotNull: return decide(value != nil)
      case .isNaN: return decide(value?.isNaN ?? false)
      case .isNotNaN: return decide(!(value?.isNaN ?? false))
      default: break
      }
      guard let value, let numbers = literals[predicate] else { return .unknown }
      switch test {
      case .compare(.equal, _): return decide(value == numbers[0])
      case .compare(.notEqual, _): return decide(value != numbers[0])
      case .compare(.less, _): return decide(value < numbers[0])
      case .compare(.lessOrEqual, _): return decide(value <= numbers[0])
      case .compare(.greater, _): return decide(value > numbers[0])
      case .compare(.greaterOrEqual, _): return decide(value >= numbers[0])
      case .isIn: return decide(numbers.contains(value))
      case .isNotIn: return decide(!numbers.contains(value))
      default: return .unknown
      }
    }
  }

  @Test func `a bound predicate matches what SQL's three truths call true`() throws {
    var random = Seeded(printing: "three truths")
    let schema = try Schema("i int, l long, d double, n decimal(9,2)")
    let numbers = [-3e9, -2.5, -1, -0.25, -0.0, 0, 0.25, 1, 1.125, 2.5, 3e9, 1e300, -1e300]
    for _ in 0..<2000 {
      var literals: [Predicate: [Double]] = [:]
      func make(_ depth: Int) -> Predicate {
        if depth > 0, random.chance(60) {
          switch Int.random(in: 0..<3, using: &random) {
          case 0: return .not(make(depth - 1))
          case 1: return .and([make(depth - 1), make(depth - 1)])
          default: return .or([make(depth - 1), make(depth - 1)])
          }
        }
        let name = random.pick(["i", "l", "d", "n"])
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return .isNull(name)
        case 1: return .isNotNull(name)
        case 2: return .isNaN("d")
        case 3: return .isNotNaN("d")
        case 4, 5:
          let some = [random.pick(numbers), random.pick(numbers)]
          let values = some.map { Literal.double($0) }
          let test: Predicate = random.chance(50) ? .isIn(name, values) : .isNotIn(name, values)
          literals[test] = some
          return test
        default:
          let number = random.pick(numbers)
          let test = Predicate.test(
            name, .compare(random.pick(Comparison.allCases), .double(number)))
          literals[test] = [number]
          return test
        }
      }
      let predicate = make(4)
      let bound = try predicate.bound(to: schema)
      for _ in 0..<10 {
        var row: [String: Double?] = [:]
        var values: [FieldID: Value] = [:]
        for field in schema.fields where random.chance(80) {
          let small = Double(Int.random(in: -3...3, using: &random))
          switch field.name {
          case "i": (row["i"], values[field.id]) = (small, .int(Int32(small)))
          case "l": (row["l"], values[field.id]) = (small, .long(Int64(small)))
          case "n":
            (row["n"], values[field.id]) = (small / 4, .decimal(Int128(small) * 25))
          default:
            let number = random.pick([small, small / 4, -0.0, .nan, .infinity, -.infinity])
            (row["d"], values[field.id]) = (number, .double(number))
          }
        }
        law(
          bound.matches { values[$0] } == (Self.truth(predicate, row, literals) == .yes),
          "\(predicate) of \(row), bound \(bound), seed \(random.seed)")
      }
    }
  }
}

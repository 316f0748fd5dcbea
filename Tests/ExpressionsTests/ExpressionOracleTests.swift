// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Expressions on random rows, computed by us and by DuckDB.
@Suite("Expressions beside DuckDB")
struct ExpressionOracleTests {
  /// Each is spelled the same in both, unless the second form says otherwise.
  static let expressions: [(ours: String, theirs: String?)] =
    numbers + casts + truths + texts + moments + choices

  private static let numbers: [(String, String?)] =
    [
      "i + j", "i - j", "i * 3", "i * j", "-i", "i % 7", "i % -3", "mod(n, 5)", "i + 1", "n + i",
      "n * 1000", "n - m", "n * m", "i / 4", "n / 3", "p / 4", "p + q", "p - q", "p * 2", "p * p",
      "p * q", "q * q", "q + 1", "p + i", "p * n", "q % 3", "p % 0.7", "-p", "-q", "-d", "-f",
      "f + f", "f + 1", "f * 1.5", "f + d", "d + e", "d - e", "d * e", "d * p", "d + n", "d % 3e0",
      "1.5 + 2.25", "2 * 3 + 4", "2 + 3 * 4", "(2 + 3) * 4", "1e3 + i", "0.1 + 0.2", "+i",
      "abs(i)", "abs(p)", "abs(q)", "abs(d)", "abs(f)", "sign(i)", "sign(d)", "sign(p)",
      "floor(d)", "ceil(d)", "floor(p)", "ceil(p)", "floor(q)", "ceiling(q)", "floor(f)",
      "floor(i)",
      "round(d)", "round(p)", "round(q)", "round(f)", "round(d, 2)", "round(p, 1)", "round(q, 3)",
      "round(d, -2)", "round(q, 6)", "round(p, 5)", "round(i, -2)", "round(n, -4)",
      "sqrt(abs(d))", "exp(d / 100000)", "ln(abs(d) + 1)", "log10(abs(d) + 1)", "log2(abs(d) + 1)",
      "power(d, 2)", "power(2, i % 10)", "sqrt(d)", "ln(d)",
      "greatest(i, j)", "least(i, j, 0)", "greatest(p, q)", "least(d, e)", "greatest(i, n)",
      "greatest(s, u)", "least(dt, du)", "greatest(ts, tu)",
    ].map { ($0, nil) } + [
      ("div(i, 3)", "i // 3"), ("div(n, -7)", "n // -7"), ("div(n, i * 2 + 1)", "n // (i * 2 + 1)"),
    ]

  private static let casts: [(String, String?)] = [
    "CAST(i AS long)", "CAST(n AS int)", "CAST(i AS double)", "CAST(n AS float)",
    "CAST(i AS decimal(9, 2))", "CAST(n AS decimal(20, 3))", "CAST(p AS int)", "CAST(q AS long)",
    "CAST(q AS decimal(12, 2))", "CAST(p AS decimal(6, 1))", "CAST(q AS decimal(30, 8))",
    "CAST(p AS double)", "CAST(q AS double)", "CAST(p AS float)", "CAST(d AS float)",
    "CAST(d AS decimal(20, 3))", "CAST(d AS decimal(5, 1))", "CAST(f AS decimal(9, 2))",
    "CAST(d + 0.03e0 AS int)", "CAST(f AS double)", "CAST(b AS int)", "CAST(i AS boolean)",
    "CAST(i AS string)", "CAST(n AS string)", "CAST(p AS string)", "CAST(q AS string)",
    "CAST(b AS string)", "CAST(dt AS string)", "CAST(CAST(i AS string) AS int)",
    "CAST(CAST(q AS string) AS decimal(24, 6))", "CAST(CAST(p AS string) AS double)",
    "CAST(CAST(q AS string) AS decimal(20, 2))", "CAST(CAST(p AS string) AS int)",
    "CAST(CAST(dt AS string) AS date)", "CAST(dt AS timestamp)", "CAST(ts AS date)",
    "CAST(dt AS timestamptz)", "CAST(ts AS timestamptz)", "CAST(tz AS timestamp)",
    "CAST(ts AS time)", "CAST(tz AS date)", "TRY_CAST(s AS int)", "TRY_CAST(s AS decimal(9, 1))",
    "TRY_CAST(s AS double)", "TRY_CAST(s AS date)", "TRY_CAST(n AS int)",
    "TRY_CAST(q AS decimal(8, 2))", "CAST(NULL AS int)", "CAST('12' AS int) + 1",
    "CAST(s AS int)", "CAST(1.5 AS double)",
  ].map { text in
    (text, text.replacing("AS long", with: "AS BIGINT"))
  }

  private static let truths: [(String, String?)] =
    [
      "i < j", "i <= n", "i = j", "i <> j", "i >= 3", "p > q", "p = 1", "p > 1.005", "q <= i",
      "d < e", "d > p", "f = d", "f > 0.125", "s = u", "s < u", "s >= 'b'", "b = c", "b AND c",
      "b OR c", "NOT b", "b AND NOT c OR i > 0", "i > 0 AND NULL", "i > 0 OR NULL", "i IS NULL",
      "i IS NOT NULL", "(i > 0) IS NULL", "i IN (1, 2, 3, j)", "i IN (1, 2, NULL)",
      "i NOT IN (1, 2)", "i NOT IN (1, NULL)", "p IN (1, 2.5, 3)", "s IN ('a', 'abc')",
      "i BETWEEN 0 AND 5", "i NOT BETWEEN j AND 10", "s LIKE 'a%'", "s LIKE '%a%'", "s LIKE '_bc'",
      "s LIKE '%l_o%'", "s NOT LIKE '%e%o'", "s LIKE '__語'", "s LIKE '%\u{301}a'",
      "s LIKE '%!%c' ESCAPE '!'", "s LIKE ''", "s LIKE '%'", "dt < du", "dt > ts", "ts = tu",
      "dt >= DATE '1990-01-01'", "dt < '2001-02-03'", "ts > TIMESTAMP '2000-01-01 12:30:00'",
      "ts >= '1999-12-31'", "tz > TIMESTAMPTZ '2000-01-01 00:00:00+02:00'",
      "dt = DATE '1970-01-05'",
      "tm < TIME '12:00:00'", "starts_with(s, 'a')", "contains(s, 'l')", "ends_with(s, u)",
      "starts_with(s, u)", "contains(s, u)", "NOT (i > 5 AND d < 3) OR b", "TRUE", "NULL IS NULL",
      "b IN (TRUE)", "i = 1.5", "n = 4e0", "j <> 0 AND i / j > 1",
    ].map { ($0, nil) } + [("i == 2", "i = 2"), ("i != 2", nil)]

  private static let texts: [(String, String?)] =
    [
      "lower(s)", "upper(u)", "length(s)", "trim(s)", "ltrim(s)", "rtrim(s)", "trim(s, 'ha')",
      "ltrim(s, 'a ')", "rtrim(s, 'oc日本語')", "substr(s, 2)", "substr(s, 2, 2)", "substr(s, -2)",
      "substr(s, -3, 2)", "substr(s, 0, 2)", "substring(s, i, 3)", "substr(s, 1, 0)",
      "substr(s, 2, 100)", "left(s, 2)", "right(s, 2)", "left(s, -1)", "right(s, -1)",
      "replace(s, 'a', 'bb')", "replace(s, 'l', '')", "replace(s, '', 'x')", "replace(s, u, '-')",
      "split_part(s, ',', 1)", "split_part(s, ',', 2)", "split_part(s, ',', 9)",
      "split_part(s, ',', -1)", "split_part(s, 'l', 2)", "strpos(s, 'l')", "strpos(s, u)",
      "strpos(s, '')", "s || u", "s || '-' || u", "concat(s, u)", "concat(s, NULL, '!')",
      "s || i", "concat(i, ':', p)", "lpad(s, 6, '*')", "rpad(s, 6, 'xy')", "lpad(s, 2, ' ')",
      "'it''s'", "\"s\"", "lower(s) || upper(s)",
    ].map { ($0, nil) } + [("lpad(s, 4)", "lpad(s, 4, ' ')")]

  private static let moments: [(String, String?)] =
    [
      "year(dt)", "quarter(dt)", "month(dt)", "day(dt)", "year(ts)", "month(ts)", "day(tz)",
      "hour(ts)", "minute(ts)", "second(ts)", "hour(tz)", "hour(tm)", "minute(tm)", "second(tm)",
      "date_trunc('year', ts)", "date_trunc('quarter', ts)", "date_trunc('month', ts)",
      "date_trunc('week', ts)", "date_trunc('day', ts)", "date_trunc('hour', ts)",
      "date_trunc('minute', ts)", "date_trunc('second', ts)", "date_trunc('millisecond', ts)",
      "date_trunc('month', dt)", "date_trunc('week', dt)", "date_trunc('quarter', dt)",
      "date_trunc('day', tz)", "date_diff('year', dt, du)", "date_diff('quarter', dt, du)",
      "date_diff('month', dt, du)", "date_diff('day', dt, du)",
      "date_diff('day', ts, tu)", "date_diff('hour', ts, tu)", "date_diff('minute', ts, tu)",
      "date_diff('second', ts, tu)", "date_diff('month', ts, tu)", "date_diff('hour', dt, du)",
      "epoch(ts)", "epoch(dt)", "epoch_us(ts)", "epoch_us(tz)",
      "to_timestamp(n)", "to_timestamp(d)",
    ].map { ($0, nil) } + [
      // Of moments before 1970 its own forms cut off toward 1970.
      ("epoch_ms(ts)", "CAST(floor(epoch_us(ts) / 1000) AS BIGINT)"),
      (
        "date_diff('week', dt, du)",
        "(CAST(date_trunc('week', du) AS DATE) - CAST(date_trunc('week', dt) AS DATE)) // 7"
      ),
      ("day_of_year(dt)", "dayofyear(dt)"), ("day_of_year(ts)", "dayofyear(ts)"),
      ("date_add('day', i % 1000, dt)", "dt + (i % 1000)"),
      ("date_add('month', i % 500, dt)", "dt + to_months(i % 500)"),
      ("date_add('months', i % 500, ts)", "ts + to_months(i % 500)"),
      ("date_add('year', 1, dt)", "dt + INTERVAL 1 YEAR"),
      ("date_add('hour', i, ts)", "ts + to_hours(i)"),
      ("date_add('quarter', -1, ts)", "ts - INTERVAL 3 MONTH"),
      ("date_add('week', 2, ts)", "ts + INTERVAL 14 DAY"),
      ("to_date('2024-02-29')", "DATE '2024-02-29'"), ("to_date(ts)", "CAST(ts AS DATE)"),
      ("years(dt)", "year(dt) - 1970"), ("days(ts)", "CAST(ts AS DATE)"),
      ("timestamp_millis(n)", "make_timestamptz(n * 1000)"),
      ("timestamp_micros(n)", "make_timestamptz(n)"),
    ]

  private static let choices: [(String, String?)] = [
    "coalesce(i, j)", "coalesce(i, j, 0)", "coalesce(i, p)", "coalesce(NULL, s, u)",
    "coalesce(s, 'none')", "ifnull(d, 0)", "nullif(i, j)", "nullif(s, '')",
    "CASE WHEN i > 0 THEN 'pos' WHEN i < 0 THEN 'neg' ELSE 'zero' END",
    "CASE WHEN b THEN i END", "CASE WHEN b THEN i ELSE p END",
    "CASE i WHEN 1 THEN s WHEN 2 THEN u END",
    "CASE WHEN j <> 0 THEN i % j ELSE -1 END", "coalesce(i, 0) + coalesce(j, 0)",
    "CASE WHEN i IS NULL THEN dt ELSE du END", "CASE WHEN b THEN NULL ELSE d END",
    "coalesce(dt, ts)", "CASE WHEN b THEN CASE WHEN c THEN 1 ELSE 2 END ELSE 3 END",
    "NULL", "1", "'x'", "DATE '2020-02-29'", "TIMESTAMP '2020-01-01 01:02:03.000004'",
  ].map { ($0, nil) }

  @Test func `random expressions are in each row what DuckDB says`() throws {
    guard let oracle = ExpressionOracle() else { return }
    let random = SeededRandom(printing: "random expressions beside DuckDB")
    let rows = try ExpressionRows(random, count: 40)
    let texts = (0..<250).map { _ in RandomTypedExpression(random: random).any(depth: 4) }
    let answers = try oracle.answers(
      texts, columns: ExpressionRows.columns.map { ($0.name, $0.duckType) }, rows: rows.cells)
    try #require(answers.count == texts.count)
    var compared = 0
    for (text, theirs) in zip(texts, answers) {
      // Where DuckDB finds no common type or overflows in planning, there is nothing to compare.
      if theirs.allSatisfy(\.isFailure) { continue }
      let bound: BoundExpression
      do { bound = try ExpressionParser.parse(text).bound(to: rows.schema) } catch {
        Issue.record("\(text) is refused: \(error)")
        continue
      }
      let type = bound.type.primitive ?? .unknown
      for (row, (a, b)) in zip(rows.answers(bound), theirs).enumerated() {
        compared += a.isFailure || b.isFailure ? 0 : 1
        // Which parts of an expression are computed where they decide nothing is up to the engine.
        if a.agrees(with: b, as: type) || a.isFailure || b.isFailure { continue }
        Issue.record("\(text) in row \(row) \(rows.cells[row]): \(a), not \(b)")
        break
      }
    }
    #expect(compared > texts.count * 30, "\(compared) values compared")
  }

  /// Where we decided otherwise: what we say, and what DuckDB says.
  private static let differences: [(text: String, ours: String, theirs: String)] = [
    // Division by zero is an error of the row, in doubles too.
    ("1 / 0", "division by zero", "inf"), ("1e0 / 0e0", "division by zero", "inf"),
    ("7 % 0", "division by zero", "NULL"), ("mod(7, 0)", "division by zero", "NULL"),
    // NaN is no number that others compare with, as in filters.
    ("CAST('nan' AS double) = CAST('nan' AS double)", "false", "true"),
    ("CAST('nan' AS double) > 1e0", "false", "true"),
    // All numbers are rounded half away from zero; there it is decimals only.
    ("CAST(2.5e0 AS int)", "3", "2"), ("CAST(2.5 AS int)", "3", "3"),
    // Text is that of JSON and of `lake scan`.
    (
      "CAST(TIMESTAMP '2020-01-02 03:04:05' AS string)", "2020-01-02T03:04:05",
      "2020-01-02 03:04:05"
    ),
    ("CAST(CAST('inf' AS double) AS string)", "Infinity", "inf"),
    // Full case mapping.
    ("upper('ß')", "SS", "ẞ"),
    // Where both fail.
    ("sqrt(-1e0)", "no result", "square root"), ("ln(0e0)", "no result", "logarithm"),
    // A negative length is nothing, not what lies before.
    ("substr('abcdef', 4, -2)", "", "bc"),
    // Days before 1970 count down.
    ("epoch_ms(TIMESTAMP '1969-12-31 23:59:59.9999')", "-1", "0"),
  ]

  @Test func `what differs from DuckDB is what is listed`() throws {
    guard let oracle = ExpressionOracle() else { return }
    let rows = try ExpressionRows(SeededRandom(seed: 1), count: 1)
    let answers = try oracle.answers(
      Self.differences.map(\.text), columns: [(name: "x", type: "INTEGER")], rows: [[nil]])
    for ((text, ours, theirs), answer) in zip(Self.differences, answers) {
      let found = rows.answers(try ExpressionParser.parse(text).bound(to: rows.schema))
      #expect(found[0].text.contains(ours), "\(text): \(found)")
      #expect(answer[0].text.contains(theirs), "\(text), by DuckDB: \(answer)")
    }
  }

  @Test func `each expression is in each row what DuckDB says`() throws {
    guard let oracle = ExpressionOracle() else {
      print("skipped: DuckDB is not installed")
      #expect(!SiblingFolder.isContinuousIntegration, "DuckDB is missing")
      return
    }
    let random = SeededRandom(printing: "expressions beside DuckDB")
    let rows = try ExpressionRows(random, count: 150)
    let answers = try oracle.answers(
      Self.expressions.map { $0.theirs ?? $0.ours },
      columns: ExpressionRows.columns.map { ($0.name, $0.duckType) }, rows: rows.cells)
    try #require(answers.count == Self.expressions.count)
    for ((text, _), theirs) in zip(Self.expressions, answers) {
      let bound: BoundExpression
      do { bound = try ExpressionParser.parse(text).bound(to: rows.schema) } catch {
        Issue.record("\(text) is refused: \(error)")
        continue
      }
      let ours = rows.answers(bound)
      let type = bound.type.primitive ?? .unknown
      for (row, (a, b)) in zip(ours, theirs).enumerated() where !a.agrees(with: b, as: type) {
        Issue.record("\(text) in row \(row) \(rows.cells[row]): \(a), not \(b)")
        break
      }
    }
  }
}

extension ExpressionOracle.Answer {
  fileprivate var isFailure: Bool {
    if case .failure = self { true } else { false }
  }

  fileprivate var text: String {
    switch self {
    case .null: "NULL"
    case .text(let text), .failure(let text): text
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// What DuckDB has no counterpart for.
@Suite("Functions and casts of our own types")
struct ExpressionFunctionTests {
  private static func text(_ expression: String) throws -> String? {
    let schema = try Schema("a int")
    let batch = Rows.batch([[.int(1)]], schema)
    let bound = try ExpressionParser.parse(expression).bound(to: schema)
    let column = try bound.evaluate(batch)
    return column.icebergValue(0).map { $0.text(as: bound.type.primitive ?? .unknown) }
  }

  @Test func `the functions of transforms are the table's transforms`() throws {
    let random = SeededRandom(printing: "transforms as functions")
    let rows = try ExpressionRows(random, count: 60)
    let cases: [(String, String, Transform)] = [
      ("bucket(16, i)", "i", .bucket(16)), ("bucket(7, s)", "s", .bucket(7)),
      ("bucket(100, q)", "q", .bucket(100)), ("bucket(5, ts)", "ts", .bucket(5)),
      ("truncate(10, n)", "n", .truncate(10)), ("truncate(2, s)", "s", .truncate(2)),
      ("truncate(50, p)", "p", .truncate(50)), ("years(ts)", "ts", .year),
      ("months(dt)", "dt", .month), ("days(tz)", "tz", .day), ("hours(ts)", "ts", .hour),
    ]
    for (text, name, transform) in cases {
      let bound = try ExpressionParser.parse(text).bound(to: rows.schema)
      let found = try bound.evaluate(rows.batch)
      let source = try #require(rows.batch.column(name))
      let type = try #require(rows.schema.field(named: name)?.type.primitive)
      #expect(bound.type == .primitive(transform.resultType(of: type)), "\(text)")
      for row in 0..<found.count {
        let expected = transform.apply(to: source.icebergValue(row), of: type)
        #expect(found.icebergValue(row) == expected, "\(text) in row \(row)")
      }
    }
  }

  @Test func `nanoseconds, bytes and ids are cast and taken apart`() throws {
    let cases: [(String, String?)] = [
      (
        "CAST(TIMESTAMP '2020-01-01 00:00:00.000001999' AS timestamp)", "2020-01-01T00:00:00.000001"
      ),
      (
        "CAST(TIMESTAMP '1969-12-31 23:59:59.999999999' AS timestamp)", "1969-12-31T23:59:59.999999"
      ),
      ("CAST(TIMESTAMP '2020-01-01 00:00:00' AS timestamp_ns)", "2020-01-01T00:00:00"),
      ("second(TIMESTAMP '2020-01-01 00:00:07.000000001')", "7"),
      ("date_trunc('second', TIMESTAMP '1969-12-31 23:59:59.999999999')", "1969-12-31T23:59:59"),
      (
        "date_add('day', 1, TIMESTAMP '2020-02-28 00:00:00.000000001')",
        "2020-02-29T00:00:00.000000001"
      ),
      ("date_add('month', 1, DATE '2024-01-31')", "2024-02-29"),
      ("date_add('year', -1, DATE '2024-02-29')", "2023-02-28"),
      ("date_diff('week', DATE '2024-01-07', DATE '2024-01-08')", "1"),
      ("date_diff('week', DATE '1969-12-28', DATE '1969-12-29')", "1"),
      ("CAST(X'666f6f' AS string)", "foo"), ("CAST('foo' AS binary)", "666f6f"),
      ("CAST('foo' AS fixed[3])", "666f6f"), ("TRY_CAST('foo' AS fixed[4])", nil),
      ("TRY_CAST(X'ff' AS string)", nil),
      (
        "CAST('00000000-0000-0000-0000-0000000000ff' AS uuid)",
        "00000000-0000-0000-0000-0000000000ff"
      ),
      (
        "CAST(CAST('00000000-0000-0000-0000-0000000000ff' AS uuid) AS string)",
        "00000000-0000-0000-0000-0000000000ff"
      ),
      ("TRY_CAST('no uuid' AS uuid)", nil),
      ("CAST('2024-02-29T12:00:00+02:00' AS timestamptz)", "2024-02-29T10:00:00+00:00"),
      ("TRY_CAST('2024-02-29T12:00:00+02:00' AS timestamp)", nil),
      ("TRY_CAST('2024-02-30' AS date)", nil), ("CAST(' 12 ' AS int)", "12"),
      ("TRY_CAST('1e400' AS double)", nil), ("TRY_CAST('0x10' AS double)", nil),
      ("TRY_CAST('nanx' AS double)", nil),
      (
        "CAST('99999999999999999999999999999999999999' AS decimal(38, 0))",
        "99999999999999999999999999999999999999"
      ),
      ("greatest(CAST('nan' AS double), 1e0)", "nan"), ("least(CAST('nan' AS double), 1e0)", "1.0"),
      ("CAST('nan' AS double) IS NAN", "true"), ("CAST(NULL AS double) IS NAN", "false"),
      ("NOT (CAST('nan' AS double) > 1e0)", "true"), ("lpad('é', 3, 'ab')", "abé"),
      ("lpad('abc', -1)", ""), ("rpad('abc', 5, '')", "abc"), ("split_part('a--b', '--', -1)", "b"),
      ("split_part('a', '', 1)", "a"), ("substr('héllo', 2, 1)", "é"),
      ("left('abc', -9223372036854775807)", ""),
      ("right('abc', -9223372036854775807)", ""),
      ("substr('abc', -9223372036854775808, 9223372036854775807)", "ab"),
      ("substr('abc', 9223372036854775807, 9223372036854775807)", ""),
      ("round(99.95, 1)", "100.0"), ("round(-0.5)", "-1"), ("ceil(-0.5)", "0"),
      ("floor(-0.5)", "-1"),
      ("round(1234, -2)", "1200"), ("mod(-7, 3)", "-1"), ("div(-7, 2)", "-3"), ("7 / 2", "3.5"),
    ]
    for (text, expected) in cases {
      do {
        let found = try Self.text(text)
        #expect(found == expected, "\(text)")
      } catch { Issue.record("\(text): \(error)") }
    }
  }

  @Test func `results at the ends of their types fail and do not wrap`() throws {
    let failing = [
      "2147483647 + a", "-2147483648 - a", "9223372036854775807 + a", "-9223372036854775808 * -a",
      "abs(-2147483648 * a)", "-(-2147483648 * a)", "-(-9223372036854775808 * a)",
      "div(-2147483648, -a)", "99999999999999999999999999999999999999 + a",
      "9999999999999999999999999999999999999.9 * a * 10", "CAST(99999 * a AS decimal(4, 0))",
      "CAST(1e300 * a AS int)", "CAST(CAST('nan' AS double) * a AS long)",
      "CAST(1e300 * a AS float)",
      "date_add('day', 9223372036854775807, DATE '2020-01-01')",
      "date_add('year', 5000000 * a, TIMESTAMP '2020-01-01 00:00:00')",
      "date_add('month', -9223372036854775808, DATE '2020-01-01')", "to_timestamp(1e300 * a)",
      "CAST(DATE '+999999-01-01' AS timestamp)", "timestamp_millis(9223372036854775807 * a)",
      "round(2147483647 * a, -1)", "1 % (a - 1)", "div(1, a - 1)", "1e0 / (a - 1)",
    ]
    for text in failing {
      #expect(throws: ExpressionError.self, "\(text)") { try Self.text(text) }
    }
    #expect(try Self.text("-2147483648 % -a") == "0")
    #expect(try Self.text("1e300 * 1e300 * a") == "inf")
  }
}

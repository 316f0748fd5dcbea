// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("Laws of expressions")
struct ExpressionLawTests {
  @Test func `how columns lie in memory makes no difference`() throws {
    let random = SeededRandom(printing: "expressions of disguised columns")
    let rows = try ExpressionRows(random, count: 120)
    for (text, _) in ExpressionOracleTests.expressions {
      let bound = try ExpressionParser.parse(text).bound(to: rows.schema)
      guard let plain = try? bound.evaluate(rows.batch) else { continue }
      let other = try bound.evaluate(RowFilterTests.disguised(rows.batch, random))
      #expect(Self.values(plain) == Self.values(other), "\(text)")
      #expect(plain.type == bound.type.columnType, "\(text)")
    }
  }

  @Test func `a row is computed alone as among others`() throws {
    let random = SeededRandom(printing: "expressions of single rows")
    let rows = try ExpressionRows(random, count: 40)
    for _ in 0..<300 {
      let text = RandomTypedExpression(random: random).any(depth: 4)
      let bound = try ExpressionParser.parse(text).bound(to: rows.schema)
      guard let all = try? bound.evaluate(rows.batch) else { continue }
      for row in 0..<40 {
        let one = try bound.evaluate(rows.batch.slice(row..<row + 1))
        #expect(one.icebergValue(0) == all.icebergValue(row), "\(text) in row \(row)")
      }
    }
  }

  @Test func `the text of a predicate is that of an expression which is as true`() throws {
    let random = SeededRandom(printing: "predicates as expressions")
    var asked = 0
    for round in 0..<300 {
      let schema = try Generators.schema(random, formatVersion: .v3)
      let batch = Rows.batch(Generators.rows(random, schema, count: 60), schema)
      for _ in 0..<8 {
        let predicate = Generators.predicate(random, on: schema)
        let wanted = RowFilter(try predicate.bound(to: schema)).matching(batch)
        do {
          let expression = try ExpressionParser.parse("\(predicate)")
          let found = try expression.bound(to: schema).matching(batch)
          asked += 1
          guard found.positionsOfOnes() != wanted.positionsOfOnes() else { continue }
          Issue.record(
            "round \(round): \(predicate): \(found.positionsOfOnes()), not \(wanted.positionsOfOnes())"
          )
        } catch ExpressionError.notAValue {
          // Text that lies between two values of its column orders predicates alone.
        }
      }
    }
    #expect(asked > 2000, "\(asked) predicates asked")
  }

  private static func values(_ column: Column) -> [Value?] {
    (0..<column.count).map { column.icebergValue($0) }
  }
}

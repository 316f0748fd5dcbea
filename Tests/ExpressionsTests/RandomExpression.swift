// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport

/// Random expressions such as the parser makes, of any form and type.
enum RandomExpression {
  static func any(_ random: SeededRandom, depth: Int) -> Expression {
    guard depth > 0 else { return leaf(random) }
    func part() -> Expression { any(random, depth: depth - 1) }
    func parts(_ range: Range<Int>) -> [Expression] {
      (0..<random.int(in: range)).map { _ in part() }
    }
    switch random.int(in: 0..<16) {
    case 0: return .negated(part())
    case 1, 2, 3:
      let all = ArithmeticOperator.allCases
      return .arithmetic(all[random.int(in: 0..<all.count)], part(), part())
    case 4:
      let all = Comparison.allCases
      return .compared(all[random.int(in: 0..<all.count)], part(), part())
    case 5: return .not(part())
    case 6: return .and(parts(2..<4))
    case 7: return .or(parts(2..<4))
    case 8: return .isNull(part())
    case 9: return .isNaN(part())
    case 10: return .isIn(part(), parts(1..<4))
    case 11: return .isBetween(part(), part(), part())
    case 12: return .isLike(part(), pattern: "a%_'", escape: random.oneIn(2) ? "\\" : nil)
    case 13:
      let branches = (0..<random.int(in: 1..<3)).map { _ in
        Expression.When(part(), then: part())
      }
      return .cases(branches, otherwise: random.oneIn(2) ? part() : nil)
    case 14:
      return random.oneIn(2)
        ? .concatenated(parts(2..<4))
        : .cast(
          part(), random.oneIn(2) ? .timestamptzNs : .decimal(precision: 9, scale: 2),
          onFailure: random.oneIn(2) ? .fails : .isNull)
    default: return .call(random.oneIn(2) ? "f" : "date_add", parts(0..<4))
    }
  }

  private static func leaf(_ random: SeededRandom) -> Expression {
    let names = ["a", "b.c", "x y", "case", "end", "and", "date", "é", "a\"b", "", "cast", "as"]
    let number = Int64(truncatingIfNeeded: random.next())
    switch random.int(in: 0..<13) {
    case 0: return .null
    case 1: return .boolean(random.oneIn(2))
    case 2: return .integer(random.oneIn(2) ? number : number % 100)
    case 3: return .double(random.oneIn(2) ? Double(number) / 1024 : 1e300 * Double(number % 3))
    case 4:
      let digits = "\(number.magnitude)"
      return .literal(
        .decimal(Int128(number)), .decimal(precision: digits.count, scale: random.int(in: 1..<9)))
    case 5: return .string(["", "it's", "é\n", "--"][random.int(in: 0..<4)])
    case 6: return .literal(.int(Int32(truncatingIfNeeded: number % 3_000_000)), .date)
    case 7: return .literal(.long(Int64(number.magnitude % 86_400_000_000)), .time)
    case 8: return .literal(.long(number), random.oneIn(2) ? .timestamp : .timestamptz)
    case 9: return .literal(.long(number | 1), random.oneIn(2) ? .timestampNs : .timestamptzNs)
    case 10: return .literal(.bytes(random.bytes(random.int(in: 0..<5))), .binary)
    default: return .column(names[random.int(in: 0..<names.count)])
    }
  }
}

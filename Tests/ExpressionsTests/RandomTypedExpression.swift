// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport

/// Random expressions, as text, on the columns of ``ExpressionRows``, of a wanted type, that mean
/// the same to DuckDB.
struct RandomTypedExpression {
  let random: SeededRandom

  enum Kind: CaseIterable { case int, decimal, double, boolean, string, date, timestamp }

  func any(depth: Int) -> String {
    text(Kind.allCases[random.int(in: 0..<Kind.allCases.count)], depth)
  }

  private func pick(_ options: [String]) -> String { options[random.int(in: 0..<options.count)] }

  private func text(_ kind: Kind, _ depth: Int) -> String {
    if depth <= 0 || random.oneIn(6) { return leaf(kind) }
    if random.oneIn(4) { return choice(kind, depth - 1) }
    switch kind {
    case .int: return int(depth - 1)
    case .decimal: return decimal(depth - 1)
    case .double: return double(depth - 1)
    case .boolean: return boolean(depth - 1)
    case .string: return string(depth - 1)
    case .date: return date(depth - 1)
    case .timestamp: return timestamp(depth - 1)
    }
  }

  private func leaf(_ kind: Kind) -> String {
    switch kind {
    case .int: pick(["i", "j", "n", "m", "7", "-2", "0", "100000"])
    case .decimal: pick(["p", "q", "1.5", "-0.25", "100.001"])
    case .double: pick(["d", "e", "f", "2.5e0", "-1e3"])
    case .boolean: pick(["b", "c", "TRUE", "FALSE"])
    case .string: pick(["s", "u", "'abc'", "'l'", "''"])
    case .date: pick(["dt", "du", "DATE '2000-02-29'"])
    case .timestamp: pick(["ts", "tu", "TIMESTAMP '1969-12-31 23:00:00.5'"])
    }
  }

  /// What has a form for each type.
  private func choice(_ kind: Kind, _ depth: Int) -> String {
    func same() -> String { text(kind, depth) }
    switch random.int(in: 0..<5) {
    case 0: return "coalesce(\(same()), \(same()))"
    case 1: return "CASE WHEN \(text(.boolean, depth)) THEN \(same()) ELSE \(same()) END"
    case 2: return "CASE WHEN \(text(.boolean, depth)) THEN \(same()) END"
    case 3: return "nullif(\(same()), \(same()))"
    default:
      return kind == .boolean
        ? "NOT (\(same()))" : "\(pick(["greatest", "least"]))(\(same()), \(same()))"
    }
  }

  private func int(_ depth: Int) -> String {
    func part() -> String { text(.int, depth) }
    switch random.int(in: 0..<9) {
    case 0: return "(\(part()) + \(part()))"
    case 1: return "(\(part()) - \(part()))"
    case 2: return "(\(part()) * \(part()))"
    case 3: return "(\(part()) % \(pick(["7", "-13", "1000"])))"
    case 4: return "length(\(text(.string, depth)))"
    case 5: return "\(pick(["year", "month", "day", "quarter"]))(\(text(.date, depth)))"
    case 6: return "\(pick(["hour", "minute", "second", "year"]))(\(text(.timestamp, depth)))"
    case 7:
      return
        "date_diff('\(pick(["day", "month", "year"]))', \(text(.date, depth)), \(text(.date, depth)))"
    default: return "abs(\(part()))"
    }
  }

  private func decimal(_ depth: Int) -> String {
    func part() -> String { text(.decimal, depth) }
    switch random.int(in: 0..<6) {
    case 0: return "(\(part()) + \(part()))"
    case 1: return "(\(part()) - \(text(.int, depth)))"
    case 2: return "(\(part()) * \(leaf(.decimal)))"
    case 3: return "round(\(part()), \(random.int(in: 0..<4)))"
    case 4:
      return "CAST(\(part()) AS decimal(\(random.int(in: 12..<30)), \(random.int(in: 0..<9))))"
    default: return "(-\(part()))"
    }
  }

  private func double(_ depth: Int) -> String {
    func part() -> String { text(.double, depth) }
    switch random.int(in: 0..<6) {
    case 0: return "(\(part()) + \(part()))"
    case 1: return "(\(part()) * \(text(.decimal, depth)))"
    case 2: return "(\(text(.int, depth)) / \(pick(["4", "3", "-7.5", "0.1e0"])))"
    case 3: return "sqrt(abs(\(part())))"
    case 4: return "CAST(\(text(.decimal, depth)) AS double)"
    default: return "(\(part()) - \(text(.int, depth)))"
    }
  }

  private func boolean(_ depth: Int) -> String {
    let sign = pick(["=", "<>", "<", "<=", ">", ">="])
    func boolean() -> String { text(.boolean, depth) }
    let kinds: [Kind] = [.int, .decimal, .string, .date, .timestamp]
    let kind = kinds[random.int(in: 0..<kinds.count)]
    switch random.int(in: 0..<8) {
    case 0: return "(\(boolean()) AND \(boolean()))"
    case 1: return "(\(boolean()) OR \(boolean()))"
    case 2: return "(\(text(kind, depth)) IS NULL)"
    case 3: return "(\(text(kind, depth)) IN (\(leaf(kind)), \(leaf(kind)), NULL))"
    case 4: return "(\(text(kind, depth)) NOT BETWEEN \(leaf(kind)) AND \(text(kind, depth)))"
    case 5: return "(\(text(.string, depth)) LIKE '\(pick(["a%", "%l%", "_b%", "%o"]))')"
    case 6: return "(\(text(.int, depth)) \(sign) \(text(.decimal, depth)))"
    default: return "(\(text(kind, depth)) \(sign) \(text(kind, depth)))"
    }
  }

  private func string(_ depth: Int) -> String {
    func part() -> String { text(.string, depth) }
    switch random.int(in: 0..<7) {
    case 0: return "(\(part()) || \(part()))"
    case 1: return "substr(\(part()), \(random.int(in: 0..<5)), \(random.int(in: 0..<5)))"
    case 2: return "replace(\(part()), \(leaf(.string)), \(leaf(.string)))"
    case 3: return "CAST(\(text(.int, depth)) AS string)"
    case 4: return "trim(\(part()))"
    case 5: return "split_part(\(part()), 'l', \(random.int(in: 1..<4)))"
    default: return "CAST(\(text(.date, depth)) AS string)"
    }
  }

  private func date(_ depth: Int) -> String {
    switch random.int(in: 0..<3) {
    case 0: "CAST(\(text(.timestamp, depth)) AS date)"
    case 1:
      "CAST(date_trunc('\(pick(["month", "year", "week"]))', \(text(.date, depth))) AS date)"
    default: "CAST(CAST(\(text(.date, depth)) AS string) AS date)"
    }
  }

  private func timestamp(_ depth: Int) -> String {
    switch random.int(in: 0..<2) {
    case 0: "date_trunc('\(pick(["hour", "minute", "day", "month"]))', \(text(.timestamp, depth)))"
    default: "CAST(\(text(.date, depth)) AS timestamp)"
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport

/// Random rows that expressions are tried on, and what they compute there.
struct ExpressionRows {
  static let columns: [(name: String, type: PrimitiveType, duckType: String)] = [
    ("i", .int, "INTEGER"), ("j", .int, "INTEGER"), ("n", .long, "BIGINT"), ("m", .long, "BIGINT"),
    ("f", .float, "FLOAT"), ("d", .double, "DOUBLE"), ("e", .double, "DOUBLE"),
    ("p", .decimal(precision: 9, scale: 2), "DECIMAL(9,2)"),
    ("q", .decimal(precision: 24, scale: 6), "DECIMAL(24,6)"),
    ("s", .string, "VARCHAR"), ("u", .string, "VARCHAR"), ("b", .boolean, "BOOLEAN"),
    ("c", .boolean, "BOOLEAN"), ("dt", .date, "DATE"), ("du", .date, "DATE"),
    ("ts", .timestamp, "TIMESTAMP"), ("tu", .timestamp, "TIMESTAMP"),
    ("tz", .timestamptz, "TIMESTAMPTZ"), ("tm", .time, "TIME"),
  ]

  let schema: Schema
  let batch: RecordBatch
  /// As text, for another engine.
  let cells: [[String?]]

  init(_ random: SeededRandom, count: Int) throws {
    var fields: [Field] = []
    for (index, column) in Self.columns.enumerated() {
      fields.append(
        Field(
          id: FieldID(Int32(index + 1)), name: column.name, type: .primitive(column.type),
          isRequired: false))
    }
    schema = try Schema(fields: fields)
    var rows: [[Value?]] = []
    for _ in 0..<count {
      rows.append(
        Self.columns.map { column in
          random.oneIn(7) ? nil : Self.value(of: column.type, random)
        })
    }
    batch = Rows.batch(rows, schema)
    cells = rows.map { row in
      zip(row, Self.columns).map { value, column in value.map { $0.text(as: column.type) } }
    }
  }

  private static let words = [
    "", "a", "abc", "Hello", "hello world", "  padded ", "x,y,z", "naïve", "日本語", "12", "-3.5",
    "UPPER", "a_b%c", "2024-02-29", "e\u{301}a", "aaa", "🙂b", "true", "1e3",
  ]

  private static func value(of type: PrimitiveType, _ random: SeededRandom) -> Value {
    switch type {
    case .boolean: .boolean(random.oneIn(2))
    case .int: .int(Int32(number(random, below: 2_000_000)))
    case .long: .long(Int64(number(random, below: 3_000_000_000)))
    case .float: .float(Float(number(random, below: 4000)) / 8)
    case .double: .double(Double(number(random, below: 1_000_000)) / 16)
    case .decimal(_, scale: 2): .decimal(Int128(number(random, below: 1_000_000)))
    case .decimal: .decimal(Int128(number(random, below: 900_000_000_000)))
    case .string: .string(words[random.int(in: 0..<words.count)])
    case .date: .int(Int32(number(random, below: 20_000)))
    case .time: .long(Int64(random.int(in: 0..<86_400_000_000)))
    default: .long(Int64(number(random, below: 1_900_000_000_000_000)))
    }
  }

  /// Near zero as often as far from it.
  private static func number(_ random: SeededRandom, below limit: Int) -> Int {
    let range = random.oneIn(2) ? 12 : limit
    return random.int(in: -range + 1..<range)
  }

  /// What `expression` is in each row, asked one row at a time where not all at once.
  func answers(_ expression: BoundExpression) -> [ExpressionOracle.Answer] {
    let type = expression.type.primitive ?? .unknown
    if let column = try? expression.evaluate(batch) {
      return (0..<batch.rowCount).map { Self.answer(column, $0, type) }
    }
    return (0..<batch.rowCount).map { row in
      do {
        let column = try expression.evaluate(batch.slice(row..<row + 1))
        return Self.answer(column, 0, type)
      } catch { return .failure("\(error)") }
    }
  }

  private static func answer(
    _ column: Column, _ row: Int, _ type: PrimitiveType
  ) -> ExpressionOracle.Answer {
    column.icebergValue(row).map { .text($0.text(as: type)) } ?? .null
  }
}

extension ExpressionOracle.Answer {
  /// True if both engines mean the same value of `type`, however they spell it.
  func agrees(with other: ExpressionOracle.Answer, as type: PrimitiveType) -> Bool {
    switch (self, other) {
    case (.null, .null), (.failure, .failure): return true
    case (.text(let ours), .text(let theirs)):
      switch type {
      case .double, .float:
        guard let a = Double(ours), let b = Double(theirs) else { return false }
        if a == b || a.isNaN && b.isNaN { return true }
        return abs(a - b) <= max(abs(a), abs(b)) * (type == .float ? 1e-6 : 1e-13)
      case .string, .boolean: return ours == theirs
      case .decimal, .int, .long: return Self.plain(ours) == Self.plain(theirs)
      default:
        guard let a = try? Value(parsing: ours, as: type),
          let b = try? Value(parsing: theirs, as: type)
        else { return false }
        return a == b
      }
    default: return false
    }
  }

  /// Without the zeros at the end of a decimal.
  private static func plain(_ text: String) -> String {
    guard text.contains(".") else { return text == "-0" ? "0" : text }
    var text = text[...]
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : String(text)
  }
}

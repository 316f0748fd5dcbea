// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

/// Records an issue unless `holds`: cheaper than `#expect` where there are very many.
func law(
  _ holds: Bool, _ note: @autoclosure () -> String, location: SourceLocation = #_sourceLocation
) {
  if !holds { Issue.record(Comment(rawValue: note()), sourceLocation: location) }
}

/// Rows and predicates over a table with a column of each kind, from small sets of values so that
/// they meet.
enum Generators {
  static let schema = try! Schema(
    """
    i int, l long, f float, d double, n decimal(5,2), s string, b binary, t date, ts timestamp,
    tz timestamptz, ns timestamp_ns, u uuid, o boolean, req long not null, x fixed(2)
    """)

  static func type(_ field: Field) -> PrimitiveType { field.type.primitive! }

  static let strings = [
    "", "a", "ab", "abc", "abd", "b", "ba", "e\u{301}", "é", "éa", "\u{D7FF}x", "\u{E000}",
    "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}x", "z", "%", "a_b", "it's", "\u{1F600}q",
  ]

  /// A value that is not null.
  static func value(_ type: PrimitiveType, _ random: inout Seeded) -> Value {
    let small = Int64.random(in: -25...25, using: &random)
    switch type {
    case .boolean: return .boolean(random.chance(50))
    case .int: return .int(random.chance(8) ? random.pick([.min, .min + 3, .max]) : Int32(small))
    case .long: return .long(random.chance(8) ? random.pick([.min, .min + 3, .max]) : small)
    case .float, .double:
      let double = random.pick([
        -0.0, 0.0, 1.5, -1.5, .nan, .infinity, -.infinity, Double(small), Double(small) / 8,
      ])
      return type == .float ? .float(Float(double)) : .double(double)
    case .decimal:
      return .decimal(random.chance(5) ? random.pick([99999, -99999]) : Int128(small * 30))
    case .date: return .int(Int32(random.chance(50) ? small : small * 40))
    case .timestamp, .timestamptz:
      if random.chance(5) { return .long(random.pick([.min, .max, .min + 1])) }
      return .long(small * random.pick([1, 1_800_000_000, 43_200_000_000, 2_000_000_000_000]))
    case .timestampNs, .timestamptzNs:
      return .long(small * random.pick([1, 1_800_000_000_000, 43_200_000_000_000]))
    case .uuid: return .bytes([UInt8](repeating: UInt8(small + 25) * 5, count: 16))
    case .fixed(let count): return .bytes([UInt8](repeating: UInt8(small + 25) * 5, count: count))
    case .binary:
      let bytes: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
      return .bytes((0..<Int.random(in: 0...3, using: &random)).map { _ in random.pick(bytes) })
    default: return .string(random.pick(strings))
    }
  }

  static func row(
    _ random: inout Seeded, nulls: Int = 15, only name: String? = nil
  ) -> [FieldID: Value] {
    var row: [FieldID: Value] = [:]
    for field in schema.fields where field.isRequired || !random.chance(nulls) {
      if let name, name != field.name { continue }
      row[field.id] = value(type(field), &random)
    }
    return row
  }

  /// A literal for a column of `type`: a value of it, or one between or beyond them.
  static func literal(_ type: PrimitiveType, _ random: inout Seeded) -> Literal {
    if random.chance(15) {
      switch type {
      case .int, .long, .float, .double, .decimal:
        return random.pick([
          2.5, -2.5, 0.001, 1e300, -1e300, 3_000_000_000, -3_000_000_000, "7", "1e40",
        ])
      case .date: return random.pick(["1970-01-03 12:00", "+999999-01-01", "-0005-01-01"])
      case .timestamp, .timestamptz:
        return random.pick(["1970-01-02", "1969-12-31T23:59:59.9999991", "+999999-01-01"])
      default: break
      }
    }
    while true {
      let value = value(type, &random)
      if case .float(let number) = value, number.isNaN { continue }
      if case .double(let number) = value, number.isNaN { continue }
      if let literal = Literal(value, of: type) { return literal }
    }
  }

  static func test(_ random: inout Seeded, on columns: [String]) -> Predicate {
    let name = random.pick(columns)
    let type = type(schema.field(named: name)!)
    switch Int.random(in: 0..<20, using: &random) {
    case 0: return .isNull(name)
    case 1: return .isNotNull(name)
    case 2 where type == .float || type == .double: return .isNaN(name)
    case 3 where type == .float || type == .double: return .isNotNaN(name)
    case 4 where type == .string, 5 where type == .string:
      return .startsWith(name, random.pick(strings))
    case 6 where type == .string, 7 where type == .string:
      return .doesNotStartWith(name, random.pick(strings))
    case 8, 9:
      return .isIn(
        name,
        (0..<Int.random(in: 1...4, using: &random)).map { _ in
          literal(type, &random)
        })
    case 10:
      return .isNotIn(
        name,
        (0..<Int.random(in: 1...4, using: &random)).map { _ in
          literal(type, &random)
        })
    default:
      return .test(name, .compare(random.pick(Comparison.allCases), literal(type, &random)))
    }
  }

  /// Chains are flat, as the parser makes them.
  static func predicate(
    _ random: inout Seeded, depth: Int = 3, on columns: [String]? = nil
  ) -> Predicate {
    let names = columns ?? schema.fields.map(\.name)
    guard depth > 0, random.chance(60) else {
      return random.chance(3) ? .always(random.chance(50)) : test(&random, on: names)
    }
    if random.chance(30) { return .not(predicate(&random, depth: depth - 1, on: names)) }
    let isAnd = random.chance(50)
    var parts: [Predicate] = []
    for _ in 0..<Int.random(in: 2...3, using: &random) {
      let part = predicate(&random, depth: depth - 1, on: names)
      switch part {
      case .and(let inner) where isAnd: parts += inner
      case .or(let inner) where !isAnd: parts += inner
      default: parts.append(part)
      }
    }
    return isAnd ? .and(parts) : .or(parts)
  }
}

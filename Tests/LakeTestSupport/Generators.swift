// SPDX-License-Identifier: Apache-2.0
import Lake

extension SeededRandom {
  /// True in `percent` of 100 times.
  public func chance(_ percent: Int) -> Bool { int(in: 0..<100) < percent }

  public func pick<T>(_ values: [T]) -> T { values[int(in: 0..<values.count)] }
}

/// Random schemas, specs, rows and predicates, from small sets of values so that they meet.
public enum Generators {
  /// Types that any format version has.
  public static let types: [FieldType] = [
    .boolean, .int, .long, .float, .double, .decimal(5, 2), .decimal(20, 3), .date, .time,
    .timestamp, .timestamptz, .string, .uuid, .fixed(2), .binary,
  ]

  public static func schema(
    _ random: SeededRandom, formatVersion: FormatVersion = .v2
  ) throws -> Schema {
    var known = types
    if formatVersion == .v3 { known += [.timestampNs, .timestamptzNs] }
    var fields: [Field] = []
    for index in 0..<random.int(in: 1..<8) {
      let type =
        random.chance(12) ? structure(random, known) : random.pick(known)
      fields.append(
        Field(
          id: FieldID(Int32(index)), name: "c\(index)", type: type,
          isRequired: random.chance(20)))
    }
    return try Schema(assigningIDsTo: fields)
  }

  private static func structure(_ random: SeededRandom, _ types: [FieldType]) -> FieldType {
    .structure(
      StructType(
        (0..<random.int(in: 1..<4)).map { index in
          Field(
            id: FieldID(Int32(100 + index)), name: "p\(index)", type: random.pick(types),
            isRequired: random.chance(20))
        }))
  }

  /// The fields that predicates and partitions can be of: primitive ones, with their full names.
  public static func leaves(_ schema: Schema) -> [(name: String, field: Field)] {
    schema.allFields.compactMap { field in
      guard field.type.primitive != nil, let name = schema.name(of: field.id) else { return nil }
      return (name, field)
    }
  }

  /// Partition fields as text; none in some cases.
  public static func partitionText(_ random: SeededRandom, _ schema: Schema) -> String {
    var texts: [String] = []
    for (name, field) in leaves(schema) where random.chance(30) && texts.count < 3 {
      let fitting = ["identity", "bucket[3]", "truncate[2]", "year", "month", "day", "hour"]
        .filter { name in
          field.type.primitive.map { Transform(name).applies(to: $0) } ?? false
        }
      guard !fitting.isEmpty else { continue }
      switch random.pick(fitting) {
      case "identity": texts.append(name)
      case "bucket[3]": texts.append("bucket(3, \(name))")
      case "truncate[2]": texts.append("truncate(2, \(name))")
      case let transform: texts.append("\(transform)(\(name))")
      }
    }
    return texts.joined(separator: ", ")
  }

  public static let strings = [
    "", "a", "ab", "abc", "abd", "b", "ba", "e\u{301}", "é", "éa", "\u{D7FF}x", "\u{E000}",
    "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}x", "z", "%", "a_b", "it's", "\u{1F600}q", "a/b=c d",
  ]

  /// A value of `type`, nulls within structures included.
  public static func value(_ type: FieldType, _ random: SeededRandom) -> Value {
    switch type {
    case .primitive(let type): return value(type, random)
    case .structure(let type):
      var values: [FieldID: Value?] = [:]
      for field in type.fields { values[field.id] = optional(field, random) }
      return .structure(values)
    default: preconditionFailure("lists and maps are not generated")
    }
  }

  /// A value of `field`, or null where it may be.
  public static func optional(_ field: Field, _ random: SeededRandom, nulls: Int = 15) -> Value? {
    !field.isRequired && random.chance(nulls) ? nil : value(field.type, random)
  }

  private static func value(_ type: PrimitiveType, _ random: SeededRandom) -> Value {
    let small = Int64(random.int(in: -25..<26))
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
    case .time: return .long(abs(small) * 3_000_000_000)
    case .timestamp, .timestamptz:
      return .long(small * random.pick([1, 1_800_000_000, 43_200_000_000, 2_000_000_000_000]))
    case .timestampNs, .timestamptzNs:
      return .long(small * random.pick([1, 1_800_000_000_000, 43_200_000_000_000]))
    case .uuid: return .bytes([UInt8](repeating: UInt8(small + 25) * 5, count: 16))
    case .fixed(let count): return .bytes([UInt8](repeating: UInt8(small + 25) * 5, count: count))
    case .binary:
      return .bytes((0..<random.int(in: 0..<4)).map { _ in random.pick([0, 1, 0x7f, 0x80, 0xff]) })
    default: return .string(random.pick(strings))
    }
  }

  public static func rows(_ random: SeededRandom, _ schema: Schema, count: Int) -> [[Value?]] {
    let nulls = random.pick([0, 15, 15, 90])
    return (0..<count).map { _ in schema.fields.map { optional($0, random, nulls: nulls) } }
  }

  // MARK: predicates

  /// A literal for a column of `type`: a value of it, or one between or beyond them.
  private static func literal(_ type: PrimitiveType, _ random: SeededRandom) -> Literal {
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
      let value = value(type, random)
      if case .float(let number) = value, number.isNaN { continue }
      if case .double(let number) = value, number.isNaN { continue }
      if let literal = Literal(value, of: type) { return literal }
    }
  }

  private static func test(_ random: SeededRandom, on schema: Schema) -> Predicate {
    let leaves = leaves(schema)
    guard !leaves.isEmpty else { return .alwaysTrue }
    let (name, field) = random.pick(leaves)
    guard let type = field.type.primitive else { return .alwaysTrue }
    func literals() -> [Literal] {
      (0..<random.int(in: 1..<5)).map { _ in literal(type, random) }
    }
    switch random.int(in: 0..<20) {
    case 0: return .isNull(name)
    case 1: return .isNotNull(name)
    case 2 where type == .float || type == .double: return .isNaN(name)
    case 3 where type == .float || type == .double: return .isNotNaN(name)
    case 4 where type == .string, 5 where type == .string:
      return .startsWith(name, random.pick(strings))
    case 6 where type == .string, 7 where type == .string:
      return .doesNotStartWith(name, random.pick(strings))
    case 8, 9: return .isIn(name, literals())
    case 10: return .isNotIn(name, literals())
    default: return .test(name, .compare(random.pick(Comparison.allCases), literal(type, random)))
    }
  }

  /// A predicate on columns of `schema`.
  public static func predicate(
    _ random: SeededRandom, on schema: Schema, depth: Int = 3
  ) -> Predicate {
    guard depth > 0, random.chance(55) else {
      return random.chance(3) ? .always(random.chance(50)) : test(random, on: schema)
    }
    if random.chance(30) { return .not(predicate(random, on: schema, depth: depth - 1)) }
    let parts = (0..<random.int(in: 2..<4)).map { _ in
      predicate(random, on: schema, depth: depth - 1)
    }
    return random.chance(50) ? .and(parts) : .or(parts)
  }
}

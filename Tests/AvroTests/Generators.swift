// SPDX-License-Identifier: Apache-2.0
import Avro
import SeededNumbers

/// Random schemas and values that fit them.
struct AvroGenerator {
  var random: Seeded
  private var names = 0

  init(_ seed: UInt64) { random = Seeded(seed) }

  mutating func schema(depth: Int = 0) -> AvroSchema {
    switch random.below(depth > 3 ? 10 : 15) {
    case 0: return .null
    case 1: return .boolean
    case 2: return .int
    case 3: return .long
    case 4: return .float
    case 5: return .double
    case 6: return .bytes
    case 7: return .string
    case 8: return .fixed(name(), byteCount: random.below(20))
    case 9:
      return AvroSchema(
        .enumeration(AvroEnumeration(name: name(), symbols: ["A", "B", "C"])))
    case 10: return .array(schema(depth: depth + 1))
    case 11: return .map(schema(depth: depth + 1))
    case 12: return union(depth: depth)
    default: return record(depth: depth)
    }
  }

  mutating func record(depth: Int = 0) -> AvroSchema {
    let fields = (0..<random.below(6)).map { index in
      AvroField("f\(index)", schema(depth: depth + 1), id: Int32(random.below(1_000_000)))
    }
    return .record(name(), fields)
  }

  private mutating func union(depth: Int) -> AvroSchema {
    if random.below(2) == 0 {
      let other = nonUnion(depth: depth)
      guard other != .null else { return AvroSchema(.union([.null])) }
      return AvroSchema(.union(random.below(2) == 0 ? [.null, other] : [other, .null]))
    }
    let pool: [AvroSchema] = [.null, .int, .string, .bytes, .double, .boolean]
    var branches = Array(pool.shuffled(using: &random).prefix(1 + random.below(4)))
    branches.append(record(depth: depth + 1))
    return AvroSchema(.union(branches))
  }

  private mutating func nonUnion(depth: Int) -> AvroSchema {
    while true {
      let type = schema(depth: depth + 1)
      if type.typeName != .union { return type }
    }
  }

  private mutating func name() -> String {
    names += 1
    return names % 2 == 0 ? "N\(names)" : "space.N\(names)"
  }

  mutating func value(_ schema: AvroSchema) -> AvroValue {
    switch schema.kind {
    case .null: return .null
    case .boolean: return .boolean(random.below(2) == 1)
    case .int: return .int(Int32(truncatingIfNeeded: random.next()) >> Int32(random.below(32)))
    case .long: return .long(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
    case .float: return .float(Float(random.below(1_000_000)) / 64)
    case .double: return .double(Double(random.below(1_000_000)) / 1024)
    case .bytes: return .bytes(bytes(random.below(10) == 0 ? 300 : random.below(10)))
    case .string:
      return .string(
        ["", "word", "naïve", "日本語 😀", String(repeating: "x", count: 200)][random.below(5)])
    case .fixed(let type): return .fixed(bytes(type.byteCount))
    case .enumeration(let type): return .enumeration(type.symbols[random.below(3)])
    case .array(let items): return .array((0..<random.below(4)).map { _ in value(items) })
    case .map(let values):
      return .map((0..<random.below(4)).map { AvroValue.Entry("k\($0)", value(values)) })
    case .union(let branches):
      let index = random.below(branches.count)
      return .union(index: index, value(branches[index]))
    case .record(let type):
      return .record(type.fields.map { AvroValue.Entry($0.name, value($0.schema)) })
    }
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}

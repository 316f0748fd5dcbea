// SPDX-License-Identifier: Apache-2.0
import Iceberg
import JSON
import SeededNumbers
import Testing

/// Text and JSON that was changed at random: it may be refused, and must not trap, hang or grow.
@Suite("Hostile text")
struct HostileTextTests {
  static func changed(_ text: String, _ random: inout Seeded) -> String {
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0 where place < bytes.count: bytes.remove(at: place)
      case 1 where place < bytes.count:
        bytes[place] = random.pick(Array("()[]<>{}'\",:.-+0129eExX% \u{0}".utf8))
      case 2: bytes.insert(random.pick(Array("(<['\"9-.,".utf8)), at: place)
      default:
        let part = bytes[place..<min(bytes.count, place + Int.random(in: 0..<20, using: &random))]
        bytes.insert(contentsOf: part, at: Int.random(in: 0...bytes.count, using: &random))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `no schema, spec, order or type traps`() throws {
    var random = Seeded(printing: "hostile schemas")
    let schema = try Schema("id long, ts timestamp, name string, p struct<a: date>")
    for _ in 0..<3000 {
      _ = try? Schema(
        Self.changed(
          "id long not null, s struct<a: decimal(9,2), b: list<fixed[4]>>, m map<int,uuid>", &random
        ))
      _ = try? PartitionSpec(
        Self.changed("day(ts), bucket(16, id), truncate(4, name) as x, p.a", &random),
        schema: schema)
      _ = try? SortOrder(Self.changed("id desc nulls last, day(ts)", &random), schema: schema)
      _ = try? PrimitiveType(Self.changed("geography(srid:4326, karney)", &random))
      _ = Transform(Self.changed("bucket[16]", &random))
    }
  }

  @Test func `no predicate traps, and what is read can be printed`() throws {
    var random = Seeded(printing: "hostile predicates")
    for _ in 0..<3000 {
      let text = Self.changed(Generators.predicate(&random, depth: 2).description, &random)
      guard let predicate = try? PredicateParser.parse(text) else { continue }
      law((try? PredicateParser.parse(predicate.description)) == predicate, "\(text)")
      _ = try? predicate.bound(to: Generators.schema)
    }
  }

  @Test(arguments: [
    "i = 1e2147483647", "i = 1e-2147483648", "n < 1e-999999999", "d > 1e99999", "f > 1e39",
    "i = 1e99999999999999999999", "n = 0e2147483647", "l < 99999999999999999999999999999999999999",
    "l < 999999999999999999999999999999999999999999999999999999", "ts = '+9999999-12-31'",
    "ts < '-9999999-01-01T00:00:00.999999999'", "t = '+5881580-07-11'", "t > '+5881580-07-12'",
    "n > -0.000000000000000000000000000000000000000000000000000000000000000000000001",
  ])
  func `numbers and dates beyond all measure decide, or are refused`(text: String) throws {
    let predicate = try PredicateParser.parse(text)
    #expect(predicate.description.utf8.count < 200)
    #expect(try PredicateParser.parse(predicate.description) == predicate)
    _ = try? predicate.bound(to: Generators.schema)
  }

  @Test func `no JSON of a schema, spec, value or mapping traps`() {
    var random = Seeded(printing: "hostile JSON")
    for _ in 0..<2000 {
      let text = Self.changed(SchemaJSONTests.schemaText, &random)
      if let json = try? JSONValue(parsing: text) {
        if let schema = try? Schema(json: json) {
          let written = SchemaJSONTests.text { schema.write(to: &$0) }
          law((try? Schema(json: JSONValue(parsing: written))) == schema, "\(text)")
        }
        _ = try? PartitionSpec(json: json)
        _ = try? SortOrder(json: json)
        for field in Generators.schema.fields { _ = try? Value.decode(json, as: field.type) }
      }
      _ = try? NameMapping(json: Self.changed(NameMappingTests.example, &random))
    }
  }

  @Test func `values of any bytes are refused or read back`() {
    var random = Seeded(printing: "hostile values")
    for _ in 0..<3000 {
      let type = Generators.type(random.pick(Generators.schema.fields))
      let bytes = (0..<Int.random(in: 0...17, using: &random)).map { _ in
        random.pick([0, 1, 0x7f, 0x80, 0xff, 0xc3] as [UInt8])
      }
      guard let value = try? Value(encoded: bytes, as: type) else { continue }
      _ = value.text(as: type)
      let again = value.encoded(as: type)
      law(again.flatMap { try? Value(encoded: $0, as: type) } == value, "\(bytes) as \(type)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import JSON
import SeededNumbers
import Testing

/// Avro 1.12 specification, "Schema Resolution", rule by rule.
@Suite("Avro schema resolution")
struct AvroResolutionTests {
  static let promotions: [(AvroSchema, AvroValue, AvroSchema, AvroValue)] = [
    (.int, .int(-3), .long, .long(-3)), (.int, .int(3), .float, .float(3)),
    (.int, .int(3), .double, .double(3)), (.long, .long(1 << 40), .float, .float(1.0995116e12)),
    (.long, .long(1 << 40), .double, .double(1_099_511_627_776)),
    (.float, .float(0.5), .double, .double(0.5)),
    (.string, .string("é"), .bytes, .bytes([0xc3, 0xa9])),
    (.bytes, .bytes([0xc3, 0xa9]), .string, .string("é")),
    (.array(.int), .array([.int(1)]), .array(.long), .array([.long(1)])),
    (
      .map(.int), .map([.init("k", .int(1))]), .map(.double),
      .map([.init("k", .double(1))])
    ),
    (.int, .int(1), .optional(.long), .union(index: 1, .long(1))),
    (.optional(.int), .union(index: 1, .int(1)), .long, .long(1)),
    (.optional(.int), .union(index: 0, .null), .optional(.long), .union(index: 0, .null)),
    (.int, .int(1), AvroSchema(.union([.double, .int])), .union(index: 1, .int(1))),
    (.fixed("a", byteCount: 2), .fixed([1, 2]), .fixed("b", byteCount: 2), .fixed([1, 2])),
  ]

  @Test(arguments: promotions)
  func `values are promoted`(
    writer: AvroSchema, value: AvroValue, reader: AvroSchema, expected: AvroValue
  ) throws {
    #expect(try read(value, writer, reader) == expected)
  }

  static let impossible: [(AvroSchema, AvroSchema)] = [
    (.long, .int), (.double, .float), (.float, .long), (.string, .int), (.boolean, .int),
    (.null, .int), (.array(.long), .array(.int)), (.array(.int), .map(.int)),
    (.fixed("a", byteCount: 2), .fixed("a", byteCount: 3)), (.long, .optional(.int)),
    (AvroSchema(.union([.string, .long])), .int),
  ]

  @Test(arguments: impossible)
  func `what could never be read is refused beforehand`(writer: AvroSchema, reader: AvroSchema) {
    #expect(throws: AvroError.self) { try AvroResolution(writer: writer, reader: reader) }
  }

  @Test func `a value of a branch that the reader has not throws when it comes`() throws {
    #expect(throws: AvroError.self) {
      try read(.union(index: 0, .null), .optional(.int), .int)
    }
  }

  @Test func `fields are put in the reader's order, with defaults, by names or ids`() throws {
    let writer = AvroSchema.record(
      "w",
      [
        AvroField("a", .int, id: 1), AvroField("gone", .array(.string), id: 2),
        AvroField("b", .string, id: 3),
      ])
    let value = AvroValue.record([
      .init("a", .int(1)), .init("gone", .array([.string("x")])), .init("b", .string("y")),
    ])
    var renamed = AvroField("c", .string, id: 3)
    renamed.aliases = ["b"]
    let reader = AvroSchema.record(
      "r",
      [
        renamed, .optional("new", .long, id: 4), AvroField("a", .long, id: 1),
        AvroField("raw", .bytes, id: 5, default: .string("\u{ff}a")),
        AvroField("n", .array(.double), id: 6, default: .array([.integer(1), .double(0.5)])),
      ])
    let expected = AvroValue.record([
      .init("c", .string("y")), .init("new", .union(index: 0, .null)), .init("a", .long(1)),
      .init("raw", .bytes([0xff, 0x61])), .init("n", .array([.double(1), .double(0.5)])),
    ])
    #expect(try read(value, writer, reader) == expected)
    #expect(try read(value, writer, reader, .fieldIDs) == expected)
    // By id, a name says nothing.
    let swapped = AvroSchema.record("r", [AvroField("b", .long, id: 1)])
    #expect(
      try read(value, writer, swapped, .fieldIDs) == .record([.init("b", .long(1))]))
    let required = AvroSchema.record("r", [AvroField("z", .long, id: 9)])
    #expect(
      throws: AvroError.unresolvable(path: "z", expected: "a field or a default", found: "none")
    ) { try AvroResolution(writer: writer, reader: required) }
  }

  @Test func `a symbol that the reader does not know becomes its default, or throws`() throws {
    func enumeration(_ symbols: [String], _ fallback: String? = nil) -> AvroSchema {
      AvroSchema(
        .enumeration(AvroEnumeration(name: "e", symbols: symbols, defaultSymbol: fallback)))
    }
    let writer = enumeration(["A", "B"])
    #expect(
      try read(.enumeration("B"), writer, enumeration(["B", "C"])) == .enumeration("B"))
    #expect(
      try read(.enumeration("A"), writer, enumeration(["B", "C"], "C")) == .enumeration("C"))
    #expect(throws: AvroError.self) {
      try read(.enumeration("A"), writer, enumeration(["B", "C"]))
    }
  }

  @Test func `a schema resolves with itself to the same values`() throws {
    var generator = AvroGenerator(41)
    for _ in 0..<500 {
      let schema = generator.record()
      let value = generator.value(schema)
      #expect(try read(value, schema, schema) == value, "seed \(generator.random.seed)")
    }
  }

  func read(
    _ value: AvroValue, _ writer: AvroSchema, _ reader: AvroSchema,
    _ matching: AvroFieldMatching = .names
  ) throws -> AvroValue {
    let bytes = try encoded { try $0.write(value, as: writer) }
    let resolution = try AvroResolution(writer: writer, reader: reader, matching: matching)
    var decoder = AvroDecoder(bytes.bytes)
    let result = try decoder.readValue(resolution)
    try decoder.finish()
    return result
  }
}

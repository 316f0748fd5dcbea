// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import SeededNumbers
import Testing

@Suite("Avro binary encoding")
struct AvroDecoderTests {
  // Avro 1.12 specification, "Binary Encoding": the table of zig-zag codings, and the ends.
  static let longs: [(Int64, [UInt8])] = [
    (0, [0x00]), (-1, [0x01]), (1, [0x02]), (-2, [0x03]), (2, [0x04]), (-64, [0x7f]),
    (64, [0x80, 0x01]), (8192, [0x80, 0x80, 0x01]), (-8193, [0x81, 0x80, 0x01]),
    (.max, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    (.min, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  ]

  @Test(arguments: longs)
  func `longs are zig-zag varints`(value: Int64, bytes: [UInt8]) throws {
    #expect(encoded { $0.writeLong(value) }.array() == bytes)
    let buffer = Buffer(bytes)
    var decoder = AvroDecoder(buffer.bytes)
    #expect(try decoder.readLong() == value)
    try decoder.finish()
  }

  @Test func `the examples of the specification are encoded as it says`() throws {
    #expect(encoded { $0.writeString("foo") }.array() == [0x06, 0x66, 0x6f, 0x6f])
    let test = try AvroSchema(
      parsing: """
        {"type": "record", "name": "test", "fields": [
          {"name": "a", "type": "long"}, {"name": "b", "type": "string"}]}
        """)
    let record = AvroValue.record([.init("a", .long(27)), .init("b", .string("foo"))])
    #expect(try encode(record, test) == [0x36, 0x06, 0x66, 0x6f, 0x6f])
    let list = AvroValue.array([.long(3), .long(27)])
    #expect(try encode(list, .array(.long)) == [0x04, 0x06, 0x36, 0x00])
    let union = AvroSchema(.union([.null, .string]))
    #expect(try encode(.null, union) == [0x00])
    #expect(try encode(.string("a"), union) == [0x02, 0x02, 0x61])
    #expect(try encode(.boolean(true), .boolean) == [0x01])
    #expect(try encode(.float(1), .float) == [0x00, 0x00, 0x80, 0x3f])
    #expect(try encode(.double(1), .double) == [0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
  }

  @Test func `a block may state its size, and arrays may come in several blocks`() throws {
    // -2 elements in 2 bytes: 3, 27; then 1 element: 1; then the end.
    let bytes: [UInt8] = [0x03, 0x04, 0x06, 0x36, 0x02, 0x02, 0x00]
    #expect(try decode(bytes, .array(.long)) == .array([.long(3), .long(27), .long(1)]))
    let written = encoded { encoder in
      encoder.writeBlocks(count: 2, Buffer([0x06, 0x36]).bytes)
    }
    #expect(written.array() == [0x03, 0x04, 0x06, 0x36, 0x00])
    let none = encoded { $0.writeBlocks(count: 0, Buffer([]).bytes) }
    #expect(none.array() == [0])
  }

  static let malformed: [(String, AvroSchema, [UInt8])] = [
    ("a boolean of 2", .boolean, [2]),
    ("an int of 33 bits", .int, [0x80, 0x80, 0x80, 0x80, 0x10]),
    ("a long of 65 bits", .long, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
    ("a long of 11 bytes", .long, [UInt8](repeating: 0x80, count: 10) + [0]),
    ("a negative length", .bytes, [0x01]),
    ("a length past the end", .bytes, [0x04, 0x00]),
    ("a length near 2^63", .string, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ("text that is not UTF-8", .string, [0x02, 0xff]),
    ("branch 2 of 2", .optional(.int), [0x04, 0x00]),
    ("branch -1", .optional(.int), [0x01, 0x00]),
    ("symbol 2 of 2", enumeration, [0x04]),
    ("more elements than bytes", .array(.long), [0x08, 0, 0, 0]),
    ("2^62 elements", .array(.long), [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0]),
    ("-2^63 elements", .array(.long), longs[10].1 + [0]),
    ("a billion nulls", .array(.null), [0x80, 0xa8, 0xd6, 0xb9, 0x07, 0]),
    ("a negative block size", .array(.long), [0x01, 0x01, 0x00, 0x00]),
    ("a block size past the end", .array(.long), [0x01, 0x08, 0x00, 0x00]),
    ("a block that is shorter than it says", .array(.long), [0x01, 0x04, 0x02, 0x00, 0x00]),
    ("more pairs than bytes", .map(.null), [0x08, 0, 0, 0]),
    ("an array without end", .array(.long), [0x02, 0x02]),
  ]
  static let enumeration = AvroSchema(
    .enumeration(AvroEnumeration(name: "e", symbols: ["a", "b"])))

  @Test(arguments: malformed)
  func `bytes that are no value of their schema are refused`(
    what: String, schema: AvroSchema, bytes: [UInt8]
  ) {
    #expect(throws: AvroError.self) { try decode(bytes, schema) }
  }

  @Test func `arrays of nothing in arrays do not use up the memory`() {
    let inner = encoded { encoder in
      encoder.writeBlockCount(100_000)
      encoder.endBlocks()
    }.array()
    let outer = encoded { encoder in
      encoder.writeBlockCount(10_000)
      for _ in 0..<10_000 { encoder.writeRaw(inner.span.bytes) }
      encoder.endBlocks()
    }.array()
    let error = #expect(throws: AvroError.self) { try decode(outer, .array(.array(.null))) }
    guard case .limitExceeded = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
  }

  @Test func `random values come back, and are passed by their skipper in the same bytes`() throws {
    var generator = AvroGenerator(12)
    for _ in 0..<2000 {
      let schema = generator.schema()
      let values = (0..<3).map { _ in generator.value(schema) }
      let bytes = Buffer(try values.flatMap { try encode($0, schema) })
      var decoder = AvroDecoder(bytes.bytes)
      var skipping = AvroDecoder(bytes.bytes)
      let skipper = AvroSkipper(schema)
      for value in values {
        #expect(try decoder.readValue(schema) == value, "seed \(generator.random.seed)")
        try skipping.skip(skipper)
        #expect(
          skipping.offset == decoder.offset,
          "\(schema.jsonText), seed \(generator.random.seed)")
      }
      try decoder.finish()
    }
  }

  @Test func `a skipper passes blocks that state their size without a look at them`() throws {
    let schema = AvroSchema.record(
      "r", [AvroField("a", .array(.map(.string))), AvroField("b", .long)])
    let bytes = encoded { encoder in
      encoder.writeBlocks(count: 100, Buffer([UInt8](repeating: 0xff, count: 150)).bytes)
      encoder.writeLong(5)
    }
    var decoder = AvroDecoder(bytes.bytes)
    try decoder.skip(AvroSkipper(schema))
    try decoder.finish()
  }

  @Test func `every truncation of values throws, read or skipped`() throws {
    var generator = AvroGenerator(13)
    for _ in 0..<200 {
      let schema = generator.record()
      let bytes = try encode(generator.value(schema), schema)
      for count in 0..<bytes.count {
        let cut = Buffer(Array(bytes[..<count]))
        #expect(throws: AvroError.self) {
          var decoder = AvroDecoder(cut.bytes)
          _ = try decoder.readValue(schema)
        }
        #expect(throws: AvroError.self) {
          var decoder = AvroDecoder(cut.bytes)
          try decoder.skip(AvroSkipper(schema))
        }
      }
    }
  }

  @Test func `what a skipper passes of mutated bytes, reading accepts or refuses, and none traps`()
    throws
  {
    var generator = AvroGenerator(14)
    for _ in 0..<1000 {
      let schema = generator.record()
      let skipper = AvroSkipper(schema)
      let original = try encode(generator.value(schema), schema)
      guard !original.isEmpty else { continue }
      for _ in 0..<100 {
        var bytes = original
        for _ in 0...generator.random.below(3) {
          let at = generator.random.below(bytes.count)
          bytes[at] =
            generator.random.below(2) == 0
            ? UInt8(truncatingIfNeeded: generator.random.next()) : bytes[at] ^ 0x80
        }
        let buffer = Buffer(bytes)
        var decoder = AvroDecoder(buffer.bytes)
        let value = try? decoder.readValue(schema)
        var skipping = AvroDecoder(buffer.bytes)
        let skipped: ()? = try? skipping.skip(skipper)
        // Reading checks more than skipping: what it takes, skipping takes too.
        if value != nil {
          #expect(skipped != nil, "\(bytes), \(schema.jsonText)")
        }
      }
    }
  }

  @Test func `a value that does not fit is not written`() throws {
    var encoder = AvroEncoder()
    encoder.writeLong(1)
    for (value, schema) in [
      (AvroValue.long(1), AvroSchema.int), (.string("x"), .optional(.int)), (.null, .long),
      (.enumeration("z"), Self.enumeration), (.fixed([1, 2]), .fixed("f", byteCount: 3)),
      (.array([.int(1), .null]), .array(.int)), (.union(index: 2, .null), .optional(.int)),
      (.record([]), .record("r", [AvroField("a", .int)])),
      (.record([.init("b", .int(1))]), .record("r", [])),
    ] {
      #expect(throws: AvroError.self) { try encoder.write(value, as: schema) }
      #expect(encoder.count == 1)
    }
  }

  func encode(_ value: AvroValue, _ schema: AvroSchema) throws -> [UInt8] {
    try encoded { try $0.write(value, as: schema) }.array()
  }

  @discardableResult
  func decode(_ bytes: [UInt8], _ schema: AvroSchema) throws -> AvroValue {
    let buffer = Buffer(bytes)
    var decoder = AvroDecoder(buffer.bytes)
    let value = try decoder.readValue(schema)
    try decoder.finish()
    return value
  }
}

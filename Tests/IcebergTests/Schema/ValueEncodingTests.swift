// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

@Suite("Values as bytes, their order and their bounds")
struct ValueEncodingTests {
  static let encodings: [(Value, PrimitiveType, [UInt8])] = [
    (Value.boolean(false), PrimitiveType.boolean, [0]),
    (.boolean(true), .boolean, [1]), (.int(34), .int, [34, 0, 0, 0]),
    (.int(-2), .date, [0xfe, 0xff, 0xff, 0xff]), (.long(34), .long, [34, 0, 0, 0, 0, 0, 0, 0]),
    (.long(258), .time, [2, 1, 0, 0, 0, 0, 0, 0]),
    (.long(-1), .timestamp, [UInt8](repeating: 255, count: 8)),
    (.long(1), .timestamptzNs, [1, 0, 0, 0, 0, 0, 0, 0]),
    (.float(1), .float, [0, 0, 0x80, 0x3f]), (.double(1), .double, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
    (.decimal(1420), .decimal(precision: 9, scale: 2), [0x05, 0x8c]),
    (.string("aé"), .string, [0x61, 0xc3, 0xa9]), (.string(""), .string, []),
    (.bytes(TransformTests.uuid), .uuid, TransformTests.uuid),
    (.bytes([1, 2]), .fixed(2), [1, 2]),
    (.bytes([]), .binary, []), (.bytes([9]), .binary, [9]),
  ]

  @Test(arguments: encodings)
  func `rule 19: a value goes to bytes and back`(
    value: Value, type: PrimitiveType, bytes: [UInt8]
  ) throws {
    #expect(value.encoded(as: type) == bytes)
    #expect(try Value(encoded: bytes, as: type) == value)
  }

  @Test func `rule 19: any byte but zero is true`() throws {
    #expect(try Value(encoded: [7], as: .boolean) == .boolean(true))
  }

  static let decimals: [(Int128, [UInt8])] = [
    (-128, [0x80]), (128, [0, 0x80]), (0, [0]), (127, [0x7f]), (-129, [0xff, 0x7f]), (-1, [0xff]),
    (255, [0, 0xff]), (256, [1, 0]), (-32768, [0x80, 0]), (-256, [0xff, 0]),
    (-1 << 64, [0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]

  @Test(arguments: decimals)
  func `rule 20: a decimal takes the fewest bytes`(value: Int128, bytes: [UInt8]) throws {
    let type = PrimitiveType.decimal(precision: 38, scale: 0)
    #expect(Value.decimal(value).encoded(as: type) == bytes)
    #expect(try Value(encoded: bytes, as: type) == .decimal(value))
    // Padding, as fixed-length decimals have it, changes nothing.
    let padded = [UInt8](repeating: value < 0 ? 0xff : 0, count: 20) + bytes
    #expect(try Value(encoded: padded, as: type) == .decimal(value))
  }

  @Test func `every power of two and its neighbours fit their bytes`() {
    for exponent in 0..<127 {
      for sign in [Int128(1), -1] {
        for delta in [Int128(-1), 0, 1] {
          let value = sign * (Int128(1) << exponent) + delta
          let bytes = TwosComplement.minimalBytes(value)
          // The definition: one byte fewer can't hold it.
          let bits = Int128(1) << Int128(8 * bytes.count - 1)
          if bytes.count < 16 { #expect(value >= -bits && value < bits) }
          let fewer = Int128(1) << Int128(max(0, 8 * (bytes.count - 1) - 1))
          #expect(bytes.count == 1 || value < -fewer || value >= fewer)
          #expect(TwosComplement.bytes(value, byteCount: 16)?.count == 16)
        }
      }
    }
    #expect(TwosComplement.bytes(128, byteCount: 1) == nil)
    #expect([1, 9, 18, 38].map { TwosComplement.byteCount(precision: $0) } == [1, 4, 8, 16])
  }

  @Test(arguments: [
    (PrimitiveType.long, Value.int(-7), PrimitiveType.int, Value.long(-7)),
    (.double, .float(1.5), .float, .double(1.5)),
    (.timestamp, .int(-1), .date, .long(-86_400_000_000)),
    (.timestampNs, .int(1), .date, .long(86_400_000_000_000)),
    (
      .decimal(precision: 18, scale: 2), .decimal(-5), .decimal(precision: 9, scale: 2),
      .decimal(-5)
    ),
  ])
  func `rule 21: bytes of the type at write time are told by their length`(
    type: PrimitiveType, old: Value, oldType: PrimitiveType, value: Value
  ) throws {
    let bytes = try #require(old.encoded(as: oldType))
    #expect(try Value(encoded: bytes, as: type) == value)
    #expect(old.promoted(from: oldType, to: type) == value)
  }

  @Test(arguments: [
    (PrimitiveType.int, 8), (.int, 3), (.long, 5), (.long, 0), (.float, 8), (.double, 7),
    (.boolean, 0), (.boolean, 2), (.uuid, 15), (.timestamptz, 4), (.time, 4), (.unknown, 0),
    (.decimal(precision: 9, scale: 2), 0),
  ])
  func `bytes of another length are refused`(type: PrimitiveType, count: Int) {
    let bytes = [UInt8](repeating: 1, count: count)
    #expect(throws: IcebergError.self) { try Value(encoded: bytes, as: type) }
    #expect(Value(bound: bytes, as: type) == nil)
  }

  @Test func `a string that is not UTF-8 and a decimal too long are refused`() {
    #expect(Value(bound: [0xff], as: .string) == nil)
    let long: [UInt8] = [1] + [UInt8](repeating: 0, count: 16)
    #expect(Value(bound: long, as: .decimal(precision: 38, scale: 0)) == nil)
    #expect(Value(bound: Value.int(.max).encoded(as: .int), as: .timestampNs) == nil)
  }

  @Test func `rule 28: a bound that is NaN is unknown`() {
    #expect(Value(bound: Value.double(.nan).encoded(as: .double), as: .double) == nil)
    #expect(Value(bound: Value.float(-.nan).encoded(as: .float), as: .float) == nil)
    #expect(Value(bound: nil, as: .int) == nil)
  }

  @Test(arguments: [
    ("iceberg", 3, "icf"), ("ice", 3, "ice"), ("ab", 5, "ab"), ("a\u{D7FF}b", 2, "a\u{E000}"),
    ("a\u{10FFFF}b", 2, "b"), ("\u{10FFFF}\u{10FFFF}\u{10FFFF}", 2, nil),
    ("\u{10FFFF}\u{10FFFF}", 2, "\u{10FFFF}\u{10FFFF}"), ("z\u{7F}x", 2, "z\u{80}"),
    ("日本語", 2, "日札"),
  ])
  func `rules 23 and 24: an upper bound is raised when it is cut, and only then`(
    text: String, length: Int, expected: String?
  ) {
    #expect(BoundTruncation.upper(text, length: length) == expected)
  }

  static let byteBounds: [([UInt8], Int, [UInt8]?)] = [
    ([1, 2, 3], 2, [1, 3]), ([1, 2], 2, [1, 2]), ([1, 255, 3], 2, [2]), ([255, 255, 3], 2, nil),
    ([255, 255], 2, [255, 255]),
  ]

  @Test(arguments: byteBounds)
  func `rule 23: bytes are raised at the last that is not 0xff`(
    bytes: [UInt8], length: Int, expected: [UInt8]?
  ) {
    #expect(BoundTruncation.upper(bytes, length: length) == expected)
  }

  @Test func `rule 24: only strings and binary are cut`() {
    let mode = MetricsMode.truncate(2)
    #expect(BoundTruncation.lower(.string("abc"), of: .string, mode: mode) == .string("ab"))
    #expect(BoundTruncation.upper(.string("abc"), of: .string, mode: mode) == .string("ac"))
    #expect(BoundTruncation.lower(.bytes([1, 2, 3]), of: .binary, mode: mode) == .bytes([1, 2]))
    #expect(
      BoundTruncation.upper(.bytes([1, 2, 3]), of: .fixed(3), mode: mode) == .bytes([1, 2, 3]))
    #expect(BoundTruncation.upper(.long(.max), of: .long, mode: mode) == .long(.max))
    #expect(BoundTruncation.lower(.string("abc"), of: .string, mode: .full) == .string("abc"))
    #expect(BoundTruncation.lower(.string("abc"), of: .string, mode: .counts) == nil)
  }

  @Test func `rule 25: strings go by UTF-8, bytes as unsigned`() {
    func isSorted(_ values: [Value]) -> Bool {
      zip(values, values.dropFirst()).allSatisfy { (Value.compare($0, $1) ?? 0) < 0 }
    }
    // U+FFFD sorts before U+1F600 in UTF-8, and behind it in UTF-16; é composed and decomposed
    // are different strings.
    #expect(
      isSorted(["", "Z", "a", "aa", "e\u{301}", "é", "\u{FFFD}", "\u{1F600}"].map { .string($0) }))
    #expect(isSorted([[], [0], [0x7f], [0x80], [0x80, 0], [0xff]].map { .bytes($0) }))
    #expect(isSorted([.long(.min), .int(-1), .long(0), .int(1), .long(.max)]))
    #expect(isSorted([.decimal(-1), .decimal(0), .decimal(1)]))
    #expect(isSorted([.boolean(false), .boolean(true)]))
    #expect(Value.compare(.int(1), .string("1")) == nil)
  }

  @Test func `rules 27 and 29: floats are ordered from -NaN to NaN, -0.0 before 0.0`() {
    let ordered: [Double] = [
      -.nan, -.infinity, -1.5, -.leastNonzeroMagnitude, -0.0, 0.0, .leastNonzeroMagnitude, 1.5,
      .infinity, .nan,
    ]
    for (i, a) in ordered.enumerated() {
      for (j, b) in ordered.enumerated() {
        #expect(Value.compare(.double(a), .double(b))?.signum() == (i - j).signum(), "\(a) \(b)")
      }
    }
  }

  @Test func `rule 30: equality is of bits, with all NaNs one`() {
    #expect(Value.double(.nan) == .double(Double(bitPattern: 0xfff8_0000_0000_0001)))
    #expect(Value.float(.nan).hashValue == Value.float(-.nan).hashValue)
    #expect(Value.double(0.0) != .double(-0.0))
    #expect(Value.string("é") != .string("e\u{301}"))
  }

  @Test func `rule 33: a bound of shapes is a point`() {
    #expect(GeoBound(x: 1, y: 2).encoded.count == 16)
    #expect(GeoBound(x: 1, y: 2, z: 3).encoded.count == 24)
    let bound = GeoBound(x: 1, y: 2, z: nil, m: 4)
    #expect(bound.encoded.count == 32)
    #expect(GeoBound(encoded: bound.encoded) == bound)
    #expect(GeoBound(encoded: [UInt8](repeating: 0, count: 20)) == nil)
    #expect(GeoBound(encoded: GeoBound(x: .nan, y: 1).encoded) == nil)
    let box = GeoBound.box(around: [(1, .nan, nil, 5), (.nan, 2, nil, nil), (-3, 4, nil, nil)])
    #expect(box?.lower == GeoBound(x: -3, y: 2, z: nil, m: 5))
    #expect(box?.upper == GeoBound(x: 1, y: 4, z: nil, m: 5))
    #expect(GeoBound.box(around: [(1, .nan, 1, 1)]) == nil)
  }

  @Test func `rule 22: the first hundred columns have metrics, and those sorted by`() throws {
    let text = (1...120).map { "c\($0) string" }.joined(separator: ", ")
    let schema = try Schema(text)
    let order = try SortOrder("c110", schema: schema)
    let modes = try MetricsModes(schema: schema, sortOrder: order, properties: [:])
    #expect(modes.mode(for: FieldID(1)) == .truncate(16))
    #expect(modes.mode(for: FieldID(100)) == .truncate(16))
    #expect(modes.mode(for: FieldID(101)) == .none)
    #expect(modes.mode(for: FieldID(110)) == .truncate(16))
    let told = try MetricsModes(
      schema: schema, sortOrder: .unsorted,
      properties: [
        "write.metadata.metrics.default": "counts",
        "write.metadata.metrics.column.c7": "truncate(4)",
      ])
    #expect(told.mode(for: FieldID(7)) == .truncate(4))
    #expect(told.mode(for: FieldID(119)) == .counts)
    #expect(MetricsModes.positionDeletes.mode(for: FieldID(5)) == .full)
    #expect(throws: IcebergError.self) {
      try MetricsModes(
        schema: schema, sortOrder: .unsorted, properties: ["write.metadata.metrics.default": "all"])
    }
    for bad in ["truncate(0)", "truncate()", "truncate(-1)", "", "some"] {
      #expect(MetricsMode(bad) == nil)
    }
  }

  static let texts: [(String, PrimitiveType, Value?)] = [
    ("5", .int, .int(5)), ("5.5", .int, nil), ("x", .int, nil), ("1e3", .long, .long(1000)),
    ("-1.5", .double, .double(-1.5)), ("NaN", .float, .float(.nan)),
    ("Infinity", .double, .double(.infinity)),
    ("1.5", .decimal(precision: 4, scale: 2), .decimal(150)),
    ("1.555", .decimal(precision: 4, scale: 2), nil), ("abc", .string, .string("abc")),
    ("", .string, .string("")), ("2017-11-16", .date, .int(17486)),
    ("2017-11-16", .timestamp, .long(1_510_790_400_000_000)),
    ("2017-11-16T01:00:00+01:00", .timestamptz, .long(1_510_790_400_000_000)),
    ("2017-11-16T01:00:00Z", .timestamp, nil), ("true", .boolean, .boolean(true)),
    ("0x00ff", .binary, .bytes([0, 255])), ("00FF", .fixed(2), .bytes([0, 255])),
    ("00", .fixed(2), nil),
    ("f79c3e09-677c-4bbd-a479-3f349cb785e7", .uuid, .bytes(TransformTests.uuid)),
    ("f79c3e09677c4bbda4793f349cb785e7", .uuid, .bytes(TransformTests.uuid)), ("00", .uuid, nil),
    ("22:31", .time, .long(81_060_000_000)), ("x", .variant, nil),
  ]

  @Test(arguments: texts.indices)
  func `values are read as people write them, exactly or not at all`(index: Int) {
    let (text, type, value) = Self.texts[index]
    #expect((try? Value(parsing: text, as: type)) == value, "\(text) as \(type)")
  }

  @Test func `what a value is written as is read back`() throws {
    var random = Seeded(printing: "value text")
    for _ in 0..<2000 {
      let type = Generators.type(random.pick(Generators.schema.fields))
      let value = Generators.value(type, &random)
      let text = value.text(as: type)
      // Minus zero is a zero to who asks by value.
      let expected: Value =
        switch value {
        case .double(0): .double(0)
        case .float(0): .float(0)
        default: value
        }
      law((try? Value(parsing: text, as: type)) == expected, "\(text) as \(type), \(random.seed)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import JSON
import Testing

@Suite("Schemas, specs, orders and values as JSON")
struct SchemaJSONTests {
  static func text(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }

  /// Every form of the specification's Appendix C at once.
  static let schemaText = """
    {"type":"struct","schema-id":3,"identifier-field-ids":[1,7],"fields":[\
    {"id":1,"name":"id","required":true,"type":"uuid",\
    "initial-default":"0db3e2a8-9d1d-42b9-aa7b-74ebe558dceb",\
    "write-default":"ec5911be-b0a7-458c-8438-c9a3e53cffae"},\
    {"id":2,"name":"data","required":false,"type":{"type":"list","element-id":3,\
    "element":"string","element-required":true},"doc":"what it \\"is\\""},\
    {"id":4,"name":"m","required":false,"type":{"type":"map","key-id":5,"key":"string",\
    "value-id":6,"value":"double","value-required":false}},\
    {"id":8,"name":"s","required":true,"type":{"type":"struct","fields":[\
    {"id":7,"name":"k","required":true,"type":"decimal(9, 2)","initial-default":"14.20"}]}}]}
    """

  @Test func `a schema is written as it was read`() throws {
    let schema = try Schema(json: try JSONValue(parsing: Self.schemaText))
    #expect(schema.id == SchemaID(3))
    #expect(schema.identifierFieldIDs == [FieldID(1), FieldID(7)])
    #expect(schema.field(named: "s.k")?.initialDefault == .decimal(1420))
    #expect(schema.field(named: "data.element")?.isRequired == true)
    #expect(Self.text { schema.write(to: &$0) } == Self.schemaText)
  }

  @Test func `members of a type may come in any order, and unknown ones are passed over`() throws {
    let json = try JSONValue(
      parsing: """
        {"fields":[{"new":1,"type":{"element":{"value":"int","value-id":3,"key":"string","key-id":4,
        "value-required":true,"type":"map"},"element-required":false,"element-id":2,"type":"list"},
        "required":false,"name":"l","id":1,"initial-default":null}]}
        """)
    let schema = try Schema(json: json)
    #expect(schema.id == SchemaID(0))
    #expect(schema.fields.first?.type.description == "list<map<string, int not null>>")
    #expect(schema.fields.first?.initialDefault == nil)
  }

  @Test(arguments: [
    "[]", "{}", #"{"fields":{}}"#, #"{"fields":[{}]}"#,
    #"{"fields":[{"id":1,"name":"a","required":true}]}"#,
    #"{"fields":[{"id":1,"name":"a","required":true,"type":"frob"}]}"#,
    #"{"fields":[{"id":1,"name":"a","required":1,"type":"int"}]}"#,
    #"{"fields":[{"id":1.5,"name":"a","required":true,"type":"int"}]}"#,
    #"{"fields":[{"id":4294967297,"name":"a","required":true,"type":"int"}]}"#,
    #"{"fields":[{"id":1,"name":"a","required":true,"type":{"type":"set"}}]}"#,
    #"{"fields":[{"id":1,"name":"a","required":true,"type":"int","write-default":"1"}]}"#,
    #"{"fields":[],"identifier-field-ids":[1]}"#,
  ])
  func `what is no schema is refused`(text: String) throws {
    let json = try JSONValue(parsing: text)
    #expect(throws: IcebergError.self) { try Schema(json: json) }
  }

  @Test func `rule 18: one source is written as source-id, several as source-ids`() throws {
    let text = """
      {"spec-id":2,"fields":[\
      {"source-id":4,"field-id":1000,"name":"ts_day","transform":"day"},\
      {"source-id":1,"field-id":1001,"name":"id_bucket","transform":"bucket[16]"},\
      {"source-ids":[1,2],"field-id":1002,"name":"z","transform":"zorder[4]"},\
      {"source-id":99,"field-id":1003,"name":"gone","transform":"void"}]}
      """
    let spec = try PartitionSpec(json: try JSONValue(parsing: text))
    #expect(
      spec.fields.map(\.transform) == [.day, .bucket(16), .unknown("zorder[4]"), .void])
    #expect(spec.fields[2].sourceIDs == [FieldID(1), FieldID(2)])
    #expect(Self.text { spec.write(to: &$0) } == text)
    let single = try PartitionSpec(
      fieldsJSON: try JSONValue(
        parsing: #"[{"source-ids":[4],"name":"a","transform":"identity"}]"#),
      id: PartitionSpecID(0))
    #expect(single.fields[0].sourceIDs == [FieldID(4)])
    let empty = try JSONValue(parsing: #"[{"source-ids":[],"name":"a","transform":"day"}]"#)
    #expect(throws: IcebergError.self) {
      try PartitionSpec(fieldsJSON: empty, id: PartitionSpecID(0))
    }
    let schema = try Schema("a long, b long, c int, d timestamp")
    #expect(try spec.partitionType(for: schema).fields.map(\.type) == [.date, .int, .long, .int])
  }

  @Test func `rule 44: v1 fields without an id get 1000 and on`() throws {
    let json = try JSONValue(
      parsing: """
        [{"source-id":1,"name":"a","transform":"identity"},
         {"source-id":2,"name":"b","transform":"truncate[3]"}]
        """)
    let spec = try PartitionSpec(fieldsJSON: json, id: PartitionSpecID(0))
    #expect(spec.fields.map(\.fieldID) == [FieldID(1000), FieldID(1001)])
  }

  @Test func `a sort order is written as it was read`() throws {
    let text = """
      {"order-id":1,"fields":[\
      {"transform":"identity","source-id":2,"direction":"asc","null-order":"nulls-first"},\
      {"transform":"bucket[4]","source-id":3,"direction":"desc","null-order":"nulls-last"},\
      {"transform":"zorder","source-ids":[1,2],"direction":"asc","null-order":"nulls-last"}]}
      """
    let order = try SortOrder(json: try JSONValue(parsing: text))
    #expect(Self.text { order.write(to: &$0) } == text)
    let bad = try JSONValue(
      parsing: #"{"order-id":1,"fields":[{"transform":"day","source-id":2,"direction":"up"}]}"#)
    #expect(throws: IcebergError.self) { try SortOrder(json: bad) }
  }

  /// The examples of Appendix D, and one beside each where it matters.
  @Test(arguments: [
    ("true", FieldType.boolean, Value.boolean(true)), ("34", .int, .int(34)),
    ("34", .long, .long(34)), ("1.0", .float, .float(1)), ("1.0", .double, .double(1)),
    ("\"14.20\"", .decimal(9, 2), .decimal(1420)),
    ("\"-0.05\"", .decimal(9, 2), .decimal(-5)),
    ("\"2E+20\"", .decimal(9, -20), .decimal(2)),
    ("\"2017-11-16\"", .date, .int(17486)), ("\"1969-12-31\"", .date, .int(-1)),
    ("\"22:31:08.123456\"", .time, .long(81_068_123_456)),
    ("\"2017-11-16T22:31:08.123456\"", .timestamp, .long(1_510_871_468_123_456)),
    ("\"2017-11-16T22:31:08.123456+00:00\"", .timestamptz, .long(1_510_871_468_123_456)),
    (
      "\"2017-11-16T22:31:08.123456789\"", .timestampNs, .long(1_510_871_468_123_456_789)
    ),
    (
      "\"2017-11-16T22:31:08.123456789+00:00\"", .timestamptzNs,
      .long(1_510_871_468_123_456_789)
    ),
    ("\"1969-12-31T23:59:59.999999\"", .timestamp, .long(-1)),
    ("\"iceberg\"", .string, .string("iceberg")),
    (
      "\"f79c3e09-677c-4bbd-a479-3f349cb785e7\"", .uuid,
      .bytes([
        0xf7, 0x9c, 0x3e, 9, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85, 0xe7,
      ])
    ),
    ("\"000102ff\"", .fixed(4), .bytes([0, 1, 2, 255])),
    ("\"000102ff\"", .binary, .bytes([0, 1, 2, 255])),
    ("\"NaN\"", .double, .double(.nan)), ("\"-Infinity\"", .float, .float(-.infinity)),
    (
      "{\"1\":1,\"2\":\"bar\"}",
      .structure(
        StructType([
          Field(id: FieldID(1), name: "a", type: .int, isRequired: false),
          Field(id: FieldID(2), name: "b", type: .string, isRequired: false),
        ])), .structure([FieldID(1): .int(1), FieldID(2): .string("bar")])
    ),
    (
      "[1,2,null]",
      .list(ListType(elementID: FieldID(1), element: .int, isElementRequired: false)),
      .list([.int(1), .int(2), nil])
    ),
    (
      "{\"keys\":[\"a\",\"b\"],\"values\":[1,2]}",
      .map(
        MapType(
          keyID: FieldID(1), key: .string, valueID: FieldID(2), value: .int,
          isValueRequired: false)),
      .map([
        Value.Entry(key: .string("a"), value: .int(1)),
        Value.Entry(key: .string("b"), value: .int(2)),
      ])
    ),
  ])
  func `rule 37: a value is written as JSON and read back`(
    text: String, type: FieldType, value: Value
  ) throws {
    #expect(try Value.decode(try JSONValue(parsing: text), as: type) == value)
    #expect(Self.text { $0.write(value, as: type) } == text)
  }

  @Test(arguments: [
    ("\"14.2\"", FieldType.decimal(9, 2)), ("14.20", .decimal(9, 2)),
    ("\"12345678.00\"", .decimal(9, 2)), ("2147483648", .int), ("1.5", .long), ("1e39", .float),
    ("\"2017-11-16T22:31:08\"", .timestamptz), ("\"2017-11-16T22:31:08+00:00\"", .timestamp),
    ("\"2017-11-16T22:31:08+01:00\"", .timestamptz), ("\"2017-11-16\"", .timestamp),
    ("\"2017-02-29\"", .date), ("\"24:00:00\"", .time), ("\"22:31:08.1234567\"", .time),
    ("\"2017-11-16T22:31:08.1234567\"", .timestamp), ("\"0102\"", .fixed(4)),
    ("\"010\"", .binary), ("\"f79c3e09677c4bbda4793f349cb785e7\"", .uuid), ("\"1\"", .int),
    ("1", .boolean),
    (
      "{\"keys\":[1],\"values\":[]}",
      .map(
        MapType(
          keyID: FieldID(1), key: .int, valueID: FieldID(2), value: .int, isValueRequired: false))
    ),
    ("\"POINT (1 2)\"", .primitive(.geometry(crs: nil))), ("1", .unknown),
  ])
  func `rule 37: what stands for no value of the type is refused`(
    text: String, type: FieldType
  ) throws {
    let json = try JSONValue(parsing: text)
    #expect(throws: IcebergError.self) { try Value.decode(json, as: type) }
  }

  @Test func `the shortest spellings of a timestamp in UTC are read`() throws {
    for text in ["2017-11-16T22:31:08Z", "2017-11-16T22:31:08+00:00"] {
      #expect(
        try Value.decode(.string(text), as: .timestamptz) == .long(1_510_871_468_000_000))
    }
  }

  @Test func `dates far out have a sign and go both ways`() throws {
    for days in [Int32.min, -1_000_000, -719_529, -719_528, 0, 11_016, 2_932_896, 2_932_897, .max] {
      let text = Value.int(days).text(as: .date)
      #expect(try Value.decode(.string(text), as: .date) == .int(days), "\(text)")
    }
    #expect(Value.int(2_932_897).text(as: .date) == "+10000-01-01")
    #expect(Value.long(.min).text(as: .timestamp) == "-290308-12-21T19:59:05.224192")
  }
}

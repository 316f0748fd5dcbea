// SPDX-License-Identifier: Apache-2.0
import Avro
import JSON
import SeededNumbers
import Testing

@Suite("Avro schemas")
struct AvroSchemaTests {
  @Test func `names are qualified by their namespace and stand for all of their type`() throws {
    // Avro 1.12 specification, "Names": the example of namespaces.
    let schema = try AvroSchema(
      parsing: """
        {"type": "record", "name": "Example", "doc": "A simple name (attribute) and no namespace",
         "fields": [
          {"name": "inheritNull", "type": {"type": "enum", "name": "Simple", "symbols": ["a", "b"]}},
          {"name": "explicitNamespace", "type": {
            "type": "fixed", "name": "Simple", "namespace": "explicit", "size": 12}},
          {"name": "fullName", "type": {
            "type": "record", "name": "a.full.Name", "namespace": "ignored", "fields": [
              {"name": "inheritNamespace", "type": {
                "type": "enum", "name": "Understanding", "symbols": ["d", "e"]}},
              {"name": "again", "type": "Understanding"},
              {"name": "other", "type": "explicit.Simple"}]}}]}
        """)
    let fields = try #require(schema.record?.fields)
    #expect(schema.record?.name == "Example")
    #expect(schema.attributes.first?.key == "doc")
    guard case .enumeration(let simple) = fields[0].schema.kind,
      case .fixed(let explicit) = fields[1].schema.kind,
      case .record(let full) = fields[2].schema.kind,
      case .enumeration(let inherited) = full.fields[1].schema.kind
    else { return #expect(Bool(false), "\(schema)") }
    #expect(simple.name == "Simple" && simple.symbols == ["a", "b"])
    #expect(explicit.name == "explicit.Simple" && explicit.byteCount == 12)
    #expect(full.name == "a.full.Name")
    #expect(inherited.name == "a.full.Understanding")
    #expect(full.fields[2].schema == fields[1].schema)
    #expect(try AvroSchema(parsing: schema.jsonText) == schema)
  }

  @Test func `the attributes that Iceberg needs are kept and told`() throws {
    let text = #"""
      {"type":"record","name":"r","fields":[
        {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true}],"default":null,"field-id":1},
        {"name":"price","type":{"type":"fixed","name":"decimal_9_2","size":4,"logicalType":"decimal","precision":9,"scale":2},"field-id":2},
        {"name":"list","type":{"type":"array","items":"int","element-id":4},"field-id":3,"iceberg-field-name":"l i s t"},
        {"name":"map","type":{"type":"map","values":"string","key-id":6,"value-id":7},"field-id":5},
        {"name":"pairs","type":{"type":"array","items":{"type":"record","name":"k8_v9","fields":[
          {"name":"key","type":"int","field-id":8},{"name":"value","type":"long","field-id":9}]},"logicalType":"map"},"doc":"m","field-id":10}]}
      """#
    let schema = try AvroSchema(parsing: text)
    let fields = try #require(schema.record?.fields)
    #expect(fields.map(\.fieldID) == [1, 2, 3, 5, 10])
    let at = try #require(fields[0].schema.optionalType)
    #expect(at.nullBranch == 0 && at.type.logicalType == .timestampMicros)
    #expect(at.type.adjustsToUTC == true && fields[0].defaultValue == .null)
    #expect(fields[1].schema.logicalType == .decimal(precision: 9, scale: 2))
    #expect(fields[2].schema.elementID == 4)
    #expect(fields[2].attributes.contains(JSONMember("iceberg-field-name", .string("l i s t"))))
    #expect(fields[3].schema.keyID == 6 && fields[3].schema.valueID == 7)
    #expect(fields[4].schema.logicalType == .map)
    #expect(try AvroSchema(parsing: schema.jsonText) == schema)
  }

  @Test func `a logical type that does not fit its type is passed over`() throws {
    for text in [
      #"{"type":"int","logicalType":"decimal","precision":4}"#,
      #"{"type":"bytes","logicalType":"decimal"}"#,
      #"{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}"#,
      #"{"type":"bytes","logicalType":"decimal","precision":0}"#,
      #"{"type":"long","logicalType":"date"}"#, #"{"type":"int","logicalType":"from-the-future"}"#,
    ] {
      let schema = try AvroSchema(parsing: text)
      #expect(schema.logicalType == nil, "\(text)")
      #expect(try JSONValue(parsing: text) == schema.json)
    }
    let date = try AvroSchema(parsing: #"{"type":{"type":"int","logicalType":"date"}}"#)
    #expect(date.logicalType == .date)
  }

  @Test func `names that Avro does not allow are written in letters, digits and underscores`() {
    for (name, sanitized) in [
      ("plain_1", "plain_1"), ("9x", "_9x"), ("a.b", "a_x2Eb"), ("\u{e9}", "_xE9"), ("", "_"),
      ("a b#", "a_x20b_x23"), ("\u{1F60E}", "_xD83D_xDE0E"), ("99", "_99"),
    ] {
      #expect(AvroName.sanitized(name) == sanitized)
      #expect(AvroName.isValid(name) == (name == sanitized))
      #expect(AvroName.isValid(sanitized))
    }
  }

  @Test func `built schemas are written as Iceberg writes them`() throws {
    let schema = AvroSchema.record(
      "manifest_entry",
      [
        AvroField("status", .int, id: 0),
        .optional("snapshot_id", .long, id: 1, doc: "when"),
        .optional("ids", .array(.int, elementID: 136), id: 135),
        AvroField("at", AvroSchema.long.with("logicalType", .string("timestamp-micros")), id: 9),
      ])
    #expect(
      schema.jsonText
        == #"{"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0},"#
        + #"{"name":"snapshot_id","type":["null","long"],"default":null,"doc":"when","field-id":1},"#
        + #"{"name":"ids","type":["null",{"type":"array","items":"int","element-id":136}],"default":null,"field-id":135},"#
        + #"{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"},"field-id":9}]}"#)
  }

  static let invalid: [(String, AvroSchemaDefect)] = [
    (#""strange""#, .unknownType("strange")),
    (#"{"type":"strange"}"#, .unknownType("strange")),
    ("{}", .badAttribute("type")), ("1", .badAttribute("type")), ("[]", .badAttribute("type")),
    (#"["null",["int"]]"#, .badAttribute("type")),
    (#"["int","int"]"#, .duplicate("int")),
    (#"[{"type":"array","items":"int"},{"type":"array","items":"long"}]"#, .duplicate("array")),
    (#"{"type":"array"}"#, .badAttribute("items")),
    (#"{"type":"map"}"#, .badAttribute("values")),
    (#"{"type":"fixed","name":"f"}"#, .badAttribute("size")),
    (#"{"type":"fixed","name":"f","size":-1}"#, .badAttribute("size")),
    (#"{"type":"fixed","name":"f","size":2147483648}"#, .badAttribute("size")),
    (#"{"type":"fixed","size":1}"#, .badAttribute("name")),
    (#"{"type":"enum","name":"e"}"#, .badAttribute("symbols")),
    (#"{"type":"enum","name":"e","symbols":["a",1]}"#, .badAttribute("symbols")),
    (#"{"type":"enum","name":"e","symbols":["a","a"]}"#, .duplicate("a")),
    (#"{"type":"enum","name":"e","symbols":["a"],"default":"b"}"#, .badAttribute("default")),
    (#"{"type":"record","name":"r"}"#, .badAttribute("fields")),
    (#"{"type":"record","name":"r","fields":[{"name":"a"}]}"#, .badAttribute("fields")),
    (#"{"type":"record","name":"r","fields":[{"type":"int"}]}"#, .badAttribute("fields")),
    (
      #"{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
      .duplicate("a")
    ),
    (
      #"{"type":"record","name":"n.r","fields":[{"name":"a","type":["null","r"]}]}"#,
      .recursive("n.r")
    ),
    (
      #"[{"type":"fixed","name":"f","size":1},{"type":"fixed","name":"f","size":1}]"#,
      .duplicate("f")
    ),
  ]

  @Test(arguments: invalid)
  func `what is no schema is refused for what is wrong`(text: String, defect: AvroSchemaDefect) {
    let error = #expect(throws: AvroError.self) { try AvroSchema(parsing: text) }
    guard case .invalidSchema(_, let found) = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
    #expect(found == defect)
  }

  @Test func `text that is no JSON, or too much of it, is refused`() {
    #expect(throws: AvroError.self) { try AvroSchema(parsing: #"{"type":"int","type":"long"}"#) }
    let long = #"{"type":"int","doc":""# + String(repeating: "x", count: 1 << 20) + "\"}"
    #expect(
      throws: AvroError.limitExceeded(
        what: "schema size", value: Int64(long.utf8.count), limit: 1 << 20)
    ) { try AvroSchema(parsing: long) }
  }

  @Test func `types nest to the limit, through names too, and not beyond`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"type":"array","items":"#, count: depth - 1) + "\"int\""
        + String(repeating: "}", count: depth - 1)
    }
    #expect(try AvroSchema(parsing: nested(64)).typeName == .array)
    #expect(throws: AvroError.self) { try AvroSchema(parsing: nested(65)) }
    // Each record has a field of the one before: no part of the text nests.
    func chain(_ count: Int) -> String {
      let first = #"{"type":"record","name":"r0","fields":[]}"#
      let rest = (1..<count).map {
        #"{"type":"record","name":"r\#($0)","fields":[{"name":"f","type":"r\#($0 - 1)"}]}"#
      }
      return "[" + ([first] + rest).joined(separator: ",") + "]"
    }
    #expect(throws: Never.self) { try AvroSchema(parsing: chain(63)) }
    #expect(throws: AvroError.self) { try AvroSchema(parsing: chain(64)) }
  }

  @Test func `names that multiply each other do not explode`() {
    let first = #"{"type":"record","name":"r0","fields":[]}"#
    let rest = (1..<40).map { index in
      let fields = (0..<10).map { #"{"name":"f\#($0)","type":"r\#(index - 1)"}"# }
      return #"{"type":"record","name":"r\#(index)","fields":[\#(fields.joined(separator: ","))]}"#
    }
    let bomb = "[" + ([first] + rest).joined(separator: ",") + "]"
    let error = #expect(throws: AvroError.self) { try AvroSchema(parsing: bomb) }
    #expect(error == .invalidSchema(path: "5", .tooLarge(limit: 100_000)))
  }

  @Test func `random schemas come back from their JSON`() throws {
    var generator = AvroGenerator(11)
    for _ in 0..<500 {
      let schema = generator.schema()
      let text = schema.jsonText
      #expect(try AvroSchema(parsing: text) == schema, "\(text), seed \(generator.random.seed)")
    }
  }
}

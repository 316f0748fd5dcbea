// SPDX-License-Identifier: Apache-2.0
import Iceberg
import JSON
import Testing

@Suite("Name mappings")
struct NameMappingTests {
  /// The specification's example.
  static let example = """
    [{"field-id":1,"names":["id","record_id"]},{"field-id":2,"names":["data"]},\
    {"field-id":3,"names":["location"],"fields":[\
    {"field-id":4,"names":["latitude","lat"]},{"field-id":5,"names":["longitude","long"]}]}]
    """

  @Test func `the specification's example is read, asked and written`() throws {
    let mapping = try NameMapping(json: Self.example)
    #expect(mapping.fieldID(at: ["record_id"]) == FieldID(1))
    #expect(mapping.fieldID(at: ["location", "lat"]) == FieldID(4))
    #expect(mapping.fieldID(at: ["location"]) == FieldID(3))
    #expect(mapping.fieldID(at: ["lat"]) == nil)
    #expect(mapping.fieldID(at: ["location", "lat", "x"]) == nil)
    #expect(mapping.fieldID(at: []) == nil)
    #expect(SchemaJSONTests.text { mapping.write(to: &$0) } == Self.example)
  }

  @Test func `rule 100: a dot in a name is a dot`() throws {
    let mapping = try NameMapping(
      json: #"[{"field-id":1,"names":["a.b"]},{"names":["extra"]},{"field-id":2,"names":[]}]"#)
    #expect(mapping.fieldID(at: ["a.b"]) == FieldID(1))
    #expect(mapping.fieldID(at: ["a", "b"]) == nil)
    #expect(mapping.fieldID(at: ["extra"]) == nil)
  }

  @Test func `rule 100: lists have an element, maps a key and a value`() throws {
    let schema = try Schema("l list<struct<x: int>>, m map<string, list<int>>")
    let mapping = NameMapping(of: schema)
    for field in schema.allFields {
      let path = schema.name(of: field.id)!.split(separator: ".").map(String.init)
      #expect(mapping.fieldID(at: path) == field.id, "\(path)")
    }
    #expect(try NameMapping(json: SchemaJSONTests.text { mapping.write(to: &$0) }) == mapping)
  }

  @Test(arguments: [
    "", "{}", "[1]", "[{}]", #"[{"names":"a"}]"#, #"[{"names":[1]}]"#,
    #"[{"names":["a"],"field-id":"1"}]"#, #"[{"names":["a","a"]}]"#,
    #"[{"names":["a"]},{"names":["a"]}]"#, #"[{"names":["a"],"fields":{}}]"#,
    #"[{"names":["a"],"field-id":1},{"names":["b"],"field-id":1}]"#,
    #"[{"names":["a"],"fields":[{"names":["x"]},{"names":["x"]}]}]"#,
  ])
  func `what is no mapping is refused`(text: String) {
    #expect(throws: IcebergError.self) { try NameMapping(json: text) }
  }

  @Test func `a mapping follows its table's schema`() throws {
    let schema = try Schema("id long, data string, loc struct<lat: double>")
    let mapping = NameMapping(of: schema)
    var evolution = SchemaEvolution(
      of: schema, lastFieldID: schema.highestFieldID, version: .v2, specs: [],
      defaultSpec: .unpartitioned, sortOrder: .unsorted)
    try evolution.rename("id", to: "key")
    try evolution.rename("loc.lat", to: "north")
    try evolution.drop("data")
    try evolution.add("id", type: .string)
    try evolution.add("east", type: .double, to: "loc")
    let updated = mapping.updated(for: evolution.schema)
    #expect(updated.fieldID(at: ["key"]) == FieldID(1))
    #expect(updated.fieldID(at: ["id"]) == evolution.schema.field(named: "id")?.id)
    #expect(updated.fieldID(at: ["data"]) == FieldID(2))
    #expect(updated.fieldID(at: ["loc", "lat"]) == FieldID(4))
    #expect(updated.fieldID(at: ["loc", "north"]) == FieldID(4))
    #expect(updated.fieldID(at: ["loc", "east"]) == FieldID(6))
    #expect(try NameMapping(updated.entries) == updated)
  }
}

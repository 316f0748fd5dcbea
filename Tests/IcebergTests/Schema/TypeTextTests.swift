// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Testing

@Suite("Type and schema text")
struct TypeTextTests {
  @Test(arguments: [
    ("boolean", PrimitiveType.boolean), ("int", .int), ("long", .long), ("float", .float),
    ("double", .double), ("date", .date), ("time", .time), ("timestamp", .timestamp),
    ("timestamptz", .timestamptz), ("timestamp_ns", .timestampNs),
    ("timestamptz_ns", .timestamptzNs), ("string", .string), ("uuid", .uuid),
    ("fixed[16]", .fixed(16)), ("binary", .binary), ("variant", .variant), ("unknown", .unknown),
    ("decimal(9, 2)", .decimal(precision: 9, scale: 2)),
    ("geometry(srid:4326)", .geometry(crs: "srid:4326")), ("geometry", .geometry(crs: nil)),
    ("geography", .geography(crs: nil, algorithm: nil)),
    ("geography(srid:4326)", .geography(crs: "srid:4326", algorithm: nil)),
    (
      "geography(projjson:some.key, karney)",
      .geography(crs: "projjson:some.key", algorithm: "karney")
    ),
  ])
  func `rule 38: a type is written in its canonical form and read back`(
    text: String, type: PrimitiveType
  ) throws {
    #expect(type.description == text)
    #expect(try PrimitiveType(text) == type)
  }

  @Test(arguments: [
    ("decimal(9,2)", PrimitiveType.decimal(precision: 9, scale: 2)),
    (" decimal( 9 , 2 ) ", .decimal(precision: 9, scale: 2)), ("fixed[ 4 ]", .fixed(4)),
    ("geometry(OGC:CRS84)", .geometry(crs: nil)),
    ("geography(OGC:CRS84,spherical)", .geography(crs: nil, algorithm: nil)),
    ("geography(srid:4326,vincenty)", .geography(crs: "srid:4326", algorithm: "vincenty")),
  ])
  func `rule 38: other spellings of a type are read too`(text: String, type: PrimitiveType) throws {
    #expect(try PrimitiveType(text) == type)
  }

  @Test(arguments: [
    "", "int32", "decimal", "decimal(39,2)", "decimal(0,0)", "decimal(9)", "fixed", "fixed[0]",
    "fixed[-1]", "fixed[99999999999999999999]", "int int", "geography(srid:1, flat)", "list<int>",
    "bigint", "decimal(9,2", "geometry()",
  ])
  func `what is no type is refused`(text: String) {
    #expect(throws: IcebergError.self) { try PrimitiveType(text) }
  }

  @Test func `ids are given to one structure after the other, the top level first`() throws {
    let schema = try Schema(
      "id long not null, ts timestamptz, tags list<string>, m map<string,long>, "
        + "s struct<a: int, b: string>, \"odd name\" decimal(9,2) comment 'it''s odd'")
    #expect(
      schema.allFields.map { schema.name(of: $0.id) ?? "" } == [
        "id", "ts", "tags", "tags.element", "m", "m.key", "m.value", "s", "s.a", "s.b", "odd name",
      ])
    #expect(schema.fields.map(\.id.rawValue) == [1, 2, 3, 4, 5, 6])
    #expect(schema.allFields.map(\.id.rawValue) == [1, 2, 3, 7, 4, 8, 9, 5, 10, 11, 6])
    #expect(schema.field(named: "id")?.isRequired == true)
    #expect(schema.field(named: "ts")?.type == .timestamptz)
    #expect(schema.field(named: "odd name")?.doc == "it's odd")
    #expect(schema.field(named: "s")?.type.description == "struct<a: int, b: string>")
  }

  @Test func `keys become required, with the structures around them`() throws {
    let schema = try Schema("id long, s struct<k: string, v: int>", key: ["ID", "s.k"])
    #expect(schema.identifierFieldIDs.map(\.rawValue) == [1, 3])
    #expect(schema.field(named: "id")?.isRequired == true)
    #expect(schema.field(named: "s")?.isRequired == true)
    #expect(schema.field(named: "s.k")?.isRequired == true)
    #expect(schema.field(named: "s.v")?.isRequired == false)
    #expect(throws: IcebergError.self) { try Schema("id double", key: ["id"]) }
    #expect(throws: IcebergError.unknownField("'x'", in: "the schema, as a key")) {
      try Schema("id long", key: ["x"])
    }
  }

  @Test(arguments: [
    ("", 0), ("id", 2), ("id long,", 8), ("id long not", 11), ("id long; x int", 7),
    ("id list<int", 11), ("id struct<a int", 15), ("id 'long'", 3), ("id bogus", 3),
  ])
  func `an error in a schema names its place`(text: String, offset: Int) {
    let error = #expect(throws: IcebergError.self) { try Schema(text) }
    guard case .syntax(_, let found, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == offset)
  }

  @Test func `deep nesting is refused, not followed`() {
    let text = "a " + String(repeating: "list<", count: 10_000) + "int"
    #expect(throws: IcebergError.unsupported("a type nested deeper than 64 levels")) {
      try Schema(text)
    }
  }

  @Test func `duplicate names and ids are refused`() {
    #expect(throws: IcebergError.self) { try Schema("a int, a long") }
    #expect(throws: IcebergError.self) {
      try Schema(fields: [
        Field(id: FieldID(1), name: "a", type: .int, isRequired: false),
        Field(id: FieldID(1), name: "b", type: .int, isRequired: false),
      ])
    }
  }
}

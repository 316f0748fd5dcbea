// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Testing

@Suite("Schema evolution")
struct SchemaEvolutionTests {
  static let text = """
    id long not null, i int, f float, n decimal(9,2), d date, name string,
    addr struct<street: string, zip: int not null>, tags list<int>,
    pts list<struct<x: int not null, y: double>>, m map<struct<k: int>, struct<v: float>>
    """

  static func evolution(
    _ version: FormatVersion = .v3, spec: String = "", order: String = "", key: [String] = []
  ) throws -> SchemaEvolution {
    let schema = try Schema(text, key: key)
    let spec = try PartitionSpec(spec, schema: schema)
    return SchemaEvolution(
      of: schema, lastFieldID: FieldID(100), version: version, specs: [spec], defaultSpec: spec,
      sortOrder: try SortOrder(order, schema: schema))
  }

  @Test func `new fields get ids above all the table ever had`() throws {
    var evolution = try Self.evolution()
    try evolution.add("a", type: .string)
    try evolution.add(
      "s", type: try Schema("s struct<p: int, q: list<int>>").fields[0].type, doc: "what")
    try evolution.add("city", type: .string, to: "addr")
    try evolution.add("z", type: .double, to: "pts")
    try evolution.add("w", type: .int, to: "m.value")
    let schema = evolution.schema
    func id(_ name: String) -> Int32? { schema.field(named: name)?.id.rawValue }
    #expect(["a", "s", "s.p", "s.q", "s.q.element"].map(id) == [101, 102, 103, 104, 105])
    #expect(id("addr.city") == 106)
    #expect(id("pts.element.z") == 107)
    #expect(id("m.value.w") == 108)
    #expect(evolution.lastFieldID == FieldID(108))
    #expect(schema.field(named: "s")?.doc == "what")
    #expect(schema.fields.last?.name == "s")
  }

  @Test func `rule 39: defaults need v3, and required columns need defaults`() throws {
    var evolution = try Self.evolution()
    try evolution.add("r", type: .int, isRequired: true, default: .int(5))
    #expect(evolution.schema.field(named: "r")?.initialDefault == .int(5))
    #expect(evolution.schema.field(named: "r")?.writeDefault == .int(5))
    try evolution.setWriteDefault(of: "r", to: .int(6))
    #expect(evolution.schema.field(named: "r")?.initialDefault == .int(5))
    #expect(evolution.schema.field(named: "r")?.writeDefault == .int(6))
    let before = evolution.schema
    let refused: [(inout SchemaEvolution) throws -> Void] = [
      { try $0.add("x", type: .int, isRequired: true) },
      { try $0.add("x", type: .int, default: .string("5")) },
      { try $0.add("x", type: .fixed(2), default: .bytes([1])) },
      { try $0.add("x", type: .decimal(3, 1), default: .decimal(1000)) },
      { try $0.add("x", type: .unknown, default: .int(1)) },
      { try $0.add("x", type: .unknown, isRequired: true) },
      { try $0.add("x", type: .variant, default: .bytes([1])) },
      { try $0.add("x", type: .primitive(.geometry(crs: nil)), default: .bytes([1])) },
      {
        try $0.add(
          "x", type: try Schema("x struct<a: int>").fields[0].type,
          default: .structure([FieldID(1): .int(1)]))
      },
      {
        try $0.add(
          "x", type: try Schema("x struct<a: int not null>").fields[0].type,
          default: .structure([:]))
      },
      { try $0.setWriteDefault(of: "r", to: nil) },
      { try $0.setWriteDefault(of: "r", to: .long(1)) },
    ]
    for (index, change) in refused.enumerated() {
      #expect(throws: IcebergError.self, "change \(index)") { try change(&evolution) }
    }
    #expect(evolution.schema == before)
    var old = try Self.evolution(.v2)
    #expect(throws: IcebergError.self) { try old.add("x", type: .int, default: .int(1)) }
    #expect(throws: IcebergError.self) { try old.add("x", type: .timestampNs) }
    #expect(throws: IcebergError.self) {
      try old.add(
        "x",
        type: .list(
          ListType(elementID: FieldID(0), element: .variant, isElementRequired: false)))
    }
    try old.add("x", type: .int)
    #expect(old.lastFieldID == FieldID(101))
  }

  @Test func `rule 40: a structure's default is filled in from its fields`() throws {
    let x = Field(
      id: FieldID(2), name: "x", type: .int, isRequired: false, initialDefault: .int(0),
      writeDefault: .int(1))
    let y = Field(
      id: FieldID(3), name: "y", type: .int, isRequired: false, initialDefault: .int(0))
    func point(_ value: Value?) -> Field {
      Field(
        id: FieldID(1), name: "point", type: .structure(StructType([x, y])), isRequired: false,
        initialDefault: value, writeDefault: value)
    }
    #expect(point(nil).effectiveInitialDefault == nil)
    #expect(
      point(.structure([:])).effectiveInitialDefault
        == .structure([FieldID(2): .int(0), FieldID(3): .int(0)]))
    #expect(
      point(.structure([:])).effectiveWriteDefault
        == .structure([FieldID(2): .int(1), FieldID(3): nil]))
    for value in [nil, Value.structure([:])] {
      #expect(
        point(value).filledWithInitialDefaults([FieldID(2): .int(3)])
          == [FieldID(2): .int(3), FieldID(3): .int(0)])
      #expect(
        point(value).filledWithInitialDefaults([FieldID(3): .int(-1)])
          == [FieldID(2): .int(0), FieldID(3): .int(-1)])
    }
  }

  @Test func `fields are dropped, renamed and moved`() throws {
    var evolution = try Self.evolution()
    try evolution.drop("i")
    try evolution.drop("addr.street")
    try evolution.rename("NAME", to: "title")
    try evolution.rename("pts.element.x", to: "east")
    try evolution.move("title", to: .first)
    try evolution.move("d", to: .after("id"))
    try evolution.move("pts.element.y", to: .before("pts.element.east"))
    try evolution.add("i", type: .string)
    try evolution.makeOptional("addr.zip")
    try evolution.setDoc(of: "f", to: "a number")
    #expect(
      evolution.schema.fields.map(\.name)
        == ["title", "id", "d", "f", "n", "addr", "tags", "pts", "m", "i"])
    #expect(evolution.schema.field(named: "title")?.id == FieldID(6))
    #expect(evolution.schema.field(named: "i")?.id == FieldID(101))
    #expect(
      evolution.schema.field(named: "pts")?.type.description
        == "list<struct<y: double, east: int not null>>")
    #expect(evolution.schema.field(named: "addr")?.type.description == "struct<zip: int>")
    #expect(evolution.schema.field(named: "f")?.doc == "a number")
    try evolution.setDoc(of: "f", to: nil)
    #expect(evolution.schema.field(named: "f")?.doc == nil)
  }

  @Test func `types are only widened`() throws {
    var evolution = try Self.evolution()
    try evolution.changeType(of: "i", to: .long)
    try evolution.changeType(of: "f", to: .double)
    try evolution.changeType(of: "n", to: .decimal(precision: 18, scale: 2))
    try evolution.changeType(of: "d", to: .timestamp)
    try evolution.changeType(of: "tags.element", to: .long)
    try evolution.changeType(of: "m.value.v", to: .double)
    #expect(evolution.schema.field(named: "tags")?.type.description == "list<long>")
    #expect(
      evolution.schema.field(named: "m")?.type.description
        == "map<struct<k: int>, struct<v: double>>")
    for (from, to, version) in [
      (PrimitiveType.long, PrimitiveType.int, FormatVersion.v3), (.int, .string, .v3),
      (.int, .double, .v3), (.double, .float, .v3), (.date, .timestamptz, .v3),
      (.date, .timestamptzNs, .v3), (.date, .timestamp, .v2), (.timestamp, .timestampNs, .v3),
      (.decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 3), .v3),
      (.decimal(precision: 9, scale: 2), .decimal(precision: 8, scale: 2), .v3),
      (.fixed(4), .fixed(5), .v3), (.unknown, .int, .v2), (.string, .binary, .v3),
    ] { #expect(!from.canBePromoted(to: to, version: version), "\(from) to \(to)") }
    #expect(PrimitiveType.unknown.canBePromoted(to: .variant, version: .v3))
  }

  @Test func `a widened column takes its defaults along`() throws {
    var evolution = try Self.evolution()
    try evolution.add("x", type: .int, default: .int(7))
    try evolution.changeType(of: "x", to: .long)
    #expect(evolution.schema.field(named: "x")?.initialDefault == .long(7))
    try evolution.add("far", type: .date, default: .int(.max))
    #expect(throws: IcebergError.self) { try evolution.changeType(of: "far", to: .timestampNs) }
  }

  @Test func `rule 16: a partitioned column keeps a type its partitions depend on`() throws {
    for transform in ["d", "day(d)", "year(d)", "bucket(4, d)"] {
      var evolution = try Self.evolution(spec: transform)
      #expect(throws: IcebergError.self, "\(transform)") {
        try evolution.changeType(of: "d", to: .timestamp)
      }
    }
    var void = try Self.evolution(spec: "void(d)")
    try void.changeType(of: "d", to: .timestamp)
    for transform in ["i", "bucket(4, i)", "truncate(4, i)"] {
      var evolution = try Self.evolution(spec: transform)
      try evolution.changeType(of: "i", to: .long)
    }
    // Of any spec of the table, not just the default one.
    let schema = try Schema(Self.text)
    let old = try PartitionSpec("day(d)", schema: schema)
    var evolution = SchemaEvolution(
      of: schema, lastFieldID: FieldID(20), version: .v3, specs: [old, .unpartitioned],
      defaultSpec: .unpartitioned, sortOrder: .unsorted)
    #expect(throws: IcebergError.self) { try evolution.changeType(of: "d", to: .timestamp) }
    try evolution.drop("d")
  }

  @Test func `what the format forbids is refused and changes nothing`() throws {
    var evolution = try Self.evolution(
      spec: "bucket(4, name)", order: "f", key: ["id", "addr.zip"])
    let before = evolution.schema
    let refused: [(String, (inout SchemaEvolution) throws -> Void)] = [
      ("key", { try $0.drop("id") }), ("around a key", { try $0.drop("addr") }),
      ("partitioned", { try $0.drop("name") }), ("sorted", { try $0.drop("f") }),
      ("element", { try $0.drop("tags.element") }), ("map value", { try $0.drop("m.value") }),
      ("in a map key", { try $0.drop("m.key.k") }), ("last field", { try $0.drop("m.value.v") }),
      ("unknown", { try $0.drop("nope") }), ("taken", { try $0.rename("i", to: "f") }),
      ("no name", { try $0.rename("i", to: "") }),
      ("element's name", { try $0.rename("tags.element", to: "x") }),
      ("map key's field", { try $0.rename("m.key.k", to: "x") }),
      ("taken", { try $0.add("i", type: .int) }),
      ("no struct", { try $0.add("x", type: .int, to: "i") }),
      ("list of ints", { try $0.add("x", type: .int, to: "tags") }),
      ("map key", { try $0.add("x", type: .int, to: "m.key") }),
      ("map key type", { try $0.changeType(of: "m.key.k", to: .long) }),
      ("struct type", { try $0.changeType(of: "addr", to: .long) }),
      ("narrower", { try $0.changeType(of: "id", to: .int) }),
      ("key optional", { try $0.makeOptional("id") }),
      ("around a key optional", { try $0.makeOptional("addr") }),
      ("required", { try $0.makeRequired("i") }), ("optional key", { try $0.setKey(["i"]) }),
      ("unknown key", { try $0.setKey(["nope"]) }),
      ("elsewhere", { try $0.move("i", to: .after("addr.zip")) }),
      ("element", { try $0.move("tags.element", to: .first) }),
    ]
    for (what, change) in refused {
      #expect(throws: IcebergError.self, "\(what)") { try change(&evolution) }
      #expect(evolution.schema == before, "\(what)")
    }
    try evolution.makeRequired("id")
    try evolution.setKey(["id"])
    #expect(evolution.schema.identifierFieldIDs == [FieldID(1)])
    try evolution.setKey([])
    try evolution.makeOptional("id")
  }

  @Test func `union by name adds, widens and loosens, and never narrows`() throws {
    var evolution = try Self.evolution()
    let other = try Schema(
      """
      new string not null, i long, id int, f double, n decimal(12,2), un int,
      addr struct<zip: long, city: string not null>, tags list<long>,
      pts list<struct<x: int, z: float>>, m map<struct<k: int>, struct<v: double, w: int>>
      """)
    try evolution.union(byName: other)
    let schema = evolution.schema
    func type(_ name: String) -> String? { schema.field(named: name)?.type.description }
    #expect(type("i") == "long")
    #expect(type("id") == "long")
    #expect(schema.field(named: "id")?.isRequired == false)
    #expect(type("f") == "double")
    #expect(type("n") == "decimal(12, 2)")
    #expect(schema.field(named: "new")?.isRequired == false)
    #expect(type("addr") == "struct<street: string, zip: long, city: string>")
    #expect(type("tags") == "list<long>")
    #expect(type("pts") == "list<struct<x: int, y: double, z: float>>")
    #expect(type("m") == "map<struct<k: int>, struct<v: double, w: int>>")
    #expect(schema.field(named: "name") != nil)
    let again = evolution.schema
    try evolution.union(byName: other)
    #expect(evolution.schema == again)
    for bad in [
      "i string", "addr int", "tags struct<a: int>", "name int",
      "m map<struct<k: long>, struct<v: float>>",
    ] {
      let schema = try Schema("fresh int, " + bad)
      #expect(throws: IcebergError.self, "\(bad)") { try evolution.union(byName: schema) }
      #expect(evolution.schema == again, "\(bad)")
    }
    var keyed = try Self.evolution(key: ["id"])
    try keyed.union(byName: try Schema("id long"))
    #expect(keyed.schema.field(named: "id")?.isRequired == true)
  }
}

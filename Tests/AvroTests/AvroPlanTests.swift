// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import JSON
import SeededNumbers
import Testing

@Suite("Avro plans: some fields of a record, by their Iceberg ids")
struct AvroPlanTests {
  @Test(arguments: ["partitioned_v2", "deletion_vectors_v3"])
  func `wanted fields of manifest entries are read, all others passed`(name: String) throws {
    let file = try Fixtures.bytes("manifests/\(name).avro")
    let expected = try readAll(file)
    #expect(!expected.isEmpty)
    var reader = try AvroFileReader(file)
    let plan = try AvroPlan(
      reader.header.schema,
      wanted: [
        .int(0), .long(1), .int(134), .string(100), .record(102), .long(103), .map(9999),
        .array(125), .string(143), .long(144),
      ])
    let bounds = try AvroPlan(
      try #require(plan.schema(ofField: 125)?.itemSchema), wanted: [.int(126), .bytes(127)])
    let partition = AvroRecordLayout(try #require(plan.schema(ofField: 102)?.record))
    #expect(plan.missing == (name == "partitioned_v2" ? [9999, 144] : [9999]))
    let isDeletes = name == "deletion_vectors_v3"
    #expect(isDeletes == (plan.schema(ofField: 144) != nil))

    var rows: [AvroValue] = []
    while let block = try reader.nextBlock() {
      var decoder = AvroDecoder(block.bytes.bytes)
      for _ in 0..<block.recordCount {
        var entries: [AvroValue.Entry] = []
        var at = AvroPlan.Position()
        while let field = try decoder.nextField(of: plan, at: &at) {
          let value: AvroValue
          switch field.id {
          case 0, 134: value = .int(try decoder.readInt())
          case 1, 103, 144: value = .long(try decoder.readLong())
          case 100, 143: value = .string(try decoder.readString())
          case 102: value = try readTuple(&decoder, partition)
          default: value = try readPairs(&decoder, bounds)
          }
          entries.append(AvroValue.Entry("\(field.id)", value))
        }
        rows.append(.record(entries))
      }
      try decoder.finish()
    }
    #expect(rows == expected.map(picked))
  }

  /// The same fields, picked from a whole record by name.
  func picked(_ entry: AvroValue) -> AvroValue {
    let file = entry["data_file"]
    let parts: [(String, AvroValue?)] = [
      ("0", entry["status"]), ("1", entry["snapshot_id"]), ("134", file?["content"]),
      ("100", file?["file_path"]), ("102", file?["partition"]), ("103", file?["record_count"]),
      ("125", file?["lower_bounds"]), ("143", file?["referenced_data_file"]),
      ("144", file?["content_offset"]),
    ]
    return .record(
      parts.compactMap { name, value in
        value.flatMap { $0 == .null ? nil : AvroValue.Entry(name, $0) }
      })
  }

  func readTuple(
    _ decoder: inout AvroDecoder, _ layout: AvroRecordLayout
  ) throws -> AvroValue {
    var entries: [AvroValue.Entry] = []
    for field in layout.fields {
      let isPresent = try decoder.readIsPresent(field)
      let value = isPresent ? try decoder.readValue(field.schema) : .null
      let branch = field.nullBranch.map { isPresent ? 1 - $0 : $0 }
      entries.append(
        AvroValue.Entry(field.name, branch.map { .union(index: $0, value) } ?? value))
    }
    return .record(entries)
  }

  func readPairs(_ decoder: inout AvroDecoder, _ plan: AvroPlan) throws -> AvroValue {
    var pairs: [AvroValue] = []
    while case let count = try decoder.readBlockCount(elementByteCount: plan.minimumByteCount),
      count > 0
    {
      for _ in 0..<count {
        var key = AvroValue.null
        var value = AvroValue.null
        var at = AvroPlan.Position()
        while let field = try decoder.nextField(of: plan, at: &at) {
          if field.id == 126 {
            key = .int(try decoder.readInt())
          } else {
            value = .bytes(try decoder.readBytes().array())
          }
        }
        pairs.append(.record([.init("key", key), .init("value", value)]))
      }
    }
    return .array(pairs)
  }

  @Test func `random choices of fields of random records are read as from the whole`() throws {
    var generator = AvroGenerator(31)
    for _ in 0..<500 {
      let schema = nested(&generator)
      let value = generator.value(schema)
      var all: [(id: Int32, schema: AvroSchema, value: AvroValue)] = []
      collect(schema, value, &all)
      let wanted = all.filter { _ in generator.random.below(3) == 0 }
      let plan = try AvroPlan(schema, wanted: wanted.map { .any($0.id) })
      let bytes = try encoded { encoder in
        try encoder.write(value, as: schema)
        try encoder.write(value, as: schema)
      }
      var decoder = AvroDecoder(bytes.bytes)
      for _ in 0..<2 {
        var found: [Int32: AvroValue] = [:]
        var at = AvroPlan.Position()
        while let field = try decoder.nextField(of: plan, at: &at) {
          found[field.id] = try decoder.readValue(plan.schema(of: field))
        }
        var expected: [Int32: AvroValue] = [:]
        // A field inside a wanted record is read with it, or not at all.
        for part in wanted where part.value != .null && !plan.missing.contains(part.id) {
          expected[part.id] = part.value
        }
        #expect(found == expected, "\(schema.jsonText), seed \(generator.random.seed)")
      }
      try decoder.finish()
    }
  }

  /// A record of records, optional or not, with ids that differ.
  func nested(_ generator: inout AvroGenerator) -> AvroSchema {
    var id: Int32 = 0
    func record(_ depth: Int) -> AvroSchema {
      .record(
        "r\(id)",
        (0..<1 + generator.random.below(5)).map { index in
          id += 1
          let own = id
          var type: AvroSchema
          if depth < 3, generator.random.below(3) == 0 {
            type = record(depth + 1)
          } else {
            repeat {
              type = generator.schema(depth: 3)
            } while [.union, .null].contains(
              type.typeName)
          }
          switch generator.random.below(3) {
          case 0: type = .optional(type)
          case 1: type = AvroSchema(.union([type, .null]))
          default: break
          }
          return AvroField("f\(index)", type, id: own)
        })
    }
    return record(0)
  }

  /// All fields with their values, null where a record around them is.
  func collect(
    _ schema: AvroSchema, _ value: AvroValue?,
    _ all: inout [(id: Int32, schema: AvroSchema, value: AvroValue)]
  ) {
    for field in schema.record?.fields ?? [] {
      let type = field.schema.optionalType?.type ?? field.schema
      let part = value?[field.name] ?? .null
      all.append((field.fieldID ?? -1, type, part))
      if type.record != nil { collect(type, part == .null ? nil : part, &all) }
    }
  }

  @Test func `a record of nothing but the wanted fields, in order, can be read straight`() throws {
    let pair = AvroSchema.record(
      "k126_v127", [AvroField("key", .int, id: 126), AvroField("value", .bytes, id: 127)])
    #expect(try AvroPlan(pair, wanted: [.int(126), .bytes(127)]).isStraight)
    #expect(try !AvroPlan(pair, wanted: [.bytes(127), .int(126)]).isStraight)
    #expect(try !AvroPlan(pair, wanted: [.int(126)]).isStraight)
    #expect(try !AvroPlan(pair, wanted: [.int(126), .bytes(127), .int(1)]).isStraight)
    let optional = AvroSchema.record(
      "r", [AvroField("key", .int, id: 126), .optional("value", .bytes, id: 127)])
    #expect(try !AvroPlan(optional, wanted: [.int(126), .bytes(127)]).isStraight)
  }

  @Test func `a field of a type that can't be read as asked is refused beforehand`() throws {
    let schema = AvroSchema.record(
      "r",
      [
        AvroField("a", .int, id: 1), .optional("b", .string, id: 2),
        AvroField("c", .record("s", [AvroField("d", .float, id: 4)]), id: 3),
      ])
    _ = try AvroPlan(schema, wanted: [.long(1), .bytes(2), .any(4)])
    #expect(throws: AvroError.unresolvable(path: "a", expected: "string or bytes", found: "int")) {
      try AvroPlan(schema, wanted: [.string(1)])
    }
    #expect(throws: AvroError.unresolvable(path: "c.d", expected: "double", found: "float")) {
      try AvroPlan(schema, wanted: [.double(4)])
    }
    #expect(throws: AvroError.self) { try AvroPlan(.long, wanted: []) }
    let twice = AvroSchema.record(
      "r",
      [AvroField("a", .int, id: 1), AvroField("b", .record("s", [AvroField("c", .int, id: 1)]))])
    #expect(throws: AvroError.invalidSchema(path: "", .duplicate("field-id 1"))) {
      try AvroPlan(twice, wanted: [.int(1)])
    }
  }
}

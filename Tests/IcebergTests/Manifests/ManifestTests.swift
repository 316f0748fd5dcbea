// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import JSON
import Testing

@testable import Iceberg

@Suite("Manifests")
struct ManifestTests {
  static let metrics = ColumnMetricsList([
    ColumnMetrics(
      fieldID: FieldID(1), byteCount: 100, valueCount: 10, nullCount: 0, nanCount: 0,
      lowerBound: [1, 0, 0, 0, 0, 0, 0, 0], upperBound: [9, 0, 0, 0, 0, 0, 0, 0]),
    ColumnMetrics(fieldID: FieldID(3), valueCount: 10, nullCount: 4, lowerBound: []),
  ])

  @Test func `rule 35: split offsets that do not ascend or lie outside are not used`() throws {
    var file = Manifests.file("a")
    for (offsets, usable) in [
      ([4, 500], true), ([4, 1000], false), ([4, 4], false), ([500, 4], false), ([-1, 4], false),
      ([], false), ([999], true),
    ] as [([Int64], Bool)] {
      file.splitOffsets = offsets
      #expect((file.usableSplitOffsets == offsets) == usable, "\(offsets)")
      var writer = try Manifests.writer()
      try writer.add(file)
      #expect(try Manifests.entries(try writer.finish()).first?.file.splitOffsets == offsets)
    }
    file.splitOffsets = nil
    #expect(file.usableSplitOffsets == nil)
  }

  @Test func `H2, rule 35: a number that is not there is unknown, and zero is a number`() throws {
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a", metrics: Self.metrics))
    try writer.add(Manifests.file("b"))
    let entries = try Manifests.entries(try writer.finish())
    #expect(entries[0].file.metrics == Self.metrics)
    #expect(entries[0].file.metrics[FieldID(1)]?.nullCount == 0)
    #expect(entries[0].file.metrics[FieldID(3)]?.byteCount == nil)
    #expect(entries[0].file.metrics[FieldID(3)]?.lowerBound == [])
    #expect(entries[0].file.metrics[FieldID(3)]?.upperBound == nil)
    #expect(entries[0].file.metrics[FieldID(2)] == nil)
    #expect(entries[1].file.metrics == .unknown)
  }

  @Test func `rule 36: equality ids are ints`() throws {
    var writer = try Manifests.writer(content: .deletes)
    var file = Manifests.file("d", content: .equalityDeletes)
    file.equalityIDs = [FieldID(1), FieldID(2_000_000_000)]
    try writer.add(file)
    let manifest = try writer.finish()
    let plan = try AvroPlan(try Manifests.header(manifest.bytes).schema, wanted: [.array(135)])
    #expect(plan.schema(ofField: 135)?.itemSchema?.typeName == .int)
    #expect(plan.schema(ofField: 135)?.elementID == 136)
    #expect(try Manifests.entries(manifest).first?.file == file)
  }

  @Test func `rule 58: fields are found by id, whatever they are called and wherever they stand`()
    throws
  {
    let schema = AvroSchema.record(
      "x",
      [
        AvroField(
          "inner",
          .record(
            "y",
            [
              AvroField("bytes", .long, id: 104), AvroField("p", .string, id: 100),
              AvroField(
                "part", .record("z", [.optional("other name", .int, id: 1000)]), id: 102),
              AvroField("rows", .long, id: 103), AvroField("new", .string, id: 9999),
              AvroField("fmt", .string, id: 101),
            ]), id: 2),
        AvroField("snap", .long, id: 1), AvroField("state", .int, id: 0),
      ])
    let bytes = try Manifests.raw(schema: schema) { avro in
      avro.writeLong(77)
      avro.writeString("s3://p")
      avro.writeBranch(1)
      avro.writeInt(3)
      avro.writeLong(5)
      avro.writeString("ignored")
      avro.writeString("parquet")
      avro.writeLong(12)
      avro.writeInt(1)
    }
    let entries = try Manifests.entries(bytes, of: Manifests.listed(bytes))
    let entry = try #require(entries.first)
    #expect(entry.file.path == "s3://p")
    #expect(entry.file.byteCount == 77)
    #expect(entry.file.recordCount == 5)
    #expect(entry.file.partition.values == [.int(3)])
    #expect(entry.snapshotID == SnapshotID(12))
    #expect(entry.sequenceNumber == SequenceNumber(9))
  }

  @Test func `rule 59: partition names become names that avro allows`() throws {
    for (name, expected) in [
      ("a.b", "a_x2Eb"), ("1a", "_1a"), ("a b", "a_x20b"), ("_x", "_x"), ("ü", "_xFC"),
      ("a-1", "a_x2D1"),
      ("☃", "_x2603"), ("A9", "A9"),
    ] {
      #expect(ManifestAvroSchema.sanitized(name) == expected)
    }
    let entry = ManifestAvroSchema.entry(.v2, try Manifests.layout())
    let json = entry.jsonText
    for name in ["\"r2\"", "\"r102\"", "\"k117_v118\"", "\"k129_v130\"", "\"manifest_entry\""] {
      #expect(json.contains(name), "\(name)")
    }
  }

  @Test func `rule 60: maps with int keys are arrays of keys and values, with their ids`() throws {
    let schema = ManifestAvroSchema.entry(.v3, try Manifests.layout())
    let wanted = MetricsDecoder.wanted(for: .all) + [.array(132), .array(135)]
    let plan = try AvroPlan(schema, wanted: wanted)
    for (map, key, value) in [
      (108, 117, 118), (109, 119, 120), (110, 121, 122), (137, 138, 139), (125, 126, 127),
      (128, 129, 130),
    ] as [(Int32, Int32, Int32)] {
      let array = try #require(plan.schema(ofField: map))
      #expect(array.logicalType == .map)
      #expect(array.itemSchema?.record?.fields.map(\.fieldID) == [key, value])
    }
    #expect(plan.schema(ofField: 132)?.elementID == 133)
    let list = try AvroPlan(ManifestAvroSchema.manifestFile(.v2), wanted: [.array(507)])
    #expect(list.schema(ofField: 507)?.elementID == 508)
  }

  @Test func `rule 60: pairs with more fields, or in another order, are read by id too`() throws {
    func map(_ id: Int32, _ pair: AvroSchema) -> AvroField {
      .optional("m\(id)", .array(pair), id: id)
    }
    let swapped = AvroSchema.record(
      "s", [AvroField("v", .long, id: 120), AvroField("k", .int, id: 119)])
    let wide = AvroSchema.record(
      "w",
      [
        AvroField("k", .int, id: 126), AvroField("more", .string, id: 7),
        .optional("v", .bytes, id: 127),
      ])
    let schema = AvroSchema.record(
      "e",
      [
        AvroField("status", .int, id: 0),
        AvroField(
          "f",
          .record(
            "d",
            [
              AvroField("p", .string, id: 100), AvroField("t", .string, id: 101),
              AvroField("part", .record("r", []), id: 102), AvroField("n", .long, id: 103),
              AvroField("s", .long, id: 104), map(109, swapped), map(125, wide),
            ]), id: 2),
      ])
    let bytes = try Manifests.raw(schema: schema) { avro in
      avro.writeInt(1)
      avro.writeString("p")
      avro.writeString("orc")
      avro.writeLong(1)
      avro.writeLong(1)
      avro.writeBranch(1)
      avro.writeBlockCount(2)
      for (value, key) in [(30, 3), (10, 1)] as [(Int64, Int32)] {
        avro.writeLong(value)
        avro.writeInt(key)
      }
      avro.endBlocks()
      avro.writeBranch(1)
      avro.writeBlockCount(2)
      avro.writeInt(2)
      avro.writeString("x")
      avro.writeBranch(1)
      avro.writeBytes([8])
      avro.writeInt(1)
      avro.writeString("y")
      avro.writeBranch(0)
      avro.endBlocks()
    }
    let entries = try Manifests.entries(bytes, of: Manifests.listed(bytes))
    let entry = try #require(entries.first)
    #expect(
      entry.file.metrics
        == ColumnMetricsList([
          ColumnMetrics(fieldID: FieldID(1), valueCount: 10),
          ColumnMetrics(fieldID: FieldID(2), lowerBound: [8]),
          ColumnMetrics(fieldID: FieldID(3), valueCount: 30),
        ]))
    #expect(entry.file.format == .orc)
    #expect(entry.file.partition.values == [nil])
  }

  @Test func `rule 61: what may be missing is a union with null first and null as default`() throws
  {
    func check(_ schema: AvroSchema, _ path: String) {
      for field in schema.record?.fields ?? [] {
        let path = path + "." + field.name
        if case .union(let branches) = field.schema.kind {
          #expect(branches.count == 2 && branches[0].kind == .null, "\(path)")
          #expect(field.defaultValue == .null, "\(path)")
        }
        let type = field.schema.optionalType?.type ?? field.schema
        check(type.itemSchema ?? type, path)
        #expect(field.fieldID != nil, "\(path)")
      }
    }
    for version in FormatVersion.allCases {
      check(ManifestAvroSchema.entry(version, try Manifests.layout()), "entry")
      check(ManifestAvroSchema.manifestFile(version), "list")
    }
  }

  @Test func `rule 62: the header has the spec's fields alone, and nothing of it is needed`() throws
  {
    var writer = try Manifests.writer(content: .deletes)
    try writer.add(Manifests.file("d", content: .positionDeletes))
    let manifest = try writer.finish()
    let header = try Manifests.header(manifest.bytes)
    #expect(header.text("partition-spec-id") == "0")
    #expect(header.text("format-version") == "2")
    #expect(header.text("content") == "deletes")
    #expect(header.text("schema-id") == "0")
    let fields = try JSONValue(parsing: try #require(header.text("partition-spec")))
    #expect(fields.elements?.first?["field-id"] == .integer(1000))
    let schema = try JSONValue(parsing: try #require(header.text("schema")))
    #expect(try Schema(json: schema) == (try Samples.schema()))

    var bare = try AvroFileWriter(schema: header.schema, syncMarker: AvroSyncMarker(seed: 3))
    var file = try AvroFileReader(manifest.bytes)
    while let block = try file.nextBlock() {
      try bare.append(encoded: block.bytes.bytes, count: block.recordCount)
    }
    let bytes = try bare.finish()
    let listed = Manifests.listed(bytes, content: .deletes)
    #expect(try Manifests.entries(bytes, of: listed) == (try Manifests.entries(manifest)))
  }

  @Test func `rule 64: v1 has no content but a block size, later versions the other way round`()
    throws
  {
    for version in FormatVersion.allCases {
      let schema = ManifestAvroSchema.entry(version, try Manifests.layout())
      let dataFile = try #require(schema.record?.fields.last?.schema.record)
      let ids = dataFile.fields.compactMap(\.fieldID)
      #expect(ids.contains(105) == (version == .v1))
      #expect(ids.contains(134) == (version > .v1))
      #expect(ids.contains(142) == (version >= .v3))
      for old in [106, 107, 111] as [Int32] { #expect(!ids.contains(old)) }
    }
    var writer = try Manifests.writer(.v1)
    try writer.add(Manifests.file("a"))
    let entries = try Manifests.entries(try writer.finish(), sequence: 0)
    #expect(entries.map(\.file.content) == [.data])
    #expect(entries.map(\.status) == [.added])
    #expect(throws: IcebergError.self) { _ = try Manifests.writer(.v1, content: .deletes) }
  }

  @Test func `rule 66: a manifest holds one spec and one kind of content`() throws {
    var writer = try Manifests.writer()
    #expect(throws: IcebergError.self) {
      try writer.add(Manifests.file("d", content: .positionDeletes))
    }
    var other = Manifests.file("a")
    other.partition = PartitionValues(specID: PartitionSpecID(1), values: [nil])
    #expect(throws: IcebergError.self) { try writer.add(other) }
    try writer.add(Manifests.file("a"))
    let manifest = try writer.finish()
    var listed = manifest.file(at: SequenceNumber(1))
    listed.content = .deletes
    #expect(throws: IcebergError.self) { try Manifests.entries(manifest.bytes, of: listed) }
    listed = manifest.file(at: SequenceNumber(1))
    listed.partitionSpecID = PartitionSpecID(4)
    let layout = try PartitionLayout(
      try PartitionSpec(id: PartitionSpecID(4), fields: try Samples.spec().fields),
      for: try Samples.schema())
    #expect(throws: IcebergError.self) {
      var reader = try ManifestReader(manifest.bytes, of: listed, layout: layout)
      _ = try reader.readAll()
    }
  }

  @Test func `rule 73: a file is there once, and blobs of one puffin file are different files`()
    throws
  {
    var first = Manifests.file("p", content: .positionDeletes)
    first.format = .puffin
    first.contentRange = DataFile.ContentRange(offset: 4, byteCount: 10)
    var second = first
    second.contentRange = DataFile.ContentRange(offset: 14, byteCount: 10)
    let files = [Manifests.file("a"), first, Manifests.file("a", rows: 3), second, first]
    #expect(files.deduplicated() == [files[0], first, second])
  }

  @Test func `rule 74: a v2 manifest may name the file its deletes refer to`() throws {
    var writer = try Manifests.writer(.v2, content: .deletes)
    var file = Manifests.file("d", content: .positionDeletes)
    file.referencedDataFile = "s3://b/t/a"
    try writer.add(file)
    #expect(try Manifests.entries(try writer.finish()).first?.file == file)
    var vector = file
    vector.format = .puffin
    vector.contentRange = DataFile.ContentRange(offset: 4, byteCount: 10)
    var old = try Manifests.writer(.v2, content: .deletes)
    #expect(throws: IcebergError.self) { try old.add(vector) }
    var new = try Manifests.writer(.v3, content: .deletes)
    try new.add(vector)
    #expect(try Manifests.entries(try new.finish()).first?.file == vector)
  }

  @Test func `projections leave out metrics and deleted files, and nothing else`() throws {
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a", metrics: Self.metrics))
    try writer.delete(Manifests.entry(.added, Manifests.file("b", metrics: Self.metrics)))
    let manifest = try writer.finish()
    let all = try Manifests.entries(manifest)
    #expect(all.count == 2)
    let live = try Manifests.entries(manifest, .liveFiles)
    #expect(live.map(\.file.path) == ["s3://b/t/a"])
    #expect(live[0].file.metrics == .unknown)
    let some = try Manifests.entries(manifest, .planning([FieldID(3), FieldID(9)]))
    #expect(some[0].file.metrics.columns == [Self.metrics.columns[1]])
    var plain = all[0]
    plain.file.metrics = .unknown
    #expect(plain == live[0])
  }

  @Test func `a manifest that is longer or shorter than its list says is refused`() throws {
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a"))
    let manifest = try writer.finish()
    var listed = manifest.file(at: SequenceNumber(1))
    listed.byteCount += 1
    #expect(throws: IcebergError.self) { try Manifests.entries(manifest.bytes, of: listed) }
  }

  @Test func `the same calls give the same bytes`() throws {
    func make() throws -> Buffer {
      var writer = try Manifests.writer(.v3)
      for i in 0..<100 {
        try writer.add(Manifests.file("f\(i)", day: Int32(i), metrics: Self.metrics))
      }
      return try writer.finish().bytes
    }
    #expect(try make() == make())
  }
}

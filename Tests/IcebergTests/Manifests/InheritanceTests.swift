// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Testing

@testable import Iceberg

@Suite("What entries and manifests inherit")
struct InheritanceTests {
  @Test func `rule 67: only added files inherit sequence numbers`() throws {
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a"))
    try writer.keep(Manifests.entry(.added, Manifests.file("b"), sequence: 3, fileSequence: 4))
    try writer.delete(Manifests.entry(.added, Manifests.file("c"), sequence: 1, fileSequence: nil))
    let entries = try Manifests.entries(try writer.finish(), sequence: 9)
    #expect(entries.map(\.status) == [.added, .existing, .deleted])
    #expect(entries.map(\.sequenceNumber.rawValue) == [9, 3, 1])
    #expect(entries.map { $0.fileSequenceNumber?.rawValue } == [9, 4, nil])
  }

  /// A manifest with one v2 entry whose parts are as given.
  private func manifest(
    _ status: Int32, snapshot: Int64?, sequence: Int64?, fileSequence: Int64?
  ) throws -> Buffer {
    let layout = try Manifests.layout()
    return try Manifests.raw(schema: ManifestAvroSchema.entry(.v2, layout)) { avro in
      avro.writeInt(status)
      avro.writeOptional(snapshot)
      avro.writeOptional(sequence)
      avro.writeOptional(fileSequence)
      try? avro.write(Manifests.file("a"), .v2, layout)
    }
  }

  @Test func `rule 67: a file that is not new and has no sequence number is malformed`() throws {
    for status in [0, 2] as [Int32] {
      let bytes = try manifest(status, snapshot: 1, sequence: nil, fileSequence: nil)
      #expect(throws: IcebergError.self) {
        try Manifests.entries(bytes, of: Manifests.listed(bytes, sequence: 9))
      }
      // In a manifest from v1 there are none, and all are 0.
      let old = try Manifests.entries(bytes, of: Manifests.listed(bytes, sequence: 0))
      #expect(old.map(\.sequenceNumber) == [SequenceNumber(0)])
    }
    let bytes = try manifest(3, snapshot: 1, sequence: 1, fileSequence: 1)
    #expect(throws: IcebergError.self) { try Manifests.entries(bytes, of: Manifests.listed(bytes)) }
  }

  @Test func `rule 67: zero is a sequence number`() throws {
    let bytes = try manifest(1, snapshot: 1, sequence: 0, fileSequence: 0)
    let entries = try Manifests.entries(bytes, of: Manifests.listed(bytes, sequence: 9))
    #expect(entries.map(\.sequenceNumber) == [SequenceNumber(0)])
    #expect(entries.map(\.fileSequenceNumber) == [SequenceNumber(0)])
  }

  @Test func `rule 68: a missing snapshot id is the manifest's`() throws {
    let bytes = try manifest(1, snapshot: nil, sequence: nil, fileSequence: nil)
    let entries = try Manifests.entries(bytes, of: Manifests.listed(bytes))
    #expect(entries.map(\.snapshotID) == [SnapshotID(42)])
  }

  @Test func `H3, rule 68: a deleted entry names the snapshot that deleted the file`() throws {
    var writer = try Manifests.writer(snapshot: 42)
    try writer.keep(Manifests.entry(.added, Manifests.file("a"), snapshot: 5))
    try writer.delete(Manifests.entry(.existing, Manifests.file("b"), snapshot: 5))
    let entries = try Manifests.entries(try writer.finish())
    #expect(entries.map(\.snapshotID.rawValue) == [5, 42])
  }

  @Test func `rule 69: the lowest sequence number is that of live files, 0 included`() throws {
    func least(_ body: (inout ManifestWriter) throws -> Void) throws -> Int64 {
      var writer = try Manifests.writer()
      try body(&writer)
      return try writer.finish().file(at: SequenceNumber(9)).minSequenceNumber.rawValue
    }
    let file = Manifests.file("a")
    #expect(try least { try $0.add(file) } == 9)
    #expect(try least { try $0.keep(Manifests.entry(.added, file, sequence: 0)) } == 0)
    #expect(try least { try $0.delete(Manifests.entry(.added, file, sequence: 1)) } == 9)
    #expect(
      try least {
        try $0.add(file)
        try $0.keep(Manifests.entry(.added, file, sequence: 4))
        try $0.delete(Manifests.entry(.added, file, sequence: 1))
      } == 4)
    #expect(try least { try $0.add(file, sequenceNumber: SequenceNumber(20)) } == 20)
    #expect(try least { _ in } == 9)
  }

  @Test func `rule 70: what compaction writes keeps an older data sequence number`() throws {
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a"), sequenceNumber: SequenceNumber(4))
    let manifest = try writer.finish()
    let entries = try Manifests.entries(manifest, sequence: 9)
    let entry = try #require(entries.first)
    #expect(entry.sequenceNumber == SequenceNumber(4))
    #expect(entry.fileSequenceNumber == SequenceNumber(9))
    #expect(manifest.file(at: SequenceNumber(9)).minSequenceNumber == SequenceNumber(4))
  }

  @Test func `H1, rule 72: field summaries leave out nulls and NaN, and bound the rest`() throws {
    var floats = FieldSummaryBuilder(.double)
    for value in [nil, .double(.nan), .double(-0.0), .double(0.0), .double(-3)] as [Value?] {
      floats.add(value)
    }
    #expect(
      floats.summary
        == FieldSummary(
          containsNull: true, containsNaN: true, lowerBound: Value.double(-3).encoded(as: .double),
          upperBound: Value.double(0.0).encoded(as: .double)))
    var zeros = FieldSummaryBuilder(.double)
    zeros.add(.double(0.0))
    zeros.add(.double(-0.0))
    #expect(zeros.summary.lowerBound == Value.double(-0.0).encoded(as: .double))
    #expect(zeros.summary.upperBound == Value.double(0.0).encoded(as: .double))
    var none = FieldSummaryBuilder(.int)
    none.add(nil)
    #expect(
      none.summary
        == FieldSummary(containsNull: true, containsNaN: false, lowerBound: nil, upperBound: nil))
    // `day` makes dates: 4 bytes.
    var writer = try Manifests.writer()
    try writer.add(Manifests.file("a", day: 3))
    try writer.add(Manifests.file("b", day: -2))
    let summary = try writer.finish().partitions
    #expect(summary.map(\.lowerBound) == [[0xfe, 0xff, 0xff, 0xff]])
    #expect(summary.map(\.upperBound) == [[3, 0, 0, 0]])
  }

  @Test func `rule 75: partitions are equal by value, NaN and decimals too, and read by field id`()
    throws
  {
    func partition(_ values: Value?...) -> PartitionValues {
      PartitionValues(specID: PartitionSpecID(0), values: values)
    }
    let otherNaN = Double(bitPattern: 0x7ff8_0000_0000_0001)
    #expect(partition(.double(.nan)) == partition(.double(otherNaN)))
    #expect(partition(.double(.nan)).hashValue == partition(.double(otherNaN)).hashValue)
    #expect(partition(.double(0)) != partition(.double(-0.0)))
    #expect(partition(.decimal(5)) == partition(.decimal(5)))
    #expect(Set([partition(.bytes([1])), partition(.bytes([1])), partition(nil)]).count == 2)
    #expect(
      partition(.int(1)) != PartitionValues(specID: PartitionSpecID(1), values: [.int(1)]))

    let fields = [(1001, "b"), (1000, "a")].map { id, name in
      PartitionField(
        sourceIDs: [FieldID(1)], fieldID: FieldID(id), name: name, transform: .identity)
    }
    let spec = try PartitionSpec(id: PartitionSpecID(0), fields: fields)
    let values = partition(.long(1), nil)
    #expect(values[FieldID(1001), in: spec] == .some(.long(1)))
    #expect(values[FieldID(1000), in: spec] == .some(nil))
    #expect(values[FieldID(1002), in: spec] == nil)
  }

  @Test func `rule 75: decimals are fixed of the precision's width, and fixed columns are fixed`()
    throws
  {
    let schema = try Schema(
      fields: [
        Field(id: FieldID(1), name: "d", type: .decimal(9, 2), isRequired: false),
        Field(id: FieldID(2), name: "f", type: .fixed(3), isRequired: false),
        Field(id: FieldID(3), name: "u", type: .uuid, isRequired: false),
        Field(id: FieldID(4), name: "x", type: .float, isRequired: false),
        Field(id: FieldID(5), name: "b", type: .binary, isRequired: false),
        Field(id: FieldID(6), name: "t", type: .time, isRequired: false),
        Field(id: FieldID(7), name: "o", type: .boolean, isRequired: false),
      ])
    let spec = try PartitionSpec(
      id: PartitionSpecID(0),
      fields: schema.fields.enumerated().map { i, field in
        PartitionField(
          sourceIDs: [field.id], fieldID: FieldID(Int32(1000 + i)), name: field.name,
          transform: .identity)
      })
    let layout = try PartitionLayout(spec, for: schema)
    let dataFile = ManifestAvroSchema.entry(.v2, layout).record?.fields.last?.schema.record
    let partition = try #require(
      dataFile?.fields.first(where: { $0.fieldID == 102 })?.schema.record)
    let types = partition.fields.compactMap { $0.schema.optionalType?.type }
    #expect(types[0].kind == .fixed(AvroFixed(name: "decimal_9_2", byteCount: 4)))
    #expect(types[0].logicalType == .decimal(precision: 9, scale: 2))
    #expect(types[1].kind == .fixed(AvroFixed(name: "fixed_3", byteCount: 3)))
    #expect(types[2].logicalType == .uuid)

    let values: [Value?] = [
      .decimal(-128), .bytes([1, 2, 3]), .bytes(Array(0..<16)), .float(.nan), .bytes([]), .long(1),
      .boolean(false),
    ]
    var file = Manifests.file("a")
    file.partition = PartitionValues(specID: PartitionSpecID(0), values: values)
    var writer = try ManifestWriter(
      path: "m", layout: layout, schema: schema, formatVersion: .v2, content: .data,
      snapshotID: SnapshotID(1))
    try writer.add(file)
    let manifest = try writer.finish()
    var reader = try ManifestReader(
      manifest.bytes, of: manifest.file(at: SequenceNumber(1)), layout: layout)
    #expect(try reader.readAll().map(\.file.partition.values) == [values])
  }

  @Test func `rule 94: row ids and update numbers are the row's own, or the file's`() {
    var entry = Manifests.entry(.added, Manifests.file("a", firstRowID: 100), sequence: 7)
    #expect(entry.rowID(stored: nil, at: 5) == 105)
    #expect(entry.rowID(stored: 3, at: 5) == 3)
    #expect(entry.lastUpdated(stored: nil) == SequenceNumber(7))
    #expect(entry.lastUpdated(stored: 2) == SequenceNumber(2))
    entry.file.firstRowID = nil
    #expect(entry.rowID(stored: 3, at: 5) == nil)
    #expect(entry.lastUpdated(stored: 2) == nil)
    entry.file.firstRowID = .max
    #expect(entry.rowID(stored: nil, at: 1) == nil)
  }

  @Test func `rule 95: files without a first row id get theirs in order, deleted ones none`() throws
  {
    var writer = try Manifests.writer(.v3)
    try writer.add(Manifests.file("a", rows: 10))
    try writer.keep(Manifests.entry(.added, Manifests.file("b", rows: 5, firstRowID: 7)))
    try writer.delete(Manifests.entry(.added, Manifests.file("c", rows: 100)))
    try writer.keep(Manifests.entry(.added, Manifests.file("d", rows: 3)))
    try writer.add(Manifests.file("e", rows: 1))
    let manifest = try writer.finish()
    let entries = try Manifests.entries(manifest, firstRowID: 1000)
    #expect(entries.map(\.file.firstRowID) == [1000, 7, nil, 1010, 1013])
    #expect(
      try Manifests.entries(manifest).map(\.file.firstRowID) == [nil, 7, nil, nil, nil])
    // Copied on, they are written out.
    var again = try Manifests.writer(.v3)
    for entry in entries where entry.isLive { try again.keep(entry) }
    #expect(
      try Manifests.entries(try again.finish()).map(\.file.firstRowID) == [1000, 7, 1010, 1013])
    #expect(throws: IcebergError.self) {
      try Manifests.entries(manifest, firstRowID: Int64.max - 4)
    }
  }

  @Test func `rule 95: files of deletes never have one`() throws {
    var writer = try Manifests.writer(.v3, content: .deletes)
    #expect(throws: IcebergError.self) {
      try writer.add(Manifests.file("d", content: .equalityDeletes, firstRowID: 3))
    }
    try writer.add(Manifests.file("d", content: .equalityDeletes))
    let entries = try Manifests.entries(try writer.finish(), firstRowID: 50)
    #expect(entries.map(\.file.firstRowID) == [nil])
  }
}

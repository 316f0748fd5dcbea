// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Iceberg

/// Small files of Iceberg's metadata. Manifests and lists come from Fixtures.
enum IcebergSeeds {
  /// Of the manifests in Fixtures, and of a table without partitions.
  static let layouts: [PartitionLayout] = {
    guard let schema = try? schema() else { return [] }
    let specs = [
      PartitionSpec.unpartitioned,
      try? PartitionSpec(
        id: PartitionSpecID(0),
        fields: [
          PartitionField(
            sourceIDs: [FieldID(2)], fieldID: FieldID(1000), name: "ts_day", transform: .day),
          PartitionField(
            sourceIDs: [FieldID(1)], fieldID: FieldID(1001), name: "id_bucket",
            transform: .bucket(4)),
        ]),
    ]
    return specs.compactMap { spec in spec.flatMap { try? PartitionLayout($0, for: schema) } }
  }()

  static func schema() throws -> Schema {
    try Schema(
      fields: [
        Field(id: FieldID(1), name: "id", type: .long, isRequired: true),
        Field(id: FieldID(2), name: "ts", type: .timestamp, isRequired: false),
        Field(id: FieldID(3), name: "name", type: .string, isRequired: false),
      ], identifierFieldIDs: [FieldID(1)])
  }

  @Sendable static func metadata() throws -> [Buffer] {
    try [FormatVersion.v1, .v2, .v3].map { version in
      let table = try TableMetadata.create(
        schema: try schema(), partitionSpec: .unpartitioned, location: "s3://b/t",
        properties: ["a": "b"], formatVersion: version,
        uuid: TableUUID("9c12d441-03fe-4693-9a96-a0705ddf69c1"), at: 1_700_000_000_000)
      let snapshot = Snapshot(
        id: SnapshotID(7), parentID: nil, sequenceNumber: table.nextSequenceNumber,
        timestampMilliseconds: 1_700_000_000_001, manifestList: "s3://b/t/m/s.avro",
        operation: .append, summary: [:], schemaID: table.currentSchemaID,
        rowLineage: version >= .v3
          ? Snapshot.RowLineage(firstRowID: table.nextRowID, addedRowCount: 10) : nil)
      let changed = try table.applying(
        [.addSnapshot(snapshot), .setSnapshotReference(name: "main", .branch(snapshot.id))],
        at: snapshot.timestampMilliseconds)
      return changed.encoded()
    }
  }

  @Sendable static func avroFiles() throws -> [Buffer] {
    let record = """
      {"type":"record","name":"r","fields":[{"name":"a","type":"long","field-id":1},
      {"name":"b","type":["null","string"]},{"name":"c","type":{"type":"array","items":"int"}},
      {"name":"d","type":{"type":"map","values":"double"}}]}
      """
    var seeds: [Buffer] = []
    for (text, value) in [
      (#""int""#, AvroValue.int(7)), (#"{"type":"fixed","name":"f","size":3}"#, .fixed([1, 2, 3])),
      (
        record,
        .record([
          .init("a", .long(-5)), .init("b", .union(index: 1, .string("x"))),
          .init("c", .array([.int(1), .int(2)])), .init("d", .map([.init("k", .double(0.5))])),
        ])
      ),
    ] {
      let schema = try AvroSchema(parsing: text)
      for codec in AvroCodec.allCases {
        var writer = try AvroFileWriter(
          schema: schema, codec: codec, syncMarker: AvroSyncMarker(seed: 1))
        for _ in 0..<3 {
          try writer.encoder.write(value, as: schema)
          try writer.endRecord()
        }
        seeds.append(try writer.finish())
      }
    }
    return seeds
  }

  @Sendable static func vectors() throws -> [Buffer] {
    var seeds: [Buffer] = []
    for positions: [Int64] in [
      [], [1, 5, 9], Array(100..<400), (0..<5000).map { $0 * 13 }, [1 << 33, 7 << 32],
    ] {
      let vector = try DeletionVector(positions)
      var writer = ByteWriter()
      vector.encodeVector(to: &writer)
      seeds.append(writer.finish())
      seeds.append(try vector.encoded())
    }
    return seeds.filter { $0.count < 4096 }
  }

  @Sendable static func puffinFiles() throws -> [Buffer] {
    var writer = PuffinWriter(properties: ["created-by": "fuzz"])
    let vector = try DeletionVector([1, 2, 3])
    _ = try writer.append(vector, of: "s3://b/t/d.parquet")
    return [try writer.finish().file]
  }

  @Sendable static func texts() -> [Buffer] {
    [
      "a = 1 AND NOT (b < 'x''y' OR c IS NOT NULL)",
      "ts >= '2024-01-31T00:00:00' AND d IN (1, 2.5)",
      "name STARTS WITH 'é' OR f IS NAN",
      "struct<a: int, b: list<decimal(9,2)>, c: map<string, long>>",
      "bucket(16, id), day(ts), truncate(4, name)", "id desc nulls last, name",
    ].map { Buffer(utf8: $0) }
  }
}

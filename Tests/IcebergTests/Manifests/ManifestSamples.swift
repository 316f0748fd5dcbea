// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Testing

@testable import Iceberg

/// Manifests that the tests share.
enum Manifests {
  static func layout() throws -> PartitionLayout {
    try PartitionLayout(try Samples.spec(), for: try Samples.schema())
  }

  static func file(
    _ name: String, day: Int32? = 7, rows: Int64 = 10, content: DataFile.Content = .data,
    metrics: ColumnMetricsList = .unknown, firstRowID: Int64? = nil
  ) -> DataFile {
    DataFile(
      content: content, path: "s3://b/t/\(name)", format: .parquet,
      partition: PartitionValues(specID: PartitionSpecID(0), values: [day.map { .int($0) }]),
      recordCount: rows, byteCount: 1000, metrics: metrics,
      equalityIDs: content == .equalityDeletes ? [FieldID(1)] : nil, firstRowID: firstRowID)
  }

  static func writer(
    _ version: FormatVersion = .v2, content: ManifestFile.Content = .data, snapshot: Int64 = 42,
    path: String = "s3://b/t/metadata/m.avro"
  ) throws -> ManifestWriter {
    try ManifestWriter(
      path: path, layout: try layout(), schema: try Samples.schema(), formatVersion: version,
      content: content, snapshotID: SnapshotID(snapshot))
  }

  static func entry(
    _ status: ManifestEntry.Status, _ file: DataFile, snapshot: Int64 = 5, sequence: Int64 = 3,
    fileSequence: Int64? = 3
  ) -> ManifestEntry {
    ManifestEntry(
      status: status, snapshotID: SnapshotID(snapshot), sequenceNumber: SequenceNumber(sequence),
      fileSequenceNumber: fileSequence.map { SequenceNumber($0) }, file: file)
  }

  static func entries(
    _ manifest: NewManifest, sequence: Int64 = 9, firstRowID: Int64? = nil,
    _ projection: ManifestProjection = .all
  ) throws -> [ManifestEntry] {
    var file = manifest.file(at: SequenceNumber(sequence))
    file.firstRowID = firstRowID
    return try entries(manifest.bytes, of: file, projection)
  }

  static func entries(
    _ bytes: Buffer, of file: ManifestFile, _ projection: ManifestProjection = .all
  ) throws -> [ManifestEntry] {
    var reader = try ManifestReader(bytes, of: file, layout: try layout(), projection: projection)
    return try reader.readAll()
  }

  /// A manifest with one entry that was encoded by hand.
  static func raw(
    schema: AvroSchema, metadata: [(key: String, value: [UInt8])] = [],
    _ encode: (inout AvroEncoder) -> Void
  ) throws -> Buffer {
    var file = try AvroFileWriter(
      schema: schema, metadata: metadata, syncMarker: AvroSyncMarker(seed: 1))
    encode(&file.encoder)
    try file.endRecord()
    return try file.finish()
  }

  static func listed(
    _ bytes: Buffer, content: ManifestFile.Content = .data, sequence: Int64 = 9
  ) -> ManifestFile {
    ManifestFile(
      path: "s3://b/t/metadata/m.avro", byteCount: Int64(bytes.count),
      partitionSpecID: PartitionSpecID(0), content: content,
      sequenceNumber: SequenceNumber(sequence), minSequenceNumber: SequenceNumber(0),
      addedSnapshotID: SnapshotID(42), counts: .unknown, partitions: nil)
  }

  static func header(_ bytes: Buffer) throws -> AvroFileHeader { try AvroFileHeader(bytes.bytes) }
}

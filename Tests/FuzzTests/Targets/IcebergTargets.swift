// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Iceberg
import JSON

/// Avro, and the files that Iceberg's metadata is in.
enum IcebergTargets {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "avroFile", run: avro, seeds: IcebergSeeds.avroFiles, files: [".avro"]),
    FuzzTarget(
      name: "tableMetadata", run: metadata, seeds: IcebergSeeds.metadata, files: [".metadata.json"]),
    FuzzTarget(name: "manifest", run: manifest, files: ["v2.avro", "v3.avro"]),
    FuzzTarget(name: "manifestList", run: manifestList, files: ["list_v3.avro"]),
    FuzzTarget(
      name: "puffin", run: puffin, seeds: IcebergSeeds.puffinFiles, files: [".puffin", ".bin"]),
    FuzzTarget(name: "roaring", run: roaring, seeds: IcebergSeeds.vectors),
    FuzzTarget(name: "texts", run: texts, seeds: IcebergSeeds.texts),
  ]

  /// Law: records that were read and written again read the same.
  static func avro(_ bytes: Buffer) throws(BrokenLaw) {
    guard let (schema, values) = records(bytes) else { return }
    guard values.count <= 1000 else { return }
    let written = attempt { () throws(AvroError) -> Buffer in
      var writer = try AvroFileWriter(schema: schema, syncMarker: AvroSyncMarker(seed: 1))
      for value in values {
        try writer.encoder.write(value, as: schema)
        try writer.endRecord()
      }
      return try writer.finish()
    }
    guard let written, let (_, again) = records(written) else {
      throw BrokenLaw("records are not read back")
    }
    try hold("\(again)" == "\(values)", "records change when they are read back")
  }

  private static func records(_ bytes: Buffer) -> (AvroSchema, [AvroValue])? {
    attempt { () throws(AvroError) in
      var file = try AvroFileReader(bytes, limits: FuzzLimits.decoding)
      return (file.header.schema, try file.readAll())
    }
  }

  /// Law: metadata that was read and written again is the same.
  static func metadata(_ bytes: Buffer) throws(BrokenLaw) {
    guard
      let metadata = attempt({ () throws(IcebergError) in
        try TableMetadata(json: bytes, limits: FuzzLimits.decoding)
      })
    else { return }
    let written = metadata.encoded()
    guard
      let again = attempt({ () throws(IcebergError) in try TableMetadata(json: written) })
    else { throw BrokenLaw("metadata is not read back") }
    try hold(again.encoded() == written, "metadata changes when it is read back")
  }

  /// Law: rows are counted alike, whatever of them is left out.
  static func manifest(_ bytes: Buffer) throws(BrokenLaw) {
    for layout in IcebergSeeds.layouts {
      guard
        var manifest = attempt({ () throws(IcebergError) in
          try ManifestFile(embedded: "m.avro", bytes, of: SnapshotID(1))
        })
      else { return }
      manifest.partitionSpecID = layout.spec.id
      let entries = attempt { () throws(IcebergError) in
        var reader = try ManifestReader(
          bytes, of: manifest, layout: layout, limits: FuzzLimits.decoding)
        return try reader.readAll()
      }
      manifest.content = .deletes
      _ = attempt { () throws(IcebergError) in
        var reader = try ManifestReader(
          bytes, of: manifest, layout: layout, limits: FuzzLimits.decoding)
        return try reader.readAll()
      }
      if let entries {
        try hold(entries.allSatisfy { $0.file.recordCount >= 0 }, "fewer rows than none")
      }
    }
  }

  static func manifestList(_ bytes: Buffer) throws(BrokenLaw) {
    guard
      let list = attempt({ () throws(IcebergError) in
        try ManifestList(bytes, limits: FuzzLimits.decoding)
      })
    else { return }
    try hold(list.count == list.manifests.count, "manifests are counted otherwise")
    try hold(list.manifests.allSatisfy { $0.byteCount >= 0 }, "a size below zero")
  }

  /// Law: what the footer tells of lies before it.
  static func puffin(_ bytes: Buffer) throws(BrokenLaw) {
    let count = PuffinFooter.tailByteCount
    guard bytes.count >= count,
      let size = attempt({ () throws(IcebergError) in
        try PuffinFooter.byteCount(tail: bytes.bytes.extracting(last: count))
      }), size <= Int64(bytes.count),
      let footer = attempt({ () throws(IcebergError) in
        try PuffinFooter(
          decoding: bytes.bytes.extracting(last: Int(size)), fileByteCount: Int64(bytes.count),
          limits: FuzzLimits.decoding)
      })
    else { return }
    for blob in footer.blobs {
      try hold(
        blob.offset >= 4 && blob.offset + blob.byteCount <= Int64(bytes.count) - size,
        "a blob outside the file")
      let stored = bytes.slice(Int(blob.offset)..<Int(blob.offset + blob.byteCount))
      let contents = attempt { () throws(IcebergError) in
        try blob.contents(of: stored.bytes, limits: FuzzLimits.decoding)
      }
      if let contents, blob.type == PuffinBlob.deletionVectorType {
        _ = attempt { () throws(IcebergError) in
          try DeletionVector(decoding: contents.bytes)
        }
      }
    }
  }

  /// A deletion vector's bitmaps. Laws: written again they read the same, and positions are found.
  static func roaring(_ bytes: Buffer) throws(BrokenLaw) {
    _ = attempt { () throws(IcebergError) in try DeletionVector(decoding: bytes.bytes) }
    guard let vector = vector(bytes) else { return }
    var writer = ByteWriter()
    vector.encodeVector(to: &writer)
    try hold(self.vector(writer.finish()) == vector, "a vector changes when it is read back")
    guard vector.count <= 1 << 17 else { return }
    let positions = vector.positions
    try hold(positions.count == vector.count, "positions are counted otherwise")
    for (i, position) in positions.enumerated() where i < 100 {
      try hold(vector.contains(position), "position \(position) is not found")
    }
    if positions.count <= 1000 {
      let again = attempt { () throws(IcebergError) in try DeletionVector(positions) }
      try hold(again == vector, "a vector of the same positions is another")
    }
  }

  private static func vector(_ bytes: Buffer) -> DeletionVector? {
    attempt { () throws(ByteError) in
      var reader = ByteReader(bytes.bytes)
      return try DeletionVector(decodingVector: &reader)
    }
  }

  /// What users type: predicates, types, schemas, partition specs, sort orders. Law: a type spells
  /// itself.
  static func texts(_ bytes: Buffer) throws(BrokenLaw) {
    guard let text = String(validatingUTF8: bytes.bytes) else { return }
    _ = try? PredicateParser.parse(text)
    _ = try? Schema(text)
    if let type = try? PrimitiveType(text) {
      try hold((try? PrimitiveType("\(type)")) == type, "a type that does not spell itself")
    }
    guard let schema = try? IcebergSeeds.schema() else { return }
    _ = try? PartitionSpec(text, schema: schema)
    _ = try? SortOrder(text, schema: schema)
  }
}

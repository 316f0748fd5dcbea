// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import JSON

extension TableMetadata {
  /// The document of this metadata, in its own format version, with a checksum.
  ///
  /// What was read and did not change is copied byte for byte. The same metadata gives the same
  /// bytes.
  ///
  /// Cost: one copy of what is there, and encoding of what is new.
  /// - Source: Iceberg spec, "Table Metadata and Snapshots".
  public func encoded() -> Buffer {
    var writer = JSONWriter(capacity: sizeHint)
    writer.beginObject()
    let copied = writeFields(to: &writer)
    let checksum = DocumentChecksum.ofDocument(writer.bytes, copied: copied)
    writer.write(Self.checksumField, hexadecimal(checksum))
    writer.endObject()
    return writer.finish()
  }

  /// Takes the checksum of the snapshots that were read, if the document they were in had none: so
  /// that each commit after this one need not.
  package mutating func sumSnapshots() {
    guard let prefix = encodedSnapshots, prefix.checksum == nil else { return }
    encodedSnapshots?.checksum = CRC32C.checksum(prefix.json.bytes)
  }

  /// Writes this metadata as one JSON object, without the checksum of a file.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    _ = writeFields(to: &writer)
    writer.endObject()
  }

  private var sizeHint: Int {
    var size = 4096 + (encodedSnapshots?.json.count ?? 0)
    for snapshot in snapshots[(encodedSnapshots?.count ?? 0)...] {
      size += (snapshot.json?.count ?? 1024) + 1
    }
    for schema in schemaDocuments { size += schema.json?.count ?? 4096 }
    size += encodedSnapshotLog?.json.count ?? 0
    size += metadataLog.reduce(0) { $0 + $1.location.utf8.count + 64 }
    return size + size / 16
  }

  /// - Returns: what was copied of the snapshots, and is known by its checksum.
  private func writeFields(to writer: inout JSONWriter) -> DocumentChecksum.Part? {
    writer.write("format-version", Int64(formatVersion.rawValue))
    if let uuid { writer.write("table-uuid", uuid.rawValue) }
    writer.write("location", location)
    if formatVersion > .v1 { writer.write("last-sequence-number", lastSequenceNumber.rawValue) }
    writer.write("last-updated-ms", lastUpdatedMilliseconds)
    writer.write("last-column-id", lastColumnID.rawValue)
    writeLayout(to: &writer)
    writer.write("properties", properties.values)
    let copied = writeHistory(to: &writer)
    for field in unknownFields {
      writer.writeKey(field.name)
      writer.write(raw: field.json.bytes)
    }
    return copied
  }

  private func writeLayout(to writer: inout JSONWriter) {
    if formatVersion == .v1 {
      writer.writeKey("schema")
      currentSchema.write(to: &writer)
    }
    writer.write("current-schema-id", currentSchemaID.rawValue)
    writer.write("schemas", schemaDocuments) { $0.write(to: &$1) }
    if formatVersion == .v1 {
      writer.writeKey("partition-spec")
      defaultPartitionSpec.writeFields(to: &writer)
    }
    writer.write("default-spec-id", defaultPartitionSpecID.rawValue)
    writer.write("partition-specs", partitionSpecDocuments) { $0.write(to: &$1) }
    writer.write("last-partition-id", lastPartitionFieldID.rawValue)
    writer.write("default-sort-order-id", defaultSortOrderID.rawValue)
    writer.write("sort-orders", sortOrderDocuments) { $0.write(to: &$1) }
  }

  private func writeHistory(to writer: inout JSONWriter) -> DocumentChecksum.Part? {
    writer.writeKey("current-snapshot-id")
    if let currentSnapshotID {
      writer.write(currentSnapshotID.rawValue)
    } else if formatVersion >= .v3 {
      writer.writeNull()
    } else {
      writer.write(-1)
    }
    if formatVersion >= .v3 { writer.write("next-row-id", nextRowID) }
    if !encryptionKeyDocuments.isEmpty {
      writer.write("encryption-keys", encryptionKeyDocuments) { $0.write(to: &$1) }
    }
    writeReferences(to: &writer)
    let copied = writeSnapshots(to: &writer)
    writer.write("statistics", statisticsDocuments) { $0.write(to: &$1) }
    writer.write("partition-statistics", partitionStatisticsDocuments) { $0.write(to: &$1) }
    writeLogs(to: &writer)
    return copied
  }

  private func writeSnapshots(to writer: inout JSONWriter) -> DocumentChecksum.Part? {
    writer.writeKey("snapshots")
    writer.beginArray()
    var copied: DocumentChecksum.Part?
    if let prefix = encodedSnapshots {
      let start = writer.count
      writer.write(raw: prefix.json.bytes)
      copied = prefix.checksum.map {
        DocumentChecksum.Part(range: start..<writer.count, checksum: $0)
      }
    }
    for snapshot in snapshots[(encodedSnapshots?.count ?? 0)...] { snapshot.write(to: &writer) }
    writer.endArray()
    return copied
  }

  private func writeReferences(to writer: inout JSONWriter) {
    writer.writeKey("refs")
    writer.beginObject()
    for name in referenceDocuments.keys.sorted() {
      guard let reference = referenceDocuments[name] else { continue }
      writer.writeKey(name)
      if let json = reference.json {
        writer.write(raw: json.bytes)
      } else {
        reference.value.write(to: &writer)
      }
    }
    writer.endObject()
  }

  private func writeLogs(to writer: inout JSONWriter) {
    writer.writeKey("snapshot-log")
    writer.beginArray()
    var written = 0
    if let prefix = encodedSnapshotLog {
      writer.write(raw: prefix.json.bytes)
      written = prefix.count
    }
    for entry in snapshotLog[written...] {
      writer.beginObject()
      writer.write("timestamp-ms", entry.timestampMilliseconds)
      writer.write("snapshot-id", entry.snapshotID.rawValue)
      writer.endObject()
    }
    writer.endArray()
    writer.writeKey("metadata-log")
    writer.beginArray()
    for entry in metadataLog {
      writer.beginObject()
      writer.write("timestamp-ms", entry.timestampMilliseconds)
      writer.write("metadata-file", entry.location)
      writer.endObject()
    }
    writer.endArray()
  }
}

extension JSONWriter {
  /// Writes a list: each part as it was read, or by `encode` if it is new.
  mutating func write<Value>(
    _ key: String, _ parts: [Verbatim<Value>], _ encode: (Value, inout JSONWriter) -> Void
  ) {
    writeKey(key)
    beginArray()
    for part in parts {
      if let json = part.json { write(raw: json.bytes) } else { encode(part.value, &self) }
    }
    endArray()
  }
}

extension SnapshotReference {
  /// Writes this reference as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writeFields(to: &writer)
    writer.endObject()
  }

  func writeFields(to writer: inout JSONWriter) {
    writer.write("snapshot-id", snapshotID.rawValue)
    writer.write("type", kind == .branch ? "branch" : "tag")
    if let count = retention.minSnapshotsToKeep {
      writer.write("min-snapshots-to-keep", Int64(count))
    }
    if let age = retention.maxSnapshotAgeMilliseconds { writer.write("max-snapshot-age-ms", age) }
    if let age = retention.maxReferenceAgeMilliseconds { writer.write("max-ref-age-ms", age) }
  }
}

extension StatisticsFile {
  /// Writes this file's entry as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.write("snapshot-id", snapshotID.rawValue)
    writer.write("statistics-path", path)
    writer.write("file-size-in-bytes", byteCount)
    writer.write("file-footer-size-in-bytes", footerByteCount)
    if let keyMetadata { writer.write("key-metadata", keyMetadata) }
    writer.writeKey("blob-metadata")
    writer.beginArray()
    for blob in listedBlobs { blob.write(to: &writer) }
    writer.endArray()
    writer.endObject()
  }
}

extension StatisticsBlob {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.write("type", type)
    writer.write("snapshot-id", snapshotID.rawValue)
    writer.write("sequence-number", sequenceNumber.rawValue)
    writer.writeKey("fields")
    writer.beginArray()
    for id in fieldIDs { writer.write(id.rawValue) }
    writer.endArray()
    if !properties.isEmpty { writer.write("properties", properties) }
    writer.endObject()
  }
}

extension PartitionStatisticsFile {
  /// Writes this file's entry as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.write("snapshot-id", snapshotID.rawValue)
    writer.write("statistics-path", path)
    writer.write("file-size-in-bytes", byteCount)
    writer.endObject()
  }
}

extension EncryptionKey {
  /// Writes this key as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.write("key-id", id)
    writer.write("encrypted-key-metadata", encryptedKeyMetadata)
    if let encryptedByID { writer.write("encrypted-by-id", encryptedByID) }
    if !properties.isEmpty { writer.write("properties", properties) }
    writer.endObject()
  }
}

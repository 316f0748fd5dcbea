// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import JSON

extension Snapshot {
  /// The snapshot that was taken apart to `part`; `index` is its place in the list.
  init(_ part: SnapshotText, in json: Buffer, at index: Int) throws(IcebergError) {
    func missing(_ field: String, _ expected: String) -> IcebergError {
      .malformed(
        TableMetadata.document, at: "snapshots[\(index)].\(field)", expected: expected,
        found: "nothing")
    }
    guard let id = part.id else { throw missing("snapshot-id", "a snapshot id") }
    guard let time = part.timestampMilliseconds else { throw missing("timestamp-ms", "a time") }
    self.init(
      id: SnapshotID(id), parentID: part.parentID.map { SnapshotID($0) },
      sequenceNumber: SequenceNumber(part.sequenceNumber ?? 0), timestampMilliseconds: time,
      manifests: try Self.manifests(part, index), operation: try Self.operation(part, index),
      schemaID: part.schemaID.map { SchemaID($0) }, rowLineage: try Self.lineage(part, index),
      keyID: part.keyID,
      summarySource: part.summary.map { .encoded(json.slice($0)) } ?? .values([:]),
      json: json.slice(part.range))
  }

  private static func manifests(
    _ part: SnapshotText, _ index: Int
  ) throws(IcebergError) -> SnapshotManifests {
    if let list = part.manifestList { return .list(list) }
    if let manifests = part.manifests { return .embedded(manifests) }
    throw .malformed(
      TableMetadata.document, at: "snapshots[\(index)]", expected: "manifest-list or manifests",
      found: "neither")
  }

  private static func operation(
    _ part: SnapshotText, _ index: Int
  ) throws(IcebergError) -> SnapshotOperation? {
    guard part.summary != nil else { return nil }
    // Old v1 writers left it out where they meant an overwrite.
    return part.operation.map { SnapshotOperation($0) } ?? .overwrite
  }

  private static func lineage(
    _ part: SnapshotText, _ index: Int
  ) throws(IcebergError) -> RowLineage? {
    guard let first = part.firstRowID else { return nil }
    guard let added = part.addedRowCount, first >= 0, added >= 0 else {
      throw .malformed(
        TableMetadata.document, at: "snapshots[\(index)].added-rows",
        expected: "a number of rows, as there is a first row id",
        found: part.addedRowCount.map { "\($0), from \(first)" } ?? "nothing")
    }
    return RowLineage(firstRowID: first, addedRowCount: added)
  }

  /// The same snapshot, with the bytes that it is written as.
  func encoded() -> Snapshot {
    guard json == nil else { return self }
    var writer = JSONWriter(capacity: 1024)
    write(to: &writer)
    return Snapshot(
      id: id, parentID: parentID, sequenceNumber: sequenceNumber,
      timestampMilliseconds: timestampMilliseconds, manifests: manifests, operation: operation,
      schemaID: schemaID, rowLineage: rowLineage, keyID: keyID, summarySource: summarySource,
      json: writer.finish())
  }

  /// Writes this snapshot as one JSON object: as it was read or first written, if it was.
  public func write(to writer: inout JSONWriter) {
    if let json { return writer.write(raw: json.bytes) }
    writer.beginObject()
    if sequenceNumber.rawValue > 0 { writer.write("sequence-number", sequenceNumber.rawValue) }
    writer.write("snapshot-id", id.rawValue)
    if let parentID { writer.write("parent-snapshot-id", parentID.rawValue) }
    writer.write("timestamp-ms", timestampMilliseconds)
    if let operation {
      writer.writeKey("summary")
      writer.beginObject()
      writer.write("operation", operation.name)
      let summary = summary
      for name in summary.keys.sorted() where name != "operation" {
        if let value = summary[name] { writer.write(name, value) }
      }
      writer.endObject()
    }
    switch manifests {
    case .list(let location): writer.write("manifest-list", location)
    case .embedded(let locations):
      writer.writeKey("manifests")
      writer.beginArray()
      for location in locations { writer.write(location) }
      writer.endArray()
    }
    if let schemaID { writer.write("schema-id", schemaID.rawValue) }
    if let rowLineage {
      writer.write("first-row-id", rowLineage.firstRowID)
      writer.write("added-rows", rowLineage.addedRowCount)
    }
    if let keyID { writer.write("key-id", keyID) }
    writer.endObject()
  }
}

extension SummarySource {
  var values: [String: String] {
    switch self {
    case .values(let values): return values
    case .encoded(let json):
      var reader = JSONReader(json.bytes)
      // The text was walked when the snapshot was read: this can't fail.
      var values = (try? reader.readStringMap()) ?? [:]
      values["operation"] = nil
      return values
    }
  }
}

extension JSONWriter {
  mutating func write(_ key: String, _ value: Int64) {
    writeKey(key)
    write(value)
  }
  mutating func write(_ key: String, _ value: Int32) {
    writeKey(key)
    write(value)
  }
  mutating func write(_ key: String, _ value: String) {
    writeKey(key)
    write(value)
  }
  mutating func write(_ key: String, _ values: [String: String]) {
    writeKey(key)
    beginObject()
    for name in values.keys.sorted() {
      if let value = values[name] { write(name, value) }
    }
    endObject()
  }
}

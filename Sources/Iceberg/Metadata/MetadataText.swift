// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// A `metadata.json` taken apart, nothing in it judged yet: what is there, and where.
///
/// Ranges are of bytes of the document. A field that is null counts as missing.
struct MetadataText {
  var formatVersion: Int64?
  var uuid: String?
  var location: String?
  var lastSequenceNumber: Int64?
  var lastUpdatedMilliseconds: Int64?
  var lastColumnID: Int32?
  var schema: Range<Int>?
  var schemas: [Range<Int>]?
  var currentSchemaID: Int32?
  var partitionSpec: Range<Int>?
  var partitionSpecs: [Range<Int>]?
  var defaultPartitionSpecID: Int32?
  var lastPartitionFieldID: Int32?
  var sortOrders: [Range<Int>]?
  var defaultSortOrderID: Int32?
  var properties: [String: String] = [:]
  var currentSnapshotID: Int64?
  var references: [(name: String, text: ReferenceText)]?
  var snapshots: [SnapshotText] = []
  /// All elements of the list of snapshots, with the commas between them.
  var snapshotsRange: Range<Int>?
  var snapshotLog: [SnapshotLogEntry] = []
  /// All elements of the snapshot log, with the commas between them.
  var snapshotLogRange: Range<Int>?
  var metadataLog: [MetadataLogEntry] = []
  var statistics: [StatisticsText] = []
  var partitionStatistics: [PartitionStatisticsText] = []
  var encryptionKeys: [EncryptionKeyText] = []
  var nextRowID: Int64?
  var checksum: Range<Int>?
  var unknownFields: [(name: String, range: Range<Int>)] = []

  init(_ text: RawSpan) throws(JSONError) {
    var reader = JSONReader(text)
    try reader.beginObject()
    while let key = try reader.nextKey() {
      let name = key.string
      // One test for all fields; a null is kept as such only of fields that are not known.
      if Self.isKnown(name), try !reader.readOptional() { continue }
      if try readNumber(name, &reader) { continue }
      if try readLayout(name, &reader) { continue }
      if try readHistory(name, &reader) { continue }
      unknownFields.append((name, try reader.readRawValue()))
    }
    try reader.finish()
  }

  private static let knownFields: Set<String> = [
    "format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
    "last-column-id", "schema", "schemas", "current-schema-id", "partition-spec",
    "partition-specs", "default-spec-id", "last-partition-id", "sort-orders",
    "default-sort-order-id", "properties", "current-snapshot-id", "refs", "snapshots",
    "snapshot-log", "metadata-log", "statistics", "partition-statistics", "encryption-keys",
    "next-row-id", TableMetadata.checksumField,
  ]

  private static func isKnown(_ name: String) -> Bool { knownFields.contains(name) }

  private mutating func readNumber(
    _ name: String, _ reader: inout JSONReader
  ) throws(JSONError) -> Bool {
    switch name {
    case "format-version": formatVersion = try reader.readInt64()
    case "table-uuid": uuid = try reader.readString()
    case "location": location = try reader.readString()
    case "last-sequence-number": lastSequenceNumber = try reader.readInt64()
    case "last-updated-ms": lastUpdatedMilliseconds = try reader.readInt64()
    case "last-column-id": lastColumnID = try reader.readInt32()
    case "current-schema-id": currentSchemaID = try reader.readInt32()
    case "default-spec-id": defaultPartitionSpecID = try reader.readInt32()
    case "last-partition-id": lastPartitionFieldID = try reader.readInt32()
    case "default-sort-order-id": defaultSortOrderID = try reader.readInt32()
    case "current-snapshot-id": currentSnapshotID = try reader.readInt64()
    case "next-row-id": nextRowID = try reader.readInt64()
    case TableMetadata.checksumField: checksum = try reader.readRawValue()
    default: return false
    }
    return true
  }

  private mutating func readLayout(
    _ name: String, _ reader: inout JSONReader
  ) throws(JSONError) -> Bool {
    switch name {
    case "schema": schema = try reader.readRawValue()
    case "schemas": schemas = try reader.readRawElements()
    case "partition-spec": partitionSpec = try reader.readRawValue()
    case "partition-specs": partitionSpecs = try reader.readRawElements()
    case "sort-orders": sortOrders = try reader.readRawElements()
    case "properties": properties = try reader.readStringMap()
    case "encryption-keys":
      try reader.beginArray()
      while try reader.nextElement() { encryptionKeys.append(try EncryptionKeyText(&reader)) }
    default: return false
    }
    return true
  }

  private mutating func readHistory(
    _ name: String, _ reader: inout JSONReader
  ) throws(JSONError) -> Bool {
    switch name {
    case "snapshots":
      try reader.beginArray()
      while try reader.nextElement() {
        let snapshot = try SnapshotText(&reader)
        snapshots.append(snapshot)
        snapshotsRange =
          (snapshotsRange ?? snapshot.range).lowerBound..<snapshot.range.upperBound
      }
    case "refs":
      var found: [(name: String, text: ReferenceText)] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let name = key.string
        found.append((name, try ReferenceText(&reader)))
      }
      references = found
    case "snapshot-log": try readSnapshotLog(&reader)
    case "metadata-log":
      try reader.beginArray()
      while try reader.nextElement() { metadataLog.append(try reader.readMetadataLogEntry()) }
    case "statistics":
      try reader.beginArray()
      while try reader.nextElement() { statistics.append(try StatisticsText(&reader)) }
    case "partition-statistics":
      try reader.beginArray()
      while try reader.nextElement() {
        partitionStatistics.append(try PartitionStatisticsText(&reader))
      }
    default: return false
    }
    return true
  }

  private mutating func readSnapshotLog(_ reader: inout JSONReader) throws(JSONError) {
    try reader.beginArray()
    while try reader.nextElement() {
      _ = try reader.peek()
      let start = reader.offset
      snapshotLog.append(try reader.readSnapshotLogEntry())
      snapshotLogRange = (snapshotLogRange?.lowerBound ?? start)..<reader.offset
    }
  }
}

/// A snapshot taken apart.
struct SnapshotText {
  var range = 0..<0
  var id: Int64?
  var parentID: Int64?
  var sequenceNumber: Int64?
  var timestampMilliseconds: Int64?
  var manifestList: String?
  var manifests: [String]?
  var operation: String?
  var summary: Range<Int>?
  var schemaID: Int32?
  var firstRowID: Int64?
  var addedRowCount: Int64?
  var keyID: String?

  init(_ reader: inout JSONReader) throws(JSONError) {
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "snapshot-id": id = try reader.readInt64()
      case "parent-snapshot-id": parentID = try reader.readOptionalInt64()
      case "sequence-number": sequenceNumber = try reader.readOptionalInt64()
      case "timestamp-ms": timestampMilliseconds = try reader.readInt64()
      case "manifest-list": manifestList = try reader.readOptionalString()
      case "manifests": manifests = try reader.readOptionalStrings()
      case "summary": try readSummary(&reader)
      case "schema-id": schemaID = try reader.readOptionalInt32()
      case "first-row-id": firstRowID = try reader.readOptionalInt64()
      case "added-rows": addedRowCount = try reader.readOptionalInt64()
      case "key-id": keyID = try reader.readOptionalString()
      default: try reader.skipValue()
      }
    }
    range = start..<reader.offset
  }

  /// Checks that the summary holds text only, and takes its operation; the rest is read when asked.
  private mutating func readSummary(_ reader: inout JSONReader) throws(JSONError) {
    guard try reader.readOptional() else { return }
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key == "operation" {
        operation = try reader.readString()
      } else {
        _ = try reader.readText()
      }
    }
    summary = start..<reader.offset
  }
}

/// A reference taken apart.
struct ReferenceText {
  var range = 0..<0
  var snapshotID: Int64?
  var type: String?
  var minSnapshotsToKeep: Int32?
  var maxSnapshotAgeMilliseconds: Int64?
  var maxReferenceAgeMilliseconds: Int64?

  init(_ reader: inout JSONReader) throws(JSONError) {
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "snapshot-id": snapshotID = try reader.readInt64()
      case "type": type = try reader.readString()
      case "min-snapshots-to-keep": minSnapshotsToKeep = try reader.readOptionalInt32()
      case "max-snapshot-age-ms": maxSnapshotAgeMilliseconds = try reader.readOptionalInt64()
      case "max-ref-age-ms": maxReferenceAgeMilliseconds = try reader.readOptionalInt64()
      default: try reader.skipValue()
      }
    }
    range = start..<reader.offset
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// A statistics file taken apart.
struct StatisticsText {
  var range = 0..<0
  var snapshotID: Int64?
  var path: String?
  var byteCount: Int64?
  var footerByteCount: Int64?
  var keyMetadata: String?
  var blobs: [StatisticsBlobText]?

  init(_ reader: inout JSONReader) throws(JSONError) {
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "snapshot-id": snapshotID = try reader.readInt64()
      case "statistics-path": path = try reader.readString()
      case "file-size-in-bytes": byteCount = try reader.readInt64()
      case "file-footer-size-in-bytes": footerByteCount = try reader.readInt64()
      case "key-metadata": keyMetadata = try reader.readOptionalString()
      case "blob-metadata":
        var found: [StatisticsBlobText] = []
        try reader.beginArray()
        while try reader.nextElement() { found.append(try StatisticsBlobText(&reader)) }
        blobs = found
      default: try reader.skipValue()
      }
    }
    range = start..<reader.offset
  }
}

/// A blob of a statistics file taken apart.
struct StatisticsBlobText {
  var type: String?
  var snapshotID: Int64?
  var sequenceNumber: Int64?
  var fields: [Int32]?
  var properties: [String: String] = [:]

  init(_ reader: inout JSONReader) throws(JSONError) {
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "type": type = try reader.readString()
      case "snapshot-id": snapshotID = try reader.readInt64()
      case "sequence-number": sequenceNumber = try reader.readInt64()
      case "fields":
        var ids: [Int32] = []
        try reader.beginArray()
        while try reader.nextElement() { ids.append(try reader.readInt32()) }
        fields = ids
      case "properties":
        if try reader.readOptional() { properties = try reader.readStringMap() }
      default: try reader.skipValue()
      }
    }
  }
}

/// A partition statistics file taken apart.
struct PartitionStatisticsText {
  var range = 0..<0
  var snapshotID: Int64?
  var path: String?
  var byteCount: Int64?

  init(_ reader: inout JSONReader) throws(JSONError) {
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "snapshot-id": snapshotID = try reader.readInt64()
      case "statistics-path": path = try reader.readString()
      case "file-size-in-bytes": byteCount = try reader.readInt64()
      default: try reader.skipValue()
      }
    }
    range = start..<reader.offset
  }
}

/// An encryption key taken apart.
struct EncryptionKeyText {
  var range = 0..<0
  var id: String?
  var encryptedKeyMetadata: String?
  var encryptedByID: String?
  var properties: [String: String] = [:]

  init(_ reader: inout JSONReader) throws(JSONError) {
    _ = try reader.peek()
    let start = reader.offset
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "key-id": id = try reader.readString()
      case "encrypted-key-metadata": encryptedKeyMetadata = try reader.readString()
      case "encrypted-by-id": encryptedByID = try reader.readOptionalString()
      case "properties":
        if try reader.readOptional() { properties = try reader.readStringMap() }
      default: try reader.skipValue()
      }
    }
    range = start..<reader.offset
  }
}

extension JSONReader {
  mutating func readOptionalInt64() throws(JSONError) -> Int64? {
    try readOptional() ? try readInt64() : nil
  }
  mutating func readOptionalInt32() throws(JSONError) -> Int32? {
    try readOptional() ? try readInt32() : nil
  }
  mutating func readOptionalString() throws(JSONError) -> String? {
    try readOptional() ? try readString() : nil
  }

  mutating func readOptionalStrings() throws(JSONError) -> [String]? {
    guard try readOptional() else { return nil }
    var strings: [String] = []
    try beginArray()
    while try nextElement() { strings.append(try readString()) }
    return strings
  }

  /// The next value, an object whose values are strings.
  mutating func readStringMap() throws(JSONError) -> [String: String] {
    var map: [String: String] = [:]
    try beginObject()
    while let key = try nextKey() {
      let name = key.string
      map[name] = try readString()
    }
    return map
  }

  /// Where each element of the next value, an array, lies.
  mutating func readRawElements() throws(JSONError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    try beginArray()
    while try nextElement() { ranges.append(try readRawValue()) }
    return ranges
  }

  mutating func readSnapshotLogEntry() throws(JSONError) -> SnapshotLogEntry {
    let start = offset
    var id: Int64?
    var time: Int64?
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "snapshot-id": id = try readInt64()
      case "timestamp-ms": time = try readInt64()
      default: try skipValue()
      }
    }
    guard let id, let time else { throw .mismatch(offset: start, expected: .number, found: .null) }
    return SnapshotLogEntry(timestampMilliseconds: time, snapshotID: SnapshotID(id))
  }

  mutating func readMetadataLogEntry() throws(JSONError) -> MetadataLogEntry {
    let start = offset
    var location: String?
    var time: Int64?
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "metadata-file": location = try readString()
      case "timestamp-ms": time = try readInt64()
      default: try skipValue()
      }
    }
    guard let location, let time else {
      throw .mismatch(offset: start, expected: .string, found: .null)
    }
    return MetadataLogEntry(timestampMilliseconds: time, location: location)
  }
}

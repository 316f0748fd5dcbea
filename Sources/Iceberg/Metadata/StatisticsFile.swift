// SPDX-License-Identifier: Apache-2.0

/// A Puffin file with statistics of a snapshot; readers may ignore it.
///
/// Source: Iceberg spec, "Table Statistics".
public struct StatisticsFile: Hashable, Sendable {
  public let snapshotID: SnapshotID
  public let path: String
  public let byteCount: Int64
  /// Of the whole footer, its magics included.
  public let footerByteCount: Int64
  /// Base64, as an encryption scheme has it.
  public let keyMetadata: String?
  public let blobs: [StatisticsBlob]

  public init(
    snapshotID: SnapshotID, path: String, byteCount: Int64, footerByteCount: Int64,
    keyMetadata: String? = nil, blobs: [StatisticsBlob]
  ) {
    self.snapshotID = snapshotID
    self.path = path
    self.byteCount = byteCount
    self.footerByteCount = footerByteCount
    self.keyMetadata = keyMetadata
    self.blobs = blobs
  }
}

/// What one blob of a statistics file is.
public struct StatisticsBlob: Hashable, Sendable {
  public let type: String
  /// The snapshot it was computed from.
  public let snapshotID: SnapshotID
  public let sequenceNumber: SequenceNumber
  /// The fields it was computed on, in order.
  public let fieldIDs: [FieldID]
  public let properties: [String: String]

  public init(
    type: String, snapshotID: SnapshotID, sequenceNumber: SequenceNumber, fieldIDs: [FieldID],
    properties: [String: String] = [:]
  ) {
    self.type = type
    self.snapshotID = snapshotID
    self.sequenceNumber = sequenceNumber
    self.fieldIDs = fieldIDs
    self.properties = properties
  }

  /// How many distinct values there are, as the writer of a sketch estimated; nil if it did not.
  ///
  /// Source: Puffin spec, "apache-datasketches-theta-v1 blob type".
  public var distinctCount: Int64? { PuffinBlob.distinctCount(properties) }
}

/// A file with statistics of each partition at a snapshot; readers may ignore it.
///
/// Source: Iceberg spec, "Partition Statistics".
public struct PartitionStatisticsFile: Hashable, Sendable {
  public let snapshotID: SnapshotID
  public let path: String
  public let byteCount: Int64

  public init(snapshotID: SnapshotID, path: String, byteCount: Int64) {
    self.snapshotID = snapshotID
    self.path = path
    self.byteCount = byteCount
  }
}

/// A key the table's encryption uses, itself encrypted.
///
/// Source: Iceberg spec, "Encryption Keys".
public struct EncryptionKey: Hashable, Sendable {
  public let id: String
  /// Base64.
  public let encryptedKeyMetadata: String
  public let encryptedByID: String?
  public let properties: [String: String]

  public init(
    id: String, encryptedKeyMetadata: String, encryptedByID: String? = nil,
    properties: [String: String] = [:]
  ) {
    self.id = id
    self.encryptedKeyMetadata = encryptedKeyMetadata
    self.encryptedByID = encryptedByID
    self.properties = properties
  }
}

// SPDX-License-Identifier: Apache-2.0

/// From when on a snapshot was the current one.
///
/// Source: Iceberg spec, "Table Metadata Fields", `snapshot-log`.
public struct SnapshotLogEntry: Hashable, Sendable {
  public let timestampMilliseconds: Int64
  public let snapshotID: SnapshotID

  public init(timestampMilliseconds: Int64, snapshotID: SnapshotID) {
    self.timestampMilliseconds = timestampMilliseconds
    self.snapshotID = snapshotID
  }
}

/// An earlier metadata file of the table, and when its state was made.
///
/// Source: Iceberg spec, "Table Metadata Fields", `metadata-log`.
public struct MetadataLogEntry: Hashable, Sendable {
  public let timestampMilliseconds: Int64
  public let location: String

  public init(timestampMilliseconds: Int64, location: String) {
    self.timestampMilliseconds = timestampMilliseconds
    self.location = location
  }
}

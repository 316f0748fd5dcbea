// SPDX-License-Identifier: Apache-2.0

/// A line of a manifest: a file, and what became of it. All that is inherited is filled in.
///
/// Source: Iceberg spec, "Manifests", `manifest_entry`.
public struct ManifestEntry: Hashable, Sendable {
  public enum Status: Int, Hashable, Sendable {
    /// The file was there before this manifest was written.
    case existing = 0
    /// The manifest's snapshot added the file.
    case added = 1
    /// The entry's snapshot removed the file; scans pass it over.
    case deleted = 2
  }

  public var status: Status
  /// The snapshot that added the file or, if it is deleted, that deleted it.
  public var snapshotID: SnapshotID
  /// How old the content is: which deletes apply goes by it.
  public var sequenceNumber: SequenceNumber
  /// The commit that added the file; nil if an old writer did not tell.
  public var fileSequenceNumber: SequenceNumber?
  public var file: DataFile

  public init(
    status: Status, snapshotID: SnapshotID, sequenceNumber: SequenceNumber,
    fileSequenceNumber: SequenceNumber?, file: DataFile
  ) {
    self.status = status
    self.snapshotID = snapshotID
    self.sequenceNumber = sequenceNumber
    self.fileSequenceNumber = fileSequenceNumber
    self.file = file
  }

  /// True if the file belongs to the table's state.
  public var isLive: Bool { status != .deleted }
}

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

// MARK: - Row lineage

extension ManifestEntry {
  /// `_row_id` of the row at `position` of the file: what it holds itself, or else its place.
  ///
  /// Null in a file without a first row id, whatever the row holds.
  ///
  /// Source: Iceberg spec, "Row Lineage" and Appendix E, "Version 3".
  public func rowID(stored: Int64?, at position: Int64) -> Int64? {
    guard let first = file.firstRowID else { return nil }
    if let stored { return stored }
    let (id, overflow) = first.addingReportingOverflow(position)
    return overflow ? nil : id
  }

  /// `_last_updated_sequence_number` of a row: what it holds itself, or else the file's.
  ///
  /// Null in a file without a first row id, whatever the row holds.
  public func lastUpdated(stored: Int64?) -> SequenceNumber? {
    guard file.firstRowID != nil else { return nil }
    return stored.map { SequenceNumber($0) } ?? sequenceNumber
  }
}

// MARK: - One file once

extension DataFile {
  /// What tells a file from all others of a snapshot: its path and, of deletion vectors, its place
  /// in it, as one Puffin file holds many.
  public struct Identity: Hashable, Sendable {
    public let path: String
    public let offset: Int64?
  }

  public var identity: Identity { Identity(path: path, offset: contentRange?.offset) }
}

extension Sequence<DataFile> {
  /// The files, each once: the first of those that are the same.
  public func deduplicated() -> [DataFile] {
    var seen: Set<DataFile.Identity> = []
    return filter { seen.insert($0.identity).inserted }
  }
}

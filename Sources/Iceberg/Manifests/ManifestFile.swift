// SPDX-License-Identifier: Apache-2.0

/// A manifest, as a manifest list tells of it.
///
/// Source: Iceberg spec, "Manifest Lists", `manifest_file`.
public struct ManifestFile: Hashable, Sendable {
  public enum Content: Int, Hashable, Sendable {
    case data = 0
    case deletes = 1
  }

  public var path: String
  public var byteCount: Int64
  public var partitionSpecID: PartitionSpecID
  public var content: Content
  /// The commit that added the manifest; 0 in v1 tables.
  public var sequenceNumber: SequenceNumber
  /// The lowest data sequence number of its live files.
  public var minSequenceNumber: SequenceNumber
  public var addedSnapshotID: SnapshotID
  public var counts: Counts
  /// One for each field of the partition spec, in its order; nil if unknown.
  public var partitions: [FieldSummary]?
  public var keyMetadata: [UInt8]?
  /// v3: where the row ids of its files begin; nil of delete manifests, and if not assigned yet.
  public var firstRowID: Int64?

  /// How many files and rows a manifest has of each status. Nil is unknown: not zero.
  public struct Counts: Hashable, Sendable {
    public var addedFiles: Int64?
    public var existingFiles: Int64?
    public var deletedFiles: Int64?
    public var addedRows: Int64?
    public var existingRows: Int64?
    public var deletedRows: Int64?

    public init(
      addedFiles: Int64?, existingFiles: Int64?, deletedFiles: Int64?, addedRows: Int64?,
      existingRows: Int64?, deletedRows: Int64?
    ) {
      self.addedFiles = addedFiles
      self.existingFiles = existingFiles
      self.deletedFiles = deletedFiles
      self.addedRows = addedRows
      self.existingRows = existingRows
      self.deletedRows = deletedRows
    }

    /// No files at all.
    public static let zero = Counts(
      addedFiles: 0, existingFiles: 0, deletedFiles: 0, addedRows: 0, existingRows: 0,
      deletedRows: 0)

    /// True if none of them is missing.
    public var areKnown: Bool {
      addedFiles != nil && existingFiles != nil && deletedFiles != nil && addedRows != nil
        && existingRows != nil && deletedRows != nil
    }

    /// Counts one more file. Rows stay within what fits.
    mutating func add(_ file: DataFile, _ status: ManifestEntry.Status) {
      func count(_ files: inout Int64?, _ rows: inout Int64?) {
        files = (files ?? 0) + 1
        let (sum, overflow) = (rows ?? 0).addingReportingOverflow(file.recordCount)
        rows = overflow ? .max : sum
      }
      switch status {
      case .added: count(&addedFiles, &addedRows)
      case .existing: count(&existingFiles, &existingRows)
      case .deleted: count(&deletedFiles, &deletedRows)
      }
    }

    /// The counts of a manifest with `entries`: for one whose list does not tell them.
    public init(of entries: some Sequence<ManifestEntry>) {
      self = .zero
      for entry in entries { add(entry.file, entry.status) }
    }

    /// Nothing is known.
    public static let unknown = Counts(
      addedFiles: nil, existingFiles: nil, deletedFiles: nil, addedRows: nil, existingRows: nil,
      deletedRows: nil)
  }

  public init(
    path: String, byteCount: Int64, partitionSpecID: PartitionSpecID, content: Content,
    sequenceNumber: SequenceNumber, minSequenceNumber: SequenceNumber,
    addedSnapshotID: SnapshotID, counts: Counts, partitions: [FieldSummary]?,
    keyMetadata: [UInt8]? = nil, firstRowID: Int64? = nil
  ) {
    self.path = path
    self.byteCount = byteCount
    self.partitionSpecID = partitionSpecID
    self.content = content
    self.sequenceNumber = sequenceNumber
    self.minSequenceNumber = minSequenceNumber
    self.addedSnapshotID = addedSnapshotID
    self.counts = counts
    self.partitions = partitions
    self.keyMetadata = keyMetadata
    self.firstRowID = firstRowID
  }

  /// False only if it is known that no file in it is live.
  public var mayHaveLiveFiles: Bool { counts.addedFiles != 0 || counts.existingFiles != 0 }
  /// False only if it is known that it adds no file.
  public var mayHaveAddedFiles: Bool { counts.addedFiles != 0 }
  /// False only if it is known that it deletes no file.
  public var mayHaveDeletedFiles: Bool { counts.deletedFiles != 0 }

  /// The rows whose ids are assigned from ``firstRowID`` on; nil if unknown or too many.
  public var assignableRowCount: Int64? {
    guard let added = counts.addedRows, let existing = counts.existingRows, added >= 0,
      existing >= 0
    else { return nil }
    let (sum, overflow) = added.addingReportingOverflow(existing)
    return overflow ? nil : sum
  }
}

/// Which values a partition field has in the files of a manifest.
///
/// Source: Iceberg spec, "Manifest Lists", `field_summary`.
public struct FieldSummary: Hashable, Sendable {
  public var containsNull: Bool
  /// Nil is unknown.
  public var containsNaN: Bool?
  /// Binary form of the transform's result type; nil if all values are null or NaN, or unknown.
  public var lowerBound: [UInt8]?
  public var upperBound: [UInt8]?

  public init(
    containsNull: Bool, containsNaN: Bool?, lowerBound: [UInt8]?, upperBound: [UInt8]?
  ) {
    self.containsNull = containsNull
    self.containsNaN = containsNaN
    self.lowerBound = lowerBound
    self.upperBound = upperBound
  }
}

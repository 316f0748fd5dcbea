// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A manifest that was written and belongs to no snapshot yet.
///
/// It does not know its sequence number: so it is written once, and every attempt of a commit lists
/// it under the number that attempt gets.
public struct NewManifest: Sendable {
  public let path: String
  /// The whole file.
  public let bytes: Buffer
  public let partitionSpecID: PartitionSpecID
  public let content: ManifestFile.Content
  public let snapshotID: SnapshotID
  public let counts: ManifestFile.Counts
  public let partitions: [FieldSummary]
  /// The lowest sequence number that a live file has by itself; nil if none has one.
  public let minSequenceNumber: SequenceNumber?
  /// True if a live file gets the commit's sequence number.
  public let hasInheritingFiles: Bool

  /// The entry of a manifest list of the commit with `sequenceNumber` (0 in v1).
  public func file(at sequenceNumber: SequenceNumber) -> ManifestFile {
    let inherited = hasInheritingFiles ? sequenceNumber : nil
    return ManifestFile(
      path: path, byteCount: Int64(bytes.count), partitionSpecID: partitionSpecID,
      content: content, sequenceNumber: sequenceNumber,
      minSequenceNumber: [minSequenceNumber, inherited].compactMap { $0 }.min() ?? sequenceNumber,
      addedSnapshotID: snapshotID, counts: counts, partitions: partitions)
  }
}

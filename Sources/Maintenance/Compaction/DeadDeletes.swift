// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// Tells which delete files delete no row any more, as no data file is left that they could apply to.
///
/// Law: a delete file that may delete a row of a data file of the table is not among them; whatever
/// specs the table had.
struct DeadDeletes {
  private var paths: Set<String> = []
  private var oldest: [PartitionValues: SequenceNumber] = [:]
  private var oldestOfAll: SequenceNumber?

  /// Notes a data file that is left.
  mutating func keep(_ file: DataFile, _ sequenceNumber: SequenceNumber) {
    paths.insert(file.path)
    oldest[file.partition] = min(oldest[file.partition] ?? sequenceNumber, sequenceNumber)
    oldestOfAll = min(oldestOfAll ?? sequenceNumber, sequenceNumber)
  }

  /// - Parameter isGlobal: its partition spec is unpartitioned.
  func isDead(_ delete: ManifestEntry, isGlobal: Bool) -> Bool {
    let number = delete.sequenceNumber
    if let path = delete.file.onlyReferencedPath { return !paths.contains(path) }
    switch DeleteKind(delete.file) {
    case .equality:
      let oldest = isGlobal ? oldestOfAll : oldest[delete.file.partition]
      return oldest.map { $0 >= number } ?? true
    case .positions: return oldest[delete.file.partition].map { $0 > number } ?? true
    case .vector, nil: return false
    }
  }
}

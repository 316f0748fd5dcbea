// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg
internal import KeyIndexing

/// What was written for the next commit, and what it takes away of the table as it was when that was
/// worked out.
struct PendingCommit: Sendable {
  /// Data files, in the order they were written.
  var files: [WrittenFile] = []
  /// The rows of the table that go, by the path of their data file; ascending in no order.
  var dead: [String: [Int64]] = [:]
  /// The head of the branch that ``dead`` is true for.
  var base: SnapshotID?
  /// The snapshots that were asked for, some of which may have happened.
  var attempted: [SnapshotID] = []
  /// The deletion vectors of the last attempt, by the path of their data file.
  var vectors: [(path: String, rows: DeletionVector)] = []

  /// A data file, and what an index keeps of its rows.
  struct WrittenFile: Sendable {
    let file: DataFile
    let rows: IndexedRows
  }
}

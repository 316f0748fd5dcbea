// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning
internal import Writing

/// Tells the rows of a state that were added or changed after another.
///
/// From v3 on every row tells itself, by its `_last_updated_sequence_number`. Before, a file's rows
/// are as new as the file; so files that took others' place can't be told apart, and are refused.
struct BackfillRange {
  /// Which rows; nil: all rows of the files.
  let rows: Predicate?
  private let from: SequenceNumber
  /// Nil: files that are newer than ``from``.
  private let files: Set<String>?

  /// - Throws: ``ScanError/snapshotNotFound(_:)`` if `from` is no ancestor of `to`;
  ///   ``ScanError/unsupported(what:file:)`` where rows can't be told apart.
  init(_ table: Table, from: SnapshotID, to: Snapshot) async throws(ScanError) {
    guard let start = table.metadata.snapshot(from), table.metadata.isAncestor(from, of: to.id)
    else {
      throw .snapshotNotFound(
        "snapshot \(from.rawValue) before \(to.id.rawValue): it is no ancestor of it, or expired")
    }
    self.from = start.sequenceNumber
    if table.metadata.formatVersion >= .v3 {
      files = nil
      rows = .greater(
        MetadataColumn.lastUpdatedSequenceNumber.rawValue, .integer(start.sequenceNumber.rawValue))
      return
    }
    let changes: ConcurrentChanges
    do throws(CommitError) {
      changes = try await ConcurrentChanges(of: table, since: from, until: to)
    } catch {
      if case .catalog(let error) = error { throw .catalog(error) }
      throw .snapshotNotFound("the history between two snapshots: \(error)")
    }
    let rewriting =
      changes.replacedRows.first
      ?? changes.removedFiles.first { changes.overwrites.contains($0.snapshotID) }
    if let rewriting {
      throw .unsupported(
        what: "telling rows that are new from those that snapshot \(rewriting.snapshotID.rawValue) "
          + "wrote again, in a table before format version 3,", file: table.name)
    }
    files = Set(changes.addedRows.map(\.file.path))
    rows = nil
  }

  /// False only if the task's file has no such row.
  func mayHaveRows(of task: ScanTask) -> Bool {
    if let files { return files.contains(task.file.path) }
    return task.sequenceNumber > from
  }
}

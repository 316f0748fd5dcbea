// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// What others did that a change can't be reconciled with. It is told of the first thing found.
@nonexhaustive
public enum Conflict: Hashable, Sendable {
  /// A file that the change removes, or deletes rows of, is no longer there.
  case fileIsGone(String)
  /// A file that was written for the commit was deleted before it, as one that nothing names.
  case writtenFileIsGone(String)
  /// Rows were deleted from a file that the change removes, or deletes rows of.
  case rowsWereDeleted(file: String, by: SnapshotID)
  /// Rows were added that the change might have had to consider.
  case rowsWereAdded(file: String, by: SnapshotID)
  /// The branch no longer holds the snapshot that the change was worked out from.
  case historyIsGone(SnapshotID)
  /// The table was upgraded to a version in which such files can't be added.
  case formatVersion(FormatVersion, what: String)
  /// The statistics of a snapshot are no longer those that were to be replaced.
  case statisticsChanged(SnapshotID)
  /// A column is no longer what it was when rows were written for it.
  case columnChanged(String)
}

extension Conflict: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fileIsGone(let path): "'\(path)' is no longer part of the table"
    case .writtenFileIsGone(let path):
      "'\(path)' was written for this commit and is no longer there: whoever deletes what nothing "
        + "names took it while the writer waited"
    case .rowsWereDeleted(let path, let id):
      "snapshot \(id.rawValue) deleted rows of '\(path)'"
    case .rowsWereAdded(let path, let id):
      "snapshot \(id.rawValue) added '\(path)', which may have rows that the change is about"
    case .historyIsGone(let id):
      "snapshot \(id.rawValue), from which the change was worked out, is not in the branch's history"
    case .statisticsChanged(let id):
      "the statistics of snapshot \(id.rawValue) were replaced"
    case .columnChanged(let name):
      "column '\(name)' is not what it was when the rows were written"
    case .formatVersion(let version, let what):
      "a table of format version \(version.rawValue) can't be given deletes of kind \(what)"
    }
  }
}

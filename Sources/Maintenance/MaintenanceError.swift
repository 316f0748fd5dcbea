// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Expressions
public import Iceberg
public import KeyIndexing
public import Scanning
public import Storage
public import Writing

/// What can go wrong when a table is kept up.
@nonexhaustive
public enum MaintenanceError: Error, Sendable {
  /// The table's `gc.enabled` is false: its files may be another table's too.
  case deletionIsOff(what: String)
  /// A policy or setting that makes no sense.
  case invalidPolicy(String, reason: String)
  /// A file that was found differs from one that the table names in scheme or authority alone.
  case foreignPath(String, root: String)
  /// Another table lies in the table's folder.
  case nestedTable(String)
  /// So much looks like an orphan that more likely something else is wrong.
  case tooManyOrphans(count: Int, of: Int, percentLimit: Int)
  /// What the table needs can't be told: nothing was deleted.
  case unreadable(file: String, reason: String)
  /// The source of a backfill has no rows yet.
  case nothingToBackfill(source: String)
  /// The same backfill was broken off, and is to be gone on with.
  case backfillIsUnfinished(_ id: String, done: Int, of: Int)
  /// A backfill from the source was broken off that asked for something else.
  case otherBackfill(_ id: String, differs: String, was: String, now: String)
  /// The state that a backfill reads has expired.
  case pinnedSnapshotIsGone(SnapshotID, backfill: String)
  /// The target was set back, and no snapshot that is left tells what had landed then.
  case backfillWasRolledBack(_ id: String)
  /// What is computed of rows can't be, or does not fit the target.
  case expression(ExpressionError)
  /// The rows of keys can't be found.
  case index(KeyIndexError)
  case commit(CommitError)
  case catalog(CatalogError)
  case reading(ScanError)
  case storage(StorageError, while: String)
  case cancelled
}

extension MaintenanceError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .deletionIsOff, .invalidPolicy: .changeInput
    case .foreignPath, .nestedTable, .tooManyOrphans, .unreadable, .backfillWasRolledBack,
      .pinnedSnapshotIsGone:
      .inspect
    case .nothingToBackfill, .backfillIsUnfinished, .otherBackfill, .expression: .changeInput
    case .index(let error): error.remedy
    case .commit(let error): error.remedy
    case .catalog(let error): error.remedy
    case .reading(let error): error.remedy
    case .storage(let error, _): error.remedy
    case .cancelled: .retry
    }
  }
}

extension MaintenanceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .deletionIsOff(let what):
      "\(what) is off: the table's property gc.enabled is false, its files may be another's too"
    case .invalidPolicy(let what, let reason): "\(what): \(reason)"
    case .foreignPath(let path, let root):
      "'\(path)' does not lie at \(root), and may be the same file; nothing was deleted"
    case .nestedTable(let folder):
      "another table lies in the table's folder, at \(folder); nothing was deleted"
    case .tooManyOrphans(let count, let all, let limit):
      "\(count) of \(all) files look like orphans, more than \(limit) %; nothing was deleted"
    case .unreadable(let file, let reason):
      "what the table needs can't be told, so nothing was deleted: \(file): \(reason)"
    case .nothingToBackfill(let source): "\(source) has no rows yet: there is nothing to read"
    case .backfillIsUnfinished(let id, let done, let count):
      "the backfill \(id) was broken off with \(done) of \(count) splits done: go on with it by "
        + "--resume"
    case .otherBackfill(let id, let what, let was, let now):
      "the backfill \(id) that was broken off differs in \(what): it was '\(was)', it is '\(now)': "
        + "go on as it was, or begin anew without --resume"
    case .pinnedSnapshotIsGone(let snapshot, let id):
      "snapshot \(snapshot.rawValue), which the backfill \(id) reads, has expired: what had landed "
        + "is there, the rest can't be read any more"
    case .backfillWasRolledBack(let id):
      "the target was set back, and no snapshot that is left tells what of the backfill \(id) is in "
        + "it: begin anew without --resume"
    case .expression(let error): "\(error)"
    case .index(let error): "\(error)"
    case .commit(let error): "\(error)"
    case .catalog(let error): "\(error)"
    case .reading(let error): "\(error)"
    case .storage(let error, let activity): "\(activity): \(error)"
    case .cancelled: "cancelled"
    }
  }
}

extension CatalogError {
  /// True if a file is not there or is not what it should be: trying again would not help.
  var isDamage: Bool {
    switch self {
    case .invalidMetadata: true
    case .storage(let error, _): error.isNotFound
    default: false
    }
  }

  /// True if a file is not there.
  var isMissingFile: Bool {
    if case .storage(let error, _) = self { error.isNotFound } else { false }
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
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
    case .foreignPath, .nestedTable, .tooManyOrphans, .unreadable: .inspect
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

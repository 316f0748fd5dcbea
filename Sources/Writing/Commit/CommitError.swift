// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Expressions
public import Iceberg
public import Scanning
public import Storage

/// What can go wrong when a change is committed.
///
/// But for ``stateUnknown(_:commitID:)``, nothing was changed.
@nonexhaustive
public enum CommitError: Error, Sendable {
  /// Others won every time, until there was no time left to try again.
  case conflictsPersist(attempts: Int, last: String)
  /// No one can tell whether the commit happened. No file of it was deleted; if it did, a snapshot
  /// has `commitID` as its `lake.commit-id`.
  case stateUnknown(StorageError, commitID: String)
  /// Others changed what the change was worked out from: it has to be worked out again.
  case conflict(Conflict)
  /// The change does not fit the table, as it was or as it has become.
  case rejected(IcebergError)
  /// Rows do not fit the table's schema; which column, and what was found.
  case schemaMismatch(column: String, expected: String, found: String)
  /// A value can't be in the column it was given for.
  case invalidValue(column: String, row: Int, reason: String)
  /// The table has a feature that this engine can't write.
  case unsupported(String)
  /// A value that rows are to get can't be computed.
  case computing(ExpressionError)
  /// Rows that the change is about can't be read.
  case reading(ScanError)
  /// The table no longer keeps the place of a consumer: it was expired, or taken away.
  case consumerLost(name: String)
  /// A consumer should begin anew that has a place.
  case consumerExists(name: String)
  /// Another reader of the name moved a consumer's place.
  case consumerMoved(name: String, to: SnapshotID)
  case catalog(CatalogError)
  case storage(StorageError, while: String)
  case cancelled
}

extension CommitError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .conflictsPersist, .cancelled: .retry
    case .conflict: .rebase
    case .stateUnknown: .inspect
    case .rejected, .schemaMismatch, .invalidValue, .unsupported, .computing,
      .consumerLost, .consumerExists:
      .changeInput
    case .consumerMoved: .rebase
    case .reading(let error): error.remedy
    case .catalog(let error): error.remedy
    case .storage(let error, _): error.remedy
    }
  }
}

extension CommitError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .conflictsPersist(let attempts, let last):
      "others committed first \(attempts) times; nothing was changed; the last time: \(last)"
    case .stateUnknown(let cause, let commitID):
      "the outcome is unknown and nothing was cleaned up: \(cause); the commit happened if a "
        + "snapshot of the table has lake.commit-id \(commitID)"
    case .conflict(let conflict): "\(conflict); nothing was changed"
    case .rejected(let error): "\(error)"
    case .schemaMismatch(let column, let expected, let found):
      "column '\(column)': expected \(expected), found \(found)"
    case .invalidValue(let column, let row, let reason):
      "column '\(column)', row \(row): \(reason)"
    case .unsupported(let what): "\(what) can't be written"
    case .computing(let error): "\(error)"
    case .reading(let error): "\(error)"
    case .consumerLost(let name):
      "the table keeps no place of consumer '\(name)' any more: it was expired or removed; what "
        + "changed since can't be told, so it has to begin anew"
    case .consumerExists(let name):
      "consumer '\(name)' has a place, from which it goes on; to begin anew, remove it first"
    case .consumerMoved(let name, let id):
      "another reader moved consumer '\(name)' to snapshot \(id.rawValue)"
    case .catalog(let error): "\(error)"
    case .storage(let error, let activity): "\(activity): \(error)"
    case .cancelled: "cancelled; nothing was changed"
    }
  }
}

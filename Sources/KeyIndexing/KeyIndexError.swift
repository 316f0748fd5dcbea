// SPDX-License-Identifier: Apache-2.0
public import Scanning
public import Storage
public import Writing

/// What can go wrong when rows are found by their keys.
@nonexhaustive
public enum KeyIndexError: Error, Sendable {
  /// No columns were named, and the table has no identifier fields.
  case noKey(table: String)
  /// The schema has no such column.
  case unknownColumn(String)
  /// A column whose values can't be told apart reliably, or that has parts.
  case unsupportedKey(column: String, type: String)
  /// Rows without one of the key's columns.
  case missingColumn(String)
  /// A column of another type than the table has.
  case typeMismatch(column: String, expected: String, found: String)
  /// A key of which a column is null.
  case nullKey(column: String, row: Int)
  /// A data file of more rows than can be told apart.
  case tooManyRows(file: String, count: Int64)
  /// A part of the index that was not in memory is no longer there, or not what was written: the
  /// index has to be opened again.
  case segmentIsGone(String)
  /// The table's files can't be read.
  case reading(ScanError)
  /// The index could not be kept with the table.
  case committing(CommitError)
  case storage(StorageError, while: String)
  case cancelled
}

extension KeyIndexError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .noKey, .unknownColumn, .unsupportedKey, .missingColumn, .typeMismatch, .nullKey,
      .tooManyRows:
      .changeInput
    case .reading(let error): error.remedy
    case .committing(let error): error.remedy
    case .storage(let error, _): error.remedy
    case .segmentIsGone, .cancelled: .retry
    }
  }
}

extension KeyIndexError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noKey(let table): "\(table) has no identifier fields, and no key was named"
    case .unknownColumn(let name): "the table has no column '\(name)'"
    case .unsupportedKey(let column, let type):
      "column '\(column)': a \(type) can't be part of a key"
    case .missingColumn(let name): "key column '\(name)' is missing"
    case .typeMismatch(let column, let expected, let found):
      "key column '\(column)': expected \(expected), found \(found)"
    case .nullKey(let column, let row): "key column '\(column)', row \(row): null is no key"
    case .tooManyRows(let file, let count): "\(file): \(count) rows are too many for a key index"
    case .segmentIsGone(let file): "\(file): a part of the key index is gone"
    case .reading(let error): "\(error)"
    case .committing(let error): "\(error)"
    case .storage(let error, let activity): "\(activity): \(error)"
    case .cancelled: "cancelled"
    }
  }
}

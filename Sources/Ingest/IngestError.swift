// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import KeyIndexing
public import Scanning
public import Storage
public import Writing

/// What can go wrong when rows are upserted.
///
/// Laws: a batch that is refused is refused whole, and nothing that came before it is lost. After a
/// commit that failed, the writer has its rows still, and can be asked to commit again; whether the
/// failed one happened after all is found out then.
@nonexhaustive
public enum IngestError: Error, Sendable {
  /// Neither the options nor the table say which columns are the key.
  case noKey(table: String)
  /// The key asked for is not the table's.
  case otherKey(given: [String], identifierFields: [String])
  /// A column can't be part of a key.
  case badKeyColumn(String, reason: String)
  /// A column can't be what rows are ordered by.
  case badOrderColumn(String, reason: String)
  /// The column that says what is to be done is missing, or one of the table's.
  case badOperationColumn(String, reason: String)
  /// Tables of this version can't have deletes.
  case formatVersion(FormatVersion, table: String)
  /// A row without a value in a column of the key.
  case nullKey(column: String, row: Int)
  /// A row whose order can't be told: null or NaN.
  case badOrder(column: String, row: Int, found: String)
  /// What is to be done with a row is neither `upsert` nor `delete`.
  case badOperation(column: String, row: Int, found: String)
  /// A new row, given in part, lacks a value that the table requires.
  case incompleteRow(column: String, key: String)
  /// Rows don't fit the table; which, and why.
  case rows(CommitError)
  /// Another instance of the writer was opened since: this one must stop.
  case fenced(writer: String, fence: Int64, by: Int64)
  /// The writer's branch was set back: rows that it had committed are gone. It must be opened again,
  /// and its sources read from the offsets committed then.
  case rolledBack(writer: String, snapshot: SnapshotID)
  /// The branch was set back, and no snapshot that is left tells which offsets were committed then.
  case offsetsUnknown(writer: String, partitions: [String])
  /// The offset of a source that is to be committed lies before the one that was.
  case offsetWentBack(writer: String, partition: String, committed: Int64, given: Int64)
  /// The writer commits to another branch.
  case otherBranch(writer: String, branch: String, asked: String)
  /// The table's property for the writer is no record of one.
  case badRecord(IcebergError)
  /// The writer was closed, or stopped for good.
  case closed
  case commit(CommitError)
  /// The rows of keys can't be found.
  case index(KeyIndexError)
  case reading(ScanError)
  case catalog(CatalogError)
}

extension IngestError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .noKey, .otherKey, .badKeyColumn, .badOrderColumn, .badOperationColumn, .formatVersion,
      .nullKey, .badOrder, .badOperation, .incompleteRow, .offsetWentBack,
      .otherBranch:
      .changeInput
    case .fenced, .offsetsUnknown, .badRecord, .closed: .inspect
    case .rolledBack: .rebase
    case .rows(let error), .commit(let error): error.remedy
    case .index(let error): error.remedy
    case .reading(let error): error.remedy
    case .catalog(let error): error.remedy
    }
  }

  /// The row of the batch that is at fault, counted from 0; nil if it is not one row.
  public var row: Int? {
    switch self {
    case .nullKey(_, let row), .badOrder(_, let row, _), .badOperation(_, let row, _): row
    case .rows(.invalidValue(_, let row, _)): row
    default: nil
    }
  }
}

extension IngestError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noKey(let table):
      "\(table) has no identifier fields: name the columns of the key"
    case .otherKey(let given, let fields):
      "the key is \(fields.joined(separator: ", ")) by the table's identifier fields, not "
        + given.joined(separator: ", ")
    case .badKeyColumn(let name, let reason): "column '\(name)' can't be part of the key: \(reason)"
    case .badOrderColumn(let name, let reason): "rows can't be ordered by '\(name)': \(reason)"
    case .badOperationColumn(let name, let reason):
      "column '\(name)' can't tell what to do with rows: \(reason)"
    case .formatVersion(let version, let table):
      "\(table) is of format version \(version.rawValue), which can't take rows away: upgrade it "
        + "to version 2 or 3 first"
    case .nullKey(let column, let row):
      "column '\(column)', row \(row): expected a value, since it is part of the key, found none"
    case .badOrder(let column, let row, let found):
      "column '\(column)', row \(row): expected a value to order by, found \(found)"
    case .badOperation(let column, let row, let found):
      "column '\(column)', row \(row): expected 'upsert' or 'delete', found \(found)"
    case .incompleteRow(let column, let key):
      "the table requires '\(column)', which the new row with key \(key) lacks"
    case .rows(let error): "\(error)"
    case .fenced(let writer, let fence, let other):
      "writer '\(writer)' was opened elsewhere (fence \(other), this one has \(fence)): this "
        + "instance has stopped, and nothing of it was committed since"
    case .rolledBack(let writer, let snapshot):
      "snapshot \(snapshot.rawValue), the last that writer '\(writer)' committed, was rolled back: "
        + "open it again and go on from the offsets committed then"
    case .offsetsUnknown(let writer, let partitions):
      "the branch was set back, and no snapshot that is left tells the offsets of writer "
        + "'\(writer)' then, for: \(partitions.joined(separator: ", "))"
    case .offsetWentBack(let writer, let partition, let committed, let given):
      "source '\(partition)' of writer '\(writer)' was committed up to \(committed), which can't go "
        + "back to \(given)"
    case .otherBranch(let writer, let branch, let asked):
      "writer '\(writer)' commits to branch '\(branch)', not to '\(asked)'"
    case .badRecord(let error): "\(error)"
    case .closed: "the writer was closed"
    case .commit(let error): "\(error)"
    case .index(let error): "\(error)"
    case .reading(let error): "\(error)"
    case .catalog(let error): "\(error)"
    }
  }
}

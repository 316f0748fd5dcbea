// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import ParquetFiles
public import Storage

/// What can go wrong when a table is read.
@nonexhaustive
public enum ScanError: Error, Sendable {
  /// What was asked for can't be had of this table: a column, a predicate, a type.
  case invalidRequest(IcebergError)
  /// The table has no such snapshot, branch or tag, or had no state at that time.
  case snapshotNotFound(String)
  /// Changes were asked for from a state that comes after the one they should lead to.
  case emptyRange(from: SnapshotID, to: SnapshotID)
  /// A manifest or manifest list is not what the format says.
  case invalidManifest(file: String, IcebergError)
  /// A data file can't be read, or is not what its format says.
  case dataFile(ParquetFileError)
  /// A data file of another format is not what that says.
  case invalidDataFile(file: String, IcebergError)
  /// A data file does not fit the table's schema.
  case schemaMismatch(file: String, column: String, expected: String, found: String)
  /// A data file has another number of rows or bytes than the table says.
  case wrongSize(file: String, what: String, expected: Int64, found: Int64)
  /// The table has something that this engine does not read, and what does.
  case unsupported(what: String, file: String)
  case catalog(CatalogError)
  case storage(StorageError, while: String)
  case cancelled
}

extension ScanError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .invalidRequest, .snapshotNotFound, .emptyRange, .unsupported: .changeInput
    case .invalidManifest, .invalidDataFile, .schemaMismatch, .wrongSize: .inspect
    case .dataFile(let error): error.remedy
    case .catalog(let error): error.remedy
    case .storage(let error, _): error.remedy
    case .cancelled: .retry
    }
  }
}

extension ScanError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidRequest(let error): "\(error)"
    case .snapshotNotFound(let what): "the table has no \(what)"
    case .emptyRange(let from, let to):
      "snapshot \(from.rawValue) comes after snapshot \(to.rawValue): no changes lead back"
    case .invalidManifest(let file, let error): "\(file): \(error)"
    case .dataFile(let error): "\(error)"
    case .invalidDataFile(let file, let error): "\(file): \(error)"
    case .schemaMismatch(let file, let column, let expected, let found):
      "\(file), column '\(column)': expected \(expected), found \(found)"
    case .wrongSize(let file, let what, let expected, let found):
      "\(file): expected \(expected) \(what), found \(found)"
    case .unsupported(let what, let file): "\(file): \(what) are not read"
    case .catalog(let error): "\(error)"
    case .storage(let error, let activity): "\(activity): \(error)"
    case .cancelled: "cancelled"
    }
  }
}

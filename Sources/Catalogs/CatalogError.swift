// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Storage

/// What can go wrong when a table is looked up, opened or swapped.
@nonexhaustive
public enum CatalogError: Error, Sendable {
  /// There is no table of this name or at this place.
  case tableNotFound(String)
  /// There is a table of this name already.
  case tableExists(String)
  case namespaceNotFound(String)
  /// There is a namespace of this name already.
  case namespaceExists(String)
  /// The namespace has tables or other namespaces in it.
  case namespaceNotEmpty(String)
  /// The text names no table or namespace.
  case invalidName(String, reason: String)
  /// A file of the table's metadata is not what the format says.
  case invalidMetadata(file: ObjectPath, IcebergError)
  /// What was asked for is not allowed in this table or by the format.
  case rejected(IcebergError)
  /// The catalog, or the way the table was opened, has no such operation.
  case unsupported(what: String, instead: String)
  /// No one can tell whether the table was made, dropped or swapped; nothing was cleaned up.
  case outcomeUnknown(what: String, cause: StorageError)
  case storage(StorageError, while: String)
}

extension CatalogError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .tableNotFound, .namespaceNotFound, .tableExists, .namespaceExists, .namespaceNotEmpty,
      .invalidName, .rejected, .unsupported:
      .changeInput
    case .invalidMetadata, .outcomeUnknown: .inspect
    case .storage(let error, _): error.remedy
    }
  }
}

extension CatalogError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tableNotFound(let name): "no table \(name)"
    case .tableExists(let name): "there is a table \(name) already"
    case .namespaceNotFound(let name): "no namespace \(name)"
    case .namespaceExists(let name): "there is a namespace \(name) already"
    case .namespaceNotEmpty(let name): "namespace \(name) is not empty"
    case .invalidName(let name, let reason): "'\(name)' is no table name: \(reason)"
    case .invalidMetadata(let file, let error): "\(file): \(error)"
    case .rejected(let error): "\(error)"
    case .unsupported(let what, let instead): "\(what) is not supported: \(instead)"
    case .outcomeUnknown(let what, let cause): "the outcome of \(what) is unknown: \(cause)"
    case .storage(let error, let activity): "\(activity): \(error)"
    }
  }
}

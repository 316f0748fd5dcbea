// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// How a command failed: the one line that is printed, and the exit code.
struct Failure {
  let line: String
  let status: ExitStatus
  /// What led to it, from the error itself down to where it came from.
  let causes: [String]

  /// - Parameter activity: what the command does, as in `append failed: …`.
  init(_ error: any Error, activity: String) {
    let description = "\(error)".split(separator: "\n").joined(separator: " ")
    line = "\(activity) failed: \(description)"
    status = Self.status(of: error)
    causes = Self.chain(from: error)
  }

  /// The errors within `error`, found by what its cases carry.
  private static func chain(from error: any Error) -> [String] {
    let line = "\(error)".split(separator: "\n").joined(separator: " ")
    var lines = ["\(type(of: error)): \(line)"]
    if let cause = firstError(in: Mirror(reflecting: error)) { lines += chain(from: cause) }
    return lines
  }

  private static func firstError(in mirror: Mirror) -> (any Error)? {
    for child in mirror.children {
      if let error = child.value as? any Error { return error }
      if let error = firstError(in: Mirror(reflecting: child.value)) { return error }
    }
    return nil
  }

  private static func status(of error: any Error) -> ExitStatus {
    switch error {
    case let error as CommandError: error.status
    case let error as AppendError<InputError>:
      switch error {
      case .source(let error): status(of: error)
      case .commit(let error): status(of: error)
      }
    case let error as CommitError:
      switch error {
      case .conflictsPersist, .conflict: .conflict
      case .stateUnknown: .unknown
      case .consumerLost: .notFound
      case .consumerExists: .usage
      case .consumerMoved: .conflict
      case .catalog(let error): status(of: error)
      case .reading(let error): status(of: error)
      case .computing(let error): status(of: error)
      case .rejected(let error): status(of: error)
      default: .failed
      }
    case let error as IngestError:
      switch error {
      case .fenced: .conflict
      case .rows(let error), .commit(let error): status(of: error)
      case .reading(let error): status(of: error)
      case .catalog(let error): status(of: error)
      default: .failed
      }
    case let error as KeyIndexError:
      switch error {
      case .reading(let error): status(of: error)
      case .committing(let error): status(of: error)
      case .storage(let error, _): status(of: error)
      default: .failed
      }
    case let error as CatalogError:
      switch error {
      case .tableNotFound, .namespaceNotFound: .notFound
      case .outcomeUnknown: .unknown
      case .invalidName: .usage
      default: .failed
      }
    case let error as ScanError:
      switch error {
      case .snapshotNotFound: .notFound
      case .emptyRange: .usage
      case .catalog(let error): status(of: error)
      case .invalidRequest(let error): status(of: error)
      default: .failed
      }
    case let error as MaintenanceError:
      switch error {
      case .commit(let error): status(of: error)
      case .catalog(let error): status(of: error)
      case .reading(let error): status(of: error)
      case .invalidPolicy, .backfillIsUnfinished, .otherBackfill: .usage
      case .expression(let error): status(of: error)
      case .pinnedSnapshotIsGone: .notFound
      default: .failed
      }
    case let error as InputError:
      if case .storage(let error) = error { status(of: error) } else { .failed }
    case let error as ParquetFileError:
      if case .storage(let error) = error { status(of: error) } else { .failed }
    case let error as StorageError:
      switch error {
      case .notFound: .notFound
      case .outcomeUnknown: .unknown
      case .invalidPath: .usage
      default: .failed
      }
    case let error as ExpressionError:
      if case .syntax = error { .usage } else { .failed }
    // Text of the command line that follows no grammar.
    case IcebergError.syntax: .usage
    default: .failed
    }
  }
}

/// What commands find wrong themselves.
enum CommandError: Error, CustomStringConvertible {
  case notFound(String)
  case failed(String)

  var status: ExitStatus {
    switch self {
    case .notFound: .notFound
    case .failed: .failed
    }
  }

  var description: String {
    switch self {
    case .notFound(let what), .failed(let what): what
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What can go wrong when objects are read or written.
///
/// Every case but ``outcomeUnknown(_:path:)`` says that nothing was changed.
@nonexhaustive
public enum StorageError: Error, Hashable, Sendable {
  /// There is no object at `path`.
  case notFound(path: ObjectPath)
  /// The condition of a write, or the version asked of a read, does not hold at `path`.
  case conditionFailed(path: ObjectPath)
  /// The write at `path` may have happened, may still happen, or may not; the payload says what
  /// hid it. Nothing may be deleted because of it.
  indirect case outcomeUnknown(StorageError, path: ObjectPath)
  /// The store does not let us.
  case permissionDenied(path: ObjectPath, reason: String)
  /// No room is left for the object: the device, a quota or a limit on sizes.
  case full(path: ObjectPath, reason: String)
  /// A ``LocationPolicy`` or a store's roots do not allow `path`.
  case refused(path: ObjectPath, reason: String)
  /// What is at `path` is not an object but a directory, a link, a pipe or the like.
  case notAnObject(path: ObjectPath, found: String)
  /// The object at `path` is larger than the reader wanted to take.
  case tooLarge(path: ObjectPath, byteCount: Int64, limit: Int64)
  /// The store at `path` cannot do `what`; `instead` says what to use.
  case unsupported(what: String, path: ObjectPath, instead: String)
  /// The text is no location.
  case invalidPath(String, reason: String)
  /// The store has no time for us now, and says when it might.
  case unavailable(path: ObjectPath, reason: String, retryAfter: Duration?)
  /// The operating system or the store failed; `reason` are its words, `code` its number.
  case io(operation: String, path: ObjectPath, reason: String, code: Int32, isTransient: Bool)
  /// The task was cancelled before the request was made.
  case cancelled(path: ObjectPath)
}

extension StorageError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .unavailable, .cancelled: .retry
    case .io(_, _, _, _, let isTransient): isTransient ? .retry : .inspect
    case .conditionFailed: .rebase
    case .refused, .notAnObject, .tooLarge, .unsupported, .invalidPath: .changeInput
    case .notFound, .outcomeUnknown, .permissionDenied, .full: .inspect
    }
  }

  /// True if the write may have happened all the same.
  public var isOutcomeUnknown: Bool {
    if case .outcomeUnknown = self { true } else { false }
  }

  /// True if what is there is no object.
  var isNotAnObject: Bool {
    if case .notAnObject = self { true } else { false }
  }

  /// True if there is no such object.
  public var isNotFound: Bool {
    if case .notFound = self { true } else { false }
  }
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let path): "no object at \(path)"
    case .conditionFailed(let path): "the object at \(path) is not as the condition says"
    case .outcomeUnknown(let cause, let path):
      "the write of \(path) may or may not have happened: \(cause)"
    case .permissionDenied(let path, let reason): "no permission for \(path): \(reason)"
    case .full(let path, let reason): "no room for \(path): \(reason)"
    case .refused(let path, let reason): "\(path) is refused: \(reason)"
    case .notAnObject(let path, let found): "at \(path): expected a plain file, found \(found)"
    case .tooLarge(let path, let byteCount, let limit):
      "\(path) has \(byteCount) bytes, over the limit of \(limit)"
    case .unsupported(let what, let path, let instead):
      "\(what) not supported at \(path): \(instead)"
    case .invalidPath(let text, let reason): "not a location: '\(text)': \(reason)"
    case .unavailable(let path, let reason, _): "the store of \(path) is unavailable: \(reason)"
    case .io(let operation, let path, let reason, let code, _):
      "\(operation) of \(path) failed: \(reason) (\(code))"
    case .cancelled(let path): "cancelled before \(path) was reached"
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Why a request to a REST catalog gave nothing.
enum RESTFailure: Error, Sendable {
  /// The server answered, and it was no success.
  case answered(ServerError)
  /// The server has worked on it, and could not do it; asked again it would fail again.
  case failed(ServerError)
  /// There was no answer.
  case noAnswer(HTTPTransportError)
  /// The server says that it went well, but what it sent is not what was asked for.
  case unreadable(String)
  /// There is nothing to show who we are.
  case unauthorized(String)
}

/// What a server says of a request that it did not fulfil.
struct ServerError: Hashable, Sendable {
  let status: Int
  /// The kind of error, as `NoSuchTableException`; empty if the server does not tell.
  let type: String
  /// The server's words; empty if it has none.
  let message: String
  /// The server's wish for when to come again.
  var retryAfter: Duration?
  /// Where the server sends us, which is followed nowhere.
  var location: String?
}

extension ServerError: CustomStringConvertible {
  /// What the server says, without the status.
  var words: String { [type, message].filter { !$0.isEmpty }.joined(separator: ": ") }

  var description: String {
    if let location { return "the server answers \(status), a redirect to '\(location)'" }
    return "the server answers \(status)" + (words.isEmpty ? "" : ": \(words)")
  }
}

extension RESTFailure {
  /// True if the server may have done, or may still do, what a request asked for.
  ///
  /// All of 5xx are, 503 among them: a gateway says it whatever the server behind it did.
  var isOutcomeUnknown: Bool {
    switch self {
    case .answered(let error): error.status >= 500 || error.status == 408
    case .noAnswer(let error): error.isSent
    case .unreadable: true
    case .unauthorized, .failed: false
    }
  }

  /// True if the same request may succeed later.
  var isTransient: Bool {
    switch self {
    case .answered(let error): [408, 429, 500, 502, 503, 504].contains(error.status)
    case .noAnswer(let error): error.isTransient
    case .unreadable: true
    case .unauthorized, .failed: false
    }
  }

  /// The status of the answer; nil if there was none.
  var status: Int? {
    if case .answered(let error) = self { error.status } else { nil }
  }

  var retryAfter: Duration? {
    if case .answered(let error) = self { error.retryAfter } else { nil }
  }

  /// True if the server says that there is no such namespace, in place of no such table.
  var isAboutNamespace: Bool {
    guard case .answered(let error) = self else { return false }
    return error.type.hasPrefix("NoSuchNamespace")
  }

  /// This failure of the request called `operation` as an error of what lies at `place`.
  func storageError(_ operation: String, at place: ObjectPath) -> StorageError {
    switch self {
    case .answered(let error): return error.storageError(operation, at: place)
    case .failed(let error):
      return .io(
        operation: operation, path: place, reason: error.words, code: Int32(clamping: error.status),
        isTransient: false)
    case .noAnswer(let error):
      switch error {
      case .cancelled: return .cancelled(path: place)
      case .bodyTooLarge(let limit):
        return .tooLarge(path: place, byteCount: Int64(limit) + 1, limit: Int64(limit))
      case .notConnected, .timedOut:
        return .unavailable(path: place, reason: "\(error)", retryAfter: nil)
      case .untrusted: return .permissionDenied(path: place, reason: "\(error)")
      default:
        return .io(
          operation: operation, path: place, reason: "\(error)", code: 0,
          isTransient: error.isTransient)
      }
    case .unreadable(let reason):
      return .io(operation: operation, path: place, reason: reason, code: 0, isTransient: false)
    case .unauthorized(let reason): return .permissionDenied(path: place, reason: reason)
    }
  }
}

extension ServerError {
  func storageError(_ operation: String, at place: ObjectPath) -> StorageError {
    let reason = "\(self)"
    if location != nil {
      return .refused(path: place, reason: reason + ", which is not followed: set the new address")
    }
    switch status {
    case 401, 403, 407, 419: return .permissionDenied(path: place, reason: reason)
    case 404: return .notFound(path: place)
    case 405, 406, 501:
      return .unsupported(what: operation, path: place, instead: reason)
    case 429, 503: return .unavailable(path: place, reason: reason, retryAfter: retryAfter)
    default:
      return .io(
        operation: operation, path: place, reason: reason, code: Int32(clamping: status),
        isTransient: status >= 500 || status == 408)
    }
  }
}

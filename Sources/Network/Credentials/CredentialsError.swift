// SPDX-License-Identifier: Apache-2.0
public import Storage

/// Why there are no credentials. None of it tells a secret.
@nonexhaustive
public enum CredentialsError: Error, Hashable, Sendable {
  /// None of the places has any.
  case notFound(tried: [String])
  /// A place has a part of what is needed.
  case incomplete(source: String, missing: String)
  /// What a place has is no credentials, or cannot be used.
  case invalid(source: String, reason: String)
  /// A place asks for something that is not done here; `instead` says what to do.
  case unsupported(source: String, what: String, instead: String)
  /// A service does not give us any.
  case refused(source: String, status: Int, reason: String)
  /// A service could not be asked, or had no answer: it may have one later.
  case unavailable(source: String, reason: String)
  /// What a place gave had expired when it was given.
  case expired(source: String, at: Timestamp)
  /// The task was cancelled.
  case cancelled
}

extension CredentialsError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    switch self {
    case .unavailable, .cancelled: .retry
    case .notFound, .incomplete, .invalid, .unsupported, .refused, .expired: .changeInput
    }
  }
}

extension CredentialsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let tried): "no credentials; looked at " + tried.joined(separator: ", ")
    case .incomplete(let source, let missing): "credentials of \(source) lack \(missing)"
    case .invalid(let source, let reason): "credentials of \(source) cannot be used: \(reason)"
    case .unsupported(let source, let what, let instead):
      "\(source) asks for \(what), which is not supported: \(instead)"
    case .refused(let source, let status, let reason):
      "\(source) gives no credentials: \(reason) (\(status))"
    case .unavailable(let source, let reason): "\(source) could not be asked: \(reason)"
    case .expired(let source, let moment): "credentials of \(source) expired at \(moment)"
    case .cancelled: "cancelled while credentials were fetched"
    }
  }
}

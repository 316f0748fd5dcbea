// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Network
internal import Storage
internal import XML

/// Why a request brought nothing, as the server or the wire told it.
struct S3Failure: Error, Sendable {
  /// What is known about whether the server acted on the request.
  enum Effect: Sendable {
    /// It did not.
    case none
    /// It may have, or may yet.
    case possible
  }

  /// 0 if there was no reply.
  var status: Int
  /// The server's word for it, as `NoSuchKey`; empty if it said none.
  var code: String
  var message: String
  var effect: Effect
  /// True if the same request may bring something later.
  var isTransient: Bool
  var retryAfter: Duration?
  var isCancelled = false
  /// There is nothing to sign with.
  var isAboutCredentials = false

  /// The object's condition did not hold.
  var isConditionFailed: Bool { status == 412 }
  var isNotFound: Bool { status == 404 && code != "NoSuchBucket" }

  init(_ error: HTTPTransportError) {
    status = 0
    code = ""
    message = "\(error)"
    effect = error.isSent ? .possible : .none
    isTransient = error.isTransient
    if case .cancelled = error { isCancelled = true }
  }

  init(_ error: S3Error) {
    status = 0
    code = ""
    message = "\(error)"
    effect = .none
    if case .noCredentials(_, let isTransient) = error {
      self.isTransient = isTransient
      isAboutCredentials = !isTransient
    } else {
      isTransient = false
    }
  }

  /// A reply that is not what the protocol says.
  init(malformed reason: String, status: Int) {
    self.status = status
    code = ""
    message = reason
    effect = .possible
    isTransient = true
  }

  /// What `response` says, which has a status of failure, or an error for a body all the same.
  init(_ response: HTTPResponse, document: ErrorDocument?) {
    status = response.status
    code = document?.code ?? ""
    message = document?.message ?? ""
    retryAfter = response.header("retry-after").flatMap { Int64($0) }
      .map { .seconds(min(max($0, 0), 3600)) }
    (effect, isTransient) = Self.meaning(status: status, code: code)
  }

  /// What the server says of one of many objects.
  init(ofOne code: String, _ message: String) {
    status = code == "AccessDenied" ? 403 : 500
    self.code = code
    self.message = message
    (effect, isTransient) = Self.meaning(status: status, code: code)
  }

  /// Only a refusal that S3 itself gives before it does anything is certain: what a proxy on the
  /// way answers tells nothing of the server behind it.
  private static func meaning(status: Int, code: String) -> (Effect, Bool) {
    switch (status, code) {
    case (_, "SlowDown"), (_, "Throttling"), (_, "ThrottlingException"),
      (_, "RequestLimitExceeded"), (_, "RequestThrottled"), (_, "TooManyRequests"), (429, _):
      (.none, true)
    case (_, "RequestTimeout"), (408, _):
      (.none, true)
    case (409, "ConditionalRequestConflict"), (409, "OperationAborted"):
      (.none, true)
    case (500..., _), (200..<300, _):
      (.possible, true)
    default: (.none, false)
    }
  }
}

/// The document S3 sends where something failed.
struct ErrorDocument: Sendable {
  let code: String
  let message: String
  let region: String?

  /// Nil if `body` is no such document.
  init?(_ body: Buffer) {
    guard !body.isEmpty, body.count <= 1 << 20, let root = try? XMLReader.read(body) else {
      return nil
    }
    // Some servers put it into an element of its own.
    guard let error = root.name == "Error" ? root : root.child("Error") else { return nil }
    code = Self.short(error.text(of: "Code") ?? "", to: 100)
    message = Self.short(error.text(of: "Message") ?? "", to: 400)
    region = error.text(of: "Region")
  }

  /// `text` on one line, and not too long for one.
  private static func short(_ text: String, to count: Int) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > count ? line.prefix(count) + "…" : line
  }
}

extension S3Failure {
  /// As an error of the store: what `operation` of the object at `path` came to.
  ///
  /// - Parameter isWrite: false if it changes nothing, so that no doubt is left.
  func storageError(_ operation: String, _ path: ObjectPath, isWrite: Bool) -> StorageError {
    let error = certainError(operation, path)
    return isWrite && effect == .possible ? .outcomeUnknown(error, path: path) : error
  }

  private func certainError(_ operation: String, _ path: ObjectPath) -> StorageError {
    if isCancelled { return .cancelled(path: path) }
    switch status {
    case 0 where isAboutCredentials: return .permissionDenied(path: path, reason: message)
    case 404 where code == "NoSuchBucket":
      return .refused(path: path, reason: "there is no bucket '\(path.bucket)'")
    case 404 where code == "NoSuchUpload":
      return .io(
        operation: operation, path: path, reason: "someone aborted it", code: 404,
        isTransient: false)
    case 404: return .notFound(path: path)
    case 412: return .conditionFailed(path: path)
    case 301, 307, 308:
      return .refused(path: path, reason: "the bucket is elsewhere: \(words)")
    case 401, 403: return .permissionDenied(path: path, reason: permissionReason)
    case 400 where Self.credentialCodes[code] != nil:
      return .permissionDenied(path: path, reason: permissionReason)
    case 400 where code == "EntityTooLarge":
      return .full(path: path, reason: words)
    case 501 where code == "NotImplemented":
      return .unsupported(what: operation, path: path, instead: words)
    case 409, 429, 503:
      return .unavailable(path: path, reason: words, retryAfter: retryAfter)
    case 507: return .full(path: path, reason: words)
    default:
      return .io(
        operation: operation, path: path, reason: words, code: Int32(clamping: status),
        isTransient: isTransient)
    }
  }

  /// The server's words.
  private var words: String {
    switch (code.isEmpty, message.isEmpty) {
    case (false, false): "\(code): \(message)"
    case (false, true): code
    case (true, false): message
    case (true, true): "status \(status)"
    }
  }

  private static let credentialCodes: [String: String] = [
    "SignatureDoesNotMatch":
      "the signature does not match: the secret access key is wrong, or something on the way "
      + "changes requests",
    "InvalidAccessKeyId": "the access key id is unknown there",
    "ExpiredToken": "the session token has expired: get new credentials",
    "TokenRefreshRequired": "the session token has expired: get new credentials",
    "InvalidToken": "the session token is not valid there",
    "RequestTimeTooSkewed": "this machine's clock and the server's differ by too much",
    "AuthorizationHeaderMalformed": "the region or the credentials are not the server's",
  ]

  private var permissionReason: String {
    guard let explanation = Self.credentialCodes[code] else {
      return code.isEmpty && status == 403 ? "access denied" : words
    }
    return "\(explanation) (\(words))"
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Storage

/// What a failure of the client below means for a request.
struct Failure {
  let request: HTTPRequest
  /// True if a part of the request may have been written.
  let isSent: Bool
  let connectTimeout: Duration

  func transportError(_ error: any Error) -> HTTPTransportError {
    switch error {
    case let error as HTTPTransportError: error
    case is CancellationError: .cancelled(isSent: isSent)
    case let error as HTTPClientError where error == .cancelled: .cancelled(isSent: isSent)
    case let error as HTTPClientError where Self.connectTimeouts.contains(error):
      .timedOut(after: connectTimeout, isSent: isSent)
    case let error as HTTPClientError where Self.timeouts.contains(error):
      .timedOut(after: request.timeout, isSent: isSent)
    default: isSent ? afterSending(error) : beforeSending(error)
    }
  }

  private static let connectTimeouts: [HTTPClientError] = [.connectTimeout, .tlsHandshakeTimeout]
  private static let timeouts: [HTTPClientError] = [
    .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
  ]

  private func beforeSending(_ error: any Error) -> HTTPTransportError {
    switch error {
    case let error as NIOConnectionError: .notConnected(reason: Self.reason(error))
    case NIOSSLError.uncleanShutdown: .notConnected(reason: "closed while TLS was set up")
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      .untrusted(reason: "the certificate of \(request.origin.host) is of another name")
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
      .untrusted(reason: tlsReason("\(error)"))
    case let error as HTTPClientError where error == .invalidURL || error == .emptyHost:
      .invalidRequest(reason: "\(error)")
    default: .notConnected(reason: "\(error)")
    }
  }

  private func afterSending(_ error: any Error) -> HTTPTransportError {
    switch error {
    case HTTPParserError.invalidEOFState: .malformedReply(reason: "it ends before its length")
    case is HTTPParserError: .malformedReply(reason: "\(error)")
    case let error as HTTPClientError where error == .remoteConnectionClosed:
      .interrupted(reason: "closed before a reply was there")
    default: .interrupted(reason: "\(error)")
    }
  }

  /// The name BoringSSL has for what is wrong; the rest of its words is about its source.
  private func tlsReason(_ text: String) -> String {
    let host = request.origin.host
    let parts = text.split(separator: "OPENSSL_internal:", maxSplits: 1)
    guard parts.count == 2 else { return "\(host): TLS could not be set up" }
    let name = parts[1].prefix { $0.isUppercase || $0.isNumber || $0 == "_" }
    return name == "CERTIFICATE_VERIFY_FAILED"
      ? "the certificate of \(host) has expired, or is of no CA that is trusted"
      : "\(host): \(name)"
  }

  private static func reason(_ error: NIOConnectionError) -> String {
    if let first = error.connectionErrors.first { return "\(first.error)" }
    return "no address is known for \(error.host)"
  }
}

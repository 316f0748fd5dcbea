// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Sends one HTTP request and gives the reply: the seam between protocols (S3, the REST catalog)
/// and sockets.
///
/// Laws:
/// 1. One call is one request on the wire: no retry, no redirect followed. Whoever knows what the
///    request means decides both.
/// 2. An error with ``HTTPTransportError/isSent`` false says that no server can have acted on it.
/// 3. The target and the headers reach the wire byte for byte, so that a signature over them holds.
/// 4. What cannot be sent that way is refused before anything is sent: no text of a header or a
///    target begins another header or request.
public protocol HTTPTransport: Sendable {
  /// - Throws: ``HTTPTransportError``; a reply of any status, 500 too, is no error.
  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse
}

/// Where requests go: scheme, host and port.
public struct HTTPOrigin: Hashable, Sendable {
  /// True for `https`.
  public let isSecure: Bool
  /// In lower case; an IPv6 address without its brackets.
  public let host: String
  public let port: Int

  /// - Parameter port: nil for the scheme's own, 443 or 80.
  public init(isSecure: Bool, host: String, port: Int? = nil) {
    self.isSecure = isSecure
    self.host = host.lowercased()
    self.port = port ?? (isSecure ? 443 : 80)
  }

  /// The value of the header `Host`: no port where it is the scheme's own.
  public var authority: String {
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// True for an address of this machine, where plain HTTP crosses no network.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    // Only the four numbers of an IPv4 address: a name may begin with "127." too.
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension HTTPOrigin: CustomStringConvertible {
  public var description: String { "\(isSecure ? "https" : "http")://\(authority)" }
}

/// One request.
///
/// Printing one shows neither the values of its headers nor its query nor its body: there are keys,
/// tokens and signatures in them.
public struct HTTPRequest: Sendable {
  public enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  public var method: Method
  public var origin: HTTPOrigin
  /// Path and query as they stand on the request line, percent-encoded: `/a%20b?list-type=2`.
  public var target: String
  /// Besides `Host` and `Content-Length`, which the transport writes. Names in lower case, each
  /// once, in the order they are sent.
  public var headers: [(name: String, value: String)]
  public var body: Buffer
  /// The most time until the whole reply is there.
  public var timeout: Duration
  /// The most bytes the reply's body may have.
  public var bodyLimit: Int

  public init(
    _ method: Method, _ origin: HTTPOrigin, target: String,
    headers: [(name: String, value: String)] = [], body: Buffer = .empty,
    timeout: Duration = .seconds(60), bodyLimit: Int = 64 << 20
  ) {
    self.method = method
    self.origin = origin
    self.target = target
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.bodyLimit = bodyLimit
  }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// `PUT https://host/path?… (12 bytes)`.
  public var description: String {
    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    let query = path.count < target.utf8.count ? "?…" : ""
    return "\(method.rawValue) \(origin)\(Substring(path))\(query) (\(body.count) bytes)"
  }

  public var debugDescription: String { description }

  public var customMirror: Mirror {
    Mirror(self, children: ["request": description, "headers": headers.map(\.name)])
  }
}

/// One reply, whole.
///
/// Printing one shows neither the values of its headers nor its body: a catalog's has tokens in it.
public struct HTTPResponse: Sendable {
  public var status: Int
  /// Names in lower case, as they came; a name may come more than once.
  public var headers: [(name: String, value: String)]
  public var body: Buffer

  public init(status: Int, headers: [(name: String, value: String)], body: Buffer) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first value of the header `name` (in lower case).
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

extension HTTPResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "status \(status) (\(body.count) bytes)" }

  public var debugDescription: String { description }

  public var customMirror: Mirror {
    Mirror(self, children: ["response": description, "headers": headers.map(\.name)])
  }
}

/// Why there is no reply.
@nonexhaustive
public enum HTTPTransportError: Error, Hashable, Sendable {
  /// No connection: the name is unknown, the port closed, the network away.
  case notConnected(reason: String)
  /// No connection over TLS: the certificate is not trusted, is of another name, or has expired, or
  /// both sides have no version in common. The same again will not work.
  case untrusted(reason: String)
  /// The request cannot be sent as it is: a header or the target has bytes that may not be there.
  case invalidRequest(reason: String)
  /// The connection broke after the request, or a part of it, was sent.
  case interrupted(reason: String)
  /// The reply was not there in time. `isSent` tells whether the request was.
  case timedOut(after: Duration, isSent: Bool)
  /// The reply is no HTTP, or ends before its own length.
  case malformedReply(reason: String)
  /// The reply's body has more bytes than were asked for.
  case bodyTooLarge(limit: Int)
  /// The task was cancelled; `isSent` tells whether the request had been sent.
  case cancelled(isSent: Bool)

  /// True if a server may have acted on the request.
  public var isSent: Bool {
    switch self {
    case .notConnected, .untrusted, .invalidRequest: false
    case .interrupted, .malformedReply, .bodyTooLarge: true
    case .timedOut(_, let isSent), .cancelled(let isSent): isSent
    }
  }
}

extension HTTPTransportError {
  /// True if the same request may get a reply when it is sent again, which is for the sender to
  /// decide: it may have been acted on, see ``isSent``.
  public var isTransient: Bool {
    switch self {
    case .notConnected, .interrupted, .timedOut, .malformedReply: true
    case .untrusted, .invalidRequest, .bodyTooLarge, .cancelled: false
    }
  }
}

extension HTTPTransportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notConnected(let reason): "no connection: \(reason)"
    case .untrusted(let reason): "no connection that can be trusted: \(reason)"
    case .invalidRequest(let reason): "the request cannot be sent: \(reason)"
    case .interrupted(let reason): "the connection broke: \(reason)"
    case .timedOut(let time, let isSent):
      "no \(isSent ? "reply" : "connection") within \(time)"
    case .malformedReply(let reason): "the reply is not HTTP: \(reason)"
    case .bodyTooLarge(let limit): "the reply has more than \(limit) bytes"
    case .cancelled: "cancelled"
    }
  }
}

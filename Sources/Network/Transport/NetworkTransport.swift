// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import Bytes
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import Storage

/// HTTP/1.1 over TCP and TLS, with connections kept open and used again.
///
/// Redirects are not followed and bodies not decompressed: both would change what was asked for,
/// or what was signed.
public final class NetworkTransport: HTTPTransport {
  private let client: HTTPClient

  /// - Parameters:
  ///   - connections: The most that are open to one host.
  ///   - connectTimeout: The most time to make one.
  public init(connections: Int = 64, connectTimeout: Duration = .seconds(10)) {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.decompression = .disabled
    configuration.timeout.connect = TimeAmount(connectTimeout)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Closes what is open. No request may follow.
  public func shutdown() async { try? await client.shutdown() }

  public func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    var outgoing = HTTPClientRequest(url: request.origin.description + request.target)
    outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    if !request.body.isEmpty || request.method == .put || request.method == .post {
      outgoing.body = .bytes(ByteBuffer(bytes: request.body.array()))
    }
    do {
      let reply = try await client.execute(outgoing, timeout: TimeAmount(request.timeout))
      let length = reply.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
      var body: [UInt8] = []
      if request.method != .head {
        body.reserveCapacity(min(max(length, 0), request.bodyLimit))
        for try await part in reply.body {
          guard body.count + part.readableBytes <= request.bodyLimit else {
            throw HTTPTransportError.bodyTooLarge(limit: request.bodyLimit)
          }
          body.append(contentsOf: part.readableBytesView)
        }
      }
      return HTTPResponse(
        status: Int(reply.status.code),
        headers: reply.headers.map { (name: $0.name.lowercased(), value: $0.value) },
        body: Buffer(body))
    } catch {
      throw Self.transportError(error, request)
    }
  }

  private static func transportError(
    _ error: any Error, _ request: HTTPRequest
  ) -> HTTPTransportError {
    if let error = error as? HTTPTransportError { return error }
    if error is CancellationError { return .cancelled(isSent: true) }
    guard let error = error as? HTTPClientError else {
      return error is NIOConnectionError
        ? .notConnected(reason: "\(error)") : .interrupted(reason: "\(error)")
    }
    switch error {
    case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
      return .timedOut(after: request.timeout, isSent: false)
    case .deadlineExceeded, .readTimeout, .writeTimeout:
      return .timedOut(after: request.timeout, isSent: true)
    case .cancelled: return .cancelled(isSent: true)
    case .invalidURL, .emptyHost, .emptyScheme:
      return .notConnected(reason: "\(error)")
    default: return .interrupted(reason: "\(error)")
    }
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import Bytes
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
public import Storage
internal import Synchronization

/// HTTP/1.1 over TCP and TLS, with connections kept open and used again.
///
/// - Redirects are not followed, bodies not decompressed, and no proxy is used, whatever the
///   process's environment says: each would change what was asked for, or what was signed.
/// - A connection that could not be made is not tried again here.
/// - A server may close a connection it thinks idle just when it is used again. If we knew before
///   the request was written, the request goes elsewhere or ends as not sent; else it ends as
///   ``HTTPTransportError/interrupted(reason:)``, as a server that did all and then died looks the
///   same. Connections that were idle for 20 seconds are closed by us, so that this is rare.
///
/// Cost: a request's body is copied once, in parts of 1 MiB as the socket takes them; a reply's
/// body once, into its buffer.
public final class NetworkTransport: HTTPTransport {
  private let client: HTTPClient
  private let tickets = TicketOffice()
  private let connectTimeout: Duration
  /// Why no TLS connection can be made; nil if one can.
  private let unusableTLS: String?

  /// - Parameters:
  ///   - connections: The most that are open to one host.
  ///   - connectTimeout: The most time to make one.
  ///   - tls: Whom to trust. If its file cannot be read, requests over TLS end as
  ///     ``HTTPTransportError/untrusted(reason:)``.
  public init(
    connections: Int = 64, connectTimeout: Duration = .seconds(10), tls: TLSOptions = TLSOptions()
  ) {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.decompression = .disabled
    configuration.proxy = nil
    configuration.timeout.connect = TimeAmount(connectTimeout)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
    configuration.connectionPool.idleTimeout = .seconds(20)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { [tickets] channel in
      channel.setOption(ChannelOptions.recvAllocator, value: Self.reading)
        .flatMap { TicketCheck.add(to: channel, tickets) }
    }
    do {
      configuration.tlsConfiguration = try tls.configuration()
      unusableTLS = nil
    } catch {
      unusableTLS = "the CA file \(tls.caFile ?? "") cannot be read: \(error)"
    }
    self.connectTimeout = connectTimeout
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// How many bytes are taken from a socket at a time: more with each read that finds as many, as
  /// every one is a turn of the loop that others may be waiting for.
  private static let reading = AdaptiveRecvByteBufferAllocator(
    minimum: 2048, initial: 16 << 10, maximum: 1 << 20)

  deinit {
    // The client insists on being shut down; what is under way keeps it, and us, alive.
    client.shutdown { _ in }
  }

  public func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    try RequestCheck.check(request)
    if let unusableTLS, request.origin.isSecure { throw .untrusted(reason: unusableTLS) }
    if Task.isCancelled { throw .cancelled(isSent: false) }
    let ticket = tickets.issue(for: request)
    defer { tickets.withdraw(ticket) }
    do {
      let task = client.execute(
        request: try outgoing(request, ticket),
        delegate: ReplyCollector(for: request),
        deadline: .now() + TimeAmount(request.timeout))
      return try await withTaskCancellationHandler {
        try await task.futureResult.get()
      } onCancel: {
        task.fail(reason: CancellationError())
      }
    } catch {
      if let early = ticket.early { return try early.get() }
      let isSent = !ticket.abandon()
      throw Failure(
        request: request, isSent: isSent, connectTimeout: connectTimeout
      ).transportError(error)
    }
  }

  private func outgoing(_ request: HTTPRequest, _ ticket: Ticket) throws -> HTTPClient.Request {
    var headers = HTTPHeaders()
    headers.add(name: "host", value: request.origin.authority)
    for header in request.headers where header.name.lowercased() != "host" {
      headers.add(name: header.name, value: header.value)
    }
    headers.add(name: TicketOffice.header, value: ticket.id)
    // The target goes with the ticket: a URL might be spelled in another way.
    return try HTTPClient.Request(
      url: request.origin.description + "/", method: HTTPMethod(rawValue: request.method.rawValue),
      headers: headers, body: request.body.isEmpty ? nil : .parts(of: request.body))
  }
}

extension HTTPClient.Body {
  fileprivate static func parts(of body: Buffer) -> HTTPClient.Body {
    .stream(contentLength: Int64(body.count)) { writer in write(body, from: 0, to: writer) }
  }

  private static func write(
    _ body: Buffer, from offset: Int, to writer: StreamWriter
  ) -> EventLoopFuture<Void> {
    let end = min(body.count, offset + 1 << 20)
    let part = body.slice(offset..<end)
    let copy = unsafe part.bytes.withUnsafeBytes { unsafe ByteBuffer(bytes: $0) }
    let written = writer.write(.byteBuffer(copy))
    guard end < body.count else { return written }
    let loop = written.eventLoop
    return written.flatMap { loop.flatSubmit { write(body, from: end, to: writer) } }
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    // A century is as good as for ever, and can be added to any moment.
    self = .seconds(min(seconds, 3_155_760_000)) + .nanoseconds(attoseconds / 1_000_000_000)
  }
}

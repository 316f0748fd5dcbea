// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

/// A transport that no socket stands behind: each request goes to a handler, and what goes wrong on
/// the way there or back is scripted.
///
///     let transport = ScriptedTransport { request in .reply(200, body: "{}") }
///     transport.fail(.loseReply, atRequest: 2)
///     …
///     #expect(transport.requests.map(\.target) == ["/a", "/b", "/b"])
///
/// The handler is the server: it keeps state of its own and sees each request that reaches it, once.
/// Requests are counted from 1, those that never reach it too.
public final class ScriptedTransport: HTTPTransport {
  /// The server: its reply to a request, or the ``HTTPTransportError`` the transport ends in.
  public typealias Handler = @Sendable (HTTPRequest) async throws -> HTTPResponse

  /// What happens to one request.
  public enum Fault: Sendable {
    /// It never leaves: no connection.
    case refuse
    /// It may have been sent, but is never acted on; the connection breaks.
    case loseRequest
    /// It is acted on; the connection breaks before the reply is there.
    case loseReply
    /// It is acted on; the reply ends too early.
    case truncateReply
    /// It is acted on, and the sender waits for the reply in vain.
    case timeOutAfterApply
    /// It is not acted on yet, and its sender is told that it may be; `releaseHeld()` delivers it.
    case hold
    /// It is not acted on; some proxy gives this reply.
    case reply(HTTPResponse)
    /// It is acted on, and some proxy gives this reply instead of the server's.
    case applyThenReply(HTTPResponse)
    /// Its sender waits this long (by the environment) before it is acted on.
    case delay(Duration, Environment)
    /// It is not acted on, and this is thrown.
    case error(HTTPTransportError)
  }

  private struct State {
    var requests: [HTTPRequest] = []
    var faults: [Int: Fault] = [:]
    var always: (@Sendable (Int, HTTPRequest) -> Fault?)?
    var held: [HTTPRequest] = []
    var inFlight = 0
    var mostInFlight = 0
  }

  private let handler: Handler
  private let state = Mutex(State())

  /// - Parameter handler: the server.
  public init(_ handler: @escaping Handler) { self.handler = handler }

  /// One that gives `replies` in their order, and no connection after the last.
  public convenience init(replies: [HTTPResponse]) {
    let rest = Replies(replies)
    self.init { _ in
      guard let reply = rest.next() else {
        throw HTTPTransportError.notConnected(reason: "no reply is left")
      }
      return reply
    }
  }

  /// Has `fault` happen to request number `number`, from 1.
  public func fail(_ fault: Fault, atRequest number: Int) {
    state.withLock { $0.faults[number] = fault }
  }

  /// Has `decide` say what happens to each request, by its number (from 1); nil for nothing.
  public func failing(_ decide: @escaping @Sendable (Int, HTTPRequest) -> Fault?) {
    state.withLock { $0.always = decide }
  }

  /// All requests so far, in the order they were sent.
  public var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// How many requests there were.
  public var requestCount: Int { state.withLock { $0.requests.count } }

  /// The most requests that were on their way at once.
  public var mostInFlight: Int { state.withLock { $0.mostInFlight } }

  /// Forgets the requests so far, so that counting starts again.
  public func forgetRequests() { state.withLock { $0.requests = [] } }

  /// Delivers what ``Fault/hold`` kept back, in order; the replies go nowhere.
  public func releaseHeld() async {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for request in held { _ = try? await handler(request) }
  }

  public func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    let (number, given, always) = state.withLock { state in
      state.requests.append(request)
      state.inFlight += 1
      state.mostInFlight = max(state.mostInFlight, state.inFlight)
      let number = state.requests.count
      return (number, state.faults.removeValue(forKey: number), state.always)
    }
    defer { state.withLock { $0.inFlight -= 1 } }
    if Task.isCancelled { throw .cancelled(isSent: false) }
    guard let fault = given ?? always?(number, request) else { return try await reply(to: request) }
    return try await reply(to: request, with: fault)
  }

  private func reply(
    to request: HTTPRequest, with fault: Fault
  ) async throws(HTTPTransportError) -> HTTPResponse {
    switch fault {
    case .refuse: throw .notConnected(reason: "scripted")
    case .loseRequest: throw .interrupted(reason: "scripted")
    case .loseReply:
      _ = try await reply(to: request)
      throw .interrupted(reason: "scripted")
    case .truncateReply:
      _ = try await reply(to: request)
      throw .malformedReply(reason: "scripted")
    case .timeOutAfterApply:
      _ = try await reply(to: request)
      throw .timedOut(after: request.timeout, isSent: true)
    case .hold:
      state.withLock { $0.held.append(request) }
      throw .interrupted(reason: "scripted")
    case .reply(let reply): return reply
    case .applyThenReply(let instead):
      _ = try await reply(to: request)
      return instead
    case .delay(let time, let environment):
      do {
        try await environment.sleep(for: time)
      } catch {
        throw .cancelled(isSent: true)
      }
      return try await reply(to: request)
    case .error(let error): throw error
    }
  }

  private func reply(to request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    var reply: HTTPResponse
    do {
      reply = try await handler(request)
    } catch let error as HTTPTransportError {
      throw error
    } catch {
      throw .malformedReply(reason: "the script threw \(error)")
    }
    guard reply.body.count <= request.bodyLimit else {
      throw .bodyTooLarge(limit: request.bodyLimit)
    }
    if request.method == .head { reply.body = .empty }
    return reply
  }
}

/// Replies that are given out once each.
private final class Replies: Sendable {
  private let rest: Mutex<ArraySlice<HTTPResponse>>

  init(_ replies: [HTTPResponse]) { rest = Mutex(replies[...]) }

  func next() -> HTTPResponse? { rest.withLock { $0.popFirst() } }
}

extension HTTPResponse {
  /// A reply with a text as its body.
  public static func reply(
    _ status: Int, body: String = "", headers: [(name: String, value: String)] = []
  ) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: Buffer(utf8: body))
  }
}

extension HTTPRequest {
  /// The path of the target, as it stands there.
  public var path: String { String(target.prefix { $0 != "?" }) }

  /// The query of the target, as it stands there; empty for none.
  public var query: String {
    guard let mark = target.firstIndex(of: "?") else { return "" }
    return String(target[target.index(after: mark)...])
  }

  /// The first value of the header `name`.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}

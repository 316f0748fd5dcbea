// SPDX-License-Identifier: Apache-2.0
import Lake
import SeededNumbers
import Storage

/// What goes wrong with a request on the wire.
enum WireFault: Hashable, Sendable, CustomStringConvertible {
  /// No connection.
  case notConnected
  /// The connection breaks before the server has the request, or after it has done it.
  case reset(applied: Bool)
  /// No answer in time.
  case timeout(applied: Bool)
  /// The server has it only later, when the test says so; the sender waits in vain.
  case late
  /// Another answer than that of the server, which has done it or not.
  case status(Int, applied: Bool)
  /// The answer ends in the middle, and nothing tells.
  case truncated
  /// The answer ends before its own length.
  case cutOff
  /// An error, said to be a success.
  case errorAsSuccess(applied: Bool)
  /// The way to another server.
  case redirect

  var isApplied: Bool {
    switch self {
    case .reset(let applied), .timeout(let applied), .status(_, let applied),
      .errorAsSuccess(let applied):
      applied
    case .truncated, .cutOff: true
    case .notConnected, .late, .redirect: false
    }
  }

  /// What the sender gets.
  func reply(
    to request: HTTPRequest, real: HTTPResponse?
  ) throws(HTTPTransportError) -> HTTPResponse {
    switch self {
    case .notConnected: throw .notConnected(reason: "refused")
    case .reset: throw .interrupted(reason: "reset by peer")
    case .timeout, .late: throw .timedOut(after: request.timeout, isSent: true)
    case .cutOff: throw .malformedReply(reason: "ends early")
    case .status(let status, _):
      return Refusal(status, "FromTheGateway", "status \(status)").response
    case .truncated:
      let body = real?.body ?? .empty
      return HTTPResponse(
        status: real?.status ?? 200, headers: [], body: body.slice(0..<body.count / 2))
    case .errorAsSuccess:
      return HTTPResponse(
        status: 200, headers: [], body: Refusal(500, "Hidden", "an error in a 200").response.body)
    case .redirect:
      return HTTPResponse(
        status: 307, headers: [("location", "https://elsewhere.example/v1/x?secret=1")],
        body: .empty)
    }
  }

  static let all: [WireFault] =
    [.notConnected, .late, .truncated, .cutOff, .redirect]
    + [false, true].flatMap { applied -> [WireFault] in
      [.reset(applied: applied), .timeout(applied: applied), .errorAsSuccess(applied: applied)]
        + [500, 502, 503, 504, 408].map { .status($0, applied: applied) }
    }
    // What is a definite refusal is never sent by who has done it.
    + [400, 401, 403, 404, 409, 412, 419, 429].map { .status($0, applied: false) }

  /// One of each kind; all of them where there is time.
  static let telling: [WireFault] =
    Depth.isLong
    ? all
    : [.notConnected, .late, .truncated, .redirect, .reset(applied: true), .reset(applied: false)]
      + [.errorAsSuccess(applied: true), .status(503, applied: true)]
      + [401, 409, 429, 500].map { .status($0, applied: false) }

  var description: String {
    let how = isApplied ? "applied" : "not applied"
    switch self {
    case .notConnected: return "not connected"
    case .reset: return "reset, \(how)"
    case .timeout: return "timeout, \(how)"
    case .late: return "late"
    case .status(let status, _): return "\(status), \(how)"
    case .truncated: return "truncated"
    case .cutOff: return "cut off"
    case .errorAsSuccess: return "error in a 200, \(how)"
    case .redirect: return "redirect"
    }
  }
}

/// Which requests a fault befalls.
struct FaultPlan: Sendable {
  let kind: WireFault
  /// Counted from 1, of those that match.
  let from: Int
  /// How many in a row.
  let count: Int
  let matches: @Sendable (ModelServer.Received) -> Bool
  var seen = 0
  var fired = 0

  init(
    _ kind: WireFault, from: Int = 1, count: Int = 1,
    where matches: @escaping @Sendable (ModelServer.Received) -> Bool = { _ in true }
  ) {
    self.kind = kind
    self.from = from
    self.count = count
    self.matches = matches
  }

  var isDue: Bool { seen >= from && seen < from + count }

  static let commits: @Sendable (ModelServer.Received) -> Bool = {
    $0.method == "POST" && $0.path.contains("/tables/") && !$0.path.hasSuffix("rename")
  }
  static let loads: @Sendable (ModelServer.Received) -> Bool = {
    $0.method == "GET" && $0.path.contains("/tables/")
  }
}

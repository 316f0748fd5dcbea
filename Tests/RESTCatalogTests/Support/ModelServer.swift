// SPDX-License-Identifier: Apache-2.0
import Catalogs
import JSON
import Lake
import Storage

/// A REST catalog in memory: a slow, obvious one that keeps to the protocol, but where it is told to
/// break it.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`.
actor ModelServer: HTTPTransport {
  struct Entry {
    var metadata: TableMetadata
    var location: String
    var version: Int
  }

  /// A request as it came, for tests to look at.
  struct Received: Sendable {
    let method: String
    let path: String
    let query: [String: String]
    let headers: [String: String]
    let body: String
    let origin: HTTPOrigin
  }

  let store: MemoryStore
  let environment: Environment
  let warehouse: String
  /// What `GET /v1/config` answers, besides the routes.
  var configuration = #"{"defaults":{},"overrides":{}}"#
  var prefix = ""
  /// The bearer token that is asked for; nil for none.
  var token: String?
  /// Tokens that were handed out by the OAuth route, in order, and how long each holds.
  var tokensIssued = 0
  var tokenSeconds = 3600
  var sendsETags = false
  /// Answers by their idempotency key; nil if the server does not remember them.
  var remembered: [String: HTTPResponse]?
  var namespaces: [NamePath: [String: String]] = [NamePath(["db"]): [:]]
  var tables: [TableIdentifier: Entry] = [:]
  /// Extra members of the answer to a load.
  var tableExtras = ""
  /// The settings in the answer to a load.
  var tableSettings = "{}"
  /// How scans are planned; nil: not at all.
  var planning: ModelPlanning?
  private(set) var received: [Received] = []
  private(set) var plans: [FaultPlan] = []
  /// Requests whose sender has given up, to be carried out later.
  private var held: [HTTPRequest] = []

  init(store: MemoryStore, environment: Environment, warehouse: String) {
    self.store = store
    self.environment = environment
    self.warehouse = warehouse
  }

  func update(_ body: @Sendable (isolated ModelServer) -> Void) { body(self) }

  func fail(_ plan: FaultPlan) { plans.append(plan) }
  func dropPlans() { plans = [] }
  var unfired: Int { plans.count { $0.fired == 0 } }

  /// Carries out what was held back; its answers go nowhere.
  func deliverHeld() async {
    let requests = held
    held = []
    for request in requests { _ = await answer(request) }
  }

  nonisolated func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    if Task.isCancelled { throw .cancelled(isSent: false) }
    return try await receive(request)
  }

  private func receive(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    let seen = Self.received(request)
    received.append(seen)
    guard let i = plans.firstIndex(where: { $0.matches(seen) }) else {
      return await answer(request)
    }
    plans[i].seen += 1
    guard plans[i].isDue else { return await answer(request) }
    plans[i].fired += 1
    let kind = plans[i].kind
    if kind == .late {
      held.append(request)
      throw .timedOut(after: request.timeout, isSent: true)
    }
    let reply = kind.isApplied ? await answer(request) : nil
    return try kind.reply(to: request, real: reply)
  }

  static func received(_ request: HTTPRequest) -> Received {
    let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
    var query: [String: String] = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(sides[0])] = sides.count > 1 ? decoded(String(sides[1])) : ""
    }
    return Received(
      method: request.method.rawValue, path: parts[0], query: query,
      headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { _, last in last },
      body: String(decoding: request.body.array(), as: UTF8.self), origin: request.origin)
  }

  static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2 {
        bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0x3f)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: answering

  private func answer(_ request: HTTPRequest) async -> HTTPResponse {
    let seen = Self.received(request)
    let key = seen.headers["idempotency-key"]
    if let key, let known = remembered?[key] { return known }
    let response: HTTPResponse
    do {
      response = try await route(seen, request)
    } catch let error as Refusal {
      response = error.response
    } catch let error as CatalogError {
      response = Refusal(400, "BadRequestException", "\(error)").response
    } catch let error as IcebergError {
      response = Refusal(400, "ValidationException", "\(error)").response
    } catch {
      response = Refusal(500, "Failure", "\(error)").response
    }
    if let key, remembered != nil, response.status < 500 { remembered?[key] = response }
    return response
  }

  private func route(_ seen: Received, _ request: HTTPRequest) async throws -> HTTPResponse {
    var parts = seen.path.split(separator: "/", omittingEmptySubsequences: false).map {
      Self.decoded(String($0))
    }
    if parts.count > 2, parts[1] == "api" { parts.remove(at: 1) }
    guard parts.count > 2, parts[0].isEmpty, parts[1] == "v1" else { throw Refusal.noRoute(seen) }
    parts.removeFirst(2)
    if parts == ["oauth", "tokens"] { return issueToken(seen) }
    if let token, seen.headers["authorization"] != "Bearer \(token)" {
      throw Refusal(
        401, "NotAuthorizedException", "no, not with \(seen.headers["authorization"] ?? "nothing")")
    }
    if parts == ["config"] { return Self.json(configuration) }
    if !prefix.isEmpty {
      guard parts.first == prefix else { throw Refusal.noRoute(seen) }
      parts.removeFirst()
    }
    let body = try? JSONValue(parsing: seen.body)
    switch (seen.method, parts.first, parts.count) {
    case (_, "namespaces", 1...3) where parts.count < 3 || parts[2] == "properties":
      return try namespaceRoute(seen, parts, body)
    case ("GET", "namespaces", 3) where parts[2] == "tables": return try listing(parts, seen)
    case ("POST", "namespaces", 3) where parts[2] == "tables":
      return try await create(Self.namespace(parts[1]), body)
    case ("POST", "namespaces", 3) where parts[2] == "register":
      return try await register(Self.namespace(parts[1]), body)
    case (_, "namespaces", 4) where parts[2] == "tables":
      let identifier = try TableIdentifier(namespace: Self.namespace(parts[1]), name: parts[3])
      return try await tableRoute(seen, identifier, body)
    case (_, "namespaces", 5...6) where parts[2] == "tables":
      let identifier = try TableIdentifier(namespace: Self.namespace(parts[1]), name: parts[3])
      return try await planningRoute(seen, parts, identifier, body)
    case ("POST", "tables", 2) where parts[1] == "rename": return try rename(body)
    case ("POST", "transactions", 2) where parts[1] == "commit":
      return try await transaction(body)
    default: throw Refusal.noRoute(seen)
    }
  }

  private func issueToken(_ seen: Received) -> HTTPResponse {
    tokensIssued += 1
    let text = "issued-token-\(tokensIssued)"
    token = text
    return Self.json(
      #"{"access_token":"\#(text)","token_type":"bearer","expires_in":\#(tokenSeconds)}"#)
  }

  static func namespace(_ text: String) -> [String] {
    text.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
  }

  static func json(
    _ text: String, status: Int = 200, headers: [(name: String, value: String)] = []
  ) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [("content-type", "application/json")] + headers,
      body: Buffer(utf8: text))
  }

  static let nothing = HTTPResponse(status: 204, headers: [], body: .empty)
}

/// What the server says no with.
struct Refusal: Error {
  let status: Int
  let type: String
  let message: String

  init(_ status: Int, _ type: String, _ message: String) {
    self.status = status
    self.type = type
    self.message = message
  }

  static func noRoute(_ seen: ModelServer.Received) -> Refusal {
    Refusal(404, "NoRoute", "\(seen.method) \(seen.path)")
  }

  var response: HTTPResponse {
    let text = JSONValue.object([
      JSONMember(
        "error",
        .object([
          JSONMember("message", .string(message)), JSONMember("type", .string(type)),
          JSONMember("code", .integer(Int64(status))),
        ]))
    ])
    let body = (try? text.text()) ?? .empty
    return HTTPResponse(status: status, headers: [], body: body)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Storage

/// Gets tokens for a client's credential, and keeps the one it has until shortly before it runs out.
///
/// Whoever asks while one is being got waits for that one. A token that can't be renewed early is
/// used for as long as it holds.
///
/// Source: RFC 6749, section 4.4, "Client Credentials Grant".
actor TokenSource: Authorization {
  private let settings: RESTSettings.ClientCredentials
  private let transport: any HTTPTransport
  private let environment: Environment
  private var token: Token?
  private var isRenewing = false
  private var waiting: [CheckedContinuation<Result<Token, RESTFailure>, Never>] = []

  private struct Token: Sendable {
    let secret: Secret
    /// When it is time to get the next one, and when it is too late.
    let renewal: Duration
    let end: Duration
  }

  init(
    _ settings: RESTSettings.ClientCredentials, transport: any HTTPTransport,
    environment: Environment
  ) {
    self.settings = settings
    self.transport = transport
    self.environment = environment
  }

  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest {
    let now = environment.uptime()
    if let token, now < token.renewal { return request.with(token.secret) }
    do throws(RESTFailure) {
      return request.with(try await renewed().secret)
    } catch {
      if let token, now < token.end { return request.with(token.secret) }
      throw error
    }
  }

  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest? {
    // Someone else may have been told of it before, and got the next one.
    if let token {
      let other = request.with(token.secret)
      if other.headers.last?.value
        != refused.headers.last(where: { $0.name == "authorization" })?.value
      {
        return other
      }
    }
    token = nil
    return request.with(try await renewed().secret)
  }

  private func renewed() async throws(RESTFailure) -> Token {
    while isRenewing {
      let result = await withCheckedContinuation { waiting.append($0) }
      // That another's task was cancelled says nothing about ours.
      if case .failure(.noAnswer(.cancelled)) = result, !Task.isCancelled { continue }
      return try result.get()
    }
    isRenewing = true
    let result = await fetched()
    isRenewing = false
    if case .success(let token) = result { self.token = token }
    let others = waiting
    waiting = []
    for other in others { other.resume(returning: result) }
    return try result.get()
  }

  private func fetched() async -> Result<Token, RESTFailure> {
    var last: RESTFailure = .unauthorized("no token was asked for")
    for attempt in 1...3 {
      do throws(RESTFailure) {
        return .success(try await fetch())
      } catch {
        last = error
        guard error.isTransient, attempt < 3 else { break }
        let delay = RetryPolicy().delay(after: attempt, environment)
        guard (try? await environment.sleep(for: delay)) != nil else { break }
      }
    }
    // The server of tokens is not the catalog: its answers mean nothing for what was asked there.
    switch last {
    case .answered(let error), .failed(let error): return refusal("\(error)")
    case .unreadable(let reason): return refusal(reason)
    case .noAnswer(.cancelled): return .failure(.noAnswer(.cancelled(isSent: false)))
    case .noAnswer(let error) where error.isSent: return refusal("\(error)")
    case .noAnswer, .unauthorized: return .failure(last)
    }
  }

  private func refusal(_ reason: String) -> Result<Token, RESTFailure> {
    .failure(.unauthorized("no token from \(settings.server): \(reason)"))
  }

  private func fetch() async throws(RESTFailure) -> Token {
    let request = HTTPRequest(
      .post, settings.server.origin,
      target: settings.server.path.isEmpty ? "/" : settings.server.path,
      headers: [
        ("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded"),
      ],
      body: Buffer(utf8: form), timeout: .seconds(30), bodyLimit: 1 << 20)
    let start = environment.uptime()
    let response: HTTPResponse
    do throws(HTTPTransportError) {
      response = try await transport.send(request)
    } catch {
      throw .noAnswer(error)
    }
    guard response.status == 200 else {
      throw .answered(ServerError(response, of: request).without(settings.secret))
    }
    return try token(response.body, askedAt: start)
  }

  private var form: String {
    var fields = [(name: "grant_type", value: "client_credentials")]
    if let id = settings.clientID { fields.append(("client_id", id)) }
    fields.append(("client_secret", settings.secret.reveal()))
    fields += settings.parameters
    return fields.map { "\($0.name)=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
  }

  private func token(_ body: Buffer, askedAt start: Duration) throws(RESTFailure) -> Token {
    let message = try Message(body, "the token")
    let text = try message.string("access_token")
    let type = try message.optionalString("token_type") ?? "bearer"
    guard !text.isEmpty, text.isHeaderValue, ["bearer", "n_a"].contains(type.lowercased()) else {
      throw .unreadable("the token is none to bear")
    }
    let seconds = min(max(message.json["expires_in"]?.integer ?? 3600, 1), 86_400 * 365)
    // A tenth before its end, but no more than five minutes; of a short one half is used.
    let margin = max(min(seconds / 10, 300), min(seconds / 2, 30))
    return Token(
      secret: Secret(text), renewal: start + .seconds(seconds - margin),
      end: start + .seconds(seconds))
  }
}

extension ServerError {
  /// This, should it repeat `secret`, without it.
  func without(_ secret: Secret) -> ServerError {
    guard message.contains(secret.reveal()) || type.contains(secret.reveal()) else { return self }
    return ServerError(status: status, type: "", message: "", retryAfter: retryAfter)
  }
}

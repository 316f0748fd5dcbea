// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Storage

/// Sends requests to one catalog: with its headers, with what shows who we are, and again where that
/// can do no harm.
///
/// Law: a request that changes something is sent a second time only if it is certain that the server
/// did nothing, or if the server remembers its key. Redirects are followed by no one.
struct RESTClient: Sendable {
  let address: ServerAddress
  let transport: any HTTPTransport
  let environment: Environment
  let authorization: any Authorization
  let headers: [(name: String, value: Secret)]
  /// Between `v1/` and the route, with a slash at its end; empty if there is none.
  var prefix = ""
  var offersIdempotency = false
  var retries = RetryPolicy()
  /// The longest that a server's wish is waited for.
  static let longestWait: Duration = .seconds(30)

  /// The answer to `call`, which is one of success or `304`.
  func send(_ call: RESTCall) async throws(RESTFailure) -> HTTPResponse {
    let start = environment.uptime()
    var attempt = 1
    while true {
      do throws(RESTFailure) {
        return try await sendOnce(call)
      } catch {
        let mayRepeat = call.isRepeatable || !error.isOutcomeUnknown
        let isLate = environment.uptime() - start >= retries.deadline
        guard error.isTransient, mayRepeat, attempt < retries.attemptLimit, !isLate else {
          throw error
        }
        try await pause(after: attempt, error)
        attempt += 1
      }
    }
  }

  /// Waits before what failed is tried again.
  func pause(after attempt: Int, _ failure: RESTFailure) async throws(RESTFailure) {
    let wished = min(failure.retryAfter ?? .zero, Self.longestWait)
    let delay = max(wished, retries.delay(after: attempt, environment))
    do throws(CancellationError) {
      try await environment.sleep(for: delay)
    } catch {
      throw .noAnswer(.cancelled(isSent: false))
    }
  }

  /// One request; a second one if the first was refused for a token that has run out.
  private func sendOnce(_ call: RESTCall) async throws(RESTFailure) -> HTTPResponse {
    let plain = request(call)
    let first = try await authorization.authorized(plain)
    let answer = try await answer(to: first)
    guard answer.status == 401 || answer.status == 419,
      let second = try await authorization.reauthorized(plain, refused: first)
    else { return try success(answer, of: first) }
    return try success(try await self.answer(to: second), of: second)
  }

  private func request(_ call: RESTCall) -> HTTPRequest {
    let place = self.address(call)
    var sent: [(name: String, value: String)] = [("accept", "application/json")]
    sent += call.headers
    for header in headers {
      sent.removeAll { $0.name == header.name }
      sent.append((header.name, header.value.reveal()))
    }
    return HTTPRequest(
      call.method, place.origin, target: place.path + call.queryText,
      headers: sent, body: call.body, bodyLimit: call.bodyLimit)
  }

  private func answer(to request: HTTPRequest) async throws(RESTFailure) -> HTTPResponse {
    do throws(HTTPTransportError) {
      return try await transport.send(request)
    } catch {
      throw .noAnswer(error)
    }
  }

  private func success(
    _ response: HTTPResponse, of request: HTTPRequest
  ) throws(RESTFailure) -> HTTPResponse {
    guard (200..<300).contains(response.status) || response.status == 304 else {
      throw .answered(ServerError(response, of: request))
    }
    // Some gateways say 200 whatever the server behind them said.
    if let error = ErrorMessage(hiddenIn: response.body) {
      if error.isFailure { throw .failed(ServerError(response, of: request)) }
      throw .unreadable("an error, sent as a success: \(error.type): \(error.message)")
    }
    return response
  }

  /// The headers of a request under a key that the server remembers it by; none if it does not.
  func idempotencyHeaders() -> [(name: String, value: String)] {
    offersIdempotency ? [("idempotency-key", environment.timedUUID())] : []
  }

  /// Where the resource of `call` is, as errors name it.
  func place(_ call: RESTCall) -> ObjectPath { address(call).place }

  private func address(_ call: RESTCall) -> ServerAddress {
    call.address ?? address.appending("v1/" + (call.isOutsidePrefix ? "" : prefix) + call.path)
  }
}

extension ServerError {
  /// What `response` says. Secrets of the request that it repeats are left out, as is what could
  /// break a line of a log.
  init(_ response: HTTPResponse, of request: HTTPRequest) {
    status = response.status
    let said = ErrorMessage(response.body)
    let secrets = request.headers.filter { ServerError.isSecret($0.name) }.flatMap { header in
      [header.value] + header.value.split(separator: " ").map(String.init)
    }
    type = Self.printable(said?.type ?? "", without: secrets, limit: 100)
    message = Self.printable(said?.message ?? "", without: secrets, limit: 1000)
    if let text = response.header("retry-after"), let seconds = Int64(text), seconds >= 0 {
      retryAfter = .seconds(min(seconds, 86_400))
    }
    if (300..<400).contains(response.status) {
      location = Self.printable(
        String((response.header("location") ?? "").prefix { $0 != "?" }), without: secrets,
        limit: 200)
    }
  }

  private static func isSecret(_ header: String) -> Bool {
    !["accept", "content-type", "idempotency-key", "if-none-match"].contains(header)
      && !header.hasPrefix("x-iceberg-")
  }

  private static func printable(_ text: String, without secrets: [String], limit: Int) -> String {
    var text = text
    // Short ones, as `Bearer`, are no secrets, and words of every text.
    for secret in secrets where secret.utf8.count >= 8 {
      text = text.replacing(secret, with: "•••")
    }
    let scalars = text.unicodeScalars.prefix(limit).map { scalar in
      scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) ? " " : scalar
    }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension Environment {
  /// A UUID that sorts by time (version 7), as 36 lower-case characters.
  ///
  /// Source: RFC 9562, section 5.7.
  func timedUUID() -> String {
    let random = uuid()
    let milliseconds = UInt64(clamping: now().milliseconds) & 0xffff_ffff_ffff
    let digits = String(milliseconds, radix: 16)
    let time = String(repeating: "0", count: 12 - digits.count) + digits
    return "\(time.prefix(8))-\(time.suffix(4))-7\(random.dropFirst(15))"
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Network
internal import Storage
internal import Synchronization

/// Sends calls: signs them, counts them, holds them to their limits, and sends them again where
/// that is harmless.
final class S3Client: Sendable {
  let options: S3Options
  let environment: Environment
  private let transport: any HTTPTransport
  private let signing: any S3Signing
  private let slots: RequestSlots
  private let upload: BandwidthLimit?
  private let download: BandwidthLimit?
  private let state = Mutex(State())

  private struct State {
    /// Buckets that are elsewhere than the options say.
    var regions: [String: String] = [:]
    /// How far the server's clock is ahead of ours, where ours was told to be wrong.
    var clockOffset: Duration = .zero
    var counts = S3Counts()
    /// Buckets that keep conditions, as far as they were asked.
    var conditionalBuckets: Set<String> = []
  }

  init(
    _ options: S3Options, signing: any S3Signing, transport: any HTTPTransport,
    environment: Environment
  ) {
    self.options = options
    self.signing = signing
    self.transport = transport
    self.environment = environment
    slots = RequestSlots(options.concurrency)
    upload = options.uploadBytesPerSecond.map {
      BandwidthLimit(bytesPerSecond: $0, environment: environment)
    }
    download = options.downloadBytesPerSecond.map {
      BandwidthLimit(bytesPerSecond: $0, environment: environment)
    }
  }

  var counts: S3Counts { state.withLock(\.counts) }

  func keepsConditions(_ bucket: String) -> Bool {
    !options.probesConditions || state.withLock { $0.conditionalBuckets.contains(bucket) }
  }

  func noteConditions(keptBy bucket: String) {
    state.withLock { _ = $0.conditionalBuckets.insert(bucket) }
  }

  func countHedge() { state.withLock { $0.counts.hedges += 1 } }

  /// The reply of success to `call`.
  func send(_ call: S3Call) async throws(S3Failure) -> HTTPResponse {
    var attempts = attempts()
    return try await send(call, &attempts) { $0 }
  }

  func attempts() -> S3Attempts { S3Attempts(options.retries, environment) }

  /// What `read` makes of the reply of success to `call`, which is sent again where it failed for
  /// now: nothing is called that may not be done twice.
  func send<Result>(
    _ call: S3Call, _ attempts: inout S3Attempts,
    _ read: (HTTPResponse) throws(S3Failure) -> Result
  ) async throws(S3Failure) -> Result {
    while true {
      do throws(S3Failure) {
        return try read(try await attempt(call, &attempts))
      } catch {
        guard await attempts.waitForNext(after: error) else {
          var failure = error
          if attempts.doubt != nil { failure.effect = .possible }
          throw failure
        }
      }
    }
  }

  /// One request; a second one right away where the server said what was wrong with the first.
  private func attempt(
    _ call: S3Call, _ attempts: inout S3Attempts
  ) async throws(S3Failure) -> HTTPResponse {
    while true {
      let region = state.withLock { $0.regions[call.bucket] } ?? options.region
      try await takeTurn(for: call, &attempts)
      let response = try await exchange(
        call, region: region, isRetry: attempts.failureCount > 0)
      let isSuccess = (200..<300).contains(response.status)
      var document: ErrorDocument?
      if !isSuccess || call.canFailLate { document = ErrorDocument(response.body) }
      if isSuccess, document == nil { return response }
      if await correct(call, response, document, region: region, &attempts) { continue }
      throw S3Failure(response, document: document)
    }
  }

  /// Waits until `call` may be sent by all limits, and has one of the slots then.
  ///
  /// The slot comes last, so that who has one never waits but for the reply.
  private func takeTurn(
    for call: S3Call, _ attempts: inout S3Attempts
  ) async throws(S3Failure) {
    let start = environment.uptime()
    defer { attempts.leaveOut(environment.uptime() - start) }
    guard await passes(upload, Int64(call.body.count)),
      await passes(download, Self.estimate(of: call)), await slots.take()
    else { throw S3Failure(.cancelled(isSent: false)) }
  }

  private func passes(_ limit: BandwidthLimit?, _ byteCount: Int64) async -> Bool {
    guard let limit, byteCount > 0 else { return true }
    return await limit.pass(byteCount)
  }

  /// The bytes that a reply is thought to have: those asked for, if they are as many as one reads
  /// who knows what is there. What it has in truth is counted afterwards.
  private static func estimate(of call: S3Call) -> Int64 {
    call.expectedByteCount <= 16 << 20 ? call.expectedByteCount : 64 << 10
  }

  /// One request and its reply, for who has a slot, which is given back.
  private func exchange(
    _ call: S3Call, region: String, isRetry: Bool
  ) async throws(S3Failure) -> HTTPResponse {
    defer { slots.giveBack() }
    if Task.isCancelled { throw S3Failure(.cancelled(isSent: false)) }
    let request = try await request(for: call, region: region)
    state.withLock { state in
      state.counts.count(call.verb, sent: request.body.count)
      if isRetry { state.counts.retries += 1 }
    }
    call.departure?.leave()
    do throws(HTTPTransportError) {
      let response = try await transport.send(request)
      state.withLock { $0.counts.bytesReceived += Int64(response.body.count) }
      download?.charge(Int64(response.body.count) - Self.estimate(of: call))
      return response
    } catch {
      throw S3Failure(error)
    }
  }

  private func request(
    for call: S3Call, region: String
  ) async throws(S3Failure) -> HTTPRequest {
    let address = S3Address(bucket: call.bucket, region: region, options)
    var request = HTTPRequest(
      call.method, address.origin, target: address.target(key: call.key, query: call.query),
      headers: call.headers, body: call.body,
      timeout: options.requestTimeout
        + .seconds((call.body.count + min(call.bodyLimit, 1 << 34)) >> 20),
      bodyLimit: max(call.bodyLimit, 64 << 10))
    request.headers.append((name: "user-agent", value: options.userAgent))
    let isChecked = options.bodyCheck == .crc32c && call.verb.hasObjectBytes
    if isChecked {
      request.headers.append((name: "x-amz-checksum-crc32c", value: Self.checksum(of: call.body)))
    }
    let offset = state.withLock(\.clockOffset)
    do throws(S3Error) {
      return try await signing.signed(
        request, region: region, at: environment.now().adding(offset),
        payload: isChecked ? .unsigned : call.body.isEmpty ? .sha256(SHA256Hash.ofNothing) : .hash)
    } catch {
      throw S3Failure(error)
    }
  }

  /// The CRC-32C of `body` as S3 spells it: four bytes, the highest first, in base 64.
  static func checksum(of body: Buffer) -> String {
    let sum = CRC32C.checksum(body.bytes)
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    // 32 bits are five digits of six bits and one of two, which four zero bits fill up.
    var text = (0..<5).map { letters[Int(sum >> UInt32(26 - 6 * $0) & 63)] }
    text.append(letters[Int(sum << 4 & 63)])
    return String(decoding: text, as: UTF8.self) + "=="
  }

  /// True if the server said what was wrong, and it was put right.
  ///
  /// Only the region, the clock and the keys change by what a server says; never the host, but for
  /// AWS's own of another region.
  private func correct(
    _ call: S3Call, _ response: HTTPResponse, _ document: ErrorDocument?, region: String,
    _ attempts: inout S3Attempts
  ) async -> Bool {
    switch document?.code {
    case "RequestTimeTooSkewed":
      guard let theirs = response.header("date").flatMap(HTTPDate.parse),
        attempts.mayCorrect(.clock)
      else { return false }
      state.withLock { $0.clockOffset = theirs.since(environment.now()) }
      return true
    case "ExpiredToken", "TokenRefreshRequired", "InvalidToken":
      guard attempts.mayCorrect(.credentials) else { return false }
      return await signing.renew()
    default: break
    }
    guard [301, 307, 308, 400, 403].contains(response.status),
      let told = response.header("x-amz-bucket-region") ?? document?.region, told != region,
      S3Address.isLabel(told), attempts.mayCorrect(.region)
    else { return false }
    state.withLock { $0.regions[call.bucket] = told }
    return true
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Synchronization
import Testing

@testable import S3Storage

/// Lost replies, refusals and conditions: what a write came to must be certain, or said not to be.
@Suite("S3 writes whose reply is lost")
struct S3AmbiguityTests {
  private let clock = TestClock()
  private let model: S3Model
  private let transport: ScriptedTransport
  private let store: S3Store
  private let path: ObjectPath
  private let key = "t/metadata/v1.metadata.json"

  init() throws {
    model = S3Model(.deterministic(seed: 7, clock: clock))
    transport = model.transport()
    store = model.store(transport)
    path = try ObjectPath("s3://b/t/metadata/v1.metadata.json")
  }

  private func text(_ key: String? = nil) -> String? {
    model.object(key ?? self.key).map { String(decoding: $0.bytes.array(), as: UTF8.self) }
  }

  /// What a create of "mine" throws; nil if it is created.
  private func create(_ condition: PutCondition = .absent) async -> StorageError? {
    do throws(StorageError) {
      _ = try await store.put(Buffer(utf8: "mine"), to: path, if: condition)
      return nil
    } catch {
      return error
    }
  }

  private static let slowDown = S3Model.error(503, "SlowDown")
  private static let gateway = HTTPResponse.reply(502, body: "<html>Bad Gateway</html>")

  static let lost: [(String, ScriptedTransport.Fault)] = [
    ("reset", .loseReply), ("timeout", .timeOutAfterApply), ("truncated", .truncateReply),
    ("500", .applyThenReply(S3Model.error(500, "InternalError"))),
    ("502", .applyThenReply(gateway)),
    ("503", .applyThenReply(.reply(503))), ("504", .applyThenReply(.reply(504))),
  ]

  @Test(arguments: lost.indices)
  func `A10, A13: a create that was applied and whose reply was lost is ours`(
    index: Int
  ) async throws {
    transport.fail(Self.lost[index].1, atRequest: 1)
    #expect(await create() == nil)
    #expect(text() == "mine")
    // The create, the create again, which is refused because of itself, and the look at the mark.
    #expect(transport.requests.map(\.method) == [.put, .put, .head])
  }

  @Test(
    arguments: [
      ScriptedTransport.Fault.loseRequest, .reply(gateway), .reply(.reply(503)), .refuse,
      .reply(slowDown),
    ].indices)
  func `A10: a create that was not applied and whose reply was lost is sent again`(
    index: Int
  ) async throws {
    let faults: [ScriptedTransport.Fault] = [
      .loseRequest, .reply(Self.gateway), .reply(.reply(503)), .refuse, .reply(Self.slowDown),
    ]
    transport.fail(faults[index], atRequest: 1)
    #expect(await create() == nil)
    #expect(text() == "mine")
    #expect(transport.requestCount == 2)
  }

  @Test func `A13: another's create after our lost request is a failed condition`() async throws {
    transport.failing { [model, key] number, _ in
      guard number == 1 else { return nil }
      model.set(key, "theirs")
      return .loseRequest
    }
    #expect(await create() == .conditionFailed(path: path))
    #expect(text() == "theirs")
  }

  @Test func `A10: without any reply a create is unknown, and says so`() async throws {
    transport.failing { _, _ in .loseReply }
    let error = await create()
    #expect(error?.isOutcomeUnknown == true)
    #expect(text() == "mine")
    transport.failing { _, _ in .loseRequest }
    model.remove(key)
    #expect(await create()?.isOutcomeUnknown == true)
    #expect(text() == nil)
  }

  @Test func `A10: a lost reply followed by refusals stays unknown`() async throws {
    for refusal in [
      S3Model.error(403, "AccessDenied"), S3Model.error(403, "ExpiredToken"),
      S3Model.error(400, "Odd"), Self.slowDown,
    ] {
      transport.failing { [start = transport.requestCount] number, _ in
        number == start + 1 ? .loseRequest : .reply(refusal)
      }
      let error = await create()
      #expect(error?.isOutcomeUnknown == true, "\(refusal.status): \(error as Any)")
    }
  }

  @Test func `A10: where the look after a lost reply fails, the outcome is unknown`() async throws {
    transport.failing { number, request in
      if number == 1 { return .loseReply }
      return request.method == .head ? .reply(S3Model.error(403, "")) : nil
    }
    #expect(await create()?.isOutcomeUnknown == true)
  }

  @Test func `A10: a late request after ours was sent again changes nothing`() async throws {
    transport.fail(.hold, atRequest: 1)
    #expect(await create() == nil)
    let etag = model.object(key)?.etag
    await transport.releaseHeld()
    #expect(model.object(key)?.etag == etag)
  }

  @Test func `B14: a conflict of concurrent creates is tried again and never taken for there`()
    async throws
  {
    transport.fail(.reply(S3Model.error(409, "ConditionalRequestConflict")), atRequest: 1)
    transport.fail(.reply(S3Model.error(409, "OperationAborted")), atRequest: 2)
    #expect(await create() == nil)
    #expect(transport.requestCount == 3)
  }

  @Test func `B14: a conflict that does not end is no failed condition`() async throws {
    transport.failing { _, _ in .reply(S3Model.error(409, "ConditionalRequestConflict")) }
    let error = await create()
    guard case .unavailable = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(transport.requestCount == RetryPolicy().attemptLimit)
  }

  @Test func `a replacement that was applied and whose reply was lost is ours`() async throws {
    let version = try await store.put(Buffer(utf8: "old"), to: path, if: .absent)
    transport.fail(.loseReply, atRequest: 2)
    let new = try await store.put(Buffer(utf8: "mine"), to: path, if: .matches(version))
    #expect(new != version)
    #expect(text() == "mine")
  }

  @Test func `a replacement that may have been replaced itself is unknown`() async throws {
    let version = try await store.put(Buffer(utf8: "old"), to: path, if: .absent)
    transport.failing { [model, key] number, _ in
      if number == 3 { model.set(key, "theirs") }
      return number == 2 ? .loseReply : nil
    }
    #expect(await create(.matches(version))?.isOutcomeUnknown == true)
  }

  @Test func `a replacement of what is gone is a failed condition`() async throws {
    let version = try await store.put(Buffer(utf8: "old"), to: path, if: .absent)
    try await store.delete(path)
    #expect(await create(.matches(version)) == .conditionFailed(path: path))
  }

  @Test(arguments: lost.indices)
  func `an unconditional write and a delete are repeated`(index: Int) async throws {
    transport.fail(Self.lost[index].1, atRequest: 1)
    _ = try await store.put(Buffer(utf8: "x"), to: path, if: .none)
    transport.fail(Self.lost[index].1, atRequest: 3)
    try await store.delete(path)
    #expect(model.keys.isEmpty)
    #expect(transport.requestCount == 4)
  }

  @Test func `an unconditional write without any reply is unknown`() async throws {
    transport.failing { _, _ in .loseReply }
    #expect(await create(.none)?.isOutcomeUnknown == true)
    await #expect(throws: StorageError.self) { try await store.delete(path) }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7])
  func `A1, A13: an object in parts survives the loss of any one reply`(number: Int) async throws {
    transport.fail(.loseReply, atRequest: number)
    let store = model.store(transport) { $0.partConcurrency = 1 }
    let writer = try await store.writer(to: path, if: .absent)
    let block = Buffer([UInt8](repeating: 7, count: 6 << 20))
    for _ in 0..<4 { try await writer.append(block) }
    let info = try await writer.finish()
    #expect(info.byteCount == 24 << 20)
    #expect(model.object(key)?.bytes.count == 24 << 20)
  }

  @Test func `the end of an upload in parts keeps the condition`() async throws {
    let store = model.store(transport) { $0.partConcurrency = 1 }
    let writer = try await store.writer(to: path, if: .absent)
    try await writer.append(Buffer([UInt8](repeating: 7, count: 20 << 20)))
    model.set(key, "theirs")
    await #expect(throws: StorageError.conditionFailed(path: path)) { try await writer.finish() }
    await writer.abort()
    #expect(model.uploadCount == 0)
    #expect(text() == "theirs")
  }

  @Test func `an error in the body of a success is an error`() async throws {
    let store = model.store(transport) { $0.partConcurrency = 1 }
    let writer = try await store.writer(to: path, if: .absent)
    try await writer.append(Buffer([UInt8](repeating: 7, count: 20 << 20)))
    // Four requests until then: the start of the upload, two parts; then the third part.
    transport.failing { number, request in
      request.method == .post && request.query.hasPrefix("uploadId") && number < 6
        ? .reply(S3Model.error(200, "InternalError")) : nil
    }
    _ = try await writer.finish()
    #expect(model.object(key)?.bytes.count == 20 << 20)
  }

  @Test func `uploads that were never ended are aborted by age, and no others`() async throws {
    let store = model.store(transport) { $0.partConcurrency = 1 }
    let block = Buffer([UInt8](repeating: 7, count: 12 << 20))
    for name in ["a", "b"] {
      let writer = try await store.writer(to: ObjectPath("s3://b/t/\(name)"), if: .none)
      try await writer.append(block)
    }
    clock.advance(by: .seconds(100))
    let writer = try await store.writer(to: ObjectPath("s3://b/t/c"), if: .none)
    try await writer.append(block)
    let elsewhere = try await store.writer(to: ObjectPath("s3://b/tt/d"), if: .none)
    try await elsewhere.append(block)
    let moment = clock.now().adding(.seconds(-50))
    let count = try await store.removeAbandonedWrites(under: ObjectPath("s3://b/t"), before: moment)
    #expect(count == 2)
    #expect(model.uploadCount == 2)
    _ = try await writer.finish()
    #expect(model.keys == ["t/c"])
  }
}

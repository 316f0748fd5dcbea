// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Synchronization
import Testing

@testable import S3Storage

/// Limits of requests at a time and of bytes a second, by a clock that only waiting moves.
@Suite("S3 limits")
struct LimitTests {
  /// A request that reached the server, when, and the bytes of objects it carried.
  private struct Entry: Sendable {
    let moment: Duration
    let sent: Int
    let received: Int
  }

  private let clock = TestClock()
  private let model: S3Model
  private let log = Log()

  private final class Order: Sendable {
    let numbers = Mutex<[Int]>([])
  }

  private final class Log: Sendable {
    let entries = Mutex<[Entry]>([])
  }

  init() { model = S3Model(.deterministic(seed: 5, clock: clock)) }

  private func store(_ change: (inout S3Options) -> Void) -> S3Store {
    let (inner, log, clock) = (model.transport(), log, clock)
    let transport = ScriptedTransport { request in
      let moment = clock.uptime()
      let reply = try await inner.send(request)
      log.entries.withLock {
        $0.append(
          Entry(moment: moment, sent: request.body.count, received: reply.body.count))
      }
      return reply
    }
    return model.store(transport, change)
  }

  private func put(_ byteCount: Int, _ name: String, _ store: S3Store) async throws {
    _ = try await store.put(
      Buffer([UInt8](repeating: 1, count: byteCount)), to: ObjectPath("s3://b/\(name)"), if: .none)
  }

  /// Of every span between two requests: the bytes of those that began in it but the last are at
  /// most its share.
  private func expectWithin(_ bytesPerSecond: Int, _ bytes: (Entry) -> Int) {
    let entries = log.entries.withLock(\.self)
    for first in entries.indices {
      var sum = 0
      for last in first..<entries.count {
        let share =
          (entries[last].moment - entries[first].moment) / .seconds(1) * Double(bytesPerSecond)
        #expect(Double(sum) <= share + 1, "\(sum) bytes where \(share) are allowed")
        sum += bytes(entries[last])
      }
    }
  }

  @Test func `what is sent keeps to its limit over every span of time`() async throws {
    let random = SeededRandom(printing: "uploads under a limit")
    let store = store { $0.uploadBytesPerSecond = 100_000 }
    var total = 0
    for index in 0..<60 {
      let count = random.int(in: 0..<30_000)
      total += count
      try await put(count, "\(index)", store)
      if random.oneIn(4) { clock.advance(by: .milliseconds(random.int(in: 0..<400))) }
    }
    expectWithin(100_000, \.sent)
    #expect(clock.uptime() > .seconds(Double(total - 30_000) / 100_000))
  }

  @Test func `many at once take the time that their bytes take, and no more`() async throws {
    let store = store { $0.uploadBytesPerSecond = 100_000 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<20 {
        group.addTask { try await put(10_000, "\(index)", store) }
      }
      try await group.waitForAll()
    }
    // The first goes at once.
    #expect(clock.uptime() == .milliseconds(1900))
    #expect(store.counts.puts == 20)
  }

  @Test func `what is received keeps to its limit, however little is there`() async throws {
    let plain = store { _ in }
    for index in 0..<10 { try await put(20_000, "\(index)", plain) }
    log.entries.withLock { $0 = [] }
    let store = store { $0.downloadBytesPerSecond = 50_000 }
    // Whole objects, known parts, and more than there is: what is asked for says little.
    for index in 0..<30 {
      let range: Range<Int64> = [0..<Int64.max, 5000..<15_000, 10_000..<30_000][index % 3]
      _ = try await store.get(ObjectPath("s3://b/\(index % 10)"), range: range)
    }
    let received = log.entries.withLock { $0.reduce(0) { $0 + $1.received } }
    #expect(received == 400_000)
    #expect(clock.uptime() >= .seconds(7.6) && clock.uptime() <= .seconds(9.4))
  }

  @MainActor
  @Test func `who came first is served first, and who gives up is passed over`() async throws {
    let slots = RequestSlots(1)
    #expect(await slots.take())
    let order = Order()
    var tasks: [Task<Bool, Never>] = []
    for index in 0..<10 {
      tasks.append(
        Task {
          guard await slots.take() else { return false }
          order.numbers.withLock { $0.append(index) }
          slots.giveBack()
          return true
        })
    }
    // One actor runs what it was given in order: all ten wait by the time it comes back to this.
    await Task.yield()
    tasks[4].cancel()
    #expect(await !tasks[4].value)
    slots.giveBack()
    for (index, task) in tasks.enumerated() { #expect(await task.value == (index != 4)) }
    #expect(order.numbers.withLock(\.self) == [0, 1, 2, 3, 5, 6, 7, 8, 9])
    #expect(await slots.take())
  }

  @Test func `who gives up waiting for bytes leaves the others their turn`() async throws {
    let limit = BandwidthLimit(
      bytesPerSecond: 1000, environment: .deterministic(seed: 1, clock: clock))
    #expect(await limit.pass(5000))
    let gone = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await limit.pass(1 << 40)
    }
    #expect(await !gone.value)
    #expect(await limit.pass(1000))
    #expect(await limit.pass(1000))
    #expect(clock.uptime() == .seconds(6))
  }

  @Test(arguments: [1, 2, 64])
  func `objects in parts, hedged reads and few requests at a time end under any limit`(
    concurrency: Int
  ) async throws {
    let store = store {
      $0.uploadBytesPerSecond = 4 << 20
      $0.downloadBytesPerSecond = 2 << 20
      $0.concurrency = concurrency
      $0.partConcurrency = 3
      $0.partByteCount = 5 << 20
      $0.hedgeDelay = .milliseconds(20)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<3 {
        group.addTask {
          let path = try ObjectPath("s3://b/large-\(index)")
          let writer = try await store.writer(to: path, if: .absent)
          for _ in 0..<3 { try await writer.append(Buffer([UInt8](repeating: 3, count: 6 << 20))) }
          _ = try await writer.finish()
          for half in [0..<Int64(9 << 20), Int64(9 << 20)..<Int64(18 << 20)] {
            let bytes = try await store.get(path, range: half)
            #expect(bytes.count == 9 << 20)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(store.counts.parts == 12)
    // But for the last request, what was sent and received took its time.
    #expect(clock.uptime() >= .seconds((54 - 9) / 2))
  }

  @Test func `the time until a read is asked for again begins when it is sent`() async throws {
    let plain = store { _ in }
    let path = try ObjectPath("s3://b/object")
    try await put(50_000, "object", plain)
    let delays = DelayClock(clock, noting: .seconds(77))
    var options = S3Options()
    options.endpoint = HTTPOrigin(isSecure: false, host: "localhost", port: 1)
    options.addressing = .path
    options.downloadBytesPerSecond = 10_000
    options.hedgeDelay = .seconds(77)
    let store = S3Store(
      options, signing: Anonymous(), transport: model.transport(),
      environment: Environment(time: delays, random: SeededRandom(seed: 1)))
    for index in 0..<40 {
      _ = try await store.get(path, range: 0..<50_000)
      // Each read waits for those before it; only then the delay begins, if there is time for it.
      let noted = delays.noted.withLock(\.self)
      #expect(noted.allSatisfy { $0 >= .seconds(5 * index) }, "read \(index): \(noted)")
      delays.noted.withLock { $0 = [] }
    }
    #expect(store.counts.hedges == 0)
    #expect(clock.uptime() == .seconds(195))
  }

  @Test func `waiting for a turn is not counted as time that was tried in`() async throws {
    let inner = model.transport()
    let transport = ScriptedTransport { try await inner.send($0) }
    transport.fail(.reply(S3Model.error(503, "SlowDown")), atRequest: 2)
    let store = model.store(transport) {
      $0.uploadBytesPerSecond = 1024
      $0.retries.deadline = .seconds(150)
    }
    // The second waits for 100 seconds, is refused, and waits for 100 more.
    for index in 0..<3 { try await put(100 << 10, "\(index)", store) }
    #expect(transport.requestCount == 4)
    #expect(clock.uptime() >= .seconds(300))
  }

  @Test func `limits are read from properties, and refused if they make no sense`() throws {
    let options = try S3Options(properties: [
      "s3.max-connections": "7", "s3.max-upload-bytes-per-second": "1048576",
      "s3.max-download-bytes-per-second": "2048",
    ])
    #expect(options.concurrency == 7)
    #expect(options.uploadBytesPerSecond == 1 << 20)
    #expect(options.downloadBytesPerSecond == 2048)
    for name in [
      "s3.max-connections", "s3.max-upload-bytes-per-second", "s3.max-download-bytes-per-second",
    ] {
      for text in ["0", "-1", "fast", "1e6", "99999999999999999999"] {
        #expect(throws: S3Error.self) { try S3Options(properties: [name: text]) }
      }
    }
  }
}

/// A clock that notes when someone begins to wait for one duration, which never ends.
private final class DelayClock: TimeSource {
  private let base: TestClock
  private let duration: Duration
  let noted = Mutex<[Duration]>([])

  init(_ base: TestClock, noting duration: Duration) {
    self.base = base
    self.duration = duration
  }

  func now() -> Timestamp { base.now() }
  func uptime() -> Duration { base.uptime() }

  func sleep(for duration: Duration) async throws(CancellationError) {
    guard duration == self.duration else { return try await base.sleep(for: duration) }
    noted.withLock { $0.append(base.uptime()) }
    do {
      try await Task.sleep(for: .seconds(60))
    } catch {
      throw CancellationError()
    }
  }
}

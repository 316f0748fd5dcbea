// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Where time comes from.
public protocol TimeSource: Sendable {
  /// The wall clock; it may jump, also backwards, so nothing is ordered by it.
  func now() -> Timestamp
  /// Time since some fixed moment; never goes backwards. For timeouts and measuring.
  func uptime() -> Duration
  /// Returns after `duration`, or throws as soon as the task is cancelled.
  func sleep(for duration: Duration) async throws(CancellationError)
}

/// Where randomness comes from. Used for ids, names and jitter.
public protocol RandomSource: Sendable {
  /// 64 bits, each as likely 0 as 1.
  func next() -> UInt64
}

/// What a program cannot compute: the time and chance.
///
/// It is handed to everything that needs either, so that the whole engine runs in a simulation
/// under a virtual clock and a seed.
public struct Environment: Sendable {
  public let time: any TimeSource
  public let random: any RandomSource
  /// How many tasks can compute at once.
  public let processorCount: Int

  public init(time: any TimeSource, random: any RandomSource, processorCount: Int = 1) {
    self.time = time
    self.random = random
    self.processorCount = processorCount
  }

  /// The machine's clocks and the kernel's random bytes.
  public static let system = Environment(
    time: SystemTime(), random: SystemRandom(), processorCount: Processors.usableCount)

  public func now() -> Timestamp { time.now() }
  public func uptime() -> Duration { time.uptime() }

  /// Returns after `duration`, or throws as soon as the task is cancelled.
  public func sleep(for duration: Duration) async throws(CancellationError) {
    try await time.sleep(for: duration)
  }
}

extension Environment {
  /// A number below `bound`, each as likely.
  ///
  /// Requires: `bound` is positive.
  public func random(below bound: UInt64) -> UInt64 {
    var generator = Generator(source: random)
    return .random(in: 0..<bound, using: &generator)
  }

  /// `count` random bytes.
  public func randomBytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      let word = random.next()
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return Array(bytes.prefix(count))
  }

  /// A random UUID (version 4) as 36 lower-case characters.
  ///
  /// Source: RFC 9562, section 5.4.
  public func uuid() -> String {
    var bytes = randomBytes(16)
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      for digit in [byte >> 4, byte & 15] { text.append(digit + (digit < 10 ? 48 : 87)) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A fresh snapshot id: random, positive, of 63 bits.
  public func snapshotID() -> Int64 {
    while true {
      let id = Int64(truncatingIfNeeded: random.next() >> 1)
      if id > 0 { return id }
    }
  }

  /// The 16 random bytes that separate the blocks of an Avro file.
  public func syncMarker() -> [UInt8] { randomBytes(16) }

  private struct Generator: RandomNumberGenerator {
    let source: any RandomSource
    mutating func next() -> UInt64 { source.next() }
  }
}

/// The machine's clocks.
private struct SystemTime: TimeSource {
  func now() -> Timestamp {
    let (seconds, nanoseconds) = Self.read(CLOCK_REALTIME)
    return Timestamp(microseconds: seconds * 1_000_000 + nanoseconds / 1000)
  }

  func uptime() -> Duration {
    let (seconds, nanoseconds) = Self.read(CLOCK_MONOTONIC)
    return .seconds(seconds) + .nanoseconds(nanoseconds)
  }

  func sleep(for duration: Duration) async throws(CancellationError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw CancellationError()
    }
  }

  private static func read(_ clock: clockid_t) -> (seconds: Int64, nanoseconds: Int64) {
    var reading = timespec()
    unsafe clock_gettime(clock, &reading)
    return (Int64(reading.tv_sec), Int64(reading.tv_nsec))
  }
}

/// The kernel's random bytes.
private struct SystemRandom: RandomSource {
  func next() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}

/// The processors this process may run on.
private enum Processors {
  /// As many as its affinity allows, which is fewer than the machine has where it was pinned.
  static let usableCount: Int = {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return 1 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    let key = Array("Cpus_allowed:".utf8)
    while unsafe fgets(&line, 1024, file) != nil {
      let text = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      guard text.starts(with: key) else { continue }
      // A mask in hexadecimal digits, commas between its words.
      let digits = text.dropFirst(key.count).compactMap {
        UInt8(String(UnicodeScalar($0)), radix: 16)
      }
      return max(1, digits.reduce(0) { $0 + $1.nonzeroBitCount })
    }
    return 1
  }()
}

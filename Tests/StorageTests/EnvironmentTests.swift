// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Storage
import Testing

@Suite("Environment")
struct EnvironmentTests {
  @Test func `the same seed gives the same world`() async throws {
    let (a, b) = (Environment.deterministic(seed: 5), Environment.deterministic(seed: 5))
    let other = Environment.deterministic(seed: 6)
    #expect(a.uuid() == b.uuid())
    #expect(a.snapshotID() == b.snapshotID())
    #expect(a.syncMarker() == b.syncMarker())
    #expect(a.now() == b.now())
    #expect(a.uuid() != other.uuid())
  }

  @Test func `random numbers are those of the published generator`() {
    // SplitMix64 with seed 1234567, as listed by Rosetta Code and others.
    let random = SeededRandom(seed: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
    #expect(random.next() == 9_817_491_932_198_370_423)
  }

  @Test(arguments: [Environment.system, .deterministic(seed: 1)])
  func `ids have the form they must have`(environment: Environment) {
    var uuids: Set<String> = []
    for _ in 0..<1000 {
      let uuid = environment.uuid()
      let parts = uuid.split(separator: "-")
      #expect(parts.map(\.count) == [8, 4, 4, 4, 12], "\(uuid)")
      #expect(parts[2].first == "4" && "89ab".contains(parts[3].first ?? "x"), "\(uuid)")
      #expect(uuid.allSatisfy { $0 == "-" || ($0.isHexDigit && !$0.isUppercase) }, "\(uuid)")
      uuids.insert(uuid)
      #expect(environment.snapshotID() > 0)
      #expect(environment.random(below: 3) < 3)
      #expect(environment.syncMarker().count == 16)
    }
    #expect(uuids.count == 1000)
  }

  @Test func `random bytes are as many as asked for`() {
    let environment = Environment.deterministic(seed: 3)
    for count in 0..<40 { #expect(environment.randomBytes(count).count == count) }
  }

  @Test func `a test clock moves when it is told to`() async throws {
    let clock = TestClock(now: .epoch, step: .seconds(1))
    #expect(clock.now() == .epoch)
    #expect(clock.now().microseconds == 1_000_000)
    try await clock.sleep(for: .seconds(10))
    #expect(clock.uptime() == .seconds(12))
    #expect(clock.sleeps == [.seconds(10)])
    clock.set(now: .epoch)
    #expect(clock.now() == .epoch)
    #expect(clock.uptime() == .seconds(13))
  }

  @Test func `the system's clocks go forward`() {
    let start = Environment.system.uptime()
    #expect(Environment.system.uptime() >= start)
    #expect(Environment.system.now() > Timestamp(milliseconds: 1_700_000_000_000))
  }

  @Test func `who is cancelled does not sleep`() async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await Environment.system.sleep(for: .seconds(1000))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

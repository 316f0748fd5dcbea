// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Network
import Storage
import Synchronization
import Testing

@Suite("Credentials: kept and fetched again")
struct RefreshTests {
  /// Gives out `K1`, `K2`, … that live for `life`, or what it is told to throw.
  private final class Mint: CredentialsSource {
    let name = "the mint"
    let clock: TestClock
    private let life: Duration
    private let state = Mutex<(count: Int, error: CredentialsError?, gate: Bool)>((0, nil, false))

    init(_ clock: TestClock, life: Duration) {
      self.clock = clock
      self.life = life
    }

    var count: Int { state.withLock { $0.count } }
    func fail(with error: CredentialsError?) { state.withLock { $0.error = error } }
    func hold(_ isHeld: Bool) { state.withLock { $0.gate = isHeld } }

    func load() async throws(CredentialsError) -> AWSCredentials? {
      let (count, error) = state.withLock { state in
        state.count += 1
        return (state.count, state.error)
      }
      while state.withLock({ $0.gate }) {
        if Task.isCancelled { throw .cancelled }
        await Task.yield()
      }
      if let error { throw error }
      return AWSCredentials(
        accessKeyID: "K\(count)", secretAccessKey: Secret("s"),
        expiration: clock.now().adding(life))
    }
  }

  private let clock = TestClock()

  private func refreshing(_ sources: any CredentialsSource...) -> RefreshingCredentials {
    RefreshingCredentials(sources, environment: .deterministic(seed: 1, clock: clock))
  }

  @Test func `many who ask at once make one request, before and after the first`() async throws {
    let mint = Mint(clock, life: .seconds(3600))
    let credentials = refreshing(mint)
    for round in 1...3 {
      mint.hold(true)
      let ids = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<200 {
          group.addTask { try await credentials.credentials().accessKeyID }
        }
        while mint.count < round { await Task.yield() }
        for _ in 0..<100 { await Task.yield() }
        mint.hold(false)
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      // In the later rounds, who asks while others are fetched is given the old ones.
      #expect(ids.isSubset(of: ["K\(round - 1)", "K\(round)"]) && ids.contains("K\(round)"))
      #expect(mint.count == round)
      clock.advance(by: .seconds(3400))
    }
  }

  @Test func `they are fetched again five minutes before they expire, not sooner`() async throws {
    let mint = Mint(clock, life: .seconds(3600))
    let credentials = refreshing(mint)
    #expect(try await credentials.credentials().accessKeyID == "K1")
    clock.advance(by: .seconds(3299))
    #expect(try await credentials.credentials().accessKeyID == "K1")
    clock.advance(by: .seconds(1))
    #expect(try await credentials.credentials().accessKeyID == "K2")
    #expect(mint.count == 2)
  }

  @Test func `old ones are used as long as they last when others cannot be had`() async throws {
    let mint = Mint(clock, life: .seconds(3600))
    let credentials = refreshing(mint)
    _ = try await credentials.credentials()
    mint.fail(with: .unavailable(source: "the mint", reason: "down"))
    clock.advance(by: .seconds(3400))
    for _ in 0..<50 { #expect(try await credentials.credentials().accessKeyID == "K1") }
    #expect(mint.count == 2, "asked once, then not for half a minute")
    clock.advance(by: .seconds(31))
    #expect(try await credentials.credentials().accessKeyID == "K1")
    #expect(mint.count == 3)
    clock.advance(by: .seconds(160))
    await #expect(throws: CredentialsError.unavailable(source: "the mint", reason: "down")) {
      try await credentials.credentials()
    }
    mint.fail(with: nil)
    #expect(try await credentials.credentials().accessKeyID == "K5")
  }

  @Test func `those that a server refuses are fetched anew, once`() async throws {
    let mint = Mint(clock, life: .seconds(3600))
    let credentials = refreshing(mint)
    let first = try await credentials.credentials()
    await credentials.discard(first)
    let second = try await credentials.credentials()
    #expect(second.accessKeyID == "K2")
    // Another task that had used the first ones says so later.
    await credentials.discard(first)
    #expect(try await credentials.credentials() == second)
  }

  @Test func `a place that should have some and fails is not passed over`() async throws {
    let broken = Mint(clock, life: .seconds(3600))
    broken.fail(with: .refused(source: "the mint", status: 403, reason: "no"))
    let other = Mint(clock, life: .seconds(3600))
    await #expect(throws: CredentialsError.refused(source: "the mint", status: 403, reason: "no")) {
      try await refreshing(broken, other).credentials()
    }
    #expect(other.count == 0)
  }

  @Test func `ones that are given out expired are an error`() async throws {
    let mint = Mint(clock, life: .seconds(5))
    await #expect(
      throws: CredentialsError.expired(source: "the mint", at: clock.now().adding(.seconds(5)))
    ) {
      try await refreshing(mint).credentials()
    }
  }

  @Test func `who waits is not cancelled with the one who asked`() async throws {
    let mint = Mint(clock, life: .seconds(3600))
    let credentials = refreshing(mint)
    mint.hold(true)
    let first = Task { try await credentials.credentials().accessKeyID }
    while mint.count < 1 { await Task.yield() }
    let second = Task { try await credentials.credentials().accessKeyID }
    for _ in 0..<100 { await Task.yield() }
    first.cancel()
    await #expect(throws: CredentialsError.cancelled) { try await first.value }
    while mint.count < 2 { await Task.yield() }
    mint.hold(false)
    #expect(try await second.value == "K2")
  }
}

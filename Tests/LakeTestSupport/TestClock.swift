// SPDX-License-Identifier: Apache-2.0
import Storage
import Synchronization

/// A clock that stands still until it is told otherwise; sleeping moves it, and takes no time.
public final class TestClock: TimeSource {
  private struct State {
    var now: Timestamp
    var uptime: Duration = .zero
    var sleeps: [Duration] = []
  }

  private let state: Mutex<State>
  private let step: Duration

  /// - Parameter step: how much later it is after each look at the wall clock.
  public init(
    now: Timestamp = Timestamp(milliseconds: 1_788_000_000_000), step: Duration = .zero
  ) {
    self.state = Mutex(State(now: now))
    self.step = step
  }

  public func now() -> Timestamp {
    state.withLock { state in
      defer {
        state.now = state.now.adding(step)
        state.uptime += step
      }
      return state.now
    }
  }

  public func uptime() -> Duration { state.withLock { $0.uptime } }

  public func sleep(for duration: Duration) async throws(CancellationError) {
    if Task.isCancelled { throw CancellationError() }
    state.withLock { $0.sleeps.append(duration) }
    advance(by: duration)
    await Task.yield()
  }

  /// Moves both clocks forward.
  public func advance(by duration: Duration) {
    state.withLock { state in
      state.now = state.now.adding(duration)
      state.uptime += duration
    }
  }

  /// Sets the wall clock, also back; the time since the start does not change.
  public func set(now: Timestamp) { state.withLock { $0.now = now } }

  /// How long was slept, each time.
  public var sleeps: [Duration] { state.withLock { $0.sleeps } }
}

extension Environment {
  /// The same time and chance in every run: `clock`, and random numbers from `seed`.
  public static func deterministic(
    seed: UInt64, clock: TestClock = TestClock()
  ) -> Environment {
    Environment(time: clock, random: SeededRandom(seed: seed))
  }
}

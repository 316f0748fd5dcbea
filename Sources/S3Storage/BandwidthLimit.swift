// SPDX-License-Identifier: Apache-2.0
internal import Storage
internal import Synchronization

/// Holds what is sent, or what is received, to so many bytes a second.
///
/// Each transfer waits until those before it have had their time, in the order they came; then it
/// goes at the speed of the wire, as one request cannot be slowed down. So in any span of time the
/// bytes of the transfers that begin in it are at most the span's share and those of the last.
///
/// Law: who waits here holds nothing that another waits for, and waits for time alone.
final class BandwidthLimit: Sendable {
  private let bytesPerSecond: Int64
  private let environment: Environment
  /// Whose turn it is: the others wait behind it.
  private let turn = RequestSlots(1)
  /// By the time since the start: when all that went until now has had its time.
  private let free = Mutex(Duration.zero)

  init(bytesPerSecond: Int64, environment: Environment) {
    self.bytesPerSecond = max(1, bytesPerSecond)
    self.environment = environment
  }

  /// Waits until `byteCount` bytes may go; false if the task was cancelled, and they may not.
  func pass(_ byteCount: Int64) async -> Bool {
    guard await turn.take() else { return false }
    defer { turn.giveBack() }
    while true {
      let now = environment.uptime()
      let wait = free.withLock { free -> Duration in
        if free <= now {
          free = now + time(of: byteCount)
          return .zero
        }
        return free - now
      }
      if wait == .zero { return true }
      do {
        try await environment.sleep(for: wait)
      } catch {
        return false
      }
    }
  }

  /// Counts `byteCount` more bytes than were asked leave for; fewer, if it is negative.
  func charge(_ byteCount: Int64) {
    let now = environment.uptime()
    free.withLock { free in
      // What was not used is given back, but no time that is over.
      free = byteCount < 0 ? free - time(of: -byteCount) : max(free, now) + time(of: byteCount)
    }
  }

  private func time(of byteCount: Int64) -> Duration {
    .seconds(byteCount) / bytesPerSecond
  }
}

/// Tells when a request leaves, for who counts the time from then.
final class Departure: Sendable {
  private struct State {
    var hasLeft = false
    var waiting: CheckedContinuation<Bool, Never>?
  }

  private let state = Mutex(State())

  func leave() {
    let waiting = state.withLock { state in
      state.hasLeft = true
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: true)
  }

  /// Waits, as the only one; false if the task was cancelled before.
  func wait() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { turn in
        let answer: Bool? = state.withLock { state in
          if state.hasLeft { return true }
          if Task.isCancelled { return false }
          state.waiting = turn
          return nil
        }
        if let answer { turn.resume(returning: answer) }
      }
    } onCancel: {
      let waiting = state.withLock { state in
        defer { state.waiting = nil }
        return state.waiting
      }
      waiting?.resume(returning: false)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// How many requests are under way; the next ones wait in the order they came.
final class RequestSlots: Sendable {
  private struct State {
    var free: Int
    var nextTicket: UInt64 = 0
    /// In the order they came; those that gave up are gone.
    var waiting: [(ticket: UInt64, turn: CheckedContinuation<Bool, Never>)] = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: max(1, count))) }

  /// Waits for a slot; false if the task was cancelled, and there is none to give back.
  func take() async -> Bool {
    let ticket: UInt64? = state.withLock { state in
      if state.free > 0 {
        state.free -= 1
        return nil
      }
      state.nextTicket += 1
      return state.nextTicket
    }
    guard let ticket else { return true }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { turn in
        // A slot may have come free since, and a cancellation too.
        let answer: Bool? = state.withLock { state in
          if Task.isCancelled { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiting.append((ticket, turn))
          return nil
        }
        if let answer { turn.resume(returning: answer) }
      }
    } onCancel: {
      let turn = state.withLock { state -> CheckedContinuation<Bool, Never>? in
        guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
          return nil
        }
        return state.waiting.remove(at: index).turn
      }
      turn?.resume(returning: false)
    }
  }

  /// Gives a slot back: to the first who waits.
  func giveBack() {
    let turn = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().turn
    }
    turn?.resume(returning: true)
  }
}

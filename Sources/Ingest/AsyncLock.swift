// SPDX-License-Identifier: Apache-2.0

/// Lets one operation of an actor go on at a time, in the order they came.
///
/// An actor alone lets others in wherever one waits. Used by its actor only, so that nothing of it
/// runs at the same time.
struct AsyncLock {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// True, and the lock is taken, if it was free.
  mutating func tryTake() -> Bool {
    guard !isTaken else { return false }
    isTaken = true
    return true
  }

  /// Notes who is to go on when it is their turn.
  mutating func wait(_ continuation: CheckedContinuation<Void, Never>) {
    waiting.append(continuation)
  }

  /// Lets the next one go on, who has the lock then.
  mutating func release() {
    if waiting.isEmpty {
      isTaken = false
    } else {
      waiting.removeFirst().resume()
    }
  }
}

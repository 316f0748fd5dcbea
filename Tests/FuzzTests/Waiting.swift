// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Runs asynchronous code of a target and waits for it.
enum Waiting {
  private final class Box<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
    let isDone = DispatchSemaphore(value: 0)
  }

  /// What `work` returns. It runs on this thread as far as it does not wait for anything, and no
  /// target does.
  static func value<T: Sendable>(_ work: @escaping @Sendable () async -> T?) -> T? {
    let box = Box<T>()
    Task.immediate {
      let value = await work()
      box.value.withLock { $0 = value }
      box.isDone.signal()
    }
    box.isDone.wait()
    return box.value.withLock { $0 }
  }
}

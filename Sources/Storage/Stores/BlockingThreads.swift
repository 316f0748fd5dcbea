// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A few threads of our own that may wait for a disk, so that those Swift runs tasks on never do.
///
/// Threads are started when there is work and none is idle, up to the limit, and stay.
///
/// Cost: about 15 µs more than a call in place (two wake-ups), on two cores.
@safe
package final class BlockingThreads: Sendable {
  /// The ones every local store uses, and whatever else waits for files.
  package static let shared = BlockingThreads(limit: 16)

  private struct State {
    var jobs: [(@Sendable () -> Void)?] = []
    var next = 0
    var idleCount = 0
    var threadCount = 0
  }

  private let state = Mutex(State())
  private let limit: Int
  // Never freed: this object is the process's own, as its threads are.
  nonisolated(unsafe) private let wakeUps: UnsafeMutablePointer<sem_t>

  private init(limit: Int) {
    self.limit = limit
    unsafe wakeUps = .allocate(capacity: 1)
    unsafe wakeUps.initialize(to: sem_t())
    unsafe sem_init(wakeUps, 0, 0)
  }

  /// Runs `job` on one of the threads, and returns or throws what it does.
  package func run<T: Sendable, Failure: Error>(
    _ job: @escaping @Sendable () throws(Failure) -> T
  ) async throws(Failure) -> T {
    let result: Result<T, Failure> = await withCheckedContinuation { continuation in
      submit { continuation.resume(returning: Result(catching: job)) }
    }
    return try result.get()
  }

  private func submit(_ job: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.jobs.append(job)
      if state.idleCount > 0 {
        state.idleCount -= 1
        return false
      }
      guard state.threadCount < limit else { return false }
      state.threadCount += 1
      return true
    }
    if needsThread, !startThread() {
      // No thread can be had: better late here than never.
      state.withLock { $0.threadCount -= 1 }
      runNextJob()
    } else {
      unsafe sem_post(wakeUps)
    }
  }

  private func startThread() -> Bool {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    let failure = unsafe pthread_create(
      &thread, nil,
      { context in
        if let context = unsafe context {
          unsafe Unmanaged<BlockingThreads>.fromOpaque(context).takeUnretainedValue().runForever()
        }
        return nil
      }, context)
    if failure == 0 { pthread_detach(thread) }
    return failure == 0
  }

  private func runForever() {
    while true {
      while unsafe sem_wait(wakeUps) != 0 {}  // interrupted by a signal
      runNextJob()
      state.withLock { $0.idleCount += 1 }
    }
  }

  private func runNextJob() {
    let job: (@Sendable () -> Void)? = state.withLock { state in
      guard state.next < state.jobs.count else { return nil }
      let job = state.jobs[state.next]
      state.jobs[state.next] = nil  // what it holds is not ours to keep
      state.next += 1
      if state.next >= 64, state.next * 2 >= state.jobs.count {
        state.jobs.removeFirst(state.next)
        state.next = 0
      }
      return job
    }
    job?()
  }
}

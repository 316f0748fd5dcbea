// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// SIGINT and SIGTERM: a command that changes something is cancelled, and ends committed or not
/// committed; any other just ends.
enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let endsAtOnce = Atomic<Bool>(true)

  /// 128 + the signal, if one came.
  static var exitCode: Int32? {
    let signal = received.load(ordering: .acquiring)
    return signal == 0 ? nil : 128 + signal
  }

  /// From now on a signal lets the command come to its end: it may be changing something.
  static func waitForCommand() { endsAtOnce.store(false, ordering: .releasing) }

  /// Has the signals wait to be asked for, in this thread and all that are started after.
  static func block() {
    var signals = signalSet
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  private static var signalSet: sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, signal) }
    return signals
  }

  /// Calls `action` at the first signal; a second one ends the process at once.
  ///
  /// They are waited for in a thread of their own, where, unlike in a signal handler, anything may
  /// be called. Requires: ``block()`` was called before there were other threads.
  static func onSignal(_ action: @escaping @Sendable () -> Void) {
    let waiter = Waiter(action: action, signals: signalSet)
    let context = unsafe Unmanaged.passRetained(waiter).toOpaque()
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let waiter = unsafe Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue()
        waiter.wait()
        return nil
      }, context)
  }

  private final class Waiter {
    let action: @Sendable () -> Void
    var signals: sigset_t

    init(action: @escaping @Sendable () -> Void, signals: sigset_t) {
      self.action = action
      self.signals = signals
    }

    func wait() {
      var signal: Int32 = 0
      unsafe sigwait(&signals, &signal)
      Interruption.received.store(signal, ordering: .releasing)
      if Interruption.endsAtOnce.load(ordering: .acquiring) { _exit(128 + signal) }
      action()
      unsafe sigwait(&signals, &signal)
      _exit(128 + signal)
    }
  }
}

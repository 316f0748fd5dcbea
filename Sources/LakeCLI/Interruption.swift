// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// SIGINT and SIGTERM: a command that changes something is cancelled, and ends committed or not
/// committed; any other just ends.
///
/// The handler does what a handler may: it notes the signal, and wakes a thread that may do more.
/// Waiting for blocked signals instead would not do: the main thread of an asynchronous program
/// rests with all signals unblocked, and would take them first.
enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let endsAtOnce = Atomic<Bool>(true)
  private static let isLeftToCommand = Atomic<Bool>(false)
  /// Where the handler writes to wake the waiting thread; -1 if there is none.
  private static let wakingEnd = Atomic<Int32>(-1)

  /// 128 + the signal, if one came.
  static var exitCode: Int32? {
    let signal = received.load(ordering: .acquiring)
    return signal == 0 ? nil : 128 + signal
  }

  /// Has signals end the program with their exit code.
  static func install() {
    // What the handler uses is made before it can be called.
    _ = received.load(ordering: .relaxed)
    _ = wakingEnd.load(ordering: .relaxed)
    _ = endsAtOnce.load(ordering: .relaxed)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { signal in Interruption.handle(signal) }
    action.sa_flags = SA_RESTART
    for signal in [SIGINT, SIGTERM] { unsafe sigaction(signal, &action, nil) }
  }

  private static func handle(_ signal: Int32) {
    let end = wakingEnd.load(ordering: .acquiring)
    let isFirst = received.exchange(signal, ordering: .acquiringAndReleasing) == 0
    guard isFirst, end >= 0, !endsAtOnce.load(ordering: .acquiring) else { _exit(128 + signal) }
    var byte: UInt8 = 1
    unsafe write(end, &byte, 1)
  }

  /// From now on the first signal does what ``onSignal(_:)`` was told; a second one still ends the
  /// program.
  static func waitForCommand() { endsAtOnce.store(false, ordering: .releasing) }

  /// From now on the command looks for a signal itself, by ``exitCode``, and is not cancelled.
  static func leaveToCommand() { isLeftToCommand.store(true, ordering: .releasing) }

  /// Has the first signal after ``waitForCommand()`` call `action`, in a thread of its own.
  static func onSignal(_ action: @escaping @Sendable () -> Void) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return }
    let waiter = Waiter(action: action, file: ends[0])
    let context = unsafe Unmanaged.passRetained(waiter).toOpaque()
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue().wait()
        return nil
      }, context)
    if code == 0 { wakingEnd.store(ends[1], ordering: .releasing) }
  }

  private final class Waiter: Sendable {
    let action: @Sendable () -> Void
    let file: Int32

    init(action: @escaping @Sendable () -> Void, file: Int32) {
      self.action = action
      self.file = file
    }

    func wait() {
      var byte: UInt8 = 0
      while unsafe read(file, &byte, 1) < 0, errno == EINTR {}
      if !isLeftToCommand.load(ordering: .acquiring) { action() }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Starts processes by `posix_spawn`: Foundation's `Process` crashes when several tests start
/// theirs at a time (Swift 6.3.1, in `Process.run`).
enum Spawn {
  struct Failed: Error, CustomStringConvertible {
    let program: String
    let code: Int32
    var description: String { "\(program) can't be started: \(String(cString: strerror(code)))" }
  }

  /// Runs `program` to its end; its streams are the files `stdin`, `stdout` and `stderr`.
  ///
  /// - Returns: the exit code; 128 + the signal that killed it.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String], in folder: String,
    stdin: String, stdout: String, stderr: String
  ) async throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, stdin, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, stdout, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, stderr, O_WRONLY | O_CREAT | O_TRUNC, 0o644)

    // Whatever the test runner does with signals is not the program's.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

    // The C library's own way into another folder is not known to Swift.
    let argv = (["/usr/bin/env", "-C", folder, program] + arguments).map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var process = pid_t()
    let code = posix_spawn(&process, "/usr/bin/env", &actions, &attributes, argv, envp)
    guard code == 0 else { throw Failed(program: program, code: code) }
    return await wait(for: process)
  }

  /// A program that takes longer has hung, and is killed: a failure is better than no end.
  private static let limit: TimeInterval = 900

  private static func wait(for process: pid_t) async -> Int32 {
    await withCheckedContinuation { done in
      // A thread of its own: it does nothing but wait.
      Thread.detachNewThread {
        let watch = DispatchSource.makeTimerSource(queue: .global())
        watch.setEventHandler { kill(process, SIGKILL) }
        watch.schedule(deadline: .now() + limit)
        watch.activate()
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        watch.cancel()
        let signal = status & 0x7f
        done.resume(returning: signal == 0 ? (status >> 8) & 0xff : 128 + signal)
      }
    }
  }
}

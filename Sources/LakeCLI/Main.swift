// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The program: runs one command, and turns how it ended into an exit code.
@main
enum Main {
  static func main() async {
    Interruption.block()
    let work = Task { await run() }
    Interruption.onSignal { work.cancel() }
    let code = await work.value
    exit(Interruption.exitCode ?? code)
  }

  private static func run() async -> Int32 {
    var activity = "lake"
    do {
      // Help, version and completions come as errors too, with the codes that go with them.
      var command = try Lake.parseAsRoot()
      activity = type(of: command)._commandName
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return ExitStatus.done.rawValue
    } catch {
      if Lake.exitCode(for: error) != .failure || error is CleanExit || error is ExitCode {
        Lake.exit(withError: error)
      }
      let failure = Failure(error, activity: activity)
      StandardError.write("lake: \(failure.line)\n")
      return failure.status.rawValue
    }
  }
}

/// The exit codes of the contract.
enum ExitStatus: Int32 {
  case done = 0
  case failed = 1
  /// Finished, and a check that was asked for did not hold.
  case checkFailed = 2
  case notFound = 3
  /// Lost a conflict after all retries; nothing was changed.
  case conflict = 4
  /// No one can tell whether it happened; nothing was cleaned up.
  case unknown = 5
  case usage = 64
}

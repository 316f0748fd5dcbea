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
    Interruption.install()
    // Who reads our output may go away; what was changed is told truly all the same.
    signal(SIGPIPE, SIG_IGN)
    // Empty only where the system did not let the runtime read them: nothing is told then.
    guard !CommandLine.arguments.isEmpty else {
      StandardError.write("lake: the arguments of the command can't be read\n")
      exit(ExitStatus.failed.rawValue)
    }
    let arguments = Array(CommandLine.arguments.dropFirst())
    let work = Task { await run(arguments) }
    Interruption.onSignal { work.cancel() }
    let code = await work.value
    // An unknown outcome is more to know than that a signal came.
    if code == ExitStatus.unknown.rawValue { exit(code) }
    exit(Interruption.exitCode ?? code)
  }

  private static func run(_ arguments: [String]) async -> Int32 {
    var activity = CommandLineOrder.activity(arguments)
    do {
      // Help, version and completions come as errors too, with the codes that go with them.
      let ordered = try CommandLineOrder.forParser(arguments)
      activity = CommandLineOrder.activity(ordered)
      var command = try Lake.parseAsRoot(ordered)
      let kind = type(of: command)
      activity = activity ?? kind._commandName
      if kind is any ChangingCommand.Type { Interruption.waitForCommand() }
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return ExitStatus.done.rawValue
    } catch {
      return report(error, of: activity, isVerbose: arguments.contains("--verbose"))
    }
  }

  /// Says what went wrong, and returns the exit code.
  private static func report(_ error: any Error, of activity: String?, isVerbose: Bool) -> Int32 {
    switch Lake.exitCode(for: error) {
    case .validationFailure:
      let message = Lake.message(for: error).split(separator: "\n").joined(separator: " ")
      let name = activity.map { "\($0): " } ?? ""
      StandardError.write(
        "lake: \(name)\(message) (see 'lake help\(activity.map { " \($0)" } ?? "")')\n")
      return ExitStatus.usage.rawValue
    case .failure where !(error is CleanExit || error is ExitCode): break
    default: Lake.exit(withError: error)
    }
    let failure = Failure(error, activity: activity ?? "lake")
    StandardError.write("lake: \(failure.line)\n")
    if isVerbose { StandardError.write(failure.causes.map { "lake:   \($0)\n" }.joined()) }
    return failure.status.rawValue
  }
}

/// A command that changes something: a signal lets it come to an end, so that what happened is
/// known. Others just end.
protocol ChangingCommand {}

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

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
    let command: any ParsableCommand
    do {
      command = try Lake.parseAsRoot()
    } catch {
      // Help, version, completions and usage errors, with the codes that go with them.
      Lake.exit(withError: error)
    }
    let work = Task { await run(command) }
    Interruption.onSignal { work.cancel() }
    let code = await work.value
    exit(Interruption.exitCode ?? code)
  }

  private static func run(_ command: any ParsableCommand) async -> Int32 {
    do {
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        var command = command
        try command.run()
      }
      return ExitStatus.done.rawValue
    } catch let error as CleanExit {
      Lake.exit(withError: error)
    } catch let error as ExitCode {
      return error.rawValue
    } catch let error as ValidationError {
      Lake.exit(withError: error)
    } catch {
      let failure = Failure(error, activity: type(of: command)._commandName)
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

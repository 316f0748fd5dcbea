// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// The command line as the parser wants it: `lake alter TABLE set k=v` has what it is about before
/// what to do with it, as people say it; to the parser `set` is a command below `alter`.
enum CommandLineOrder {
  /// The commands whose table comes before the action.
  private static let ordered: [any ParsableCommand.Type] = [
    AlterCommand.self, BranchCommand.self, TagCommand.self, IndexCommand.self,
  ]

  /// Options with a value, which may stand before an action's name and look like one.
  private static let valued: Set<String> = ["--warehouse", "--catalog", "--format", "--key"]

  /// The arguments with the name of an action right after its command.
  ///
  /// - Throws: `ValidationError` if there is no action, which the parser would not tell.
  static func forParser(_ arguments: [String]) throws -> [String] {
    let arguments = joiningQuarantine(arguments)
    guard let first = arguments.first,
      let command = Lake.configuration.subcommands.first(where: { $0._commandName == first }),
      ordered.contains(where: { $0 == command })
    else { return arguments }
    let actions = Set(command.configuration.subcommands.map { $0._commandName })
    var index = 1
    while index < arguments.count {
      if valued.contains(arguments[index]) {
        index += 2
        continue
      }
      if actions.contains(arguments[index]) { break }
      index += 1
    }
    if index >= arguments.count, !arguments.contains(where: { $0 == "--help" || $0 == "-h" }) {
      throw ValidationError(
        "Expected what to do after the table: \(actions.sorted().joined(separator: ", ")).")
    }
    guard index < arguments.count, index > 1 else { return arguments }
    var ordered = arguments
    ordered.insert(ordered.remove(at: index), at: 1)
    return ordered
  }

  /// `--on-error quarantine FILE` as an option with one value.
  private static func joiningQuarantine(_ arguments: [String]) -> [String] {
    guard arguments.first == UpsertCommand._commandName,
      let option = arguments.firstIndex(of: "--on-error"), option + 2 < arguments.count,
      arguments[option + 1] == "quarantine"
    else { return arguments }
    var joined = arguments
    joined[option + 1] = UpsertCommand.quarantine + joined.remove(at: option + 2)
    return joined
  }

  /// What is being done, for errors: `scan`, `parquet head`.
  static func activity(_ arguments: [String]) -> String? {
    var commands: [any ParsableCommand.Type] = Lake.configuration.subcommands
    var names: [String] = []
    for argument in arguments {
      guard let command = commands.first(where: { $0._commandName == argument }) else { break }
      names.append(argument)
      commands = command.configuration.subcommands
    }
    return names.isEmpty ? nil : names.joined(separator: " ")
  }
}

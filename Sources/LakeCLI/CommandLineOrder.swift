// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// The command line as the parser wants it. `lake --catalog dev scan TABLE` says first where it is;
/// to the parser that is an option of `scan`. `lake alter TABLE set k=v` has what it is about before
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
    let count = leadingOptions(arguments)
    guard count > 0, count < arguments.count else { return try actionFirst(arguments) }
    var ordered = try actionFirst(Array(arguments[count...]))
    // Right behind the command's name: what follows may end with "--" and more arguments.
    ordered.insert(contentsOf: arguments[..<count], at: depth(ordered))
    return ordered
  }

  /// How many arguments before the command are options that all commands have.
  private static func leadingOptions(_ arguments: [String]) -> Int {
    var count = 0
    while count < arguments.count {
      let argument = arguments[count]
      if leading.contains(argument) {
        count += 2
      } else if argument == "--quiet" || argument == "--verbose"
        || leading.contains(where: { argument.hasPrefix($0 + "=") })
      {
        count += 1
      } else {
        break
      }
    }
    return count
  }

  /// The options with a value that may stand before the command.
  private static let leading = ["--warehouse", "--catalog", "--allow-location", "--format"]

  /// The arguments with the action right after its command.
  private static func actionFirst(_ arguments: [String]) throws -> [String] {
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
    let rest = arguments.dropFirst(leadingOptions(arguments))
    let names = rest.prefix(depth(Array(rest)))
    return names.isEmpty ? nil : names.joined(separator: " ")
  }

  /// How many of the first arguments name the command.
  private static func depth(_ arguments: [String]) -> Int {
    var commands: [any ParsableCommand.Type] = Lake.configuration.subcommands
    var depth = 0
    for argument in arguments {
      guard let command = commands.first(where: { $0._commandName == argument }) else { break }
      depth += 1
      commands = command.configuration.subcommands
    }
    return depth
  }
}

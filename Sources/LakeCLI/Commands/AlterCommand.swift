// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake alter TABLE ACTION …`: changes what a table is, never its rows.
///
/// The table comes before the action; ``CommandLineOrder`` puts it where the parser wants it.
struct AlterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alter",
    abstract: "Change a table's properties.",
    usage: """
      lake alter TABLE set NAME=VALUE…
      lake alter TABLE unset NAME…
      """,
    subcommands: [SetPropertiesCommand.self, UnsetPropertiesCommand.self])
}

struct SetPropertiesCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Set properties.",
    usage: "lake alter TABLE set NAME=VALUE…")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "What to set, as name=value.") var properties: [String]

  func validate() throws {
    for text in properties where text.first == "=" || !text.contains("=") {
      throw ValidationError("Expected a property as name=value, found '\(text)'.")
    }
  }

  func run() async throws {
    var values: [String: String] = [:]
    for text in properties {
      guard let cut = text.firstIndex(of: "=") else { continue }
      values[String(text[..<cut])] = String(text[text.index(after: cut)...])
    }
    try await PropertyChange(set: values).run(on: table, catalog, output)
  }
}

struct UnsetPropertiesCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "unset",
    abstract: "Remove properties.",
    usage: "lake alter TABLE unset NAME…")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "What to remove, by name.") var names: [String]

  func run() async throws {
    try await PropertyChange(removing: names).run(on: table, catalog, output)
  }
}

extension PropertyChange {
  fileprivate func run(
    on name: TableName, _ catalog: CatalogOptions, _ output: OutputOptions
  ) async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let receipt = try await catalog.table(name).commit(self)
    var report = ChangeReport(table: name.text, operation: "alter")
    report.attempts = receipt.attempts
    report.duration = environment.uptime() - start
    report.print(output)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake alter TABLE ACTION …`: changes what a table is, never its rows.
///
/// The table comes before the action; ``CommandLineOrder`` puts it where the parser wants it.
struct AlterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alter",
    abstract: "Change a table's columns, layout, key and properties.",
    usage: """
      lake alter TABLE add-column NAME TYPE [--default V] [--required] [--doc TEXT] [--first | --before C | --after C]
      lake alter TABLE drop-column NAME…
      lake alter TABLE rename-column NAME NEW-NAME
      lake alter TABLE alter-column NAME [--type T] [--optional] [--doc TEXT] [--default V | --no-default]
      lake alter TABLE move-column NAME (--first | --before C | --after C)
      lake alter TABLE add-partition TERMS
      lake alter TABLE drop-partition NAME…
      lake alter TABLE sort-by KEYS
      lake alter TABLE key COLUMNS
      lake alter TABLE upgrade VERSION
      lake alter TABLE set NAME=VALUE…
      lake alter TABLE unset NAME…
      """,
    discussion: """
      No data file is written again. Nested columns are named by dots: address.zip; the elements of \
      a list are tags.element, the sides of a map m.key and m.value.
      """,
    subcommands: [
      AddColumnCommand.self, DropColumnCommand.self, RenameColumnCommand.self,
      AlterColumnCommand.self, MoveColumnCommand.self, AddPartitionCommand.self,
      DropPartitionCommand.self, SortByCommand.self, KeyCommand.self, UpgradeCommand.self,
      SetPropertiesCommand.self, UnsetPropertiesCommand.self,
    ])
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
    try await PropertyChange(set: values).run(on: table, catalog, output, as: "alter")
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
    try await PropertyChange(removing: names).run(on: table, catalog, output, as: "alter")
  }
}

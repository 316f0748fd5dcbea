// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake ls [NAMESPACE]`: what is in a catalog or one of its namespaces.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls",
    abstract: "List namespaces and tables.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "A namespace: a, or a.b (default: the namespaces of the catalog).")
  var namespace: String?

  func run() async throws {
    let catalog = try await catalog.open()
    let parts = (namespace ?? "").split(separator: ".").map(String.init)
    let namespaces = try await catalog.listNamespaces(in: parts)
    let tables = parts.isEmpty ? [] : try await catalog.listTables(in: parts)
    var result = try ResultTable("kind string not null, name string not null")
    for parts in namespaces {
      result.rows.append([.text("namespace"), .text(parts.joined(separator: "."))])
    }
    for table in tables { result.rows.append([.text("table"), .text(table.description)]) }
    result.print(output)
  }
}

/// `lake drop NAMESPACE.TABLE`: takes a table out of the catalog.
struct DropCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop",
    abstract: "Take a table out of the catalog; with --purge, delete its files too.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The table, as namespace.table.", transform: TableName.parse)
  var table: TableName
  @Flag(help: "Delete all files of the table.") var purge = false

  func run() async throws {
    let identifier = try table.identifier()
    try await catalog.open().dropTable(identifier, purge ? .purge : .keepFiles)
    ChangeReport(table: identifier.description, operation: "drop").print(output)
  }
}

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

/// `lake rename A B`: gives a table another name.
struct RenameCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Give a table another name; its files stay where they are.",
    discussion: "A filesystem catalog can't: there the place of a table is its name.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The table, as namespace.table.", transform: TableName.parse)
  var table: TableName
  @Argument(help: "Its new name, as namespace.table.", transform: TableName.parse)
  var newName: TableName

  func run() async throws {
    let identifier = try newName.identifier()
    try await catalog.open().renameTable(try table.identifier(), to: identifier)
    ChangeReport(table: identifier.description, operation: "rename").print(output)
  }
}

/// `lake register TABLE METADATA`: takes a table in by its newest metadata file.
struct RegisterCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "register",
    abstract: "Take a table in whose newest metadata file is given.",
    discussion: """
      Only one catalog may have a table: take it out of the other first (lake drop, without --purge). \
      A filesystem catalog takes only tables in that lie in the folder of their name.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The table, as namespace.table.", transform: TableName.parse)
  var table: TableName
  @Argument(help: "The metadata file of its newest state.") var metadata: String

  func run() async throws {
    let identifier = try table.identifier()
    let registered = try await catalog.open().registerTable(
      identifier, metadataLocation: try Location.absolute(metadata))
    var report = ChangeReport(table: identifier.description, operation: "register")
    report.snapshotID = registered.metadata.currentSnapshot?.id.rawValue
    report.sequenceNumber = registered.metadata.currentSnapshot?.sequenceNumber.rawValue
    report.print(output)
  }
}

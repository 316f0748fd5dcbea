// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake append TABLE FILE…`: adds the rows of files in one commit.
struct AppendCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Add the rows of files to a table, in one commit.",
    discussion: """
      Reads Parquet, Arrow, Avro, CSV and JSON lines, by ending or --input-format; all but Parquet \
      may be compressed with gzip or zstd. '-' is standard input. With --create a table that is not there is made, with \
      the columns of the first file.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var input: InputArguments
  @OptionGroup var definition: DefinitionOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The files; '-' is standard input.") var files: [String]
  @Flag(help: "Make the table if it is not there.") var create = false
  @Option(help: ArgumentHelp("The branch to add to.", valueName: "name")) var branch = "main"

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let target = try await openOrCreate()
    let progress = Progress(output, "append", environment)
    let rows = InputSequence(
      files, input, columns: target.metadata.currentSchema.columnFields, progress)
    let receipt = try await target.append(branch: branch) {
      () async throws(InputError) in try await rows.next()
    }
    progress.finish()
    let duration = environment.uptime() - start
    guard let receipt else {
      return ChangeReport(table: table.text, operation: "none").print(output)
    }
    ChangeReport(table: table.text, receipt, duration: duration).print(output)
  }

  private func openOrCreate() async throws -> Table {
    guard create else { return try await catalog.table(table) }
    if let table = try await catalog.tableIfPresent(table) { return table }
    let identifier = try table.identifier()
    guard let first = files.first, first != "-" else {
      throw ValidationError("--create needs a file to take the columns from, not standard input.")
    }
    let reader = try await InputReader.open(
      Location.absolute(first), in: Stores.local, options: input.options(columns: nil))
    let schema = try Schema(inferredFrom: reader.fields).identified(by: definition.keyNames)
    let catalog = try await self.catalog.open()
    return try await catalog.createTable(identifier, try definition.definition(schema))
  }
}

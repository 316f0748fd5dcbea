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
      may be compressed with gzip or zstd. '-' is standard input. With --create a table that is not \
      there is made, with the columns of the first file. With --union-by-name columns of the files \
      that the table does not have are added to it in the same commit, as optional ones. With --once \
      NAME the rows land once: run again, or by another, it adds nothing and tells of the commit \
      that did, with 0 attempts, for as long as the table keeps that snapshot.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stats: CommitStatsOptions
  @OptionGroup var input: InputArguments
  @OptionGroup var definition: DefinitionOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The files; '-' is standard input.") var files: [String]
  @Flag(help: "Make the table if it is not there.") var create = false
  @Flag(help: "Add columns that the table does not have to it, and widen types.")
  var unionByName = false
  @Option(help: ArgumentHelp("The branch to add to.", valueName: "name")) var branch = "main"
  @Option(help: ArgumentHelp("Land once under this name.", valueName: "name")) var once: String?

  func validate() throws {
    if once == "" { throw ValidationError("--once needs a name.") }
    guard unionByName else { return }
    if files.contains("-") {
      throw ValidationError(
        "--union-by-name needs files to take the columns from, not standard input.")
    }
    if input.noHeader {
      throw ValidationError("--union-by-name needs the names of columns, so no --no-header.")
    }
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let target = try await stats.watching(
      create ? definition.openOrCreate(table, in: catalog, firstFile) : catalog.table(table))
    let change = unionByName ? try await union() : nil
    let schema = try change?.schema(of: target) ?? target.metadata.currentSchema
    let progress = Progress(output, "append", environment)
    let rows = InputSequence(files, input, columns: schema.columnFields, progress)
    let next = { () async throws(InputError) in try await rows.next() }
    let receipt =
      if let change {
        try await target.append(after: change, branch: branch, once: once, next)
      } else {
        try await target.append(branch: branch, once: once, next)
      }
    progress.finish()
    let duration = environment.uptime() - start
    guard let receipt else {
      return ChangeReport(table: table.text, operation: "none").print(output)
    }
    ChangeReport(table: table.text, receipt, duration: duration).print(output)
  }

  /// What gives a table the columns of all files.
  private func union() async throws -> SchemaChange {
    var inputs: [(schema: Schema, hasTypes: Bool)] = []
    for file in files {
      let path = try Location.absolute(file)
      let reader = try await InputReader.open(
        path, in: Stores.reaching(path), options: input.options(columns: nil))
      let format = input.inputFormat ?? InputFormat(fileName: path.name)
      let hasTypes = format != .csv && format != .jsonl
      inputs.append((try Schema(inferredFrom: reader.fields), hasTypes))
    }
    return SchemaChange { [inputs] evolution throws(IcebergError) in
      for input in inputs {
        try evolution.addColumns(of: input.schema, widensTypes: input.hasTypes)
      }
    }
  }

  /// What a new table takes its columns from.
  private func firstFile() async throws -> InputReader {
    guard let first = files.first, first != "-" else {
      throw ValidationError("--create needs a file to take the columns from, not standard input.")
    }
    let path = try Location.absolute(first)
    return try await InputReader.open(
      path, in: Stores.reaching(path), options: input.options(columns: nil))
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake delete TABLE --where PRED`: deletes rows in one commit.
struct DeleteCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete rows, in one commit.",
    discussion: """
      lake delete shop.orders --where "price < 0 OR city IS NULL"

      Files whose rows all match are taken out by metadata alone. Of others merge-on-read notes \
      the rows' positions, and copy-on-write writes the files again without them.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stats: CommitStatsOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(name: .customLong("where"), help: ArgumentHelp("Which rows.", valueName: "predicate"))
  var filter: String
  @Option(
    help: ArgumentHelp(
      "merge-on-read or copy-on-write (default: the table's write.delete.mode, else merge-on-read).",
      valueName: "mode"), transform: RowChangeModeArgument.parse)
  var mode: RowChangeMode?
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let predicate = try PredicateParser.parse(filter)
    let receipt = try await stats.watching(catalog.table(table)).deleteRows(
      where: predicate, mode: mode, branch: branch)
    ChangeReport(table: table.text, receipt, since: start, environment).print(output)
  }
}

/// `lake update TABLE --set 'c = EXPR' --where PRED`: changes rows in one commit.
struct UpdateCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Change rows, in one commit.",
    usage: "lake update TABLE --set 'COLUMN = EXPRESSION'… --where PREDICATE",
    discussion: """
      lake update shop.orders --set 'price = round(price * 1.1, 2)' --set "city = upper(city)" \
        --where "city = 'Rome'"

      Expressions are computed of the rows as they are: arithmetic, CASE, CAST, coalesce, round, \
      lower, substr, date_trunc and others.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stats: CommitStatsOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("What to change; may be repeated.", valueName: "column = expression"))
  var set: [String]
  @Option(name: .customLong("where"), help: ArgumentHelp("Which rows.", valueName: "predicate"))
  var filter: String
  @Option(
    help: ArgumentHelp(
      "merge-on-read or copy-on-write (default: the table's write.update.mode, else merge-on-read).",
      valueName: "mode"), transform: RowChangeModeArgument.parse)
  var mode: RowChangeMode?
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let predicate = try PredicateParser.parse(filter)
    let assignments = try set.map { try ExpressionParser.parse(assignment: $0) }
    let receipt = try await stats.watching(catalog.table(table)).updateRows(
      where: predicate, set: assignments, mode: mode, branch: branch)
    ChangeReport(table: table.text, receipt, since: start, environment).print(output)
  }
}

/// Modes as the command line spells them.
enum RowChangeModeArgument {
  static func parse(_ text: String) throws -> RowChangeMode {
    guard let mode = RowChangeMode(rawValue: text) else {
      throw ValidationError("Expected merge-on-read or copy-on-write, found '\(text)'.")
    }
    return mode
  }
}

extension ChangeReport {
  /// - Parameter receipt: nil if there was nothing to do.
  init(
    table: String, _ receipt: CommitReceipt?, since start: Duration, _ environment: Environment
  ) {
    let duration = environment.uptime() - start
    guard let receipt else {
      self.init(table: table, operation: "none")
      self.duration = duration
      return
    }
    self.init(table: table, receipt, duration: duration)
  }
}

/// `lake overwrite TABLE FILE…`: puts rows in the place of others in one commit.
struct OverwriteCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "overwrite",
    abstract: "Put the rows of files in the place of others, in one commit.",
    usage: "lake overwrite TABLE FILE… (--where PREDICATE | --partitions)",
    discussion: """
      lake overwrite shop.orders fixed.parquet --where "day = DATE '2026-01-31'"
      lake overwrite shop.orders january.csv --partitions

      With --partitions all rows go of the partitions that occur in the input.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stats: CommitStatsOptions
  @OptionGroup var input: InputArguments
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The files; '-' is standard input.") var files: [String]
  @Option(
    name: .customLong("where"), help: ArgumentHelp("Which rows go.", valueName: "predicate"))
  var filter: String?
  @Flag(help: "The rows of the partitions that occur in the input go.") var partitions = false
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func validate() throws {
    guard (filter != nil) != partitions else {
      throw ValidationError("Expected either --where or --partitions.")
    }
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let predicate = try filter.map { try PredicateParser.parse($0) }
    let target = try await stats.watching(catalog.table(table))
    let progress = Progress(output, "overwrite", environment)
    let rows = InputSequence(
      files, input, columns: target.metadata.currentSchema.columnFields, progress)
    let receipt: CommitReceipt?
    if let predicate {
      receipt = try await target.overwriteRows(where: predicate, branch: branch) {
        () async throws(InputError) in try await rows.next()
      }
    } else {
      receipt = try await target.replacePartitions(branch: branch) {
        () async throws(InputError) in try await rows.next()
      }
    }
    progress.finish()
    ChangeReport(table: table.text, receipt, since: start, environment).print(output)
  }
}

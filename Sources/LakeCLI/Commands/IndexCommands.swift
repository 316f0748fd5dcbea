// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake index TABLE ACTION`
///
/// The table comes before the action; ``CommandLineOrder`` puts it where the parser wants it.
struct IndexCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "Build, look at and drop the index that finds rows by their key.",
    usage: """
      lake index TABLE build [--key COLUMNS] [--order-by COLUMN]
      lake index TABLE status
      lake index TABLE drop [--key COLUMNS]
      """,
    discussion: """
      The index is kept with the table, as statistics: 'lake upsert' and 'lake get' open it instead \
      of reading the table's keys. All of it can be made again from the rows, so dropping it, or \
      losing it, costs time only.
      """,
    subcommands: [
      BuildIndexCommand.self, IndexStatusCommand.self, DropIndexCommand.self,
    ])
}

/// The columns of a key, as the actions name them.
struct IndexKeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The columns of the key (default: the table's identifier fields).", valueName: "columns"))
  var key: String?

  var names: [String]? { key.map { $0.split(separator: ",").map { String($0).trimmed } } }
}

struct BuildIndexCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Bring the index up to date, or make it.",
    usage: "lake index TABLE build [--key COLUMNS] [--order-by COLUMN]")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: IndexKeyOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(
    help: ArgumentHelp(
      "Keep the values of this column too, which upserts order rows by.", valueName: "column"))
  var orderBy: String?

  /// What of an index takes more is not kept in memory while it is made.
  private static let memoryLimit = 1 << 30

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let target = try await catalog.table(table)
    var report = ChangeReport(table: table.text, operation: "index")
    if target.metadata.currentSnapshot == nil {
      report.operation = "none"
      return report.print(output)
    }
    let state = try await TableState(of: target, at: .reference(SnapshotReference.mainBranch))
    var (index, known) = try await KeyIndex.open(
      state, key: options.names, orderBy: orderBy,
      options: KeyIndexOptions(memoryLimit: Self.memoryLimit), keepingIn: target)
    let after = try await index.persist(to: known)
    report.snapshotID = after.metadata.currentSnapshot?.id.rawValue
    report.sequenceNumber = after.metadata.currentSnapshot?.sequenceNumber.rawValue
    report.duration = environment.uptime() - start
    report.counts = [
      ("keys", Int64(index.placeCount)), ("segments", Int64(index.segmentCount)),
      ("files", Int64(index.fileCount)), ("memory_bytes", Int64(index.byteCount)),
    ]
    report.print(output)
  }
}

struct IndexStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tell what is indexed.", usage: "lake index TABLE status")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    try await IndexRows.table(of: catalog.table(table)).print(output)
  }
}

/// The indexes that are kept with a table, as rows.
enum IndexRows {
  static func table(of table: Table) async throws -> ResultTable {
    var result = try ResultTable(
      """
      key list<string> not null, order_by string, snapshot_id long not null, keys long not null, \
      segments long not null, bytes long not null, covered_files long not null, \
      uncovered_files long not null, path string not null
      """)
    for status in try await KeyIndex.status(of: table) {
      result.rows.append([
        .list(status.key.map { .text($0) }), Cell(status.orderBy),
        Cell(status.snapshotID.rawValue), Cell(Int64(status.placeCount)),
        Cell(Int64(status.segmentCount)), Cell(status.byteCount),
        Cell(Int64(status.coveredFileCount)), Cell(Int64(status.uncoveredFileCount)),
        .text(status.path),
      ])
    }
    return result
  }
}

struct DropIndexCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Drop the index; it can be made again.",
    usage: "lake index TABLE drop [--key COLUMNS]")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: IndexKeyOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let after = try await KeyIndex.drop(from: catalog.table(table), key: options.names)
    var report = ChangeReport(table: table.text, operation: after == nil ? "none" : "drop-index")
    report.duration = environment.uptime() - start
    report.print(output)
  }
}

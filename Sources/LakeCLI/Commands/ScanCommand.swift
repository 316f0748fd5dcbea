// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Bytes
internal import Columnar
internal import Lake

/// `lake scan TABLE`: reads rows.
struct ScanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan",
    abstract: "Read rows of a table, as it is or was.",
    discussion: """
      lake scan shop.orders --select id,price --where "price > 10 AND city IS NOT NULL" --limit 5

      By id, time and tag rows are read with that snapshot's schema, by branch with the table's.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var state: StateOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("Columns, by comma: a,b.c,*.", valueName: "columns"))
  var select: String?
  @Option(name: .customLong("where"), help: ArgumentHelp("A predicate.", valueName: "predicate"))
  var filter: String?
  @Option(help: ArgumentHelp("The most rows.", valueName: "count")) var limit: Int?
  @Flag(help: "Say on standard error what was planned, pruned and read.") var stats = false

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    var scan = try await catalog.table(table).scan().at(state.selection)
    if let select {
      scan = scan.select(select.split(separator: ",").map { String($0).trimmed })
    }
    if let filter { scan = try scan.filter(filter) }
    if let limit { scan = scan.limit(limit) }
    let format = output.effectiveFormat
    var printer = RowPrinter(format, fields: try scan.outputFields().map(\.columnField))
    let report: ScanReport
    let renderer = printer.renderer
    if renderer.isParallel {
      // Text is made in the tasks that decode.
      report = try await scan.read { batch throws(ScanError) in
        renderer.render(batch)
      } consume: { text throws(ScanError) in
        printer.print(rendered: text)
        return true
      }
    } else {
      report = try await scan.read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        printer.print(batch)
        return true
      }
    }
    printer.finish()
    if stats { StandardError.write(Self.describe(report, environment.uptime() - start)) }
  }

  private static func describe(_ report: ScanReport, _ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    return """
      manifests: \(report.plan.manifestsRead) of \(report.plan.manifests) read
      data files: \(report.plan.dataFilesKept) of \(report.plan.dataFiles) kept
      row groups: \(report.read.rowGroupsRead) of \(report.read.rowGroups) read
      rows: \(report.read.rowsDecoded) decoded, \(report.rows) returned
      bytes: \(report.read.bytesRead) of data files
      time: \(milliseconds) ms

      """
  }
}

/// `lake count TABLE`: counts rows.
struct CountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "count",
    abstract: "Count rows, from metadata alone where that is exact.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var state: StateOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(name: .customLong("where"), help: ArgumentHelp("A predicate.", valueName: "predicate"))
  var filter: String?

  func run() async throws {
    var scan = try await catalog.table(table).scan().at(state.selection)
    if let filter { scan = try scan.filter(filter) }
    let count = try await scan.count()
    guard output.effectiveFormat != .table else { return StandardOutput.write("\(count)\n") }
    var result = try ResultTable("count long not null")
    result.rows = [[Cell(count)]]
    result.print(output)
  }
}

extension String {
  /// The text without spaces around it.
  var trimmed: String {
    var text = Substring(self)
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

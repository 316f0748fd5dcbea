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

      Beside the table's columns there are _file, _pos, _partition, _spec_id, _row_id and \
      _last_updated_sequence_number: lake scan shop.orders --select "*,_row_id".

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
  @Flag(help: "Add _file, _pos, _row_id and _last_updated_sequence_number.")
  var metadataColumns = false
  @Flag(help: "Say on standard error what was planned, pruned and read.") var stats = false

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
  }

  func run() async throws {
    var target = try await catalog.table(table)
    if stats { target = target.observed(by: StatsPrinter()) }
    var scan = target.scan().at(state.selection)
    var columns = select?.split(separator: ",").map { String($0).trimmed }
    if metadataColumns {
      columns = (columns ?? ["*"]) + ["_file", "_pos", "_row_id", "_last_updated_sequence_number"]
    }
    if let columns { scan = scan.select(columns) }
    if let filter { scan = try scan.filter(filter) }
    if let limit { scan = scan.limit(limit) }
    let format = output.effectiveFormat
    var printer = RowPrinter(format, fields: try scan.outputFields().map(\.columnField))
    let renderer = printer.renderer
    if renderer.isParallel {
      // Text is made in the tasks that decode.
      try await scan.read { batch throws(ScanError) in
        renderer.render(batch)
      } consume: { text throws(ScanError) in
        printer.print(rendered: text)
        return true
      }
    } else {
      try await scan.read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        printer.print(batch)
        return true
      }
    }
    printer.finish()
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

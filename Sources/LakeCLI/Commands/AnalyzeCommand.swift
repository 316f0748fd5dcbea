// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import JSON
internal import Lake

/// `lake analyze TABLE`: how many distinct values columns have, kept as the table's statistics.
struct AnalyzeCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Estimate how many distinct values columns have, and keep it as statistics.",
    discussion: """
      lake analyze shop.orders --columns city,address.zip

      Reads the rows of a state, what is deleted left out. The estimates (exact up to 4096 values, \
      else within about 3 %) and the sketches they are of are kept with the snapshot, for query \
      planners; 'lake describe' lists them.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var state: StateOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(
    help: ArgumentHelp("Columns, by comma (default: all of single values).", valueName: "columns"))
  var columns: String?

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let names = columns?.split(separator: ",").map { String($0).trimmed }
    let analysis = try await catalog.table(table).analyze(names, at: state.selection)
    let (seconds, attoseconds) = (environment.uptime() - start).components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    StandardOutput.writeReport(
      output.printsObject ? object(analysis, milliseconds) : lines(analysis, milliseconds))
  }

  private func object(_ analysis: Analysis?, _ milliseconds: Int64) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("table")
    writer.write(table.text)
    writer.writeKey("snapshot_id")
    if let id = analysis?.snapshotID.rawValue { writer.write(id) } else { writer.writeNull() }
    writer.writeKey("operation")
    writer.write(analysis == nil ? "none" : "analyze")
    writer.writeKey("attempts")
    writer.write(Int64(analysis?.receipt.attempts ?? 1))
    writer.writeKey("duration_ms")
    writer.write(milliseconds)
    writer.writeKey("ndv")
    writer.beginObject()
    for column in analysis?.sketches ?? [] {
      writer.writeKey(column.name)
      writer.write(column.sketch.distinctCount)
    }
    writer.endObject()
    writer.endObject()
    return String(decoding: writer.finish().array(), as: UTF8.self) + "\n"
  }

  private func lines(_ analysis: Analysis?, _ milliseconds: Int64) -> String {
    guard let analysis else { return "\(table.text): none\n" }
    let counts = analysis.sketches.map { column in
      let sign = column.sketch.isExact ? "" : "~"
      return "  \(column.name): \(sign)\(column.sketch.distinctCount) distinct values\n"
    }
    let id = analysis.snapshotID.rawValue
    return "\(table.text): analyze, snapshot \(id), \(milliseconds) ms\n" + counts.joined()
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake parquet cat FILE…`: prints rows.
struct ParquetCatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Print the rows of files that have the same columns.",
    discussion: """
      lake parquet cat trips.parquet --select id,price --where "price > 10" --limit 5

      What can't match is not read, as far as the file tells.
      """)

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet files.") var files: [String]
  @Option(help: ArgumentHelp("Columns, by comma: a,b.c,*.", valueName: "columns"))
  var select: String?
  @Option(name: .customLong("where"), help: ArgumentHelp("A predicate.", valueName: "predicate"))
  var filter: String?
  @Option(help: ArgumentHelp("The most rows.", valueName: "count")) var limit: Int?

  func validate() throws {
    if files.isEmpty { throw ValidationError("Expected a Parquet file.") }
    if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
  }

  func run() async throws {
    var scans: [ParquetScan] = []
    for file in files { scans.append(try await scan(file)) }
    let fields = try scans[0].outputFields()
    for (file, scan) in zip(files, scans) where try scan.outputFields() != fields {
      throw CommandError.failed("\(file) has other columns than \(files[0])")
    }
    var printer = RowPrinter(output.effectiveFormat, fields: fields)
    let renderer = printer.renderer
    var left = limit ?? .max
    for scan in scans where left > 0 {
      try await scan.limit(left).read { batch throws(ScanError) in
        (batch, renderer.isParallel ? renderer.render(batch) : nil)
      } consume: { batch, text throws(ScanError) in
        if let text { printer.print(rendered: text) } else { printer.print(batch) }
        left -= batch.rowCount
        return true
      }
    }
    printer.finish()
  }

  private func scan(_ file: String) async throws -> ParquetScan {
    var scan = try ParquetScan(try await ParquetCommand.open(file))
      .parallelism(Environment.system.processorCount)
    if let select {
      scan = scan.select(select.split(separator: ",").map { String($0).trimmed })
    }
    if let filter { scan = try scan.filter(filter) }
    return scan
  }
}

/// `lake parquet count FILE…`: counts rows.
struct ParquetCountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "count",
    abstract: "Count the rows of files, by their footers where there is no predicate.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet files.") var files: [String]
  @Option(name: .customLong("where"), help: ArgumentHelp("A predicate.", valueName: "predicate"))
  var filter: String?

  func validate() throws {
    if files.isEmpty { throw ValidationError("Expected a Parquet file.") }
  }

  func run() async throws {
    var result = try ResultTable("file string not null, count long not null")
    for file in files {
      let parquet = try await ParquetCommand.open(file)
      var count = parquet.footer.rowCount
      if let filter {
        count = try await ParquetScan(parquet).filter(filter)
          .parallelism(Environment.system.processorCount).count()
      }
      result.rows.append([.text(file), Cell(count)])
    }
    result.print(output)
  }
}

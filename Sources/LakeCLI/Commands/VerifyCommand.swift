// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake verify TABLE`: checks every file the table reaches.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every reachable file: there, as long as told, with the rows told.",
    discussion: """
      Looks at the files of all retained snapshots. Prints a row a problem; exits with 2 if there \
      is any.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    let table = try await catalog.table(table)
    let fields = try ResultTable(
      """
      check string not null, file string not null, expected string not null, found string not null
      """
    ).fields
    var printer = RowPrinter(output.effectiveFormat, fields: fields)
    var lines = ""
    let isForPeople = output.effectiveFormat == .table
    let report = try await table.audit().run { problem in
      if isForPeople { lines += "\(problem)\n" }
      let row: [Cell] = [
        .text(problem.check.rawValue), .text(problem.file), .text(problem.expected),
        .text(problem.found),
      ]
      if !isForPeople { printer.print(RecordBatch(fields, rows: [row])) }
    }
    let counts = """
      \(table.name): \(report.snapshots) snapshots, \(report.manifests) manifests, \
      \(report.files) files of \(report.bytes) bytes checked: \
      \(report.problems == 0 ? "all as told" : "\(report.problems) problems")
      """
    if isForPeople {
      StandardOutput.write(lines + counts + "\n")
    } else {
      printer.finish()
      if !output.quiet { StandardError.write(counts + "\n") }
    }
    if report.problems > 0 { throw ExitCode(ExitStatus.checkFailed.rawValue) }
  }
}

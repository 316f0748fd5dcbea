// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake verify TABLE`: checks every file the table reaches.
struct VerifyCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every reachable file: there, as long as told, with the rows told.",
    discussion: """
      Looks at the files of all retained snapshots. Prints a row a problem; exits with 2 if there \
      is any. With --deep reads every file: checksums, values, bounds, deleted positions.

      --repair takes files that are lost out of the newest state of each branch, in a commit each, \
      and prints a row a file: which rows went, by their positions and row ids, and between which \
      keys they lay.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Flag(help: "Read every file.") var deep = false
  @Flag(help: "Take lost files out of the newest state of each branch.") var repair = false

  func validate() throws {
    if deep, repair { throw ValidationError("--deep and --repair exclude each other.") }
  }

  func run() async throws {
    let table = try await catalog.table(table)
    if repair { return try await repairing(table) }
    let fields = try ResultTable(
      """
      check string not null, file string not null, expected string not null, found string not null
      """
    ).fields
    var problems: [AuditProblem] = []
    let report =
      deep
      ? try await DeepAudit(table).run { problems.append($0) }
      : try await table.audit().run { problems.append($0) }
    let counts = """
      \(table.name): \(report.snapshots) snapshots, \(report.manifests) manifests, \
      \(report.files) files of \(report.bytes) bytes checked: \
      \(report.problems == 0 ? "all as told" : "\(report.problems) problems")
      """
    if output.effectiveFormat == .table {
      StandardOutput.write(problems.map { "\($0)\n" }.joined() + counts + "\n")
    } else {
      var printer = RowPrinter(output.effectiveFormat, fields: fields)
      for problem in problems {
        let row: [Cell] = [
          .text(problem.check.rawValue), .text(problem.file), .text(problem.expected),
          .text(problem.found),
        ]
        printer.print(RecordBatch(fields, rows: [row]))
      }
      printer.finish()
      if !output.quiet { StandardError.write(counts + "\n") }
    }
    if report.problems > 0 { throw ExitCode(ExitStatus.checkFailed.rawValue) }
  }

  private func repairing(_ table: Table) async throws {
    var rows = try ResultTable(
      """
      branch string not null, file string not null, content string not null, rows long not null, \
      first_row_id long, live_rows long, positions string, row_ids string, between string, \
      deletes_of string
      """)
    for file in try await table.repair() {
      rows.rows.append([
        .text(file.branch), .text(file.path), .text(file.isDeletes ? "deletes" : "data"),
        Cell(file.rowCount), Cell(file.firstRowID), Cell(file.rows?.count),
        Cell(file.rows.map { $0.positions.text }), Cell(file.rows?.rowIDs?.text),
        Cell(file.rows.flatMap { $0.bounds.text }), Cell(file.deletesOf),
      ])
    }
    rows.print(output)
    guard !output.quiet else { return }
    StandardError.write(
      rows.rows.isEmpty
        ? "\(table.name): no file is lost\n"
        : "\(table.name): \(rows.rows.count) lost files taken out of the branches' newest states; "
          + "older snapshots name them until they expire\n")
  }
}

extension [Range<Int64>] {
  /// As `0-4,7`, both ends meant.
  fileprivate var text: String {
    map { range in
      let last = range.upperBound - 1
      return range.lowerBound == last ? "\(last)" : "\(range.lowerBound)-\(last)"
    }.joined(separator: ",")
  }
}

extension [LostRows.Bounds] {
  /// Nil if there are none.
  fileprivate var text: String? {
    isEmpty
      ? nil
      : map { "\($0.column) from \($0.lower) to \($0.upper)" }.joined(separator: ", ")
  }
}

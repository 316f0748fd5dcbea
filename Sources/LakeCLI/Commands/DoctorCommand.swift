// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake doctor`: whether the catalog asked for can be worked with from here, and what to fix.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check configuration, catalog and store, and say what to fix.",
    discussion: """
      Writes two small objects into the warehouse and takes them away again. Exits with 2 if a check \
      does not hold; warnings are none.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    var examination = Examination()
    await examination.examine(catalog)
    var result = try ResultTable(
      "check string not null, result string not null, finding string not null, fix string")
    for check in examination.checks {
      result.rows.append([
        .text(check.name), .text(check.result.rawValue), .text(check.finding), Cell(check.fix),
      ])
    }
    result.print(output)
    if examination.checks.contains(where: { $0.result == .failed }) {
      throw ExitCode(ExitStatus.checkFailed.rawValue)
    }
  }
}

/// One line of what was found.
struct DoctorCheck {
  enum Result: String {
    case ok, warning, failed, skipped
  }

  let name: String
  let result: Result
  let finding: String
  let fix: String?
}

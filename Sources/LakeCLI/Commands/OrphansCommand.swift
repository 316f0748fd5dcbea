// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake orphans TABLE`: files in the table's folder that nothing names.
struct OrphansCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "orphans",
    abstract: "List files that nothing of the table names, or delete them.",
    discussion: """
      lake orphans shop.orders
      lake orphans shop.orders --delete

      Without --delete, prints a row a file. A file counts only if the store says that it is older \
      than --older-than: younger ones may belong to a commit under way. Nothing is deleted where more \
      than half of all files look like orphans, unless with --force.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("How old files have to be (default: 3d).", valueName: "age"))
  var olderThan = "3d"
  @Flag(help: "Delete them.") var delete = false
  @Flag(help: "Delete them however many they are.") var force = false

  func validate() throws {
    _ = try Age.milliseconds(olderThan, of: "--older-than")
    if force, !delete { throw ValidationError("--force goes with --delete.") }
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let age = Duration.milliseconds(try Age.milliseconds(olderThan, of: "--older-than"))
    let found = try await catalog.table(table).sweepOrphans(
      olderThan: age, !delete ? .report : force ? .deleteHoweverMany : .delete)
    guard delete else { return try list(found) }
    var report = UpkeepReport(table: table.text, "orphans")
    report.add("listed_files", found.listedFiles)
    report.add("orphan_files", found.orphans.count)
    report.add("orphan_bytes", found.orphanBytes)
    report.add("young_files", found.youngFiles)
    report.add("deleted_files", found.deletedFiles)
    report.add("abandoned_writes", found.abandonedWrites)
    report.add("problems", found.problems)
    report.add(duration: environment.uptime() - start)
    report.say("\(found.deletedFiles) orphans of \(found.orphanBytes) bytes deleted")
    report.say("\(found.listedFiles) files looked at")
    for problem in found.problems { StandardError.write("lake: \(problem)\n") }
    report.print(output)
    if !found.problems.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  private func list(_ found: OrphanReport) throws {
    var rows = try ResultTable(
      "file string not null, size long not null, modified timestamptz not null")
    for orphan in found.orphans {
      rows.rows.append([
        .text(orphan.path.text), Cell(orphan.byteCount), Cell(orphan.modified.microseconds),
      ])
    }
    rows.print(output)
    guard !output.quiet else { return }
    StandardError.write(
      "\(table.text): \(found.orphans.count) orphans of \(found.orphanBytes) bytes among "
        + "\(found.listedFiles) files; \(found.youngFiles) unnamed ones are too young to tell; "
        + "nothing was deleted (--delete does)\n")
  }
}

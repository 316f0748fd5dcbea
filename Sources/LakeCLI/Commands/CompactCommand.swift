// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake compact TABLE`: puts small files together, and deleted rows out of files.
struct CompactCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract: "Rewrite small files, and files with many deleted rows, into few large ones.",
    discussion: """
      lake compact shop.orders
      lake compact shop.orders --where "day >= DATE '2026-01-01'" --strategy sort
      lake compact shop.orders --strategy zorder --sort-by 'customer, day'

      Safe beside writers: what they delete meanwhile stays deleted, and both commit. Rows keep their \
      ids.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var stats: CommitStatsOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(
    name: .customLong("where"),
    help: ArgumentHelp("Only files that may have rows that match.", valueName: "predicate"))
  var filter: String?
  @Option(
    help: ArgumentHelp(
      "binpack; sort: files that are not sorted, or overlap, too; or zorder (default: binpack).",
      valueName: "strategy"))
  var strategy = "binpack"
  @Option(
    help: ArgumentHelp(
      "What to sort by, 'a, b desc' (default: the table's sort order); for zorder columns, 'a, b'.",
      valueName: "columns"))
  var sortBy: String?
  @Option(
    help: ArgumentHelp(
      "How much memory rows may take that are sorted (default: 1GB).", valueName: "size"))
  var memory: String?
  @Option(
    help: ArgumentHelp(
      "How large files are to be, as 256MB (default: write.target-file-size-bytes).",
      valueName: "size"))
  var targetSize: String?
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"
  @Flag(help: "Put the delete files of each data file together, and leave data files as they are.")
  var deletesOnly = false
  @Flag(help: "Say what would be rewritten, and change nothing.") var dryRun = false

  func validate() throws {
    _ = try options()
    if deletesOnly, filter != nil || sortBy != nil || targetSize != nil || strategy != "binpack" {
      throw ValidationError("--deletes-only takes no other choice than --branch.")
    }
  }

  private func options() throws -> CompactionOptions {
    var options = CompactionOptions()
    guard let strategy = CompactionOptions.Strategy(rawValue: strategy) else {
      throw ValidationError("Expected --strategy binpack, sort or zorder, found '\(strategy)'.")
    }
    options.strategy = strategy
    options.branch = branch
    options.sortBy = sortBy
    if let memory = try ByteSize.memory(memory) { options.memoryLimit = memory }
    if (strategy == .zorder) != (sortBy != nil), strategy != .sort {
      throw ValidationError(
        strategy == .zorder
          ? "--strategy zorder needs the columns: --sort-by 'a, b'."
          : "--sort-by is for --strategy sort or zorder.")
    }
    options.targetByteCount = try ByteSize.parse(targetSize, "--target-size")
    return options
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    var options = try options()
    if let filter { options.filter = try PredicateParser.parse(filter) }
    let table = try await stats.watching(catalog.table(table))
    if deletesOnly { return try await foldDeletes(table, since: start, environment) }
    if dryRun { return try await plan(table, options, since: start, environment) }
    let found = try await table.compact(options)
    var report = UpkeepReport(
      table: self.table.text, found.snapshotIDs.isEmpty ? "none" : "replace")
    report.add("snapshot_id", found.snapshotIDs.last?.rawValue)
    report.add("groups", found.groups)
    report.add("dropped_groups", found.droppedGroups)
    report.add("superseded_files", found.supersededFiles)
    report.add("removed_files", found.rewrittenFiles)
    report.add("added_files", found.addedFiles)
    report.add("removed_delete_files", found.removedDeleteFiles)
    report.add("removed_bytes", found.rewrittenBytes)
    report.add("added_bytes", found.addedBytes)
    report.add("moved_deletes", found.movedDeletes)
    report.add("commits", found.snapshotIDs.count)
    report.add("attempts", found.attempts)
    report.add(duration: environment.uptime() - start)
    if found.groups == 0 { report.say("nothing is worth rewriting") }
    if found.groups > 0 {
      report.say("\(found.rewrittenFiles) files rewritten into \(found.addedFiles)")
      report.say("\(found.rewrittenBytes) bytes into \(found.addedBytes)")
      report.say("\(found.removedDeleteFiles) delete files folded in")
    }
    if found.droppedGroups > 0 {
      report.say("\(found.droppedGroups) groups left to others who changed them")
    }
    report.print(output)
  }

  private func foldDeletes(
    _ table: Table, since start: Duration, _ environment: Environment
  ) async throws {
    let folding = DeleteFolding(table, branch: branch)
    let found = dryRun ? try await folding.plan() : try await folding.run()
    var report = UpkeepReport(
      table: self.table.text, found.snapshotID == nil ? "none" : "replace")
    if dryRun { report.add("dry_run", true) }
    report.add("snapshot_id", found.snapshotID?.rawValue)
    report.add("data_files", found.dataFiles)
    report.add("removed_delete_files", found.removedFiles)
    report.add("dangling_delete_files", found.danglingFiles)
    report.add("added_delete_files", found.addedFiles)
    report.add("attempts", found.attempts)
    report.add(duration: environment.uptime() - start)
    let would = dryRun ? "would go" : "went"
    report.say(
      found.removedFiles == 0
        ? "no delete files to put together or drop"
        : "\(found.removedFiles) delete files \(would), \(found.danglingFiles) of them of no rows")
    if found.dataFiles > 0 {
      report.say("those of \(found.dataFiles) data files put together")
    }
    report.print(output)
  }

  private func plan(
    _ table: Table, _ options: CompactionOptions, since start: Duration, _ environment: Environment
  ) async throws {
    let groups = try await Compaction(table, options).plan()
    var report = UpkeepReport(table: self.table.text, "none")
    report.add("dry_run", true)
    report.add("groups", groups.count)
    report.add("removed_files", groups.reduce(0) { $0 + $1.fileCount })
    report.add("removed_bytes", groups.reduce(Int64(0)) { $0 + $1.byteCount })
    report.add(duration: environment.uptime() - start)
    report.say(
      "\(groups.reduce(0) { $0 + $1.fileCount }) files in \(groups.count) groups would be rewritten"
    )
    report.print(output)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake backfill SOURCE TARGET`: recomputes history, beside whatever else goes on.
struct BackfillCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill",
    abstract: "Read history at one pinned state and write what is computed of it, exactly once.",
    usage: """
      lake backfill SOURCE TARGET [--select LIST] [--where PREDICATE] [--from SNAPSHOT] \
      [--to SNAPSHOT] [--resume] [--create]
      """,
    discussion: """
      lake backfill air.flights air.delays --create --resume \
      --select 'carrier, dep_delay / 60 AS hours, coalesce(tailnum, '\\''?'\\'') AS tail'
      lake backfill air.flights air.flights --select 'dep_delay / 60.0 AS hours' --resume

      The state is read in splits; each lands in the target exactly once, however often the command \
      is killed and started again with --resume, which goes on with the state that it began with.

      Into another table rows are added. Into the same one, which has to have a key, the columns that \
      are named get new values, and each row takes the place of the very row it was computed from: \
      one that others changed or deleted since is left alone, and counted.

      --from and --to take a snapshot id, a time (2026-01-31T00:00:00Z, 2h, 7d), or a branch or tag. \
      With --from only rows are read that were added or changed after it.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var definition: DefinitionOptions
  @Argument(help: "The table that is read.", transform: TableName.parse) var source: TableName
  @Argument(help: "The table that is written to.", transform: TableName.parse)
  var target: TableName
  @Option(
    help: ArgumentHelp(
      "What is computed, by comma: 'a, b * 2 AS twice' (default: *).", valueName: "list"))
  var select: String?
  @Option(name: .customLong("where"), help: ArgumentHelp("Which rows.", valueName: "predicate"))
  var filter: String?
  @Option(
    help: ArgumentHelp(
      "Only rows that are newer than this state.", valueName: "snapshot|time|ref"))
  var from: String?
  @Option(
    help: ArgumentHelp(
      "The state that is read (default: the newest).", valueName: "snapshot|time|ref"))
  var to: String?
  @Flag(help: "Go on with a backfill that was broken off; begin one if there is none.")
  var resume = false
  @Flag(help: "Make the target if it is not there, with the columns that are selected.")
  var create = false
  @Option(help: ArgumentHelp("The target's branch.", valueName: "name")) var branch = "main"
  @Option(
    help: ArgumentHelp("About how large splits are (default: 128MB).", valueName: "size"))
  var splitSize: String?
  @Option(
    help: ArgumentHelp(
      "Commit when so many bytes were read (default: 512MB).", valueName: "size"))
  var commitSize: String?
  @Option(
    help: ArgumentHelp(
      "How many splits are worked on at a time (default: one a processor).", valueName: "count"))
  var parallel: Int?
  @Flag(help: "Say what would be read, and change nothing.") var dryRun = false

  func validate() throws {
    _ = try ByteSize.parse(splitSize, "--split-size")
    _ = try ByteSize.parse(commitSize, "--commit-size")
    if let parallel, !(1...1024).contains(parallel) {
      throw ValidationError("--parallel is from 1 to 1024.")
    }
    if create, dryRun { throw ValidationError("--create and --dry-run exclude each other.") }
  }

  private func options(_ source: Table) throws -> BackfillOptions {
    var options = BackfillOptions()
    if let filter { options.filter = try PredicateParser.parse(filter) }
    if let select {
      options.computation = .selection(try ExpressionParser.parse(selectList: select))
    }
    if let from {
      let state = SnapshotSelection(commandLine: from)
      guard let snapshot = try source.metadata.state(state).snapshot else {
        throw CommandError.notFound("\(self.source.text) has no snapshot '\(from)'")
      }
      options.from = snapshot.id
    }
    options.to = to.map { SnapshotSelection(commandLine: $0) }
    options.start = resume ? .resume : .new
    options.branch = branch
    options.parallelism = parallel
    options.splitByteCount = try ByteSize.parse(splitSize, "--split-size") ?? options.splitByteCount
    options.commitByteCount =
      try ByteSize.parse(commitSize, "--commit-size") ?? options.commitByteCount
    return options
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let source = try await catalog.table(source)
    let options = try options(source)
    let target = try await openTarget(source, options)
    let backfill = Backfill(from: source, into: target, options)
    if dryRun { return try await plan(backfill, since: start, environment) }
    let progress = Progress(output, "backfill", environment)
    var told: Int64 = 0
    let found: BackfillReport
    do {
      found = try await backfill.run { now in
        progress.note("split \(now.splitsDone) of \(now.splits)")
        progress.add(rows: Int(clamping: now.rows - told))
        told = now.rows
      }
    } catch {
      progress.finish()
      if Self.canGoOn(error) {
        StandardError.write("lake: backfill: to go on: \(again)\n")
      }
      throw error
    }
    progress.finish()
    var report = UpkeepReport(
      table: self.target.text, found.snapshotIDs.isEmpty ? "none" : "backfill")
    report.add("snapshot_id", found.snapshotIDs.last?.rawValue)
    report.add("backfill", found.id)
    report.add("source_snapshot_id", found.snapshot.rawValue)
    report.add("splits", found.splits)
    report.add("splits_before", found.splitsBefore)
    report.add("splits_landed", found.splitsLanded)
    report.add("added_rows", found.rows)
    report.add("left_alone", found.leftAlone)
    report.add("added_files", found.addedFiles)
    report.add("added_bytes", found.addedBytes)
    report.add("commits", found.snapshotIDs.count)
    report.add("attempts", found.attempts)
    report.add(duration: environment.uptime() - start)
    if found.splits > 0, found.splitsBefore == found.splits {
      report.say("it was done before: nothing to do")
      if resume, found.snapshot != source.metadata.currentSnapshotID {
        report.say("the source has gone on since: --to or no --resume is another backfill")
      }
    } else {
      report.say("\(found.rows) rows of \(found.splitsLanded) splits landed")
    }
    if found.splitsBefore > 0, found.splitsBefore < found.splits {
      report.say("\(found.splitsBefore) splits had before")
    }
    if found.leftAlone > 0 {
      report.say("\(found.leftAlone) rows that others had changed were left alone")
    }
    report.say("snapshot \(found.snapshot.rawValue) was read")
    report.print(output)
  }

  private func plan(
    _ backfill: Backfill, since start: Duration, _ environment: Environment
  ) async throws {
    let plan = try await backfill.plan()
    var report = UpkeepReport(table: target.text, "none")
    report.add("dry_run", true)
    report.add("backfill", plan.id)
    report.add("source_snapshot_id", plan.snapshot.rawValue)
    report.add("splits", plan.splits)
    report.add("splits_before", plan.splitsDone)
    report.add("rows", plan.rows)
    report.add("bytes", plan.bytes)
    report.add(duration: environment.uptime() - start)
    report.say(
      "\(plan.rows) rows in \(plan.splits - plan.splitsDone) of \(plan.splits) splits, "
        + "\(plan.bytes) bytes, would be read of snapshot \(plan.snapshot.rawValue)")
    report.print(output)
  }

  /// What was written so far counts, and the same command goes on.
  private static func canGoOn(_ error: any Error) -> Bool {
    switch error {
    case MaintenanceError.cancelled, MaintenanceError.commit, MaintenanceError.storage,
      MaintenanceError.catalog, MaintenanceError.reading:
      true
    default: false
    }
  }

  private var again: String {
    resume ? CommandLineText.again : CommandLineText.again + " --resume"
  }

  // MARK: the target

  private func openTarget(_ source: Table, _ options: BackfillOptions) async throws -> Table {
    if !create { return try await catalog.table(target) }
    if let table = try await catalog.tableIfPresent(target) { return table }
    guard case .selection(let list) = options.computation else { return source }
    let schema = try source.metadata.state(options.to ?? .current).schema
    let fields = try list.bound(to: schema).fields
    for field in fields where field.type == .null {
      throw CommandError.failed(
        "column '\(field.name)' is nothing but nulls: give it a type, as CAST(NULL AS int)")
    }
    let columns = try Schema(inferredFrom: fields).identified(by: definition.keyNames)
    return try await catalog.open().createTable(
      target.identifier(), try definition.definition(columns))
  }
}

extension SnapshotSelection {
  /// A state as people type it: a snapshot's id, a time, or the name of a branch or tag.
  init(commandLine text: String) {
    if let id = Int64(text) {
      self = .id(SnapshotID(id))
    } else if let time = Moment.parse(text, now: Environment.system.now()) {
      self = .asOf(time)
    } else {
      self = .reference(text)
    }
  }
}

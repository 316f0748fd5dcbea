// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake expire TABLE`: lets old snapshots go, and deletes the files that only they needed.
struct ExpireCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "expire",
    abstract: "Let old snapshots go, and delete the files that only they needed.",
    discussion: """
      lake expire shop.orders --older-than 5d --retain-last 10

      What branches and tags keep by their own retention stays, and so does all that came after the \
      place of a consumer (tags called consumer.*). Without options the table's properties decide \
      (history.expire.*, 5 days).
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("How old snapshots have to be, or a time.", valueName: "age"))
  var olderThan: String?
  @Option(help: ArgumentHelp("How many of each branch stay in any case.", valueName: "count"))
  var retainLast: Int?
  @Flag(help: "Say what would go, and change nothing.") var dryRun = false

  func validate() throws {
    if let olderThan { _ = try Age.before(olderThan, of: "--older-than") }
    if let retainLast, retainLast < 1 {
      throw ValidationError("Expected --retain-last of at least 1, found \(retainLast).")
    }
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    let policy = ExpiryPolicy(
      maxSnapshotAge: try olderThan.map { try Age.before($0, of: "--older-than") },
      minSnapshotsToKeep: retainLast)
    let expiry = SnapshotExpiry(try await catalog.table(table), policy)
    let found = dryRun ? try await expiry.plan() : try await expiry.run()
    var report = UpkeepReport(table: table.text, "expire")
    report.add("dry_run", dryRun)
    report.add("expired_snapshots", found.snapshotIDs.count)
    report.add("expired_references", found.references)
    report.add("data_files", found.contentFiles)
    report.add("manifests", found.manifests)
    report.add("manifest_lists", found.manifestLists)
    report.add("statistics_files", found.statisticsFiles)
    report.add("deleted_files", found.deletedFiles)
    report.add("problems", found.problems)
    report.add("attempts", found.attempts)
    report.add(duration: environment.uptime() - start)
    let verb = dryRun ? "would go" : "went"
    report.say("\(found.snapshotIDs.count) snapshots \(verb)")
    if !found.references.isEmpty { report.say("with \(found.references.joined(separator: ", "))") }
    report.say(
      dryRun
        ? "\(found.unneededFiles) files would be deleted" : "\(found.deletedFiles) files deleted")
    report.say("\(found.contentFiles) of data")
    for problem in found.problems { StandardError.write("lake: \(problem)\n") }
    report.print(output)
    if !found.problems.isEmpty, !dryRun { throw ExitCode(ExitStatus.failed.rawValue) }
  }
}

extension Age {
  /// How long ago `text` is: 7d, or a time.
  static func before(_ text: String, of option: String) throws -> Duration {
    let now = Environment.system.now()
    guard let moment = Moment.parse(text, now: now), moment <= now else {
      throw ValidationError(
        "Expected \(option) as 30s, 15m, 2h, 7d or a time that is past, found '\(text)'.")
    }
    return now.since(moment)
  }
}

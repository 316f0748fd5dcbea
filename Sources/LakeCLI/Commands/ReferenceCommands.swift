// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake branch TABLE ACTION …`
struct BranchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "branch",
    abstract: "List, make, move and delete branches.",
    usage: """
      lake branch TABLE list
      lake branch TABLE create NAME [--snapshot ID] [--replace] [--keep-snapshots N] [--snapshot-age 7d] [--max-age 30d]
      lake branch TABLE delete NAME
      lake branch TABLE fast-forward NAME [--to REF]
      lake branch TABLE publish NAME [--onto BRANCH]
      """,
    subcommands: [
      ListBranchesCommand.self, CreateBranchCommand.self, DeleteBranchCommand.self,
      FastForwardCommand.self, PublishCommand.self,
    ])
}

/// `lake tag TABLE ACTION …`
struct TagCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag",
    abstract: "List, make and delete tags.",
    usage: """
      lake tag TABLE list
      lake tag TABLE create NAME [--snapshot ID] [--replace] [--max-age 30d]
      lake tag TABLE delete NAME
      """,
    subcommands: [ListTagsCommand.self, CreateTagCommand.self, DeleteTagCommand.self])
}

// MARK: - Listing

struct ListBranchesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the branches.", usage: "lake branch TABLE list")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    try await ReferenceList.print(.branch, catalog.table(table).metadata, output)
  }
}

struct ListTagsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the tags.", usage: "lake tag TABLE list")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    try await ReferenceList.print(.tag, catalog.table(table).metadata, output)
  }
}

private enum ReferenceList {
  static func print(
    _ kind: SnapshotReference.Kind, _ metadata: TableMetadata, _ output: OutputOptions
  ) throws {
    var result = try ResultTable(
      """
      name string not null, snapshot_id long not null, committed_at timestamptz, \
      min_snapshots_to_keep int, max_snapshot_age_in_ms long, max_reference_age_in_ms long
      """)
    for (name, reference) in metadata.references.sorted(by: { $0.key < $1.key })
    where reference.kind == kind {
      let time = metadata.snapshot(reference.snapshotID)?.timestampMilliseconds
      let retention = reference.retention
      result.rows.append([
        .text(name), Cell(reference.snapshotID.rawValue),
        Cell(time.map { Timestamp(milliseconds: $0).microseconds }),
        Cell(retention.minSnapshotsToKeep.map { Int32(clamping: $0) }),
        Cell(retention.maxSnapshotAgeMilliseconds), Cell(retention.maxReferenceAgeMilliseconds),
      ])
    }
    result.print(output)
  }
}

// MARK: - Making

/// Where a reference is made, and what becomes of one of its name.
struct CreateReferenceOptions: ParsableArguments {
  @Option(help: ArgumentHelp("At this snapshot (default: where main is).", valueName: "id"))
  var snapshot: Int64?
  @Flag(help: "Move it there if it is there already.") var replace = false
  @Option(
    help: ArgumentHelp(
      "How old its snapshot gets before the reference may expire: 30d.", valueName: "age"))
  var maxAge: String?

  func validate() throws {
    if let maxAge { _ = try Age.milliseconds(maxAge, of: "--max-age") }
  }

  var replacing: ReferenceChange.Replacing { replace ? .replace : .refuse }
}

/// Ages as people type them.
enum Age {
  static func milliseconds(_ text: String, of option: String) throws -> Int64 {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
      count > 0, count < 1 << 32
    else { throw ValidationError("Expected \(option) as 30s, 15m, 2h or 7d, found '\(text)'.") }
    return count * unit * 1000
  }
}

struct CreateBranchCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a branch.",
    usage: """
      lake branch TABLE create NAME [--snapshot ID] [--replace] [--keep-snapshots N] \
      [--snapshot-age 7d] [--max-age 30d]
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: CreateReferenceOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its name.") var name: String
  @Option(help: ArgumentHelp("How many of its snapshots never expire.", valueName: "count"))
  var keepSnapshots: Int?
  @Option(help: ArgumentHelp("How old its snapshots get before they may expire.", valueName: "age"))
  var snapshotAge: String?

  func run() async throws {
    let retention = SnapshotReference.Retention(
      minSnapshotsToKeep: keepSnapshots,
      maxSnapshotAgeMilliseconds: try snapshotAge.map {
        try Age.milliseconds($0, of: "--snapshot-age")
      },
      maxReferenceAgeMilliseconds: try options.maxAge.map {
        try Age.milliseconds($0, of: "--max-age")
      })
    try await ReferenceChange.createBranch(
      name, at: options.snapshot.map { SnapshotID($0) }, retention: retention,
      ifThere: options.replacing
    ).run(on: table, catalog, output, as: "branch")
  }
}

struct CreateTagCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a tag.",
    usage: "lake tag TABLE create NAME [--snapshot ID] [--replace] [--max-age 30d]")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: CreateReferenceOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its name.") var name: String

  func run() async throws {
    let retention = SnapshotReference.Retention(
      maxReferenceAgeMilliseconds: try options.maxAge.map {
        try Age.milliseconds($0, of: "--max-age")
      })
    try await ReferenceChange.createTag(
      name, at: options.snapshot.map { SnapshotID($0) }, retention: retention,
      ifThere: options.replacing
    ).run(on: table, catalog, output, as: "tag")
  }
}

struct DeleteBranchCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a branch; its snapshots stay until they expire.",
    usage: "lake branch TABLE delete NAME")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its name.") var name: String

  func run() async throws {
    try await ReferenceChange.remove(.branch, name).run(on: table, catalog, output, as: "branch")
  }
}

struct DeleteTagCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a tag; its snapshot stays until it expires.",
    usage: "lake tag TABLE delete NAME")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its name.") var name: String

  func run() async throws {
    try await ReferenceChange.remove(.tag, name).run(on: table, catalog, output, as: "tag")
  }
}

// MARK: - Moving

struct FastForwardCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "fast-forward",
    abstract: "Move a branch to where another branch or tag is, which has all its commits.",
    usage: "lake branch TABLE fast-forward NAME [--to REF]")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The branch that is moved.") var name: String
  @Option(help: ArgumentHelp("Where to.", valueName: "ref")) var to = "main"

  func run() async throws {
    try await ReferenceChange.fastForward(name, to: to)
      .run(on: table, catalog, output, as: "fast-forward")
  }
}

struct PublishCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Bring the commits of a branch onto main.",
    usage: "lake branch TABLE publish NAME [--onto BRANCH]",
    discussion: """
      If main has not moved since the branch left it, main moves to the branch; else the branch's \
      commits are made again on top of main, all of them or none.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The branch whose commits are published.") var name: String
  @Option(help: ArgumentHelp("Where they go.", valueName: "branch")) var onto = "main"

  func run() async throws {
    try await PublishBranch(name, onto: onto).run(on: table, catalog, output, as: "publish")
  }
}

/// `lake rollback TABLE --to SNAPSHOT|TIME`: moves a branch back to an earlier state.
struct RollbackCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Move a branch back to an earlier state of its own.",
    discussion: "What is left out stays in the table's history until it expires.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(
    help: ArgumentHelp(
      "A snapshot's id, or a time: 2026-01-31T00:00:00Z, a date, 2h ago as 2h.",
      valueName: "snapshot|time"))
  var to: String
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    let id: SnapshotID
    if let number = Int64(to) {
      id = SnapshotID(number)
    } else {
      guard let time = Moment.parse(to, now: Environment.system.now()) else {
        throw ValidationError("Expected a snapshot's id or a time, found '\(to)'.")
      }
      id = try await snapshot(before: time.milliseconds)
    }
    try await ReferenceChange.rollback(branch, to: id)
      .run(on: table, catalog, output, as: "rollback")
  }

  /// The newest snapshot of the branch that is not younger than `time`.
  private func snapshot(before time: Int64) async throws -> SnapshotID {
    let metadata = try await catalog.table(table).metadata
    guard let reference = metadata.reference(branch), reference.kind == .branch else {
      throw CommandError.notFound("no branch '\(branch)' in \(table.text)")
    }
    let found = metadata.ancestry(of: reference.snapshotID)
      .first { $0.timestampMilliseconds <= time }
    guard let found else {
      throw CommandError.notFound("branch '\(branch)' has no snapshot that old")
    }
    return found.id
  }
}

/// `lake cherry-pick TABLE SNAPSHOT`: makes the change of a snapshot again on a branch.
struct CherryPickCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "cherry-pick",
    abstract: "Make the change of a snapshot again on a branch.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The snapshot's id.") var snapshot: Int64
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    try await CherryPick(SnapshotID(snapshot), onto: branch)
      .run(on: table, catalog, output, as: "cherry-pick")
  }
}

/// `lake rewrite-manifests TABLE`: few manifests, their files by partition.
struct RewriteManifestsCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite-manifests",
    abstract: "Write the manifests again, files of a partition together.",
    discussion: "Planning of filtered reads then leaves out more of them. No data file is touched.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    try await ManifestRewrite(branch: branch).run(on: table, catalog, output, as: "none")
  }
}

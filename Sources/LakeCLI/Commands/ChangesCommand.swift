// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake changes TABLE`: what became of rows.
struct ChangesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "changes",
    abstract: "Read which rows were inserted, updated and deleted.",
    discussion: """
      lake changes shop.orders --from 7d --net --format arrow
      lake changes shop.orders --consumer dashboard --follow

      --from and --to take a snapshot id, a time (2026-01-31T00:00:00Z, 2026-01-31, 2h, 7d), or a \
      branch or tag; changes are those after the one, up to the other. --from start is the empty \
      table.

      Rows have _change_type (insert, delete, update_before, update_after), _change_ordinal and \
      _commit_snapshot_id before the table's columns. A delete and an insert of one commit are an \
      update if they have the same row id (format version 3) or the same key.

      A consumer is a place that the table keeps: its first run reads all rows as inserts (or what \
      --from says), each later one what changed since. What was printed and not kept, because the \
      program was killed, is printed again. lake tag TABLE delete consumer.NAME gives its place up.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(help: ArgumentHelp("Changes after this state.", valueName: "snapshot|time|ref"))
  var from: String?
  @Option(
    help: ArgumentHelp(
      "Changes up to this state (default: the newest one).", valueName: "snapshot|time|ref"))
  var to: String?
  @Flag(help: "Tell the whole range as one change of each row.") var net = false
  @Flag(help: "Print rows as they were before updates too.") var preImages = false
  @Option(help: ArgumentHelp("Columns, by comma: a,b.c,*.", valueName: "columns"))
  var select: String?
  @Option(name: .customLong("where"), help: ArgumentHelp("A predicate.", valueName: "predicate"))
  var filter: String?
  @Option(help: ArgumentHelp("Go on from where this consumer left off.", valueName: "name"))
  var consumer: String?
  @Flag(help: "Wait for more changes, until interrupted.") var follow = false
  @Option(
    help: ArgumentHelp("With --follow: how often the table is looked at.", valueName: "seconds"))
  var poll: Double = 1
  @Option(
    help: ArgumentHelp(
      "How much memory rows of a commit may take: more are read again (default: 256MB).",
      valueName: "size"))
  var memory: String?

  func validate() throws {
    if from == nil, consumer == nil {
      throw ValidationError("Say what changes are told from: --from, or --consumer.")
    }
    if to != nil, consumer != nil || follow {
      throw ValidationError("--to is for a range that ends: not with --consumer or --follow.")
    }
    if to == "start" { throw ValidationError("--to start would be no changes.") }
    if follow, [.table, .json, .parquet].contains(format) {
      throw ValidationError("--follow prints jsonl, csv or arrow: the others have an end.")
    }
    _ = try ByteSize.memory(memory)
    if !(poll >= 0.01 && poll <= 86_400) {
      throw ValidationError("--poll is from 0.01 to 86400 seconds.")
    }
  }

  /// The format of the output: of what has no end, one that needs none, and of what is told once, one
  /// that leaves nothing out.
  private var format: OutputOptions.Format {
    follow || consumer != nil ? output.format ?? .jsonl : output.effectiveFormat
  }

  func run() async throws {
    let table = try await catalog.table(table)
    guard let consumer else {
      let start = from.flatMap(State.parse)
      return try await print(ChangeFeed(table, from: start, to: to.flatMap(State.parse)))
    }
    // What was printed is kept, also when the command is told to end.
    Interruption.waitForCommand()
    let start: ChangelogConsumer.Start? = from.map { text in
      State.parse(text).map { .after($0) } ?? .rows
    }
    let place = try await ChangelogConsumer.open(consumer, of: table, start: start)
    // These print nothing before the end: what is kept before that would never be told.
    let isPrintedAtEnd = [.table, .parquet].contains(format)
    try await print(ChangeFeed(place, savesMeanwhile: !isPrintedAtEnd))
  }

  private func print(_ feed: consuming ChangeFeed) async throws {
    var feed = feed
    var fields: [ColumnField]?
    var printer: RowPrinter?
    do {
      while true {
        if let changes = try await feed.poll().map(asked) {
          let found = try changes.outputFields()
          if let fields, fields != found, format != .jsonl {
            throw CommandError.failed(
              "the table's columns changed, which \(format.rawValue) can't tell: begin again")
          }
          if printer == nil { printer = RowPrinter(format, fields: found) }
          fields = found
          try await print(changes, &printer, &feed)
        }
        guard follow else { break }
        try await Environment.system.sleep(for: .milliseconds(Int64(poll * 1000)))
      }
    } catch {
      // A place is kept even by a command that is cancelled.
      let last = feed
      await uncancelled {
        var feed = last
        if feed.savesMeanwhile { try? await feed.save() }
      }
      throw error
    }
    if printer == nil {
      printer = RowPrinter(format, fields: try asked(feed.whole).outputFields())
    }
    if let printer = printer.take() { printer.finish() }
    try await feed.save()
  }

  private func print(
    _ changes: ChangelogScan, _ printer: inout RowPrinter?, _ feed: inout ChangeFeed
  ) async throws {
    var commit: Int64?
    for try await batch in changes.batches() {
      let id = batch.columns[2].integer(0)
      if let commit, commit != id { try await feed.acknowledge(SnapshotID(commit)) }
      commit = id
      printer?.print(batch)
    }
    if let end = try changes.end() { try await feed.acknowledge(end) }
  }

  /// `changes`, as they are asked for.
  private func asked(_ changes: ChangelogScan) throws -> ChangelogScan {
    var changes = changes.preImages(preImages ? .included : .omitted)
    if let memory = try ByteSize.memory(memory) { changes = changes.memoryLimit(memory) }
    if net { changes = changes.net() }
    if let select {
      changes = changes.select(select.split(separator: ",").map { String($0).trimmed })
    }
    if let filter { changes = try changes.filter(filter) }
    return changes
  }
}

/// States as people name them.
private enum State {
  /// Nil: `start`, the empty table.
  static func parse(_ text: String) -> SnapshotSelection? {
    text == "start" ? nil : SnapshotSelection(commandLine: text)
  }
}

/// Where changes come from, bit by bit, and how far they were printed.
private struct ChangeFeed: Sendable {
  private var table: Table
  private var place: SnapshotSelection?
  private let end: SnapshotSelection
  private var isFirst = true
  private var consumer: ChangelogConsumer?
  /// Whether what was acknowledged is kept before the end.
  let savesMeanwhile: Bool
  private var lastSaved: Duration

  /// How long acknowledgements are gathered: each time they are kept is a commit.
  private static let savingInterval: Duration = .seconds(10)

  init(_ table: Table, from: SnapshotSelection?, to: SnapshotSelection?) {
    self.table = table
    place = from
    end = to ?? .current
    savesMeanwhile = false
    lastSaved = .zero
  }

  init(_ consumer: ChangelogConsumer, savesMeanwhile: Bool) {
    self.savesMeanwhile = savesMeanwhile
    table = consumer.table
    end = .reference(consumer.branch)
    self.consumer = consumer
    lastSaved = Environment.system.uptime()
  }

  /// All that there may be, to tell its columns.
  var whole: ChangelogScan { table.changes(from: nil, to: end) }

  /// What changed since it was last asked; nil if nothing did.
  mutating func poll() async throws -> ChangelogScan? {
    if consumer != nil {
      let changes = try await consumer?.poll()
      if let now = consumer?.table { table = now }
      return changes
    }
    if !isFirst { table = try await table.refreshed() }
    let head = try table.metadata.state(end).snapshot?.id
    guard isFirst || place != head.map({ .id($0) }) else { return nil }
    isFirst = false
    return table.changes(from: place, to: end)
  }

  /// Takes notice that all up to `snapshot` was printed.
  mutating func acknowledge(_ snapshot: SnapshotID) async throws {
    place = .id(snapshot)
    guard consumer != nil else { return }
    consumer?.acknowledge(snapshot)
    let now = Environment.system.uptime()
    if savesMeanwhile, now - lastSaved >= Self.savingInterval { try await save() }
  }

  mutating func save() async throws {
    try await consumer?.save()
    lastSaved = Environment.system.uptime()
  }
}

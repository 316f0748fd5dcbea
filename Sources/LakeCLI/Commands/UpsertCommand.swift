// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake upsert TABLE FILE…`: streams rows in by key.
struct UpsertCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "upsert",
    abstract: "Stream rows in by key: of each key the newest row counts.",
    usage: """
      lake upsert TABLE FILE… [--order-by COLUMN] [--create --key COLUMNS] \
      [--writer NAME (--source-offset | --offset-column COLUMN)] [--follow] […]
      """,
    discussion: """
      lake upsert air.flights events.jsonl --order-by event_ts --writer tower --source-offset

      Rows take the place of those with the same key: the newest by --order-by, else the last to \
      come. There is a commit every --commit-interval, or after --commit-rows.

      With --writer each row is committed exactly once, however often the command is killed and \
      started again: every commit notes with its rows how far the input was taken, and what was \
      committed is passed over. --source-offset counts the bytes of a text file (which may be \
      growing: --follow), the lines of a pipe (which must be replayed from its start) or the rows \
      of other files; --offset-column takes a column that grows with each row. A writer that is \
      started a second time stops the first.

      CSV and JSON lines are taken as they come; the messages of an Arrow stream when they are \
      whole.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var input: InputArguments
  @OptionGroup var definition: DefinitionOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The files; '-' is standard input.") var files: [String]
  @Option(
    help: ArgumentHelp(
      "Of a key's rows the one with the greatest value counts (default: the last to come).",
      valueName: "column"))
  var orderBy: String?
  @Flag(help: "A null, or a column that is not there, keeps the value that the row has.")
  var partial = false
  @Option(
    help: ArgumentHelp("Rows that match delete their keys' rows.", valueName: "predicate"))
  var deleteWhen: String?
  @Option(
    help: ArgumentHelp(
      "A column of the input that says 'upsert' or 'delete'.", valueName: "column"))
  var operationColumn: String?
  @Option(help: ArgumentHelp("Commit after so many rows.", valueName: "count"))
  var commitRows: Int?
  @Option(
    help: ArgumentHelp(
      "Commit when the oldest row has waited for so long: 500ms, 10s, 2m.", valueName: "time"))
  var commitInterval = "10s"
  @Option(help: ArgumentHelp("Who writes, for exactly once.", valueName: "name"))
  var writer: String?
  @Flag(help: "The place in the input is the offset.") var sourceOffset = false
  @Option(
    help: ArgumentHelp("The input's column of offsets, which grow.", valueName: "column"))
  var offsetColumn: String?
  @Flag(help: "At the end of a file wait for more of it.") var follow = false
  @Flag(help: "Make the table if it is not there, with the columns of the first file.")
  var create = false
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"
  @Option(
    help: ArgumentHelp(
      "What becomes of a row that does not fit: fail, skip, or quarantine FILE.",
      valueName: "fail|skip|quarantine"))
  var onError = "fail"
  @Option(
    help: ArgumentHelp(
      "Tag a snapshot in each span of time, and keep it for another: 1h:90d.",
      valueName: "every:for"))
  var keepHistory: String?

  func validate() throws {
    guard (writer != nil) == (sourceOffset || offsetColumn != nil) else {
      throw ValidationError(
        writer == nil
          ? "Offsets are kept for a writer: give its name by --writer."
          : "--writer needs to know offsets: --source-offset or --offset-column.")
    }
    if sourceOffset, offsetColumn != nil {
      throw ValidationError("--source-offset and --offset-column exclude each other.")
    }
    if let commitRows, commitRows < 1 {
      throw ValidationError("--commit-rows must be positive.")
    }
    _ = try Interval.parse(commitInterval, of: "--commit-interval")
    _ = try keptHistory()
    if deleteWhen != nil, operationColumn != nil {
      throw ValidationError("--delete-when and --operation-column exclude each other.")
    }
    if create, definition.keyNames.isEmpty {
      throw ValidationError("--create needs a --key.")
    }
    if files.filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Standard input ('-') can be read once only.")
    }
    guard ["fail", "skip"].contains(onError) || onError.hasPrefix(Self.quarantine) else {
      throw ValidationError(
        "Expected --on-error fail, skip or quarantine FILE, found '\(onError)'.")
    }
  }

  /// How `--on-error quarantine FILE` reaches the parser: as one value.
  static let quarantine = "quarantine "

  private var policy: BadRows.Policy {
    switch onError {
    case "fail": .fail
    case "skip": .skip
    default: .quarantine(String(onError.dropFirst(Self.quarantine.count)))
    }
  }

  private var unit: UpsertSource.Unit {
    if let offsetColumn { return .column(offsetColumn) }
    return sourceOffset ? .place : .none
  }

  private func keptHistory() throws -> UpsertOptions.KeptHistory? {
    guard let keepHistory else { return nil }
    let parts = keepHistory.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw ValidationError("Expected --keep-history as 1h:90d, found '\(keepHistory)'.")
    }
    return UpsertOptions.KeptHistory(
      every: try Interval.parse(String(parts[0]), of: "--keep-history"),
      for: try Interval.parse(String(parts[1]), of: "--keep-history"))
  }

  private func options() throws -> UpsertOptions {
    var options = UpsertOptions()
    if !definition.keyNames.isEmpty { options.key = definition.keyNames }
    options.orderBy = orderBy
    options.isPartial = partial
    options.deleteWhen = try deleteWhen.map { try PredicateParser.parse($0) }
    options.operationColumn = operationColumn
    options.branch = branch
    options.writer = writer
    options.keptHistory = try keptHistory()
    options.flush = FlushPolicy(
      rowLimit: commitRows,
      ageLimit: try Interval.parse(commitInterval, of: "--commit-interval"))
    return options
  }

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    // From here on the command ends by itself, with what was taken committed.
    Interruption.leaveToCommand()
    let badRows = try BadRows(policy, isQuiet: output.quiet)
    var sample: (any ByteSource)?
    let target = try await openOrCreate(&sample, environment)
    let options = try options()
    let writer = try await UpsertWriter.open(target, options)
    do {
      try await badRows.claim(for: writer, environment)
    } catch {
      try? await writer.close()
      throw error
    }
    let progress = Progress(output, "upsert", environment)
    let run = await UpsertRun(
      writer, badRows, progress, rowLimit: commitRows,
      interval: try Interval.parse(commitInterval, of: "--commit-interval"), environment)
    let failure = await take(into: run, target, sample)
    progress.finish()
    badRows.tell()
    try await end(run, badRows, failure, duration: environment.uptime() - start)
  }

  /// Takes all sources in, and commits what was taken; what kept it from that.
  private func take(
    into run: UpsertRun, _ target: Table, _ sample: (any ByteSource)?
  ) async -> (any Error)? {
    var failure: (any Error)?
    do {
      let settings = UpsertSource.Settings(
        arguments: input, columns: columns(of: target), unit: unit, follows: follow,
        batchRowCount: min(65_536, commitRows ?? 65_536))
      var sources: [UpsertSource] = []
      for file in files {
        let source = try await UpsertSource.open(
          file, settings, from: run.committed, sample: file == "-" ? sample : nil)
        sources.append(source)
        if !follow {
          try await run.take([source], follows: false)
          sources = []
        }
        if Interruption.exitCode != nil { break }
      }
      try await run.take(sources, follows: true)
    } catch InputError.interrupted {
    } catch {
      failure = error
    }
    // Rows that came before a bad one are good; a writer that failed has said why.
    guard failure == nil || failure is InputError else { return failure }
    do {
      try await run.commit()
    } catch {
      return error
    }
    return failure
  }

  /// The columns that rows must have: with a key and an order value, but for those that rows may
  /// lack, as what becomes of them decides.
  private func columns(of table: Table) -> [ColumnField] {
    let schema = table.metadata.currentSchema
    let named = definition.keyNames + [orderBy].compactMap { $0 }
    let mayLack = partial || deleteWhen != nil || operationColumn != nil
    var fields = schema.columnFields.map { column in
      let isNeeded =
        named.contains(column.name)
        || schema.identifierFieldIDs.contains { $0.rawValue == column.fieldID }
      var field = column
      field.isNullable = isNeeded ? false : mayLack || column.isNullable
      return field
    }
    if let operationColumn {
      fields.append(ColumnField(operationColumn, .string, isNullable: false))
    }
    return fields
  }

  /// Says how it ended, and throws why it failed.
  private func end(
    _ run: UpsertRun, _ badRows: BadRows, _ failure: (any Error)?, duration: Duration
  ) async throws {
    let tally = run.tally
    try await badRows.end(run.writer)
    do throws(IngestError) {
      try await run.writer.close()
    } catch {
      // The rows are there; what is kept to find them faster is made again.
      if failure == nil { StandardError.write("lake: upsert: after the last commit: \(error)\n") }
    }
    let done =
      tally.last.map { last in
        "\(tally.counts.received) rows are in \(tally.commits) commits up to snapshot "
          + "\(last.id.rawValue)"
      } ?? "nothing was committed"
    if let failure {
      if tally.commits > 0 || writer != nil {
        StandardError.write("lake: upsert: \(done); to go on: \(CommandLineText.again)\n")
      }
      throw failure
    }
    if Interruption.exitCode != nil {
      StandardError.write(
        "lake: upsert interrupted: \(done), nothing that was taken is lost; "
          + "to go on: \(CommandLineText.again)\n")
    }
    report(tally, badRows.count, duration).print(output)
  }

  private func report(
    _ tally: UpsertTally, _ rejected: Int, _ duration: Duration
  ) -> ChangeReport {
    var report = ChangeReport(
      table: table.text, operation: tally.commits > 0 ? "upsert" : "none")
    report.snapshotID = tally.last?.id.rawValue
    report.sequenceNumber = tally.last?.sequenceNumber.rawValue
    report.addedRows = tally.addedRows
    report.deletedRows = tally.removedRows
    report.addedFiles = tally.addedFiles
    report.removedFiles = tally.removedFiles
    report.attempts = max(1, tally.attempts)
    report.duration = duration
    let counts = tally.counts
    report.counts = [
      ("commits", Int64(tally.commits)), ("received", counts.received),
      ("written", counts.written), ("superseded", counts.superseded), ("late", counts.late),
      ("deleted", counts.deleted), ("replaced", counts.replaced),
      ("resurrected", counts.resurrected), ("replayed", tally.replayed),
      ("rejected", Int64(rejected)),
    ]
    return report
  }
}

// MARK: - Making the table

extension UpsertCommand {
  private func openOrCreate(
    _ sample: inout (any ByteSource)?, _ environment: Environment
  ) async throws -> Table {
    guard create else { return try await catalog.table(table) }
    if let table = try await catalog.tableIfPresent(table) { return table }
    let identifier = try table.identifier()
    var options = input.options(columns: nil)
    let reader: InputReader
    if files[0] == "-" {
      guard let format = options.format else {
        throw InputError.unknownFormat(
          file: "standard input", known: ["csv", "jsonl", "arrow", "avro"])
      }
      var pipe = PipeSource()
      let head = try await pipe.takeSample(environment)
      sample = HeadedSource(head, then: pipe)
      options.badRows = .keepApart
      reader = try await InputReader.open(
        SampleSource(head), format: format, options: options)
    } else {
      let path = try Location.absolute(files[0])
      reader = try await InputReader.open(
        path, in: Stores.reaching(path), options: options)
    }
    let dropped = [operationColumn, offsetColumn].compactMap { $0 }
    let fields = reader.fields.filter { field in
      !dropped.contains(field.name) || definition.keyNames.contains(field.name)
        || field.name == orderBy
    }
    let schema = try Schema(inferredFrom: fields).identified(by: definition.keyNames)
    let catalog = try await self.catalog.open()
    return try await catalog.createTable(identifier, try definition.definition(schema))
  }
}

/// What people type: spans of time, and the command itself.
enum Interval {
  static func parse(_ text: String, of option: String) throws -> Duration {
    let units: [(String, Int64)] = [
      ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    for (unit, milliseconds) in units where text.hasSuffix(unit) {
      guard let count = Int64(text.dropLast(unit.count)), count > 0, count < 1 << 32 else {
        continue
      }
      return .milliseconds(count * milliseconds)
    }
    throw ValidationError("Expected \(option) as 500ms, 10s, 2m or 1h, found '\(text)'.")
  }
}

/// The command line, as it is typed to run it again.
enum CommandLineText {
  static var again: String {
    let words = CommandLine.arguments.dropFirst().map(quoted)
    return (["lake"] + words).joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || "-_./=,:@%+".utf8.contains(byte)
    }
    if plain, !word.isEmpty { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}

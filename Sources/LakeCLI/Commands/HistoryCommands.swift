// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake log TABLE`: lists a table's snapshots, newest first.
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "List a table's snapshots, newest first.",
    discussion: "Reads the table's metadata only: no manifest and no data file is opened.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Option(
    help: ArgumentHelp(
      "Only what led to this branch or tag (default: all snapshots).", valueName: "name"))
  var ref: String?
  @Option(help: ArgumentHelp("The most snapshots.", valueName: "count")) var limit: Int?

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
  }

  func run() async throws {
    let metadata = try await catalog.table(table).metadata
    var result = try ResultTable(
      """
      snapshot_id long not null, parent_id long, sequence_number long, committed_at timestamptz, \
      operation string, refs list<string>, added_rows long, deleted_rows long, added_files long, \
      removed_files long, total_rows long, schema_id int
      """)
    let names = Dictionary(grouping: metadata.references) { $0.value.snapshotID }
    for snapshot in try snapshots(metadata).prefix(limit ?? .max) {
      let summary = snapshot.summary
      let refs = (names[snapshot.id] ?? []).map(\.key).sorted()
      result.rows.append([
        Cell(snapshot.id.rawValue), Cell(snapshot.parentID?.rawValue),
        Cell(snapshot.sequenceNumber.rawValue),
        Cell(Timestamp(milliseconds: snapshot.timestampMilliseconds).microseconds),
        Cell(snapshot.operation?.name), .list(refs.map { .text($0) }),
        Cell(summary.count("added-records")), Cell(summary.count("deleted-records")),
        Cell(summary.count("added-data-files")), Cell(summary.count("deleted-data-files")),
        Cell(summary["total-records"].flatMap { Int64($0) }), Cell(snapshot.schemaID?.rawValue),
      ])
    }
    result.print(output)
  }

  private func snapshots(_ metadata: TableMetadata) throws -> [Snapshot] {
    guard let ref else {
      // The newest last in the table's list, but for what other writers make of the order.
      return metadata.snapshots.enumerated().sorted {
        ($0.element.sequenceNumber, $0.element.timestampMilliseconds, $0.offset)
          > ($1.element.sequenceNumber, $1.element.timestampMilliseconds, $1.offset)
      }.map(\.element)
    }
    guard let snapshot = try metadata.state(.reference(ref)).snapshot else { return [] }
    return Array(metadata.ancestry(of: snapshot.id))
  }
}

extension [String: String] {
  /// A count of a snapshot's summary, where what is not told is zero.
  fileprivate func count(_ key: String) -> Int64 { self[key].flatMap { Int64($0) } ?? 0 }
}

/// `lake show TABLE [SNAPSHOT]`: tells all about one snapshot.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Tell all about one snapshot.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its id, or a branch or tag (default: the current one).") var snapshot: String?

  func run() async throws {
    let table = try await catalog.table(table)
    let metadata = table.metadata
    guard let snapshot = try metadata.state(selection).snapshot else {
      throw CommandError.notFound("\(table.name) has no snapshot yet")
    }
    let refs = metadata.references.filter { $0.value.snapshotID == snapshot.id }
    var record = ResultRecord()
    record.add("snapshot_id", snapshot.id.rawValue)
    record.add("parent_id", snapshot.parentID?.rawValue)
    record.add("sequence_number", snapshot.sequenceNumber.rawValue)
    record.add("committed_at", milliseconds: snapshot.timestampMilliseconds)
    record.add("operation", snapshot.operation?.name)
    record.add("refs", refs.keys.sorted())
    record.add("schema_id", snapshot.schemaID.map { Int64($0.rawValue) })
    record.add("manifest_list", snapshot.manifestList)
    record.add("first_row_id", snapshot.rowLineage?.firstRowID)
    record.add("summary", snapshot.summary)
    record.print(output)
  }

  private var selection: SnapshotSelection {
    guard let snapshot else { return .current }
    return Int64(snapshot).map { .id(SnapshotID($0)) } ?? .reference(snapshot)
  }
}

/// `lake diff TABLE A B`: what changed between two states.
struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Tell what changed between two snapshots: columns, files, rows.",
    discussion: """
      A state is a snapshot's id, a branch or a tag. Rows are counted by files: '
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The earlier state.") var from: String
  @Argument(help: "The later state.") var to: String

  func run() async throws {
    let table = try await catalog.table(table)
    let difference = try await SnapshotDifference(
      of: table, from: Self.selection(from), to: Self.selection(to))
    var record = ResultRecord()
    record.add("schema_changes", difference.schemaChanges)
    for (name, files) in [("added", difference.added), ("removed", difference.removed)] {
      let data = files.filter { $0.content == .data }
      record.add("\(name)_data_files", Int64(data.count))
      record.add("\(name)_rows", data.reduce(0) { $0 + $1.recordCount })
      record.add("\(name)_delete_files", Int64(files.count - data.count))
      let deletes = files.filter { $0.content == .positionDeletes }
      record.add("\(name)_position_deletes", deletes.reduce(0) { $0 + $1.recordCount })
    }
    var files = try ResultTable(
      "change string not null, content string not null, path string not null, rows long not null")
    for (name, list) in [("added", difference.added), ("removed", difference.removed)] {
      for file in list {
        files.rows.append([
          .text(name), .text(file.contentName), .text(file.path), Cell(file.recordCount),
        ])
      }
    }
    record.add("files", files)
    record.print(output)
  }

  private static func selection(_ text: String) -> SnapshotSelection {
    Int64(text).map { .id(SnapshotID($0)) } ?? .reference(text)
  }
}

extension DataFile {
  fileprivate var contentName: String {
    switch content {
    case .data: "data"
    case .positionDeletes: isDeletionVector ? "deletion vector" : "position deletes"
    case .equalityDeletes: "equality deletes"
    }
  }
}

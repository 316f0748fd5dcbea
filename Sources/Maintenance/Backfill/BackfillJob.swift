// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Expressions
internal import Iceberg
internal import Scanning
internal import Storage
internal import Writing

/// A backfill, with all that was open settled: which state is read, in which splits, and what of it
/// has landed.
struct BackfillJob: Sendable {
  let source: Table
  let target: Table
  let options: BackfillOptions
  let isOwn: Bool
  /// The state of the source that is read.
  let snapshot: SnapshotID
  /// What the source's rows are read with.
  let schema: Schema
  /// Only rows that match are read: the options' filter, and the one of the range.
  let filter: Predicate
  /// All of them, in their order; none of a backfill that is done.
  let splits: [BackfillSplit]
  /// Files that may have rows that match, by path.
  let candidates: Set<String>
  /// As the target has it, or would.
  let record: BackfillRecord

  /// How many rows a split of a table's own rows has at most: where each of them went is kept until
  /// it is committed.
  private static let ownRowLimit: Int64 = 1 << 20

  init(
    _ source: Table, _ target: Table, _ options: BackfillOptions
  ) async throws(MaintenanceError) {
    do throws(CatalogError) {
      self.source = try await source.refreshed()
      self.target = try await target.refreshed()
    } catch {
      throw .catalog(error)
    }
    self.options = options
    isOwn = self.source.isSameTable(as: self.target)
    if isOwn { try Self.checkOwn(self.target) } else { try Self.checkOther(self.target) }
    let question = BackfillRecord.Question(
      source: self.source.metadata.uuid.map { "\($0)" } ?? self.source.metadata.location,
      from: options.from, filter: "\(options.filter)", selection: options.computation.text,
      mode: isOwn ? "replace" : "append", branch: options.branch)
    snapshot = try Self.snapshot(question, self.source, self.target, options)
    let record = try Self.record(question, at: snapshot, self.target, options)
    if let record, record.isFinished {
      self.record = record
      (schema, filter) = (self.source.metadata.currentSchema, options.filter)
      (splits, candidates) = ([], [])
      return
    }
    guard let state = self.source.metadata.snapshot(snapshot) else {
      throw .pinnedSnapshotIsGone(snapshot, backfill: question.id(at: snapshot))
    }
    let byteLimit = record?.splitByteCount ?? max(1, options.splitByteCount)
    do throws(ScanError) {
      let selection = SnapshotSelection.id(snapshot)
      // A table's own rows are made rows of its schema as it is now.
      schema =
        isOwn
        ? self.target.metadata.currentSchema : try self.source.metadata.state(selection).schema
      let scan = self.source.scan().at(selection)
      var tasks = try await scan.plan().tasks
      var filter = options.filter
      if let from = options.from {
        let range = try await BackfillRange(self.source, from: from, to: state)
        tasks = tasks.filter { range.mayHaveRows(of: $0) }
        if let rows = range.rows { filter = .and([rows, filter]) }
      }
      self.filter = filter
      splits = BackfillSplit.all(
        of: tasks, byteCount: byteLimit, rowLimit: isOwn ? Self.ownRowLimit : .max)
      candidates =
        options.filter == .alwaysTrue
        ? Set(tasks.map(\.file.path))
        : Set(try await scan.filter(options.filter).plan().tasks.map(\.file.path))
    } catch {
      throw .reading(error)
    }
    if let record, record.splitCount != splits.count {
      throw .unreadable(
        file: "the backfill \(record.id)",
        reason: "\(record.splitCount) splits were noted, the snapshot has \(splits.count)")
    }
    self.record =
      record
      ?? BackfillRecord(
        question: question, snapshot: snapshot, splitByteCount: byteLimit,
        splitCount: splits.count)
  }

  /// The state that is to be read.
  private static func snapshot(
    _ question: BackfillRecord.Question, _ source: Table, _ target: Table,
    _ options: BackfillOptions
  ) throws(MaintenanceError) -> SnapshotID {
    if let to = options.to {
      let asked: Snapshot?
      do throws(ScanError) { asked = try source.metadata.state(to).snapshot } catch {
        throw .reading(error)
      }
      guard let asked else { throw .nothingToBackfill(source: source.name) }
      return asked.id
    }
    let records = target.metadata.backfillRecords.values
      .filter { $0.question.source == question.source }
      .sorted { ($0.sequenceNumber, $0.id) > ($1.sequenceNumber, $1.id) }
    if let same = records.first(where: { $0.question == question && !$0.isFinished }) {
      guard options.start == .resume else {
        throw .backfillIsUnfinished(same.id, done: same.done.count, of: same.splitCount)
      }
      return same.snapshot
    }
    if options.start == .resume {
      // Whoever was killed after the last commit can't know that it was the last: all rows would
      // land again if the source went on meanwhile.
      if let done = records.first(where: { $0.question == question }) { return done.snapshot }
      if let other = records.first(where: { !$0.isFinished }) {
        let (what, was, now) = other.question.firstDifference(from: question)
        throw .otherBackfill(other.id, differs: what, was: was, now: now)
      }
    }
    guard let current = source.metadata.currentSnapshotID else {
      throw .nothingToBackfill(source: source.name)
    }
    return current
  }

  /// What has landed, as the target's branch has it; nil: it was not begun.
  private static func record(
    _ question: BackfillRecord.Question, at snapshot: SnapshotID, _ target: Table,
    _ options: BackfillOptions
  ) throws(MaintenanceError) -> BackfillRecord? {
    guard let known = target.metadata.backfillRecords[question.id(at: snapshot)] else { return nil }
    if !known.isFinished, options.start == .new {
      throw .backfillIsUnfinished(known.id, done: known.done.count, of: known.splitCount)
    }
    guard let told = target.metadata.backfillRecord(asOf: known) else {
      throw .backfillWasRolledBack(known.id)
    }
    return told
  }

  private static func checkOwn(_ target: Table) throws(MaintenanceError) {
    let metadata = target.metadata
    guard metadata.formatVersion >= .v2 else {
      throw .invalidPolicy(
        "a backfill of \(target.name) into itself",
        reason: "it is of format version 1, which can't take rows away: upgrade it first")
    }
    guard !metadata.currentSchema.identifierFieldIDs.isEmpty else {
      throw .invalidPolicy(
        "a backfill of \(target.name) into itself",
        reason: "it has no key, by which rows are found again (lake alter TABLE key)")
    }
  }

  private static func checkOther(_ target: Table) throws(MaintenanceError) {
    guard target.metadata.currentSchema.identifierFieldIDs.isEmpty else {
      throw .invalidPolicy(
        "a backfill into \(target.name)",
        reason: "it has a key, and rows of another table can't be told from those it has: "
          + "backfill into a table without a key, or lake upsert from one")
    }
  }

  /// The splits that are to be done.
  var left: [BackfillSplit] { splits.filter { !record.done.contains($0.index) } }

  var plan: BackfillPlan {
    BackfillPlan(
      id: record.id, snapshot: snapshot, splits: record.splitCount, splitsDone: record.done.count,
      rows: left.reduce(0) { $0.saturating($1.rowCount) },
      bytes: left.reduce(0) { $0.saturating($1.byteCount) })
  }
}

extension BackfillRecord.Question {
  /// What differs in two questions to the same source.
  fileprivate func firstDifference(
    from other: BackfillRecord.Question
  ) -> (what: String, was: String, now: String) {
    if selection != other.selection { return ("what is selected", selection, other.selection) }
    if filter != other.filter { return ("the filter", filter, other.filter) }
    if from != other.from {
      return (
        "the snapshot it begins after", from.map { "\($0.rawValue)" } ?? "none",
        other.from.map { "\($0.rawValue)" } ?? "none"
      )
    }
    return ("the branch", branch, other.branch)
  }
}

extension Table {
  /// True if both are states of one table.
  fileprivate func isSameTable(as other: Table) -> Bool {
    if let a = metadata.uuid, let b = other.metadata.uuid { return a == b }
    return metadata.location == other.metadata.location
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Synchronization
internal import Writing

/// Lands splits, each once: with their files goes the note that they are done, in one commit.
///
/// On each attempt the target's note is read anew: a split that is done by it, as another run of
/// the same backfill landed it, is left out.
struct BackfillCommit: TableChange {
  let job: BackfillJob
  let splits: [WrittenSplit]
  /// Finds the rows that the target's own are to be replaced by; nil for another table's.
  let rows: OwnRows?
  let outcome = Outcome()

  /// What an attempt would do.
  struct Landing: Sendable {
    /// Indices in ``splits``.
    var splits: [Int] = []
    var rows: Int64 = 0
    var leftAlone: Int64 = 0
    var record: BackfillRecord?
  }

  /// What became of the commit, and of attempts whose answers were lost.
  final class Outcome: Sendable {
    private struct State {
      var attempts: [SnapshotID: Landing] = [:]
      var landing = Landing()
      var failure: MaintenanceError?
    }
    private let state = Mutex(State())

    var landing: Landing { state.withLock { $0.landing } }
    /// Why the commit can't be planned.
    var failure: MaintenanceError? { state.withLock { $0.failure } }

    func fail(_ error: MaintenanceError) { state.withLock { $0.failure = error } }
    func note(_ landing: Landing, as snapshot: SnapshotID?) {
      state.withLock { state in
        state.landing = landing
        if let snapshot { state.attempts[snapshot] = landing }
      }
    }
    /// Takes notice of an attempt that happened after all.
    func settle(_ metadata: TableMetadata) -> Bool {
      state.withLock { state in
        guard let landed = state.attempts.first(where: { metadata.snapshot($0.key) != nil }) else {
          return false
        }
        state.landing = landed.value
        return true
      }
    }
  }

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    if outcome.settle(base.metadata) { return ChangePlan(requirements: [], updates: []) }
    do throws(MaintenanceError) {
      return try await planned(onto: base, attempt)
    } catch {
      if case .commit(let error) = error { throw error }
      outcome.fail(error)
      throw .cancelled
    }
  }

  private func planned(
    onto base: Table, _ attempt: CommitAttempt
  ) async throws(MaintenanceError) -> ChangePlan {
    var record = try record(in: base)
    var landing = Landing()
    landing.splits = splits.indices.filter { !record.done.contains(splits[$0].split.index) }
    landing.record = record
    outcome.note(landing, as: nil)
    guard !landing.splits.isEmpty else { return ChangePlan(requirements: [], updates: []) }
    let some = landing.splits.map { splits[$0] }
    var files = NewFiles(added: some.flatMap(\.files))
    landing.rows = some.reduce(0) { $0 + $1.rowCount }
    if let rows {
      guard base.metadata.formatVersion == job.target.metadata.formatVersion else {
        throw .commit(
          .conflict(.formatVersion(base.metadata.formatVersion, what: "rows of another version")))
      }
      files = try await rows.files(of: some, on: base)
      landing.leftAlone = files.leftAlone
      landing.rows -= files.leftAlone
    }
    do throws(CommitError) {
      do throws(CommitError) {
        var producer = try SnapshotProducer(base, branch: job.options.branch, attempt: attempt)
        let isFirst = record.last == nil
        var landed = IndexRanges()
        for written in some { landed.insert(written.split.index) }
        record.done.formUnion(landed)
        record.rowCount = record.rowCount.saturating(landing.rows)
        record.leftAlone = record.leftAlone.saturating(landing.leftAlone)
        record.last = producer.snapshotID
        record.sequenceNumber = base.metadata.nextSequenceNumber
        landing.record = record
        outcome.note(landing, as: producer.snapshotID)
        var properties = [
          BackfillRecord.SummaryKey.id: record.id, BackfillRecord.SummaryKey.splits: landed.text,
          BackfillRecord.SummaryKey.leftAlone: "\(landing.leftAlone)",
        ]
        if isFirst { properties[BackfillRecord.SummaryKey.isFirst] = "true" }
        let change = FileChange(added: files.added + files.deletes, removed: files.removed)
        // Splits without rows are noted by a snapshot too: what is asked of the branch keeps two
        // runs from putting each other's notes back.
        var plan = try await producer.produce(
          change, operation: change.added.isEmpty ? .append : nil, properties: properties)
        plan.updates.append(
          .setProperties([BackfillRecord.property(of: record.id): record.text]))
        let old = Self.outdated(base.metadata)
        if !old.isEmpty { plan.updates.append(.removeProperties(old)) }
        plan.attemptFiles += Set(files.deletes.map(\.path)).sorted()
          .compactMap { try? ObjectPath($0) }
        return plan
      } catch {
        await base.store.discard(files.deletes)
        throw error
      }
    } catch {
      throw .commit(error)
    }
  }

  /// What the target has noted of the backfill.
  private func record(in base: Table) throws(MaintenanceError) -> BackfillRecord {
    let property = BackfillRecord.property(of: job.record.id)
    guard let text = base.metadata.properties[property] else {
      // Whoever took it away did not take the rows.
      guard job.record.last == nil else { throw .backfillWasRolledBack(job.record.id) }
      return job.record
    }
    let record: BackfillRecord
    do throws(IcebergError) {
      record = try BackfillRecord(parsing: text, id: job.record.id)
    } catch {
      throw .commit(.rejected(error))
    }
    guard let told = base.metadata.backfillRecord(asOf: record) else {
      throw .backfillWasRolledBack(record.id)
    }
    return told
  }

  /// How many backfills that are done a table remembers.
  private static let rememberedCount = 100

  /// The properties of the backfills that were done long ago.
  private static func outdated(_ metadata: TableMetadata) -> [String] {
    let finished = metadata.backfillRecords.values.filter(\.isFinished)
    guard finished.count > rememberedCount else { return [] }
    return finished.sorted { $0.sequenceNumber > $1.sequenceNumber }
      .dropFirst(rememberedCount).map { BackfillRecord.property(of: $0.id) }.sorted()
  }
}

/// What a commit adds to a state of the table, and takes away.
struct NewFiles {
  /// Data files.
  var added: [DataFile]
  /// Delete files.
  var deletes: [DataFile] = []
  /// Delete files that others stand for.
  var removed: [DataFile] = []
  /// Rows of ``added`` that do not count.
  var leftAlone: Int64 = 0
}

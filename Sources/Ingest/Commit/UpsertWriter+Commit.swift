// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Storage
internal import Writing

extension UpsertWriter {
  /// How often an unknown outcome is looked into before it is told.
  private static let doubtLimit = 3

  func commitAll(
    _ offsets: [String: Int64]
  ) async throws(IngestError) -> UpsertReceipt? {
    let settled = try await settle()
    try noteOffsets(offsets)
    guard !buffer.isEmpty || !pendingOffsets.isEmpty else { return settled }
    try await flush()
    let partitions = Set(pending.files.map(\.file.partition))
    let receipt = try await commitPending()
    await mergeSmallFiles(of: partitions)
    await boundIndex()
    return receipt
  }

  /// Finds out what became of a commit whose outcome is unknown: it happened, or it is made again.
  /// Before that nothing is taken in, as no one could tell what it was part of.
  ///
  /// - Returns: nil if there was none.
  @discardableResult
  func settle() async throws(IngestError) -> UpsertReceipt? {
    isInDoubt ? try await commitPending() : nil
  }

  /// Commits what is in data files.
  private func commitPending() async throws(IngestError) -> UpsertReceipt {
    var doubts = 0
    while true {
      failure = nil
      let receipt: CommitReceipt
      do throws(CommitError) {
        receipt = try await table.commit(UpsertChange(writer: self))
      } catch {
        if let held = turn {
          turn = nil
          try await outwait(held)
          continue
        }
        if let failure {
          switch failure {
          case .fenced, .rolledBack: end = failure
          default: break
          }
          throw failure
        }
        // The attempt may have happened. Planned again, it is found if it has; and if it has not by
        // the time another one has, it never will.
        guard case .stateUnknown = error else { throw .commit(error) }
        isInDoubt = true
        guard doubts < Self.doubtLimit else { throw .commit(error) }
        doubts += 1
        guard let now = try? await table.refreshed() else { throw .commit(error) }
        table = now
        continue
      }
      return try await finish(receipt)
    }
  }

  /// How often it is looked whether a compaction has had its turn.
  private static let turnPoll = Duration.milliseconds(50)

  /// Waits until the compaction that asked for it in `table` has had its turn, or its time is over.
  private func outwait(_ table: Table) async throws(IngestError) {
    self.table = table
    while isTurn(in: self.table.metadata) {
      do throws(CancellationError) {
        try await table.environment.sleep(for: Self.turnPoll)
      } catch {
        throw .commit(.cancelled)
      }
      if let now = try? await self.table.refreshed() { self.table = now }
    }
  }

  /// True if a compaction of the branch has asked that commits be held back.
  func isTurn(in metadata: TableMetadata) -> Bool {
    metadata.isCompactionsTurn(
      on: options.branch, at: table.environment.now().milliseconds)
  }

  /// Takes notice of how far sources were read.
  private func noteOffsets(_ offsets: [String: Int64]) throws(IngestError) {
    guard let name = options.writer else { return }
    for (partition, offset) in offsets {
      let committed = committedOffsets[partition]
      if let committed, offset < committed {
        throw .offsetWentBack(
          writer: name, partition: partition, committed: committed, given: offset)
      }
      if offset != committed { pendingOffsets[partition] = offset }
    }
  }

  /// Takes notice of a commit that happened.
  private func finish(_ receipt: CommitReceipt) async throws(IngestError) -> UpsertReceipt {
    let landed =
      receipt.snapshot
      ?? pending.attempted.lazy.compactMap {
        receipt.table.metadata.snapshot($0)
      }.first
    guard let snapshot = landed else { throw .commit(.cancelled) }
    let counts = UpsertCounts(summary: snapshot.summary) ?? buffer.counts(after: recentDeletions)
    let files = pending
    let entries = buffer.entries
    cadence.learn(
      rowByteCount: buffer.takenByteCount,
      fileByteCount: files.files.reduce(0) { $0 + $1.file.byteCount })
    if let name = options.writer {
      record = (try? receipt.table.metadata.writerRecord(name)) ?? nextRecord
    }
    recentDeletions.note(entries)
    counters.commits += 1
    counters.committed = counters.committed + counts
    // From here on nothing is pending: what fails now is found out of the table again.
    isInDoubt = false
    buffer = KeyedBuffer(isPartial: options.isPartial)
    pending = PendingCommit()
    pendingOffsets = [:]
    nextRecord = nil
    firstPending = nil
    await adopt(receipt.table, files)
    return UpsertReceipt(
      table: receipt.table, snapshot: snapshot, counts: counts, attempts: receipt.attempts)
  }

  /// Brings what is known to the state after the commit of `files`.
  ///
  /// What can't be read now is read at the next need.
  func adopt(_ now: Table, _ files: PendingCommit) async {
    table = now
    if now.metadata.currentSchemaID != binding.schema.id,
      let newer = try? UpsertBinding(now, options)
    {
      binding = newer
    }
    for written in files.files {
      try? index.insert(written.file.path, [written.rows])
    }
    guard let newer = try? await state.refreshed(to: now) else { return }
    for (path, rows) in files.vectors { newer.note(rows, of: path) }
    var known = index
    guard (try? await known.follow(newer)) != nil else { return }
    (state, index) = (newer, known)
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
public import Iceberg
internal import Scanning
internal import Storage

extension Table {
  /// Deletes the rows that match `filter`, in one commit.
  ///
  /// Files whose rows all match are taken out without being read. If others change the same rows
  /// meanwhile, the matching rows are looked for again in what they left.
  ///
  /// - Parameter mode: nil: as `write.delete.mode` says, else merge-on-read.
  /// - Returns: nil if no row matched; then nothing was committed.
  public func deleteRows(
    where filter: Predicate, mode: RowChangeMode? = nil,
    branch: String = SnapshotReference.mainBranch
  ) async throws(CommitError) -> CommitReceipt? {
    try await redoing { (table) throws(CommitError) -> PlannedRows? in
      let request = try RowChangeRequest(.delete, of: table, filter, mode, branch)
      return try await RowRemoval(request).plan(adding: [])
    }
  }

  /// Changes the rows that match `filter` by `change`, in one commit.
  ///
  /// - Parameter change: given rows with the table's columns, gives as many, in their order, with
  ///   the same columns; it may be called again for the same rows.
  /// - Parameter mode: nil: as `write.update.mode` says, else merge-on-read.
  /// - Returns: nil if no row matched; then nothing was committed.
  public func updateRows(
    where filter: Predicate, mode: RowChangeMode? = nil,
    branch: String = SnapshotReference.mainBranch,
    _ change: @Sendable (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> CommitReceipt? {
    try await redoing { (table) throws(CommitError) -> PlannedRows? in
      let request = try RowChangeRequest(.update, of: table, filter, mode, branch)
      return try await RowUpdate(request).plan(change)
    }
  }

  /// Puts the rows that `next` gives in the place of those that match `filter`, in one commit.
  ///
  /// - Parameter next: the next batch, columns by name; nil after the last.
  /// - Returns: nil if there was nothing to delete and nothing to add.
  public func overwriteRows<Source: Error>(
    where filter: Predicate, branch: String = SnapshotReference.mainBranch,
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> CommitReceipt? {
    let files = try await writeFiles(next)
    return try await committing(files, or: Source.self) {
      () throws(CommitError) -> CommitReceipt? in
      try await redoing { (table) throws(CommitError) -> PlannedRows? in
        let request = try RowChangeRequest(.delete, of: table, filter, nil, branch)
        return try await RowRemoval(request).plan(adding: files)
      }
    }
  }

  /// Puts the rows that `next` gives in the place of all rows of the partitions they fall in; in a
  /// table without partitions, of all rows.
  ///
  /// - Returns: nil if there were no rows; then nothing was committed.
  public func replacePartitions<Source: Error>(
    branch: String = SnapshotReference.mainBranch,
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> CommitReceipt? {
    let files = try await writeFiles(next)
    guard !files.isEmpty else { return nil }
    return try await committing(files, or: Source.self) {
      () throws(CommitError) -> CommitReceipt? in
      try await commit(ReplacePartitions(files, branch: branch))
    }
  }

  /// Commits what `plan` makes of the table's newest state, and makes it again if others changed
  /// the same rows.
  private func redoing(
    _ plan: (Table) async throws(CommitError) -> PlannedRows?
  ) async throws(CommitError) -> CommitReceipt? {
    let policy = try CommitLoop.RetryPolicy(for: metadata)
    let start = environment.uptime()
    var table = self
    var attempts = 0
    while true {
      attempts += 1
      guard let planned = try await plan(table) else { return nil }
      let lost: CommitError
      do throws(CommitError) {
        return try await table.commit(planned.delta)
      } catch {
        // After an unknown outcome its files may be part of the table.
        if case .stateUnknown = error { throw error }
        await store.discard(planned.files)
        guard case .conflict(let conflict) = error else { throw error }
        let isLast =
          attempts >= policy.attemptLimit ?? .max
          || environment.uptime() - start >= policy.totalTime
        if isLast { throw .conflictsPersist(attempts: attempts, last: "\(conflict)") }
        lost = error
      }
      let newest: Table
      do throws(CatalogError) { newest = try await table.refreshed() } catch {
        throw .catalog(error)
      }
      // Where no one was in the way, the same would come of the same.
      if newest.metadataLocation == table.metadataLocation { throw lost }
      table = newest
    }
  }
}

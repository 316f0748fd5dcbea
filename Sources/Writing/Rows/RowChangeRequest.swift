// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage

/// Which rows of which state of a table are to be changed, and how that is committed.
struct RowChangeRequest: Sendable {
  let table: Table
  let filter: Predicate
  let mode: RowChangeMode
  let isolation: IsolationLevel
  let branch: String

  /// - Parameter mode: nil: what the table's properties say of changes of this `kind`.
  /// - Throws: ``CommitError/unsupported(_:)`` if tables of this version can't have the mode.
  init(
    _ kind: RowChangeKind, of table: Table, _ filter: Predicate, _ mode: RowChangeMode?,
    _ branch: String
  ) throws(CommitError) {
    self.table = table
    self.filter = filter
    self.branch = branch
    if let mode { self.mode = mode } else { self.mode = try kind.mode(table.metadata) }
    isolation = try kind.isolation(table.metadata)
    try table.metadata.check(self.mode)
  }

  func matchedRows() async throws(CommitError) -> MatchedRows {
    try await MatchedRows(of: filter, in: table, branch: branch)
  }

  /// Notes the matched rows as deleted.
  ///
  /// - Parameters:
  ///   - added: data files that take their place.
  ///   - written: those of `added` that were written for this change alone; nothing is left of them
  ///     on an error.
  func mergingOnRead(
    _ matched: MatchedRows, adding added: [DataFile], written: [DataFile] = [],
    otherDeletes: ReadSet.OtherDeletes
  ) async throws(CommitError) -> PlannedRows {
    let (positions, replaced) = matched.deletes(table.metadata.formatVersion)
    let deletes: [DataFile]
    do throws(CommitError) {
      var writer = try PositionDeleteWriter(
        table.metadata, store: table.store, environment: table.environment)
      deletes = try await writer.write(positions)
    } catch {
      await table.store.discard(written)
      throw error
    }
    return planned(
      matched, adding: added + deletes, removing: matched.whole.map(\.file) + replaced,
      written: written + deletes, otherDeletes: otherDeletes)
  }

  /// Puts data files, of which `written` were written for this change alone, in the place of all
  /// that have matched rows.
  func replacingFiles(
    _ matched: MatchedRows, by added: [DataFile], written: [DataFile]
  ) -> PlannedRows {
    planned(
      matched, adding: added, removing: matched.tasks.map(\.file), written: written,
      otherDeletes: .conflict)
  }

  private func planned(
    _ matched: MatchedRows, adding added: [DataFile], removing removed: [DataFile],
    written: [DataFile], otherDeletes: ReadSet.OtherDeletes
  ) -> PlannedRows {
    PlannedRows(
      delta: RowDelta(
        adding: added, removing: removed,
        basis: matched.basis(filter, isolation, otherDeletes: otherDeletes), branch: branch),
      files: written)
  }
}

/// A change of rows that is ready to be committed.
struct PlannedRows: Sendable {
  let delta: RowDelta
  /// Data and delete files written for it alone.
  let files: [DataFile]
}

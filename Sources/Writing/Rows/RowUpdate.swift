// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Works out how the rows that match a predicate are changed in a state of a table.
struct RowUpdate {
  private let request: RowChangeRequest

  init(_ request: RowChangeRequest) { self.request = request }

  private var rewriting: RowRewriting {
    RowRewriting(table: request.table, branch: request.branch)
  }

  /// - Returns: nil if no row matches.
  func plan(
    _ change: @Sendable (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> PlannedRows? {
    let matched = try await request.matchedRows()
    if matched.isEmpty { return nil }
    switch request.mode {
    case .mergeOnRead:
      let changed = try await changedRows(matched, change)
      return try await request.mergingOnRead(
        matched, adding: changed, written: changed, otherDeletes: .conflict)
    case .copyOnWrite:
      let files = try await rewritten(matched, change)
      return request.replacingFiles(matched, by: files, written: files)
    }
  }

  /// The matching rows, changed.
  private func changedRows(
    _ matched: MatchedRows, _ change: (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> [DataFile] {
    try await rewriting.write(matched.tasks, where: request.filter) {
      (rows) throws(CommitError) -> [RecordBatch] in
      [try change(rows.rows).asUpdated()]
    }
  }

  /// All rows of the files that have matching ones, those changed.
  private func rewritten(
    _ matched: MatchedRows, _ change: (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> [DataFile] {
    let matching = matched.positionsByPath
    return try await rewriting.write(matched.tasks) {
      (rows) throws(CommitError) -> [RecordBatch] in
      guard let some = matching[rows.path] else { return [try change(rows.rows).asUpdated()] }
      let mask = rows.mask(some)
      let changed = try change(rows.rows.filter(by: mask)).asUpdated()
      return [rows.rows.filter(by: mask.inverted()), changed]
    }
  }
}

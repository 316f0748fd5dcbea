// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning

/// Works out how the rows that match a predicate are changed in a state of a table.
struct RowUpdate {
  private let table: Table
  private let filter: Predicate
  private let mode: RowChangeMode
  private let isolation: IsolationLevel
  private let branch: String

  init(
    _ table: Table, _ filter: Predicate, _ mode: RowChangeMode?, _ branch: String
  ) throws(CommitError) {
    self.table = table
    self.filter = filter
    self.branch = branch
    if let mode {
      self.mode = mode
    } else {
      self.mode = try RowChangeKind.update.mode(table.metadata)
    }
    isolation = try RowChangeKind.update.isolation(table.metadata)
    try table.metadata.check(self.mode)
  }

  /// - Returns: nil if no row matches.
  func plan(
    _ change: @Sendable (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> PlannedRows? {
    let matched = try await MatchedRows(of: filter, in: table, branch: branch)
    if matched.isEmpty { return nil }
    let basis = matched.basis(filter, isolation, otherDeletes: .conflict)
    switch mode {
    case .mergeOnRead:
      let changed = try await changedRows(matched, change)
      let (positions, replaced) = matched.deletes(table.metadata.formatVersion)
      var writer = try PositionDeleteWriter(
        table.metadata, store: table.store, environment: table.environment)
      let deletes = try await writer.write(positions)
      let delta = RowDelta(
        adding: changed + deletes, removing: matched.whole.map(\.file) + replaced, basis: basis,
        branch: branch)
      return PlannedRows(delta: delta, files: changed + deletes)
    case .copyOnWrite:
      let files = try await rewritten(matched, change)
      let delta = RowDelta(
        adding: files, removing: matched.tasks.map(\.file), basis: basis, branch: branch)
      return PlannedRows(delta: delta, files: files)
    }
  }

  /// The matching rows, changed.
  private func changedRows(
    _ matched: MatchedRows, _ change: (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> [DataFile] {
    try await RowRewriting(table: table, branch: branch).write(matched.tasks, where: filter) {
      (rows) throws(CommitError) -> [RecordBatch] in
      [try change(rows.rows).asUpdated()]
    }
  }

  /// All rows of the files that have matching ones, those changed.
  private func rewritten(
    _ matched: MatchedRows, _ change: (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> [DataFile] {
    var matching: [String: DeletionVector] = [:]
    for part in matched.parts { matching[part.task.file.path] = part.matching }
    return try await RowRewriting(table: table, branch: branch).write(matched.tasks) {
      (rows) throws(CommitError) -> [RecordBatch] in
      guard let some = matching[rows.path] else { return [try change(rows.rows).asUpdated()] }
      let mask = rows.mask(some)
      let changed = try change(rows.rows.filter(by: mask)).asUpdated()
      return [rows.rows.filter(by: mask.inverted()), changed]
    }
  }
}

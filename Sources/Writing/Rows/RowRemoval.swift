// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning

/// Works out how the rows that match a predicate are taken out of a state of a table.
struct RowRemoval {
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
      self.mode = try RowChangeKind.delete.mode(table.metadata)
    }
    isolation = try RowChangeKind.delete.isolation(table.metadata)
    try table.metadata.check(self.mode)
  }

  /// - Parameter added: data files that take the rows' place.
  /// - Returns: nil if nothing changes.
  func plan(adding added: [DataFile]) async throws(CommitError) -> PlannedRows? {
    let matched = try await MatchedRows(of: filter, in: table, branch: branch)
    if matched.isEmpty, added.isEmpty { return nil }
    switch mode {
    case .mergeOnRead: return try await mergingOnRead(matched, added)
    case .copyOnWrite: return try await copyingOnWrite(matched, added)
    }
  }

  private func mergingOnRead(
    _ matched: MatchedRows, _ added: [DataFile]
  ) async throws(CommitError) -> PlannedRows {
    let (positions, replaced) = matched.deletes(table.metadata.formatVersion)
    var writer = try PositionDeleteWriter(
      table.metadata, store: table.store, environment: table.environment)
    let deletes = try await writer.write(positions)
    let delta = RowDelta(
      adding: added + deletes, removing: matched.whole.map(\.file) + replaced,
      basis: matched.basis(
        filter, isolation, otherDeletes: added.isEmpty ? .allowed : .conflict),
      branch: branch)
    return PlannedRows(delta: delta, files: deletes)
  }

  private func copyingOnWrite(
    _ matched: MatchedRows, _ added: [DataFile]
  ) async throws(CommitError) -> PlannedRows {
    var matching: [String: DeletionVector] = [:]
    for part in matched.parts { matching[part.task.file.path] = part.matching }
    let rewriting = RowRewriting(table: table, branch: branch)
    let kept = try await rewriting.write(matched.parts.map(\.task)) {
      (rows) throws(CommitError) -> [RecordBatch] in
      guard let gone = matching[rows.path] else { return [rows.rows] }
      return [rows.rows.filter(by: rows.mask(gone).inverted())]
    }
    let delta = RowDelta(
      adding: added + kept, removing: matched.tasks.map(\.file),
      basis: matched.basis(filter, isolation, otherDeletes: .conflict), branch: branch)
    return PlannedRows(delta: delta, files: kept)
  }
}

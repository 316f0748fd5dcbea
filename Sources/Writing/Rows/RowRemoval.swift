// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Works out how the rows that match a predicate are taken out of a state of a table.
struct RowRemoval {
  private let request: RowChangeRequest

  init(_ request: RowChangeRequest) { self.request = request }

  /// - Parameter added: data files that take the rows' place.
  /// - Returns: nil if nothing changes.
  func plan(adding added: [DataFile]) async throws(CommitError) -> PlannedRows? {
    let matched = try await request.matchedRows()
    if matched.isEmpty, added.isEmpty { return nil }
    switch request.mode {
    case .mergeOnRead:
      return try await request.mergingOnRead(
        matched, adding: added, otherDeletes: added.isEmpty ? .allowed : .conflict)
    case .copyOnWrite:
      let kept = try await keptRows(matched)
      return request.replacingFiles(matched, by: added + kept, written: kept)
    }
  }

  /// The rows that stay of files that have matching ones.
  private func keptRows(_ matched: MatchedRows) async throws(CommitError) -> [DataFile] {
    let matching = matched.positionsByPath
    return try await RowRewriting(table: request.table, branch: request.branch)
      .write(matched.parts.map(\.task)) { (rows) throws(CommitError) -> [RecordBatch] in
        guard let gone = matching[rows.path] else { return [rows.rows] }
        return [rows.rows.filter(by: rows.mask(gone).inverted())]
      }
  }
}

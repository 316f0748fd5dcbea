// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg
internal import Scanning

extension KeyIndex {
  /// What the indexes kept with a table have of the rows of the data files at `paths`, which need not
  /// be there any more: by path, `_row_id` as the file itself has it by position, nil where it has
  /// none. A file that no index covers is left out; rows without a key are in none.
  ///
  /// Cost: all of an index, one after the other until all files are covered.
  /// - Throws: ``KeyIndexError/reading(_:)`` if the state can't be planned.
  package static func keptRows(
    ofFiles paths: [String], of state: TableState
  ) async throws(KeyIndexError) -> [String: [Int64: Int64?]] {
    var found: [String: [Int64: Int64?]] = [:]
    for status in try await status(of: state.table, at: state.selection) {
      let missing = paths.filter { found[$0] == nil }
      if missing.isEmpty { break }
      guard status.key.allSatisfy({ state.schema.field(named: $0) != nil }) else { continue }
      let index = try await kept(state, key: status.key)
      for path in missing {
        if let rows = index.storedRowIDs(ofFile: path) { found[path] = rows }
      }
    }
    return found
  }

  /// Nil if the file is not covered, or not all entries are in memory.
  private func storedRowIDs(ofFile path: String) -> [Int64: Int64?]? {
    guard let number = files.number(of: PathKey(path)) else { return nil }
    var found: [Int64: Int64?] = [:]
    for segment in segments {
      guard let columns = segment.memory?.columns else { return nil }
      let files = columns.files.values(as: UInt32.self)
      let positions = columns.positions.values(as: UInt32.self)
      let idBuffer = (columns.rowIDs ?? .empty).aligned(to: 8)
      let ids = idBuffer.values(as: Int64.self)
      let hasIDs = columns.rowIDs != nil
      for entry in files.indices where Int(files[entry]) == number {
        let id = hasIDs ? ids[entry] : SegmentColumns.noRowID
        found.updateValue(id < 0 ? nil : id, forKey: Int64(positions[entry]))
      }
    }
    return found
  }
}

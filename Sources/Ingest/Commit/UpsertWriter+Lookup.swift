// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg
internal import KeyIndexing
internal import Scanning

// The newest rows, those that are not committed yet among them.

extension UpsertWriter {
  func newestRows(
    _ keys: RecordBatch, _ columns: [String]?
  ) async throws(IngestError) -> RecordBatch {
    let hashes = try binding.hashes(try binding.keys(in: keys), seed: index.seed)
    let matches = try await matches(hashes)
    var own: [Int32] = []
    var newest = NewestPlaces(entryCount: buffer.entries.count)
    var places: [RowPlace] = []
    // For each key with a row: where it is among the own rows, or behind them.
    var sources: [(isOwn: Bool, row: Int)] = []
    for key in 0..<hashes.count {
      let found = matches.newest(key)?.place
      if let entry = buffer.entry(of: hashes[key]) {
        switch buffer.entries[entry].state {
        case .deletion: continue
        case .row:
          if buffer.entries[entry].isLate(matches.newest(key)) { break }
          sources.append((true, own.count))
          own.append(Int32(entry))
          newest[Int32(entry)] = found
          continue
        case .written(let file, let position):
          sources.append((false, places.count))
          places.append(RowPlace(file: state.files.count + Int(file), position: Int64(position)))
          continue
        case .late: break
        }
      }
      guard let found else { continue }
      sources.append((false, places.count))
      places.append(RowPlace(file: found.file, position: found.position))
    }
    let names = binding.schema.fields.map(\.name)
    var parts: [RecordBatch] = []
    if sources.isEmpty { parts.append(BatchBuilder(binding.schema.columnFields).finish()) }
    if let rows = try await ownRows(own, newest) { parts.append(rows) }
    let ownCount = own.count
    if !places.isEmpty {
      parts.append(try await rows(at: places, columns: names))
    }
    let order = sources.map { Int32($0.isOwn ? $0.row : ownCount + $0.row) }
    let rows = try columnar { () throws(ColumnarError) in
      try RecordBatch.concat(parts).gather(order)
    }
    guard let columns else { return rows }
    var indices: [Int] = []
    for name in columns {
      guard let index = rows.fields.firstIndex(where: { $0.name == name }) else {
        throw .index(.unknownColumn(name))
      }
      indices.append(index)
    }
    return rows.selecting(indices)
  }

  /// The rows of `entries`, which are in memory, in their order.
  private func ownRows(
    _ entries: [Int32], _ newest: NewestPlaces
  ) async throws(IngestError) -> RecordBatch? {
    guard !entries.isEmpty else { return nil }
    let distinct = Array(Set(entries)).sorted()
    let pending: PendingRows?
    if binding.isPartial {
      let base = try await baseRows(distinct, newest)
      pending = try columnar { () throws(ColumnarError) in
        try buffer.filledRows(of: distinct, on: base)
      }
    } else {
      pending = try columnar { () throws(ColumnarError) in try buffer.rows(of: distinct) }
    }
    guard let pending else { return nil }
    var rowByEntry: [Int32: Int32] = [:]
    for (row, entry) in pending.entries.enumerated() { rowByEntry[entry] = Int32(row) }
    let order = entries.compactMap { rowByEntry[$0] }
    let rows = try columnar { () throws(ColumnarError) in try pending.rows.gather(order) }
    return RecordBatch(
      fields: binding.schema.columnFields, columns: rows.columns, rowCount: rows.rowCount)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Rows of a buffer that count, put together.
struct PendingRows: Sendable {
  let rows: RecordBatch
  /// The entry of each row.
  let entries: [Int32]

  /// These rows in another order, or some of them.
  func picking(_ order: [Int32]) throws(ColumnarError) -> PendingRows {
    PendingRows(rows: try rows.gather(order), entries: order.map { entries[Int($0)] })
  }
}

/// Rows from elsewhere, that lie below rows given in part.
struct BaseRows: Sendable {
  let rows: RecordBatch
  /// The row that lies below an entry's lowest.
  let rowByEntry: [Int32: Int32]
}

extension KeyedBuffer {
  /// The entries whose rows are in memory.
  var pendingEntries: [Int32] {
    entries.indices.filter { if case .row = entries[$0].state { true } else { false } }
      .map { Int32(truncatingIfNeeded: $0) }
  }

  /// The deletions.
  var deletionEntries: [Int32] {
    entries.indices.filter { entries[$0].state == .deletion }
      .map { Int32(truncatingIfNeeded: $0) }
  }

  /// The rows of `wanted`, which are entries whose rows are in memory; as they were given.
  ///
  /// - Returns: nil if there are none.
  func rows(of wanted: [Int32]) throws(ColumnarError) -> PendingRows? {
    guard !wanted.isEmpty else { return nil }
    // The entry of each row of a batch that is wanted.
    var byBatch: [[Int32]] = batches.map { [Int32](repeating: -1, count: $0.rowCount) }
    for entry in wanted {
      guard case .row(let batch, let row) = entries[Int(entry)].state else { continue }
      byBatch[Int(batch)][Int(row)] = entry
    }
    var parts: [RecordBatch] = []
    var order: [Int32] = []
    for (batch, entryOfRow) in zip(batches, byBatch) {
      var rows: [Int32] = []
      for (row, entry) in entryOfRow.enumerated() where entry >= 0 {
        rows.append(Int32(truncatingIfNeeded: row))
        order.append(entry)
      }
      if rows.isEmpty { continue }
      parts.append(rows.count == batch.rowCount ? batch : try batch.gather(rows))
    }
    guard !parts.isEmpty else { return nil }
    return PendingRows(rows: try RecordBatch.concat(parts), entries: order)
  }

  /// What lies below the rows in memory of an entry: a row of a data file of the commit, nothing
  /// (as the key was deleted), or nil: what the table has.
  func bottom(of entry: Int32) -> KeyedEntry.State? {
    var below = entries[Int(entry)].below
    while below >= 0 {
      let version = versions[Int(below)]
      switch version.state {
      case .row: below = version.below
      case .written, .deletion: return version.state
      case .late: return nil
      }
    }
    return nil
  }

  /// The rows of `wanted`, which are given in part: where one is null, what lies below is taken.
  ///
  /// - Returns: nil if there are none.
  func filledRows(of wanted: [Int32], on base: BaseRows?) throws(ColumnarError) -> PendingRows? {
    guard !wanted.isEmpty, let fields = batches.first?.fields else { return nil }
    var starts: [Int32] = []
    var count = 0
    for batch in batches {
      starts.append(Int32(truncatingIfNeeded: count))
      count += batch.rowCount
    }
    let layers = wanted.map { self.layers(of: $0, starts) }
    let baseStart = Int32(truncatingIfNeeded: count)
    var columns: [Column] = []
    for index in fields.indices {
      var sources = batches.map { $0.columns[index] }
      if let base { sources.append(base.rows.columns[index]) }
      sources.append(.nulls(fields[index].type, count: 1))
      let all = try Column.concat(sources)
      var rows: [Int32] = []
      rows.reserveCapacity(wanted.count)
      for (entry, layers) in zip(wanted, layers) {
        var layers = layers
        if let row = base?.rowByEntry[entry] { layers.append(baseStart + row) }
        let null = Int32(truncatingIfNeeded: all.count - 1)
        rows.append(layers.first { !all.isNull(Int($0)) } ?? null)
      }
      columns.append(try all.gather(rows))
    }
    return PendingRows(
      rows: RecordBatch(fields: fields, columns: columns, rowCount: wanted.count), entries: wanted)
  }

  /// The rows in memory of an entry, the newest first, as rows of all batches one after another.
  private func layers(of entry: Int32, _ starts: [Int32]) -> [Int32] {
    var layers: [Int32] = []
    var state = entries[Int(entry)].state
    var below = entries[Int(entry)].below
    while case .row(let batch, let row) = state {
      layers.append(starts[Int(batch)] + row)
      guard below >= 0 else { break }
      state = versions[Int(below)].state
      below = versions[Int(below)].below
    }
    return layers
  }

  // MARK: what became of entries

  /// Notes that the row of `entry` is at `position` of data file `file` of the commit.
  mutating func place(_ entry: Int32, file: Int32, position: Int32, rowID: Int64?) {
    entries[Int(entry)].state = .written(file: file, position: position)
    entries[Int(entry)].rowID = rowID ?? -1
    entries[Int(entry)].below = -1
  }

  /// Notes that the table has a row of the key that is newer.
  mutating func markLate(_ entry: Int32) {
    late += 1
    if case .written(let file, let position) = entries[Int(entry)].state {
      supersededPositions[file, default: []].append(position)
    }
    entries[Int(entry)].state = .late
    entries[Int(entry)].below = -1
  }

  /// Notes that a row of a data file of the commit counts no more.
  mutating func giveUp(_ place: KeyedEntry.State) {
    guard case .written(let file, let position) = place else { return }
    supersededPositions[file, default: []].append(position)
  }

  /// Notes whether the table has a row of the key.
  mutating func setReplaces(_ entry: Int32, _ replaces: Bool) {
    entries[Int(entry)].replaces = replaces
  }

  /// Lets the rows go that were in memory: all that count are in data files.
  mutating func releaseRows() {
    batches = []
    versions = []
    liveRowCount = 0
    rowCount = 0
    batchByteCount = 0
  }

  /// Puts the rows that count into one batch, and lets the others go.
  mutating func compact() throws(ColumnarError) {
    guard !isPartial, let pending = try rows(of: pendingEntries) else { return }
    batches = [pending.rows]
    rowCount = pending.rows.rowCount
    liveRowCount = rowCount
    batchByteCount = pending.rows.byteCount
    for (row, entry) in pending.entries.enumerated() {
      entries[Int(entry)].state = .row(batch: 0, row: Int32(truncatingIfNeeded: row))
    }
  }

  /// What has become of all that was given, as it stands.
  func counts(after deletions: RecentDeletions) -> UpsertCounts {
    var counts = UpsertCounts()
    counts.received = received
    counts.superseded = superseded
    counts.late = late
    for entry in entries {
      switch entry.state {
      case .row, .written:
        counts.written += 1
        if entry.replaces { counts.replaced += 1 }
        if !deletions.isEmpty, deletions.isAbove(entry) { counts.resurrected += 1 }
      case .deletion: counts.deleted += 1
      case .late: break
      }
    }
    return counts
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import KeyIndexing
internal import Scanning
internal import Writing

// From rows in memory to data files that no snapshot names yet.

extension UpsertWriter {
  var selection: SnapshotSelection { .reference(options.branch) }

  /// Makes room for rows: first what counts no more goes, then all goes to data files.
  func makeRoom() async throws(IngestError) {
    guard buffer.batchByteCount > options.memoryLimit else { return }
    if buffer.isWorthCompacting {
      try columnar { () throws(ColumnarError) in try buffer.compact() }
    }
    if buffer.batchByteCount > options.memoryLimit / 2 { try await flush() }
  }

  /// Writes the rows that are in memory to data files, but those that are late, and notes which rows
  /// of the table go for them and for deletions.
  ///
  /// On an error they are in memory still.
  func flush() async throws(IngestError) {
    let deletions = buffer.deletionEntries
    let wanted = buffer.pendingEntries
    guard !deletions.isEmpty || !wanted.isEmpty else { return }
    let matches = try await matches(of: deletions + wanted)
    var dead = DeadPlaces(state)
    var kept: [Int32] = []
    var newest = NewestPlaces(entryCount: buffer.entries.count)
    for (key, entry) in (deletions + wanted).enumerated() {
      let found = matches.newest(key)
      if buffer.entries[Int(entry)].isLate(found) {
        buffer.markLate(entry)
        continue
      }
      for place in matches[key] { dead.insert(place) }
      buffer.setReplaces(entry, found != nil)
      if key < deletions.count { continue }
      kept.append(entry)
      newest[entry] = found?.place
    }
    let isFirst = pending.dead.isEmpty && pending.files.isEmpty
    if let rows = try await pendingRows(kept, newest) {
      try await write(rows, on: table, binding.schema) { newest[$0]?.rowID }
    }
    buffer.releaseRows()
    if isFirst { pending.base = state.snapshot?.id }
    for (path, positions) in dead.byPath(state) { pending.dead[path, default: []] += positions }
  }

  /// The live rows of the keys of `entries`.
  func matches(of entries: [Int32]) async throws(IngestError) -> KeyMatches {
    try await matches(KeyHashes(entries.map { buffer.entries[Int($0)].hash }))
  }

  /// Where the live rows of keys are. An index of which a part was swept away, which others may do to
  /// what the table no longer names, is made from the table again.
  private func placesMakingIndexAnew(
    _ hashes: KeyHashes
  ) async throws(KeyIndexError) -> KeyPlaces {
    do throws(KeyIndexError) {
      return try await index.lookup(hashes, in: state)
    } catch .segmentIsGone {
      try await makeIndexAnew()
      return try await index.lookup(hashes, in: state)
    }
  }

  /// Makes the index of the table's rows alone.
  func makeIndexAnew() async throws(KeyIndexError) {
    var anew = KeyIndex(
      index.columns, order: index.order, seed: index.seed, memoryLimit: index.memoryLimit)
    _ = try await anew.cover(state)
    index = anew
  }

  /// The live rows of keys.
  func matches(_ hashes: KeyHashes) async throws(IngestError) -> KeyMatches {
    let places: KeyPlaces
    do throws(KeyIndexError) { places = try await placesMakingIndexAnew(hashes) } catch {
      throw .index(error)
    }
    guard let order = binding.order else {
      return KeyMatches(places, orders: nil, isOrdered: false)
    }
    if places.places.allSatisfy({ $0.order != nil }) {
      return KeyMatches(places, orders: nil, isOrdered: true)
    }
    let name = state.schema.name(of: order.id) ?? order.name
    let column = try await rows(
      at: places.places.map { RowPlace(file: $0.file, position: $0.position) }, columns: [name]
    ).columns[0]
    return KeyMatches(
      places, orders: try OrderValues.optional(column, name: name), isOrdered: true)
  }

  // MARK: rows

  /// The rows of `entries` as they are to be written.
  private func pendingRows(
    _ entries: [Int32], _ newest: NewestPlaces
  ) async throws(IngestError) -> PendingRows? {
    guard binding.isPartial else {
      return try columnar { () throws(ColumnarError) in try buffer.rows(of: entries) }
    }
    let base = try await baseRows(entries, newest)
    let filled = try columnar { () throws(ColumnarError) in
      try buffer.filledRows(of: entries, on: base)
    }
    return try filled.map { rows throws(IngestError) in
      try binding.completed(rows, base: base)
    }
  }

  /// The rows that lie below those of `entries`, which are given in part.
  func baseRows(
    _ entries: [Int32], _ newest: NewestPlaces
  ) async throws(IngestError) -> BaseRows? {
    var places: [RowPlace] = []
    var rowByEntry: [Int32: Int32] = [:]
    for entry in entries {
      switch buffer.bottom(of: entry) {
      case .written(let file, let position):
        rowByEntry[entry] = Int32(places.count)
        places.append(
          RowPlace(file: state.files.count + Int(file), position: Int64(position)))
      case nil:
        guard let place = newest[entry] else { continue }
        rowByEntry[entry] = Int32(places.count)
        places.append(RowPlace(file: place.file, position: place.position))
      case .row, .deletion, .late: continue
      }
    }
    guard !places.isEmpty else { return nil }
    let rows = try await rows(at: places, columns: binding.schema.fields.map(\.name))
    return BaseRows(rows: rows, rowByEntry: rowByEntry)
  }

  /// Rows of the table's files, and behind them of those that were written for the commit.
  func rows(
    at places: [RowPlace], columns: [String]
  ) async throws(IngestError) -> RecordBatch {
    let (files, own) = (state.files, pending.files)
    return try await RowReading(table: state.table, selection: selection).rows(
      at: places, columns: columns
    ) { $0 < files.count ? files[$0].task : own[$0 - files.count].task }
  }

  // MARK: files

  /// Writes rows to data files, by key, and notes where they are.
  func write(
    _ rows: PendingRows, on table: Table, _ schema: Schema, rowID: (Int32) -> Int64?
  ) async throws(IngestError) {
    let metadata = table.metadata
    let order = metadata.defaultSortOrder
    let keys = binding.key.compactMap { rows.rows.column(fieldID: $0.id.rawValue) }
    let sorted = try columnar { () throws(ColumnarError) in
      let sortKeys =
        rows.rows.sortKeys(order, schema)
        + keys.map { SortKey($0, .ascending, nulls: .first) }
      return try rows.picking(rows.rows.sortedRows(by: sortKeys))
    }
    let rowIDs = metadata.formatVersion >= .v3 ? column(sorted.entries.map(rowID)) : nil
    let files: [PlacedRows]
    do throws(CommitError) {
      let writer = try PlacedRowWriter(
        table, schema: schema, sortOrderID: order.id,
        keyed: binding.key.compactMap { schema.name(of: $0.id) })
      files = try await writer.write(sorted.rows, rowIDs: rowIDs)
    } catch {
      throw .commit(error)
    }
    try note(files, sorted, rowIDs)
  }

  /// Notes where rows were written.
  private func note(
    _ files: [PlacedRows], _ sorted: PendingRows, _ rowIDs: Column?
  ) throws(IngestError) {
    let orders = binding.order.flatMap { sorted.rows.column(fieldID: $0.id.rawValue) }
    for placed in files {
      let number = Int32(pending.files.count)
      let entries = placed.rows.map { sorted.entries[Int($0)] }
      let rows = try columnar { () throws(ColumnarError) in
        IndexedRows(
          hashes: KeyHashes(entries.map { buffer.entries[Int($0)].hash }),
          rowIDs: try rowIDs?.gather(placed.rows), orders: try orders?.gather(placed.rows))
      }
      for (position, entry) in entries.enumerated() {
        let id = rows.rowIDs.flatMap { $0.isNull(position) ? nil : $0.integer(position) }
        buffer.place(entry, file: number, position: Int32(position), rowID: id)
      }
      pending.files.append(PendingCommit.WrittenFile(file: placed.file, rows: rows))
      counters.filesWritten += 1
      counters.bytesWritten += placed.file.byteCount
    }
  }

  /// Ids as a column; nil if there is none.
  private func column(_ ids: [Int64?]) -> Column? {
    guard ids.contains(where: { $0 != nil }) else { return nil }
    let builder = ColumnBuilder(.int64, capacity: ids.count)
    for id in ids {
      if let id { builder.append(id) } else { builder.appendNull() }
    }
    return builder.finish()
  }

  func columnar<T>(_ body: () throws(ColumnarError) -> T) throws(IngestError) -> T {
    do throws(ColumnarError) { return try body() } catch {
      throw .rows(.unsupported("rows of more than 2 GiB of text at a time"))
    }
  }
}

extension PendingCommit.WrittenFile {
  /// The file as it is read before it is committed.
  var task: ScanTask { ScanTask(file: file, sequenceNumber: SequenceNumber(0)) }
}

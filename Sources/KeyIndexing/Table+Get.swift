// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
internal import Expressions
internal import Iceberg
public import Scanning
internal import Storage

/// The rows that were found of some keys.
public struct KeyedRows: Sendable {
  /// The newest row of each key that has one, in the order of the keys.
  public let rows: RecordBatch
  /// Which key each of the rows is of: a row of the batch of keys, ascending.
  public let keyRows: [Int]
}

extension Table {
  /// The newest live row of each of `keys`.
  ///
  /// Where a key has several live rows, as other engines may append them, the newest is that of
  /// the highest order value, else of the newest file, else of the highest position.
  ///
  /// Cost: with an index that covers the files, for each data file that has rows which are found its
  /// footer, once, and a page of each column; no data file is opened for keys that are not there.
  /// Without one, the key columns of the files that partitions, bounds, page indexes and Bloom
  /// filters leave.
  /// - Parameters:
  ///   - keys: a column for each of the key's, by name; none of them null.
  ///   - key: the columns the rows are found by; nil: those of the index, or else the table's
  ///     identifier fields.
  ///   - columns: as for ``TableScan/select(_:)-([String])``; nil: all.
  ///   - orderBy: the column that tells newer rows from older ones; nil: that of the index. Where an
  ///     index does not keep its values, they are read of keys that have several rows.
  /// - Throws: ``KeyIndexError``.
  public func get(
    _ keys: RecordBatch, key: [String]? = nil, columns: [String]? = nil,
    at selection: SnapshotSelection = .current, orderBy: String? = nil, index: KeyIndex? = nil
  ) async throws(KeyIndexError) -> KeyedRows {
    let schema: Schema
    do throws(ScanError) { schema = try metadata.state(selection).schema } catch {
      throw .reading(error)
    }
    let keyColumns: KeyColumns
    if key == nil, let index {
      keyColumns = try KeyColumns(schema: schema, fieldIDs: index.columns.fieldIDs)
    } else {
      keyColumns = try KeyColumns(schema: schema, names: key, table: name)
    }
    let order = try orderBy.map { (name) throws(KeyIndexError) in
      try OrderColumn(schema: schema, name: name)
    }
    if let index, index.columns.fieldIDs == keyColumns.fieldIDs {
      let unknown = order.flatMap { $0.field.id == index.order?.field.id ? nil : $0 }
      do throws(KeyIndexError) {
        return try await index.get(
          keys, keyColumns, columns, orderBy: unknown, of: self, at: selection)
      } catch .segmentIsGone {
        // What is left of the index would leave rows out.
      }
    }
    let seed = KeySeed(environment)
    let search = KeySearch(
      keys: keys, hashes: try keyColumns.keys(of: keys, seed: seed), columns: keyColumns,
      order: order, seed: seed)
    let scan = observed(by: nil).scan().at(selection)
    let tasks: [ScanTask]
    var found: [FoundKey]
    do throws(ScanError) {
      tasks = try await scan.filter(search.filter).plan().tasks
      found = try await search.places(in: tasks, scan)
    } catch {
      throw .reading(error)
    }
    let files = OpenFiles()
    if let order, !order.isIndexed {
      found = try await ordered(found, by: order, selection, files) { tasks[$0] }
    }
    return try await rows(of: FoundKey.newest(found), columns, selection, files) { tasks[$0] }
  }

  /// `found`, those of keys with several rows with numbers in the order of their values of a column,
  /// which are read.
  func ordered(
    _ found: [FoundKey], by order: OrderColumn, _ selection: SnapshotSelection,
    _ openFiles: OpenFiles, _ task: (Int) -> ScanTask
  ) async throws(KeyIndexError) -> [FoundKey] {
    var counts: [Int: Int] = [:]
    for row in found { counts[row.key, default: 0] += 1 }
    let doubtful = found.filter { (counts[$0.key] ?? 0) > 1 }
    guard !doubtful.isEmpty else { return found }
    let batch: RecordBatch
    do throws(ScanError) {
      batch = try await observed(by: nil).rows(
        at: doubtful.map(\.place), of: selection, columns: [order.field.name],
        openFiles: openFiles, task)
    } catch {
      throw .reading(error)
    }
    let column = batch.columns[0]
    var numbers = [Int64?](repeating: nil, count: doubtful.count)
    var last: (value: Value, number: Int64)?
    for row in batch.sortedRows(by: [SortKey(column, .ascending, nulls: .first)]) {
      guard let value = column.icebergValue(Int(row)) else { continue }
      let number = last.map { $0.value == value ? $0.number : $0.number + 1 } ?? 0
      last = (value, number)
      numbers[Int(row)] = number
    }
    return found.filter { counts[$0.key] == 1 }
      + zip(doubtful, numbers).map { $0.0.ordered(as: $0.1) }
  }

  /// The rows of keys that were found.
  func rows(
    of found: [FoundKey], _ columns: [String]?, _ selection: SnapshotSelection,
    _ openFiles: OpenFiles, _ task: (Int) -> ScanTask
  ) async throws(KeyIndexError) -> KeyedRows {
    do throws(ScanError) {
      let rows = try await observed(by: nil).rows(
        at: found.map(\.place), of: selection, columns: columns, openFiles: openFiles, task)
      return KeyedRows(rows: rows, keyRows: found.map(\.key))
    } catch {
      throw .reading(error)
    }
  }
}

extension KeyIndex {
  /// As ``Table/get(_:key:columns:at:orderBy:index:)``, by this index.
  func get(
    _ keys: RecordBatch, _ columns: KeyColumns, _ wanted: [String]?, orderBy other: OrderColumn?,
    of table: Table, at selection: SnapshotSelection
  ) async throws(KeyIndexError) -> KeyedRows {
    let hashes = try columns.keys(of: keys, seed: seed)
    let state = try await knownState(of: table, at: selection)
    let places = try await lookup(hashes, in: state)
    var found: [FoundKey] = []
    let missing = uncovered(in: state)
    if missing.isEmpty, other == nil {
      for key in 0..<places.keyCount {
        guard let place = places.newest(key) else { continue }
        found.append(FoundKey(key, place, in: state))
      }
    } else {
      for key in 0..<places.keyCount {
        for place in places[key] { found.append(FoundKey(key, place, in: state)) }
      }
      if !missing.isEmpty {
        let search = KeySearch(
          keys: keys, hashes: hashes, columns: columns, order: order, seed: seed)
        found += try await search.places(missing, in: state)
      }
      if let other {
        found = try await table.ordered(found, by: other, selection, state.openFiles) {
          state.files[$0].task
        }
      }
      found = FoundKey.newest(found)
    }
    return try await table.rows(of: found, wanted, selection, state.openFiles) {
      state.files[$0].task
    }
  }

  /// The state `selection` of `table`, from what is known of the one that was covered last.
  private func knownState(
    of table: Table, at selection: SnapshotSelection
  ) async throws(KeyIndexError) -> TableState {
    guard let state else { return try await TableState(of: table, at: selection) }
    do throws(ScanError) {
      let (snapshot, schema) = try table.metadata.state(selection)
      if state.snapshot?.id == snapshot?.id, state.schema == schema,
        state.table.metadata.uuid == table.metadata.uuid
      {
        return state
      }
    } catch {
      throw .reading(error)
    }
    return try await state.refreshed(to: table, at: selection)
  }
}

/// A row of a key that was asked for.
struct FoundKey {
  let key: Int
  let place: PlaceInFile
  let order: Int64?
  let sequenceNumber: SequenceNumber
  let path: String

  init(_ key: Int, _ place: KeyPlace, in state: TableState) {
    self.key = key
    self.place = PlaceInFile(file: place.file, position: place.position)
    order = place.order
    sequenceNumber = state.files[place.file].sequenceNumber
    path = state.files[place.file].file.path
  }

  init(_ key: Int, _ place: PlaceInFile, order: Int64?, _ task: ScanTask) {
    self.key = key
    self.place = place
    self.order = order
    sequenceNumber = task.sequenceNumber
    path = task.file.path
  }

  private init(_ row: FoundKey, order: Int64?) {
    key = row.key
    place = row.place
    self.order = order
    sequenceNumber = row.sequenceNumber
    path = row.path
  }

  /// The same row, with another number for its order value.
  func ordered(as number: Int64?) -> FoundKey { FoundKey(self, order: number) }

  /// The newest row of each key, by key.
  static func newest(_ found: [FoundKey]) -> [FoundKey] {
    var newest: [Int: FoundKey] = [:]
    for row in found {
      if let other = newest[row.key], !row.isNewer(than: other) { continue }
      newest[row.key] = row
    }
    return newest.values.sorted { $0.key < $1.key }
  }

  private func isNewer(than other: FoundKey) -> Bool {
    if order != other.order { return (order ?? .min) > (other.order ?? .min) }
    if sequenceNumber != other.sequenceNumber { return sequenceNumber > other.sequenceNumber }
    if place.position != other.place.position { return place.position > other.place.position }
    return other.path.utf8.lexicographicallyPrecedes(path.utf8)
  }
}

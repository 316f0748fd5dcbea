// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
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
  ///   - orderBy: the column that tells newer rows from older ones; nil: that of the index.
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
      let column = try OrderColumn(schema: schema, name: name)
      guard column.isIndexed else {
        throw .unsupportedKey(column: name, type: "\(column.field.type)")
      }
      return column
    }
    if let index, index.columns.fieldIDs == keyColumns.fieldIDs,
      order == nil || order?.field.id == index.order?.field.id
    {
      do throws(KeyIndexError) {
        return try await index.get(keys, keyColumns, columns, of: self, at: selection)
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
    let found: [FoundKey]
    do throws(ScanError) {
      tasks = try await scan.filter(search.filter).plan().tasks
      found = try await search.places(in: tasks, scan)
    } catch {
      throw .reading(error)
    }
    return try await rows(
      of: FoundKey.newest(found), columns, selection, OpenFiles()
    ) { tasks[$0] }
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
    _ keys: RecordBatch, _ columns: KeyColumns, _ wanted: [String]?, of table: Table,
    at selection: SnapshotSelection
  ) async throws(KeyIndexError) -> KeyedRows {
    let hashes = try columns.keys(of: keys, seed: seed)
    let state = try await knownState(of: table, at: selection)
    let places = try await lookup(hashes, in: state)
    var found: [FoundKey] = []
    let missing = uncovered(in: state)
    if missing.isEmpty {
      for key in 0..<places.keyCount {
        guard let place = places.newest(key) else { continue }
        found.append(FoundKey(key, place, in: state))
      }
    } else {
      for key in 0..<places.keyCount {
        for place in places[key] { found.append(FoundKey(key, place, in: state)) }
      }
      let search = KeySearch(
        keys: keys, hashes: hashes, columns: columns, order: order, seed: seed)
      found = FoundKey.newest(found + (try await search.places(missing, in: state)))
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

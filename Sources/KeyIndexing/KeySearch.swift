// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Scanning

/// Keys that are looked for in data files, where no index knows their rows.
struct KeySearch: Sendable {
  let keys: RecordBatch
  let hashes: KeyHashes
  let columns: KeyColumns
  let order: OrderColumn?
  let seed: KeySeed

  /// How many values of a column are asked for one by one.
  private static let listLimit = 1000

  /// What files are left out by, and rows are picked by before their hashes are compared: true of
  /// every row of a key.
  var filter: Predicate {
    .and(columns.fields.map { filter($0) })
  }

  private func filter(_ field: Field) -> Predicate {
    guard let column = keys.column(field.name), let type = field.type.primitive else {
      return .alwaysTrue
    }
    // In the type of the table, of which the keys' may be a narrower one.
    guard let column = try? column.promoted(to: field.type.columnType) else { return .alwaysTrue }
    var values: Set<Value> = []
    for row in 0..<column.count {
      guard let value = column.icebergValue(row) else { continue }
      values.insert(value)
      if values.count > Self.listLimit { return range(of: column, field, type) }
    }
    let literals = values.compactMap { Literal($0, of: type) }
    return literals.count == values.count ? .isIn(field.name, literals) : .alwaysTrue
  }

  /// True of all values from the lowest to the highest.
  private func range(of column: Column, _ field: Field, _ type: PrimitiveType) -> Predicate {
    let batch = RecordBatch(
      fields: [field.columnField], columns: [column], rowCount: column.count)
    let rows = batch.sortedRows(by: [SortKey(column, .ascending, nulls: .last)])
    guard let first = rows.first, let last = rows.last,
      let low = column.icebergValue(Int(first)).flatMap({ Literal($0, of: type) }),
      let high = column.icebergValue(Int(last)).flatMap({ Literal($0, of: type) })
    else { return .alwaysTrue }
    return .and([.greaterOrEqual(field.name, low), .lessOrEqual(field.name, high)])
  }

  /// The live rows of the keys in the files `missing` of `state`.
  func places(
    _ missing: [Int], in state: TableState
  ) async throws(KeyIndexError) -> [FoundKey] {
    do throws(ScanError) {
      let scan = state.table.scan().at(state.selection)
      let kept = Set(missing)
      // By the planner's word on which of them may have rows.
      let tasks = try await scan.filter(filter).plan().tasks.filter {
        state.index(of: $0.file.path).map { kept.contains($0) } ?? false
      }
      return try await places(in: tasks, scan).map { row in
        let task = tasks[row.place.file]
        let file = state.index(of: task.file.path) ?? 0
        return FoundKey(
          row.key, PlaceInFile(file: file, position: row.place.position), order: row.order, task)
      }
    } catch {
      throw .reading(error)
    }
  }

  /// The live rows of the keys in the files of `tasks`, by their numbers.
  func places(in tasks: [ScanTask], _ scan: TableScan) async throws(ScanError) -> [FoundKey] {
    guard !tasks.isEmpty, keys.rowCount > 0 else { return [] }
    var wanted: [KeyHash: [Int]] = [:]
    for key in 0..<keys.rowCount { wanted[hashes[key], default: []].append(key) }
    var files: [PathKey: Int] = [:]
    for (index, task) in tasks.enumerated() { files[PathKey(task.file.path)] = index }
    let metadata = [MetadataColumn.file.rawValue, MetadataColumn.position.rawValue]
    let orderName = order.flatMap { $0.isIndexed ? $0.field.name : nil }
    let (columns, seed) = (self.columns, self.seed)
    let table = wanted
    var found: [FoundKey] = []
    try await scan.filter(filter).of(tasks)
      .select(columns.names + metadata + (orderName.map { [$0] } ?? []))
      .read { batch throws(ScanError) in
        MatchedBatch(batch, columns, table, seed)
      } consume: { matched throws(ScanError) in
        guard let path = matched.path, let file = files[PathKey(path)] else { return true }
        for (key, position, order) in matched.rows {
          found.append(
            FoundKey(
              key, PlaceInFile(file: file, position: position), order: order, tasks[file]))
        }
        return true
      }
    return found
  }
}

/// The rows of a batch that have one of the keys.
private struct MatchedBatch: Sendable {
  /// Of the file they are all of; nil if there are none.
  var path: String?
  var rows: [(key: Int, position: Int64, order: Int64?)] = []

  /// - Parameter batch: the key's columns, path and position, and the order column where there is
  ///   one.
  init(_ batch: RecordBatch, _ columns: KeyColumns, _ keys: [KeyHash: [Int]], _ seed: KeySeed) {
    let count = columns.fields.count
    let hashes = KeyHasher.hashes(
      of: Array(batch.columns[..<count]), rowCount: batch.rowCount, seed: seed)
    var orders: [Int64?]?
    for row in 0..<batch.rowCount where hashes.validity?[row] ?? true {
      guard let found = keys[hashes[row]] else { continue }
      if orders == nil, batch.columns.count > count + 2 {
        orders = OrderColumn.numbers(of: batch.columns[count + 2])
      }
      path = path ?? batch.columns[count].string(row)
      let position = batch.columns[count + 1].integer(row)
      for key in found { rows.append((key, position, orders.flatMap { $0[row] })) }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg

/// Which columns of the rows of a changelog are for what.
struct ChangelogShape: Sendable {
  /// How many columns, from the first on, are handed out.
  let outputCount: Int
  /// By which a row that was written again is known to be the same.
  let compared: [Int]
  /// `_row_id`; nil where rows have none.
  let rowID: Int?
  /// The identifier fields; empty if there are none, or not all of them were read.
  let keys: [FieldID]
  /// The columns these are in.
  let keyNames: [String]

  /// True if `stage` has anything to go by.
  func has(_ stage: FoldedChanges.Stage) -> Bool {
    switch stage {
    case .unchanged: !compared.isEmpty
    case .byRowID: rowID != nil
    case .byKey: !keys.isEmpty && !keyNames.isEmpty
    }
  }

  /// Who knows rows again in a stage; nil if nothing does.
  func columns(_ stage: FoldedChanges.Stage, of rows: RecordBatch) -> [Column]? {
    switch stage {
    case .unchanged: return compared.isEmpty ? nil : compared.map { rows.columns[$0] }
    case .byRowID: return rowID.map { [rows.columns[$0]] }
    case .byKey:
      var columns: [Column] = []
      for id in keys {
        guard let column = rows.nestedColumn(id) else { return nil }
        columns.append(column)
      }
      return columns.isEmpty ? nil : columns
    }
  }
}

/// What became of the rows of one step: of those that one of two states has and the other has not.
struct FoldedChanges {
  /// Those of the earlier state, and behind them those of the later one.
  let rows: RecordBatch
  private(set) var deletes: [Int32] = []
  private(set) var updates: [(before: Int32, after: Int32)] = []
  private(set) var inserts: [Int32] = []

  /// How rows of both states are put together, in this order.
  enum Stage: CaseIterable, Sendable {
    /// Equal ones are no change.
    case unchanged
    case byRowID
    case byKey
  }

  private let shape: ChangelogShape
  /// How many rows are of the earlier state.
  private let deletedCount: Int
  /// True of a row that something was found out of.
  private(set) var isSettled: [Bool]

  /// Takes out rows that both have, as often as both have them, and finds out which rows are others
  /// as they were before.
  ///
  /// Laws: with `deletes` and the first of `updates` taken out of `deleted`'s state and the others
  /// put in, it is `inserted`'s. An id or key that several rows of a side have pairs none.
  /// Cost: a hash and a comparison of each row.
  /// - Parameter stages: what is done; the columns it takes must be there.
  init(
    _ deleted: RecordBatch, _ inserted: RecordBatch, _ shape: ChangelogShape,
    _ stages: [Stage] = Stage.allCases
  ) throws(ColumnarError) {
    rows = try RecordBatch.concat([deleted, inserted])
    self.shape = shape
    deletedCount = deleted.rowCount
    isSettled = [Bool](repeating: false, count: rows.rowCount)
    if deleted.rowCount > 0, inserted.rowCount > 0 {
      for stage in stages {
        switch stage {
        case .unchanged: cancel()
        case .byRowID: pairByRowID()
        case .byKey: try pairByKey()
        }
      }
    }
    for row in 0..<rows.rowCount where !isSettled[row] {
      let row = Int32(truncatingIfNeeded: row)
      if row < deletedCount { deletes.append(row) } else { inserts.append(row) }
    }
  }

  // MARK: rows that did not change

  private mutating func cancel() {
    guard let keys = shape.columns(.unchanged, of: rows) else { return }
    let groups = RowGroups(keys: keys)
    let numbers = groups.numbers
    var counts = [(deleted: Int32, inserted: Int32)](repeating: (0, 0), count: groups.count)
    for row in numbers.indices {
      if row < deletedCount {
        counts[Int(numbers[row])].deleted += 1
      } else {
        counts[Int(numbers[row])].inserted += 1
      }
    }
    var uneven: [Int32: (deleted: [Int], inserted: [Int])] = [:]
    for row in numbers.indices {
      let count = counts[Int(numbers[row])]
      if count.deleted == count.inserted {
        isSettled[row] = true
      } else if count.deleted > 0, count.inserted > 0 {
        if row < deletedCount {
          uneven[numbers[row], default: ([], [])].deleted.append(row)
        } else {
          uneven[numbers[row], default: ([], [])].inserted.append(row)
        }
      }
    }
    for (_, some) in uneven { cancel(some.deleted, some.inserted) }
  }

  /// Takes equal rows out, as many of either side: at first those that have the same id.
  private mutating func cancel(_ deleted: [Int], _ inserted: [Int]) {
    var left = min(deleted.count, inserted.count)
    if let index = shape.rowID {
      let ids = rows.columns[index]
      var known: [Int64: Int] = [:]
      for row in deleted where !ids.isNull(row) { known[ids.integer(row)] = row }
      for row in inserted where !ids.isNull(row) {
        guard left > 0, let other = known.removeValue(forKey: ids.integer(row)) else { continue }
        isSettled[row] = true
        isSettled[other] = true
        left -= 1
      }
    }
    for row in deleted.filter({ !isSettled[$0] }).prefix(left) { isSettled[row] = true }
    for row in inserted.filter({ !isSettled[$0] }).prefix(left) { isSettled[row] = true }
  }

  // MARK: rows that changed

  private mutating func pairByRowID() {
    guard let index = shape.rowID else { return }
    let ids = rows.columns[index]
    let before = places(of: ids, 0..<deletedCount)
    let after = places(of: ids, deletedCount..<rows.rowCount)
    for row in 0..<deletedCount where !isSettled[row] && !ids.isNull(row) {
      let id = ids.integer(row)
      guard before.row(of: id) == row, let other = after.row(of: id) else { continue }
      pair(row, other)
    }
  }

  private func places(of ids: Column, _ range: Range<Int>) -> PlacesOfIDs {
    var places = PlacesOfIDs(capacity: range.count)
    for row in range where !isSettled[row] && !ids.isNull(row) { places.add(row, ids.integer(row)) }
    return places
  }

  private mutating func pairByKey() throws(ColumnarError) {
    guard let columns = shape.columns(.byKey, of: rows) else { return }
    var open: [Int32] = []
    var deletedCount = 0
    for row in isSettled.indices where !isSettled[row] {
      open.append(Int32(truncatingIfNeeded: row))
      if row < self.deletedCount { deletedCount += 1 }
    }
    guard deletedCount > 0, deletedCount < open.count else { return }
    var keys: [Column] = []
    for column in columns { keys.append(try column.gather(open)) }
    let groups = RowGroups(keys: keys)
    let numbers = groups.numbers
    /// By group: the one row of either side; -1 if there is none, -2 if there are several.
    var found = [(before: Int, after: Int)](repeating: (-1, -1), count: groups.count)
    for (index, number) in numbers.enumerated() {
      let (group, row) = (Int(number), Int(open[index]))
      if index < deletedCount {
        found[group].before = found[group].before == -1 ? row : -2
      } else {
        found[group].after = found[group].after == -1 ? row : -2
      }
    }
    for (before, after) in found where before >= 0 && after >= 0 { pair(before, after) }
  }

  private mutating func pair(_ before: Int, _ after: Int) {
    isSettled[before] = true
    isSettled[after] = true
    updates.append(
      (Int32(truncatingIfNeeded: before), Int32(truncatingIfNeeded: after)))
  }

  // MARK: as rows

  /// The changes as rows to be handed out: deletes, then updates, then inserts.
  func batches(
    _ mark: ChangeMark, preImages: ChangelogScan.PreImages
  ) throws(ColumnarError) -> [RecordBatch] {
    var order: [(row: Int32, type: ChangeType)] = deletes.map { ($0, .delete) }
    for (before, after) in updates {
      if preImages == .included { order.append((before, .updateBefore)) }
      order.append((after, .updateAfter))
    }
    order += inserts.map { ($0, .insert) }
    let output = rows.selecting(Array(0..<shape.outputCount))
    var batches: [RecordBatch] = []
    var next = 0
    while next < order.count {
      let part = order[next..<min(next + Self.batchRowCount, order.count)]
      next += part.count
      let types = part.map { (type: $0.type, count: 1) }
      batches.append(try mark.marking(try output.gather(part.map(\.row)), types.column))
    }
    return batches
  }

  private static let batchRowCount = 1 << 16
}

/// The row of each id that one row alone has.
private struct PlacesOfIDs {
  private static let free: Int32 = -1
  private static let several: Int32 = -2
  private var slots: [(id: Int64, row: Int32)]
  private let shift: UInt64

  /// - Parameter capacity: the most rows there can be.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    slots = Array(repeating: (0, Self.free), count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
  }

  mutating func add(_ row: Int, _ id: Int64) {
    let slot = slot(of: id)
    let isFirst = slots[slot].row == Self.free
    slots[slot] = (id, isFirst ? Int32(truncatingIfNeeded: row) : Self.several)
  }

  func row(of id: Int64) -> Int? {
    let row = slots[slot(of: id)].row
    return row < 0 ? nil : Int(row)
  }

  /// Where `id` is, or a free place for it.
  private func slot(of id: Int64) -> Int {
    let hash = UInt64(bitPattern: id) &* 0x9e37_79b9_7f4a_7c15
    var slot = Int(truncatingIfNeeded: hash >> shift)
    while slots[slot].row != Self.free, slots[slot].id != id {
      slot = (slot &+ 1) & (slots.count &- 1)
    }
    return slot
  }
}

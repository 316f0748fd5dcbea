// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// One of the columns that rows are sorted by.
public struct SortKey: Sendable {
  public enum Direction: Hashable, Sendable {
    case ascending
    case descending
  }

  public enum NullOrder: Hashable, Sendable {
    case first
    case last
  }

  /// Of this batch, or computed from it; of no structure, list or map.
  public let column: Column
  public let direction: Direction
  /// Where nulls go, whatever the direction.
  public let nulls: NullOrder

  public init(_ column: Column, _ direction: Direction, nulls: NullOrder) {
    precondition(!column.type.isNested, "rows are not sorted by \(column.type)")
    self.column = column
    self.direction = direction
    self.nulls = nulls
  }
}

extension RecordBatch {
  /// The rows in the order of `keys`, the first before the others; equal ones as they are.
  ///
  /// Integers, decimals and times by value; strings, binaries, fixed and uuids by unsigned bytes;
  /// false before true; floating-point numbers as -NaN < -Inf < … < -0 < +0 < … < +Inf < NaN.
  /// Cost: O(rows) where they are sorted already or there are many; a dictionary is sorted once.
  /// Source: Iceberg spec, "Sorting".
  public func sortedRows(by keys: [SortKey]) -> [Int32] {
    precondition(keys.allSatisfy { $0.column.count == rowCount }, "keys of other rows")
    var sorter = RowSorter(rowCount: rowCount, keys: keys.map { $0.ranked() })
    sorter.sort()
    return sorter.rows
  }

  /// These rows in the order of `keys`. Cost: nothing is copied if they are in order.
  ///
  /// - Throws: never for strings that fit before; as ``gather(_:)`` has it.
  public func sorted(by keys: [SortKey]) throws(ColumnarError) -> RecordBatch {
    let rows = sortedRows(by: keys)
    if rows.indices.allSatisfy({ Int(rows[$0]) == $0 }) { return self }
    return try gather(rows)
  }
}

extension SortKey {
  /// The same order by a plain column: for a dictionary, the rank of each row's entry.
  func ranked() -> SortKey {
    guard case .dictionary(let codes, let dictionary) = column.values else { return self }
    if dictionary.count == 0 {
      return SortKey(.nulls(column.type, count: column.count), direction, nulls: nulls)
    }
    if dictionary.count > column.count, let plain = try? column.materialized() {
      return SortKey(plain, direction, nulls: nulls)
    }
    var sorter = RowSorter(
      rowCount: dictionary.count, keys: [SortKey(dictionary, .ascending, nulls: .first)])
    sorter.sort()
    let order = sorter.rows
    let sorted = Buffer(order)
    let entries = dictionary.orderedForRanking(sorted)
    var ranks = [Int32](repeating: 0, count: order.count)
    var rank: Int32 = 0
    for (place, entry) in order.enumerated() {
      if place > 0, !entries[place - 1] { rank += 1 }
      ranks[Int(entry)] = rank
    }
    let values = Gather.fixed(Buffer(ranks), width: 4, rows: codes.values(as: Int32.self))
    let column = Column(
      type: .int32, count: self.column.count, validity: self.column.validity,
      values: .fixed(values))
    return SortKey(column, direction, nulls: nulls)
  }
}

extension Column {
  /// 1 where the entry at a place of `order` and the next have the same bits.
  fileprivate func orderedForRanking(_ order: Buffer) -> Bitmap {
    let bits: Column =
      switch type {
      case .float: retyped(as: .int32)
      case .double: retyped(as: .int64)
      default: self
      }
    let rows = order.values(as: Int32.self)
    do throws(ColumnarError) {
      let sorted = try bits.gather(rows)
      return sorted.slice(0..<count - 1).rowsEqual(sorted.slice(1..<count))
    } catch { preconditionFailure("a dictionary in another order takes more: \(error)") }
  }
}

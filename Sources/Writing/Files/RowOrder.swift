// SPDX-License-Identifier: Apache-2.0
package import Columnar
internal import Expressions
package import Iceberg

/// The order that a rewrite of data files puts their rows in.
package struct RowOrder: Sendable {
  private enum Kind: Sendable {
    case sorted(SortOrder)
    case interleaved(ZOrder)
  }

  private let kind: Kind
  private let schema: Schema
  /// Told of each file.
  package let id: SortOrderID
  /// Rows that part those that are sorted at a time, as their keys' columns; nil: all rows are sorted
  /// at once, as far as they can be kept.
  private var bounds: [Column]?

  /// - Parameter order: one that is unsorted leaves rows as they come.
  package init(_ order: SortOrder, of schema: Schema) {
    kind = .sorted(order)
    self.schema = schema
    id = order.id
  }

  /// The order of a curve through the values of some columns.
  package init(_ order: ZOrder, of schema: Schema) {
    kind = .interleaved(order)
    self.schema = schema
    id = .unsorted
  }

  package var isUnsorted: Bool {
    if case .sorted(let order) = kind { order.isUnsorted } else { false }
  }

  /// True if rows are parted, so that more of them can be sorted than can be kept.
  package var isParted: Bool { bounds != nil }

  /// What `rows` are sorted by.
  package func keys(of rows: RecordBatch) throws(ColumnarError) -> [SortKey] {
    switch kind {
    case .sorted(let order): rows.sortKeys(order, schema)
    case .interleaved(let order): try order.keys(of: rows)
    }
  }

  /// The same order, in which rows are sorted in `count` parts, about equal ones if the others are as
  /// those of `sample`.
  package func parted(
    into count: Int, by sample: RecordBatch
  ) throws(ColumnarError) -> RowOrder {
    guard count > 1, sample.rowCount > 0 else { return self }
    let keys = try keys(of: sample)
    let sorted = sample.sortedRows(by: keys)
    var chosen: [Int32] = []
    for part in 1..<count { chosen.append(sorted[sorted.count * part / count]) }
    var order = self
    var bounds: [Column] = []
    for key in keys { bounds.append(try key.column.gather(chosen)) }
    order.bounds = bounds
    return order
  }

  /// The number of the part of each of `rows`; those of a part come before those of the next.
  package func parts(of rows: RecordBatch) throws(ColumnarError) -> [Int32] {
    guard let bounds else { return [Int32](repeating: 0, count: rows.rowCount) }
    return try Self.places(try keys(of: rows), rowCount: rows.rowCount, among: bounds)
  }

  /// How many of the rows of `bounds`, which are in order, are not behind each row.
  static func places(
    _ keys: [SortKey], rowCount: Int, among bounds: [Column]
  ) throws(ColumnarError) -> [Int32] {
    let boundCount = bounds.first?.count ?? 0
    var combined: [SortKey] = []
    for (key, bound) in zip(keys, bounds) {
      combined.append(
        SortKey(try Column.concat([bound, key.column]), key.direction, nulls: key.nulls))
    }
    let all = RecordBatch(fields: [], columns: [], rowCount: boundCount + rowCount)
    var places = [Int32](repeating: 0, count: rowCount)
    var place: Int32 = 0
    for row in all.sortedRows(by: combined) {
      if row < boundCount { place += 1 } else { places[Int(row) - boundCount] = place }
    }
    return places
  }
}

/// A curve through the values of some columns that keeps those near each other that are near in
/// all of them (Morton's): the bits of the columns' ranks, the first of each, then the second, and
/// so on.
///
/// A value's rank is how many of some values, at equal distances in a sample, are not greater. So
/// every column counts alike, whatever its type and however its values lie: numbers, text, times.
package struct ZOrder: Sendable {
  private let columns: [FieldID]
  /// Of each column, ascending.
  private let ranks: [Column]
  /// How many bits of a rank count.
  private let bits: Int

  /// How many columns there may be.
  package static let columnLimit = 8

  /// - Parameters:
  ///   - columns: primitive ones.
  ///   - sample: rows that are as the others are.
  package init(_ columns: [FieldID], by sample: RecordBatch) throws(ColumnarError) {
    precondition((1...Self.columnLimit).contains(columns.count), "a curve through no columns")
    self.columns = columns
    bits = min(10, 62 / columns.count)
    var ranks: [Column] = []
    for id in columns {
      let column = sample.nestedColumn(id) ?? .nulls(.int32, count: sample.rowCount)
      let key = SortKey(column, .ascending, nulls: .first)
      let sorted = sample.sortedRows(by: [key])
      let count = min(sorted.count, (1 << bits) - 1)
      var chosen: [Int32] = []
      for step in 0..<count { chosen.append(sorted[sorted.count * (step + 1) / (count + 1)]) }
      // Of equal ones the first: ranks beyond it tell nothing apart.
      let values = try column.gather(chosen)
      var kept: [Int32] = []
      if !chosen.isEmpty {
        let groups = RowGroups(keys: [values])
        kept = groups.representatives.filter { !values.isNull(Int($0)) }
      }
      ranks.append(try values.gather(kept))
    }
    self.ranks = ranks
  }

  func keys(of rows: RecordBatch) throws(ColumnarError) -> [SortKey] {
    var codes = [Int64](repeating: 0, count: rows.rowCount)
    var keys: [SortKey] = []
    for (index, id) in columns.enumerated() {
      let column = rows.nestedColumn(id) ?? .nulls(ranks[index].type, count: rows.rowCount)
      let key = SortKey(column, .ascending, nulls: .first)
      keys.append(key)
      let places = try RowOrder.places([key], rowCount: rows.rowCount, among: [ranks[index]])
      // Few values spread over all bits, as many do.
      let shift = bits - Self.width(of: ranks[index].count)
      for row in codes.indices {
        codes[row] |= Self.spread(Int64(places[row]) << Int64(shift), columns.count, index)
      }
    }
    return [SortKey(.longs(codes[...]), .ascending, nulls: .first)] + keys
  }

  /// How many bits it takes to tell the numbers up to `count`.
  private static func width(of count: Int) -> Int {
    Int.bitWidth - count.leadingZeroBitCount
  }

  /// The bits of `rank`, each at the place that column `index` of `count` has.
  private static func spread(_ rank: Int64, _ count: Int, _ index: Int) -> Int64 {
    var rank = rank
    var code: Int64 = 0
    var place = Int64(count - 1 - index)
    while rank > 0 {
      code |= (rank & 1) << place
      rank >>= 1
      place += Int64(count)
    }
    return code
  }
}

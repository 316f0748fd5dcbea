// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The entries of some keys, a column a part: where each key was seen, and what a writer that
/// replaces the row has to know.
///
///     high       UInt64    the key's hash
///     low        UInt32    and the rest of it
///     file       UInt32    the ordinal of the data file
///     position   UInt32    of the row in it
///     row id     Int64     what the file itself has of it; negative: nothing. Where no row has one: absent
///     order      Int64     ``OrderColumn``; where no row has one: absent
struct SegmentColumns: Sendable {
  let count: Int
  let highs: Buffer
  let lows: Buffer
  let files: Buffer
  let positions: Buffer
  let rowIDs: Buffer?
  let orders: Buffer?

  static let empty = SegmentColumns(
    count: 0, highs: .empty, lows: .empty, files: .empty, positions: .empty, rowIDs: nil,
    orders: nil)

  /// How many bytes the entries take.
  var byteCount: Int {
    highs.count + lows.count + files.count + positions.count + (rowIDs?.count ?? 0)
      + (orders?.count ?? 0)
  }

  func slice(_ range: Range<Int>) -> SegmentColumns {
    func part(_ buffer: Buffer, _ width: Int) -> Buffer {
      buffer.slice(range.lowerBound * width..<range.upperBound * width)
    }
    return SegmentColumns(
      count: range.count, highs: part(highs, 8), lows: part(lows, 4), files: part(files, 4),
      positions: part(positions, 4), rowIDs: rowIDs.map { part($0, 8) },
      orders: orders.map { part($0, 8) })
  }

  static let noRowID: Int64 = -1
}

/// Puts the columns of some entries together.
struct SegmentColumnsBuilder: ~Copyable {
  private var count = 0
  private var highs: MutableBuffer
  private var lows: MutableBuffer
  private var files: MutableBuffer
  private var positions: MutableBuffer
  private var rowIDs: MutableBuffer
  private var orders: MutableBuffer
  let hasRowIDs: Bool
  let hasOrders: Bool

  init(capacity: Int, hasRowIDs: Bool, hasOrders: Bool) {
    highs = MutableBuffer(capacity: capacity * 8)
    lows = MutableBuffer(capacity: capacity * 4)
    files = MutableBuffer(capacity: capacity * 4)
    positions = MutableBuffer(capacity: capacity * 4)
    rowIDs = MutableBuffer(capacity: hasRowIDs ? capacity * 8 : 0)
    orders = MutableBuffer(capacity: hasOrders ? capacity * 8 : 0)
    self.hasRowIDs = hasRowIDs
    self.hasOrders = hasOrders
  }

  /// Adds all of `columns`, in their order.
  mutating func append(_ columns: SegmentColumns) {
    count += columns.count
    highs.append(columns.highs.bytes)
    lows.append(columns.lows.bytes)
    files.append(columns.files.bytes)
    positions.append(columns.positions.bytes)
    if hasRowIDs {
      Self.append(columns.rowIDs, columns.count, SegmentColumns.noRowID, to: &rowIDs)
    }
    if hasOrders { Self.append(columns.orders, columns.count, OrderColumn.unknown, to: &orders) }
  }

  private static func append(
    _ values: Buffer?, _ count: Int, _ missing: Int64, to target: inout MutableBuffer
  ) {
    if let values { return target.append(values.bytes) }
    for _ in 0..<count { target.append(value: missing) }
  }

  consuming func finish() -> SegmentColumns {
    SegmentColumns(
      count: count, highs: highs.freeze(), lows: lows.freeze(), files: files.freeze(),
      positions: positions.freeze(), rowIDs: hasRowIDs ? rowIDs.freeze() : nil,
      orders: hasOrders ? orders.freeze() : nil)
  }
}

extension SegmentColumns {
  /// The columns of `parts`, one behind the other.
  static func concat(_ parts: [SegmentColumns]) -> SegmentColumns {
    let some = parts.filter { $0.count > 0 }
    if some.count == 1 { return some[0] }
    var builder = SegmentColumnsBuilder(
      capacity: some.reduce(0) { $0 + $1.count }, hasRowIDs: some.contains { $0.rowIDs != nil },
      hasOrders: some.contains { $0.orders != nil })
    for part in some { builder.append(part) }
    return builder.finish()
  }
}

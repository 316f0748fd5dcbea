// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Rows that are looked up by the values of their key columns.
///
/// Laws: equal is what ``Column/rowsEqual(_:)`` says, null equal to null; of equal keys the first
/// row counts. A hash that two keys share costs time, never truth.
/// Cost: building hashes and verifies each key once; a row that is looked up costs a hash and a
/// look into the table, and a comparison where the hash is there.
public struct RowLookup: Sendable {
  /// The distinct keys, in the order of their first rows.
  private let keys: [Column]
  /// The first row of each distinct key, ascending.
  private let rows: [Int32]
  private let table: SlotTable
  /// Keys that have the hash of another one, by that other.
  private let colliding: [Int32: [Int32]]
  private let mask: UInt64

  /// How many bytes are held.
  public var byteCount: Int {
    keys.reduce(0) { $0 + $1.byteCount } + rows.count * 4 + table.byteCount
  }
  /// How many distinct keys.
  public var count: Int { rows.count }

  /// - Parameter keys: one or more columns of equal length, fewer than 2³¹ rows.
  public init(keys: [Column]) { self.init(keys: keys, mask: .max) }

  /// - Parameter mask: which bits of hashes are used: fewer for tests, to make them collide.
  package init(keys: [Column], mask: UInt64) {
    rows = RowGroups(keys: keys).representatives
    var distinct = keys
    if let first = keys.first, rows.count < first.count {
      do throws(ColumnarError) {
        distinct = []
        for key in keys { distinct.append(try key.gather(rows)) }
      } catch {
        preconditionFailure("some rows of a column take more than all of it: \(error)")
      }
    }
    self.keys = distinct
    self.mask = mask
    var table = SlotTable(capacity: rows.count)
    var colliding: [Int32: [Int32]] = [:]
    if !rows.isEmpty {
      let buffer = Column.hashes(of: distinct, seed: 0)
      let hashes = buffer.values(as: UInt64.self)
      for entry in hashes.indices {
        let first = table.firstEntry(orInserting: entry, hash: hashes[entry] & mask)
        if first != entry { colliding[Int32(first), default: []].append(Int32(entry)) }
      }
    }
    self.table = table
    self.colliding = colliding
  }

  /// 1 for each row of `columns`, which are of the keys' types, that equals one of the first
  /// `limit` rows the table was made of.
  public func contains(_ columns: [Column], first limit: Int = .max) -> Bitmap {
    guard let first = columns.first else { preconditionFailure("no column to look up") }
    let limit = entryCount(ofRows: limit)
    if limit == 0 || first.count == 0 { return Bitmap(repeating: false, count: first.count) }
    let (found, entries) = candidates(columns, limit)
    guard !found.isEmpty else { return Bitmap(repeating: false, count: first.count) }
    let same = equal(columns, found, keys, entries)
    var bits = MutableBuffer(zeroed: (first.count + 63) / 64 * 8)
    var words = bits.mutableValues(as: UInt64.self)
    for (index, row) in found.enumerated() {
      let isFound =
        same[index]
        ? Int(entries[index]) < limit : isColliding(columns, row, entries[index], limit)
      if isFound { words[Int(row) >> 6] |= 1 << UInt64(row & 63) }
    }
    return Bitmap(bits.freeze(), count: first.count)
  }

  /// How many distinct keys the first `count` rows have.
  private func entryCount(ofRows count: Int) -> Int {
    guard let last = rows.last, Int(last) >= count else { return rows.count }
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < count { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Rows whose hash is that of a key, and the first such key.
  private func candidates(
    _ columns: [Column], _ limit: Int
  ) -> (rows: [Int32], entries: [Int32]) {
    let buffer = Column.hashes(of: columns, seed: 0)
    let hashes = buffer.values(as: UInt64.self)
    var found: [Int32] = []
    var entries: [Int32] = []
    let isSimple = colliding.isEmpty
    for row in hashes.indices {
      guard let entry = table.firstEntry(withHash: hashes[row] & mask, where: { _ in true }),
        !isSimple || entry < limit
      else { continue }
      found.append(Int32(truncatingIfNeeded: row))
      entries.append(Int32(truncatingIfNeeded: entry))
    }
    return (found, entries)
  }

  /// 1 where row `rows[i]` of `columns` equals row `entries[i]` of `others`.
  private func equal(
    _ columns: [Column], _ rows: [Int32], _ others: [Column], _ entries: [Int32]
  ) -> Bitmap {
    var result = Bitmap(repeating: true, count: rows.count)
    do throws(ColumnarError) {
      for (column, other) in zip(columns, others) {
        result = result.and(try column.gather(rows).rowsEqual(try other.gather(entries)))
      }
    } catch {
      preconditionFailure("some rows of a column take more than all of it: \(error)")
    }
    return result
  }

  /// True if `row` equals a key among the first `limit` that shares its hash with `entry`.
  private func isColliding(
    _ columns: [Column], _ row: Int32, _ entry: Int32, _ limit: Int
  ) -> Bool {
    (colliding[entry] ?? []).contains { other in
      Int(other) < limit && equal(columns, [row], keys, [other])[0]
    }
  }
}

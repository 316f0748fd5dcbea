// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// A run of entries that never changes, sorted by hash: in memory, or where it is kept with the
/// table, or both.
struct IndexSegment: Sendable {
  /// The numbers of the files whose entries are all in this segment, ascending.
  let numbers: [UInt32]
  /// Nil where the entries are read as keys are looked up.
  let memory: MemorySegment?
  /// Nil where it was not written yet.
  var stored: StoredSegment?

  /// - Parameter columns: sorted.
  init(_ columns: SegmentColumns, of numbers: [UInt32]) {
    self.numbers = numbers
    memory = MemorySegment(columns)
  }

  init(numbers: [UInt32], memory: MemorySegment?, stored: StoredSegment) {
    self.numbers = numbers
    self.memory = memory
    self.stored = stored
  }

  var count: Int { memory?.columns.count ?? stored?.count ?? 0 }
  /// In memory.
  var byteCount: Int {
    numbers.count * 4 + (memory?.byteCount ?? 0) + (stored?.chunks.count ?? 0) * 16
  }
}

/// Entries in memory, with a directory of where the hashes of each prefix begin.
///
/// Cost: 20 bytes an entry, half a byte for the directory; 8 for row ids and for order values,
/// where there are any. A key is found at the cost of two or three cache misses.
struct MemorySegment: Sendable {
  let columns: SegmentColumns
  /// Where the entries of each prefix begin, and behind the last their number; UInt32.
  private let starts: Buffer
  private let shift: UInt64

  var byteCount: Int { columns.byteCount + starts.count }

  /// - Parameter columns: sorted.
  init(_ columns: SegmentColumns) {
    self.columns = columns
    let bits = max(1, Int.bitWidth - (columns.count / 12).leadingZeroBitCount)
    shift = UInt64(64 - bits)
    var target = MutableBuffer(byteCount: ((1 << bits) + 1) * 4)
    var starts = target.mutableValues(as: UInt32.self)
    let highs = columns.highs.values(as: UInt64.self)
    var next = 0
    for i in highs.indices {
      let bin = Int(truncatingIfNeeded: highs[i] &>> shift)
      while next <= bin {
        starts[next] = UInt32(truncatingIfNeeded: i)
        next &+= 1
      }
    }
    while next < starts.count {
      starts[next] = UInt32(truncatingIfNeeded: highs.count)
      next &+= 1
    }
    self.starts = target.freeze()
  }

  /// Appends the entries of each of the `keys` that has any.
  ///
  /// - Parameter base: the number of the first of the keys.
  func find(_ keys: KeyHashes, base: Int = 0, into found: inout [FoundEntry]) {
    let starts = self.starts.values(as: UInt32.self)
    let highs = columns.highs.values(as: UInt64.self)
    let lows = columns.lows.values(as: UInt32.self)
    let wanted = keys.highs.values(as: UInt64.self)
    let wantedLows = keys.lows.values(as: UInt32.self)
    let files = columns.files.values(as: UInt32.self)
    let positions = columns.positions.values(as: UInt32.self)
    let (hasIDs, hasOrders) = (columns.rowIDs != nil, columns.orders != nil)
    let idBuffer = (columns.rowIDs ?? .empty).aligned(to: 8)
    let orderBuffer = (columns.orders ?? .empty).aligned(to: 8)
    let ids = idBuffer.values(as: Int64.self)
    let orders = orderBuffer.values(as: Int64.self)
    for key in wanted.indices {
      let high = wanted[key]
      let bin = Int(truncatingIfNeeded: high &>> shift)
      var entry = Int(starts[bin])
      let end = Int(starts[bin &+ 1])
      // A bin of many entries is one of many rows of few keys.
      if end &- entry > 64 { entry = Self.firstIndex(notBelow: high, in: highs, entry..<end) }
      while entry < end, highs[entry] <= high {
        if highs[entry] == high, lows[entry] == wantedLows[key] {
          let id = hasIDs ? ids[entry] : SegmentColumns.noRowID
          let order = hasOrders ? orders[entry] : OrderColumn.unknown
          found.append(
            FoundEntry(
              key: base &+ key, file: Int(files[entry]), position: Int64(positions[entry]),
              rowID: id < 0 ? nil : id, order: order == OrderColumn.unknown ? nil : order))
        }
        entry &+= 1
      }
    }
  }

  static func firstIndex(
    notBelow high: UInt64, in highs: Span<UInt64>, _ range: Range<Int>
  ) -> Int {
    var (low, end) = (range.lowerBound, range.upperBound)
    while low < end {
      let middle = (low &+ end) / 2
      if highs[middle] < high { low = middle &+ 1 } else { end = middle }
    }
    return low
  }
}

extension SegmentColumns {
  /// True if the entries are in order, and of files below `limit`.
  func isSound(fileCount limit: Int) -> Bool {
    let highs = self.highs.values(as: UInt64.self)
    var last: UInt64 = 0
    for i in highs.indices {
      if highs[i] < last { return false }
      last = highs[i]
    }
    let files = self.files.values(as: UInt32.self)
    var most: UInt32 = 0
    for i in files.indices { most = max(most, files[i]) }
    return count == 0 || Int(most) < limit
  }
}

/// An entry of a key that was looked up.
struct FoundEntry {
  let key: Int
  /// The number of the file.
  var file: Int
  let position: Int64
  /// What the file itself has of the row's id.
  let rowID: Int64?
  let order: Int64?
}

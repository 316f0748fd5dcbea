// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// A run of entries that never changes, sorted by hash, with a directory of where the hashes of
/// each prefix begin.
///
/// Cost: 20 bytes an entry, half a byte for the directory; 8 for row ids and for order values,
/// where there are any. A key is found at the cost of two or three cache misses.
struct IndexSegment: Sendable {
  let columns: SegmentColumns
  /// Where the entries of each prefix begin, and behind the last their number; UInt32.
  private let starts: Buffer
  private let shift: UInt64

  var count: Int { columns.count }
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

  /// Appends the entries of each of the `keys` that has any: the key's number, and the entry.
  func find(_ keys: KeyHashes, into found: inout [FoundEntry], segment: Int) {
    let starts = self.starts.values(as: UInt32.self)
    let highs = columns.highs.values(as: UInt64.self)
    let lows = columns.lows.values(as: UInt32.self)
    let (wanted, wantedLows) = (
      keys.highs.values(as: UInt64.self), keys.lows.values(as: UInt32.self)
    )
    for key in wanted.indices {
      let high = wanted[key]
      let bin = Int(truncatingIfNeeded: high &>> shift)
      var entry = Int(starts[bin])
      let end = Int(starts[bin &+ 1])
      // A bin of many entries is one of many rows of few keys.
      if end &- entry > 64 { entry = Self.firstIndex(notBelow: high, in: highs, entry..<end) }
      while entry < end, highs[entry] <= high {
        if highs[entry] == high, lows[entry] == wantedLows[key] {
          found.append(FoundEntry(key: key, segment: segment, entry: entry))
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

  func file(_ entry: Int) -> Int {
    Int(columns.files.bytes.loadLE(at: entry * 4, as: UInt32.self))
  }

  func position(_ entry: Int) -> Int64 {
    Int64(columns.positions.bytes.loadLE(at: entry * 4, as: UInt32.self))
  }

  /// What the file itself has of the row's id.
  func rowID(_ entry: Int) -> Int64? {
    guard let rowIDs = columns.rowIDs else { return nil }
    let id = rowIDs.bytes.loadLE(at: entry * 8, as: Int64.self)
    return id < 0 ? nil : id
  }

  func order(_ entry: Int) -> Int64? {
    guard let orders = columns.orders else { return nil }
    let value = orders.bytes.loadLE(at: entry * 8, as: Int64.self)
    return value == OrderColumn.unknown ? nil : value
  }
}

/// An entry of a key that was looked up.
struct FoundEntry {
  let key: Int
  let segment: Int
  let entry: Int
}

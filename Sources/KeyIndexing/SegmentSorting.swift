// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Eight bytes of a hash, and the entry it is of.
private struct HashPair: BitwiseCopyable {
  var high: UInt64
  var entry: UInt32
}

extension SegmentColumns {
  /// The entries by ascending hash, and of one hash by file and position.
  ///
  /// Hashes are spread evenly, so they are dealt into buckets of some sixteen by their leading bits,
  /// each of which is then sorted by itself: some 60 ns an entry.
  func sorted() -> SegmentColumns {
    if count < 2 { return self }
    return gathered(order())
  }

  private func order() -> Buffer {
    let bits = max(1, Int.bitWidth - (count / 16).leadingZeroBitCount)
    let shift = UInt64(64 - bits)
    let highs = self.highs.values(as: UInt64.self)
    var ends = [UInt32](repeating: 0, count: 1 << bits)
    for i in highs.indices { ends[Int(truncatingIfNeeded: highs[i] &>> shift)] &+= 1 }
    var next: UInt32 = 0
    for bin in ends.indices {
      let size = ends[bin]
      ends[bin] = next
      next &+= size
    }
    var pairs = [HashPair](repeating: HashPair(high: 0, entry: 0), count: count)
    for i in highs.indices {
      let bin = Int(truncatingIfNeeded: highs[i] &>> shift)
      pairs[Int(ends[bin])] = HashPair(high: highs[i], entry: UInt32(truncatingIfNeeded: i))
      ends[bin] &+= 1
    }
    var start = 0
    for end in ends {
      sort(&pairs, start..<Int(end))
      start = Int(end)
    }
    var target = MutableBuffer(byteCount: count * 4)
    var order = target.mutableValues(as: UInt32.self)
    for i in order.indices { order[i] = pairs[i].entry }
    return target.freeze()
  }

  private func sort(_ pairs: inout [HashPair], _ range: Range<Int>) {
    guard range.count <= 48 else {
      pairs[range].sort { precedes($0, $1) }
      return
    }
    for i in range.dropFirst() {
      let pair = pairs[i]
      var j = i
      while j > range.lowerBound, precedes(pair, pairs[j &- 1]) {
        pairs[j] = pairs[j &- 1]
        j &-= 1
      }
      pairs[j] = pair
    }
  }

  @inline(__always)
  private func precedes(_ a: HashPair, _ b: HashPair) -> Bool {
    a.high != b.high ? a.high < b.high : tail(Int(a.entry)) < tail(Int(b.entry))
  }

  /// What orders entries whose hashes begin alike.
  private func tail(_ entry: Int) -> (UInt32, UInt32, UInt32) {
    (
      lows.bytes.loadLE(at: entry * 4, as: UInt32.self),
      files.bytes.loadLE(at: entry * 4, as: UInt32.self),
      positions.bytes.loadLE(at: entry * 4, as: UInt32.self)
    )
  }

  private func gathered(_ order: Buffer) -> SegmentColumns {
    SegmentColumns(
      count: order.count / 4, highs: Self.longs(highs, order), lows: Self.words(lows, order),
      files: Self.words(files, order), positions: Self.words(positions, order),
      rowIDs: rowIDs.map { Self.longs($0, order) }, orders: orders.map { Self.longs($0, order) })
  }

  private static func longs(_ values: Buffer, _ order: Buffer) -> Buffer {
    let (old, rows) = (values.values(as: UInt64.self), order.values(as: UInt32.self))
    var target = MutableBuffer(byteCount: rows.count * 8)
    var new = target.mutableValues(as: UInt64.self)
    for i in rows.indices { new[i] = old[Int(rows[i])] }
    return target.freeze()
  }

  private static func words(_ values: Buffer, _ order: Buffer) -> Buffer {
    let (old, rows) = (values.values(as: UInt32.self), order.values(as: UInt32.self))
    var target = MutableBuffer(byteCount: rows.count * 4)
    var new = target.mutableValues(as: UInt32.self)
    for i in rows.indices { new[i] = old[Int(rows[i])] }
    return target.freeze()
  }
}

// MARK: - Merging

extension SegmentColumns {
  /// The entries of segments that are sorted, sorted; without those of files that `isGone` says are.
  static func merged(_ parts: [SegmentColumns], isGone: [Bool]) -> SegmentColumns {
    var parts = parts.filter { $0.count > 0 }.map { $0.without(isGone) }
    while parts.count > 1 {
      var next: [SegmentColumns] = []
      for i in stride(from: 0, to: parts.count - 1, by: 2) {
        next.append(merged(parts[i], parts[i + 1]))
      }
      if parts.count % 2 == 1 { next.append(parts[parts.count - 1]) }
      parts = next
    }
    return parts.first ?? .empty
  }

  private func without(_ isGone: [Bool]) -> SegmentColumns {
    guard isGone.contains(true) else { return self }
    let files = self.files.values(as: UInt32.self)
    var target = MutableBuffer(capacity: count * 4)
    for i in files.indices where !isGone[Int(files[i])] {
      target.append(value: UInt32(truncatingIfNeeded: i))
    }
    return target.count == count * 4 ? self : gathered(target.freeze())
  }

  /// The entries at which `mask` is 1.
  func filtered(by mask: Bitmap) -> SegmentColumns {
    var target = MutableBuffer(capacity: count * 4)
    for i in 0..<count where mask[i] { target.append(value: UInt32(truncatingIfNeeded: i)) }
    return gathered(target.freeze())
  }

  /// The rows of both, worked out as an order of the two one behind the other.
  private static func merged(_ a: SegmentColumns, _ b: SegmentColumns) -> SegmentColumns {
    let x = a.highs.values(as: UInt64.self)
    let y = b.highs.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: (a.count + b.count) * 4)
    var order = target.mutableValues(as: UInt32.self)
    var (i, j) = (0, 0)
    for k in order.indices {
      let takesFirst =
        j >= y.count || i < x.count && (x[i] != y[j] ? x[i] < y[j] : a.tail(i) <= b.tail(j))
      order[k] = UInt32(truncatingIfNeeded: takesFirst ? i : a.count &+ j)
      if takesFirst { i &+= 1 } else { j &+= 1 }
    }
    return concat([a, b]).gathered(target.freeze())
  }
}

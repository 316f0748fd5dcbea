// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Eight bytes of a row's key as a number that sorts as they do, and the row.
struct SortPair: BitwiseCopyable {
  var key: UInt64
  var row: Int32
}

/// Sorts row numbers by several columns, stably.
///
/// A key is taken eight bytes at a time, most significant first: all rows are sorted by the first
/// eight of the first column; each run that is still equal by the next eight, and at the column's
/// end by the next column. What is left to do is kept in a list rather than on the stack, so that
/// long equal strings cost no depth.
///
/// Gain: keys of numbers 3.5 ns each, against 3.7 through spans; what is gained is in ``PairSort``, and
/// in the strings' rows.
struct RowSorter {
  private struct Task {
    var range: Range<Int>
    var key: Int
    /// Which eight bytes of the key; nulls are not apart yet at 0.
    var level: Int
  }

  private let keys: [SortKey]
  private var pairs: [SortPair]
  private var scratch: [SortPair]
  private var tasks: [Task] = []

  init(rowCount: Int, keys: [SortKey]) {
    self.keys = keys
    pairs = (0..<rowCount).map { SortPair(key: 0, row: Int32(truncatingIfNeeded: $0)) }
    scratch = []
    for key in keys {
      if case .variable(let offsets, let bytes) = key.column.values {
        checkAscending(offsets.values(as: Int32.self), limit: bytes.count)
      }
    }
  }

  /// The rows in order.
  var rows: [Int32] { pairs.map(\.row) }

  mutating func sort() {
    push(0..<pairs.count, key: 0, level: 0)
    while let task = tasks.popLast() {
      let key = keys[task.key]
      var range = task.range
      if task.level == 0, key.column.nullCount > 0 {
        range = separateNulls(of: key, in: range, task.key)
      }
      if range.count < 2 { continue }
      fill(range, key, level: task.level)
      PairSort.sort(&pairs, range, &scratch)
      pushRuns(range, task)
    }
  }

  private mutating func push(_ range: Range<Int>, key: Int, level: Int) {
    if range.count > 1, key < keys.count {
      tasks.append(Task(range: range, key: key, level: level))
    }
  }

  /// Puts nulls first or last, to be sorted by the next key, and returns where the others are.
  private mutating func separateNulls(
    of key: SortKey, in range: Range<Int>, _ index: Int
  ) -> Range<Int> {
    guard let validity = key.column.validity else { return range }
    let part = Array(pairs[range])
    let nulls = part.filter { !validity[Int($0.row)] }
    let others = part.filter { validity[Int($0.row)] }
    pairs.replaceSubrange(range, with: key.nulls == .first ? nulls + others : others + nulls)
    let cut = range.lowerBound + (key.nulls == .first ? nulls.count : others.count)
    let ranges = (range.lowerBound..<cut, cut..<range.upperBound)
    push(key.nulls == .first ? ranges.0 : ranges.1, key: index + 1, level: 0)
    return key.nulls == .first ? ranges.1 : ranges.0
  }

  /// Leaves the runs of equal keys to be sorted by what comes next.
  private mutating func pushRuns(_ range: Range<Int>, _ task: Task) {
    let column = keys[task.key].column
    let isLast = task.key + 1 == keys.count
    let hasMore = column.hasSortLevel(after: task.level)
    if isLast && !hasMore { return }
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start + 1
      while end < range.upperBound, pairs[end].key == pairs[start].key { end += 1 }
      if end - start > 1 {
        if case .variable = column.values {
          pushStrings(start..<end, task)
        } else if hasMore {
          push(start..<end, key: task.key, level: task.level + 1)
        } else {
          push(start..<end, key: task.key + 1, level: 0)
        }
      }
      start = end
    }
  }

  /// Strings whose eight bytes are equal differ in whether they end in them, and where.
  private mutating func pushStrings(_ range: Range<Int>, _ task: Task) {
    let key = keys[task.key]
    guard case .variable(let offsets, _) = key.column.values else { return }
    let ends = offsets.values(as: Int32.self)
    let done = (task.level + 1) * 8
    var isEqual = true
    for i in range {
      let row = Int(pairs[i].row)
      let length = min(Int(ends[row + 1] - ends[row]), done + 1)
      pairs[i].key = key.direction == .ascending ? UInt64(length) : ~UInt64(length)
      isEqual = isEqual && pairs[i].key == pairs[range.lowerBound].key
    }
    if !isEqual { PairSort.sort(&pairs, range, &scratch) }
    let past = key.direction == .ascending ? UInt64(done + 1) : ~UInt64(done + 1)
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start + 1
      while end < range.upperBound, pairs[end].key == pairs[start].key { end += 1 }
      if pairs[start].key == past {
        push(start..<end, key: task.key, level: task.level + 1)
      } else {
        push(start..<end, key: task.key + 1, level: 0)
      }
      start = end
    }
  }

  /// Sets the keys of the pairs in `range` to the eight bytes of their rows.
  private mutating func fill(_ range: Range<Int>, _ key: SortKey, level: Int) {
    unsafe pairs.withUnsafeMutableBufferPointer { pairs in
      let part = unsafe UnsafeMutableBufferPointer(rebasing: pairs[range])
      unsafe key.column.fillSortKeys(part, level: level)
      if key.direction == .descending {
        for i in 0..<part.count { unsafe part[i].key = unsafe ~part[i].key }
      }
    }
  }
}

extension Column {
  /// True if rows that are equal so far may differ in the next eight bytes.
  fileprivate func hasSortLevel(after level: Int) -> Bool {
    switch (values, type.layout) {
    case (.variable, _): true
    case (.fixed, .fixed(let width)): (level + 1) * 8 < width
    default: false
    }
  }

  /// Sets the keys of `pairs`, whose rows are this column's and not null.
  fileprivate func fillSortKeys(_ pairs: UnsafeMutableBufferPointer<SortPair>, level: Int) {
    switch values {
    case .null: break
    case .bits(let bits):
      for i in 0..<pairs.count { unsafe pairs[i].key = unsafe bits[Int(pairs[i].row)] ? 1 : 0 }
    case .variable: unsafe fillByteKeys(pairs, level: level)
    case .fixed(let buffer): unsafe fillFixedKeys(pairs, buffer, level: level)
    default: preconditionFailure("\(type) is not sorted by")
    }
  }

  private func fillByteKeys(_ pairs: UnsafeMutableBufferPointer<SortPair>, level: Int) {
    unsafe withCheckedByteRows { rows in
      for i in 0..<pairs.count {
        unsafe pairs[i].key = rows.row(Int(pairs[i].row)).chunk(at: level &* 8)
      }
    }
  }

  private func fillFixedKeys(
    _ pairs: UnsafeMutableBufferPointer<SortPair>, _ buffer: Buffer, level: Int
  ) {
    switch (type, type.layout) {
    case (.uuid, _), (.fixed, _): unsafe fillByteKeys(pairs, level: level)
    case (.float, _):
      unsafe fill(pairs, buffer, UInt32.self) { bits in
        let flip = UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 0x8000_0000
        return UInt64(bits ^ flip)
      }
    case (.double, _):
      unsafe fill(pairs, buffer, UInt64.self) { bits in
        bits ^ (UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | 1 << 63)
      }
    case (_, .fixed(width: 4)):
      unsafe fill(pairs, buffer, UInt32.self) { UInt64($0 ^ 0x8000_0000) }
    case (_, .fixed(width: 8)): unsafe fill(pairs, buffer, UInt64.self) { $0 ^ 1 << 63 }
    default:
      if level == 0 {
        unsafe fill(pairs, buffer, WideInteger.self) { UInt64(bitPattern: $0.high) ^ 1 << 63 }
      } else {
        unsafe fill(pairs, buffer, WideInteger.self) { $0.low }
      }
    }
  }

  @inline(__always)
  private func fill<T: BitwiseCopyable>(
    _ pairs: UnsafeMutableBufferPointer<SortPair>, _ buffer: Buffer, _ type: T.Type,
    _ key: (T) -> UInt64
  ) {
    precondition(buffer.count == count * MemoryLayout<T>.stride)
    unsafe buffer.bytes.withUnsafeBytes { bytes in
      for i in 0..<pairs.count {
        let place = unsafe Int(pairs[i].row) &* MemoryLayout<T>.stride
        unsafe pairs[i].key = key(bytes.loadUnaligned(fromByteOffset: place, as: T.self))
      }
    }
  }
}

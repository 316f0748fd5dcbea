// SPDX-License-Identifier: Apache-2.0

/// Which of a known number of rows are wanted: ranges, where a ``Bitmap`` is bits.
///
/// Laws: the ranges are ascending, within `0..<rowCount`, not empty, and no two touch; so equal
/// selections are equal values.
/// Cost: what is not said otherwise is O(ranges).
public struct RowSelection: Hashable, Sendable {
  /// How many rows there are to select from.
  public let rowCount: Int
  public let ranges: [Range<Int>]
  /// How many rows are selected.
  public let count: Int

  /// The rows of `ranges`, which are ascending and disjoint; they may be empty and may touch.
  public init(ranges: [Range<Int>], rowCount: Int) {
    var builder = RowSelectionBuilder(rowCount: rowCount)
    for range in ranges { builder.append(range) }
    self = builder.finish()
  }

  fileprivate init(canonical ranges: [Range<Int>], count: Int, rowCount: Int) {
    self.rowCount = rowCount
    self.ranges = ranges
    self.count = count
  }

  /// All rows.
  public static func all(_ rowCount: Int) -> RowSelection {
    RowSelection(ranges: [0..<rowCount], rowCount: rowCount)
  }

  /// No row.
  public static func none(of rowCount: Int) -> RowSelection {
    RowSelection(ranges: [], rowCount: rowCount)
  }

  /// The rows whose bit is 1. Cost: O(count / 64 + ranges).
  public init(_ bitmap: Bitmap) {
    var builder = RowSelectionBuilder(rowCount: bitmap.count)
    for i in 0..<bitmap.wordCount {
      var word = bitmap.word(i)
      var position = i &* 64
      while word != 0 {
        let zeros = word.trailingZeroBitCount
        let ones = (~(word >> UInt64(zeros))).trailingZeroBitCount
        let length = Swift.min(ones, 64 &- zeros)
        builder.append(position &+ zeros..<position &+ zeros &+ length)
        position &+= zeros &+ length
        word = zeros &+ length == 64 ? 0 : word >> UInt64(zeros &+ length)
      }
    }
    self = builder.finish()
  }

  /// A bit a row, 1 where it is selected. Cost: O(rowCount / 64 + ranges).
  public var bitmap: Bitmap {
    var builder = BitmapBuilder(capacity: rowCount)
    for range in ranges {
      builder.append(repeating: false, count: range.lowerBound - builder.count)
      builder.append(repeating: true, count: range.count)
    }
    builder.append(repeating: false, count: rowCount - builder.count)
    return builder.finish()
  }

  public var isAll: Bool { count == rowCount }
  public var isEmpty: Bool { count == 0 }

  /// True if `row` is selected. Cost: O(log ranges).
  public func contains(_ row: Int) -> Bool {
    let index = firstRange(endingAfter: row)
    return index < ranges.count && ranges[index].lowerBound <= row
  }

  /// True if a row of `range` is selected. Cost: O(log ranges).
  public func overlaps(_ range: Range<Int>) -> Bool {
    if range.isEmpty { return false }
    let index = firstRange(endingAfter: range.lowerBound)
    return index < ranges.count && ranges[index].lowerBound < range.upperBound
  }

  /// The index of the first range with rows past `row`; the number of ranges if there is none.
  func firstRange(endingAfter row: Int) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RowSelection {
  /// The rows that both select, of the same number of rows.
  public func intersection(_ other: RowSelection) -> RowSelection {
    precondition(rowCount == other.rowCount, "selections of different rows")
    var builder = RowSelectionBuilder(rowCount: rowCount)
    var i = 0
    var j = 0
    while i < ranges.count, j < other.ranges.count {
      let a = ranges[i]
      let b = other.ranges[j]
      let low = max(a.lowerBound, b.lowerBound)
      let high = min(a.upperBound, b.upperBound)
      if low < high { builder.append(low..<high) }
      if a.upperBound <= b.upperBound { i += 1 } else { j += 1 }
    }
    return builder.finish()
  }

  /// The rows that either selects, of the same number of rows.
  public func union(_ other: RowSelection) -> RowSelection {
    complement().intersection(other.complement()).complement()
  }

  /// The rows that this selects and `other` does not.
  public func subtracting(_ other: RowSelection) -> RowSelection {
    intersection(other.complement())
  }

  /// The rows that are not selected.
  public func complement() -> RowSelection {
    var builder = RowSelectionBuilder(rowCount: rowCount)
    var next = 0
    for range in ranges {
      builder.append(next..<range.lowerBound)
      next = range.upperBound
    }
    builder.append(next..<rowCount)
    return builder.finish()
  }

  /// The selection of the rows in `range` alone, which count from 0 then.
  public func slice(_ range: Range<Int>) -> RowSelection {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount, "a slice outside the selection")
    var builder = RowSelectionBuilder(rowCount: range.count)
    var index = firstRange(endingAfter: range.lowerBound)
    while index < ranges.count, ranges[index].lowerBound < range.upperBound {
      let clamped = ranges[index].clamped(to: range)
      builder.append(
        clamped.lowerBound - range.lowerBound..<clamped.upperBound - range.lowerBound)
      index += 1
    }
    return builder.finish()
  }

  /// Of the selected rows those whose bit in `mask`, which has a bit for each of them, is 1.
  ///
  /// With this a predicate over the rows read so far narrows what is read of other columns.
  public func refined(by mask: Bitmap) -> RowSelection {
    precondition(mask.count == count, "a bit for each selected row")
    var builder = RowSelectionBuilder(rowCount: rowCount)
    var index = 0
    var seen = 0  // selected rows before ranges[index]
    for kept in RowSelection(mask).ranges {
      var next = kept.lowerBound
      while next < kept.upperBound {
        while next >= seen + ranges[index].count {
          seen += ranges[index].count
          index += 1
        }
        let shift = ranges[index].lowerBound - seen
        let end = min(kept.upperBound, seen + ranges[index].count)
        builder.append(next + shift..<end + shift)
        next = end
      }
    }
    return builder.finish()
  }
}

/// Puts ranges together in ascending order.
public struct RowSelectionBuilder: Sendable {
  private let rowCount: Int
  private var ranges: [Range<Int>] = []
  private var last = 0..<0
  private var count = 0

  public init(rowCount: Int) {
    precondition(rowCount >= 0)
    self.rowCount = rowCount
  }

  /// Adds the rows of `range`, which lies after all that was added before.
  public mutating func append(_ range: Range<Int>) {
    if range.isEmpty { return }
    precondition(
      range.lowerBound >= last.upperBound && range.upperBound <= rowCount, "rows out of order")
    count += range.count
    if range.lowerBound == last.upperBound, !last.isEmpty {
      last = last.lowerBound..<range.upperBound
    } else {
      if !last.isEmpty { ranges.append(last) }
      last = range
    }
  }

  public consuming func finish() -> RowSelection {
    if !last.isEmpty { ranges.append(last) }
    return RowSelection(canonical: ranges, count: count, rowCount: rowCount)
  }
}

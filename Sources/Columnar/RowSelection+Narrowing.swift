// SPDX-License-Identifier: Apache-2.0

/// Reading a selection in parts, and a little more than it, where that is quicker.
extension RowSelection {
  /// This selection and the rows of its gaps that are shorter than `limit`: fewer ranges, for
  /// readers to whom a range costs more than some rows. Cost: O(ranges).
  public func joiningGaps(shorterThan limit: Int) -> RowSelection {
    guard var open = ranges.first else { return self }
    var builder = RowSelectionBuilder(rowCount: rowCount)
    for range in ranges.dropFirst() {
      if range.lowerBound - open.upperBound < limit {
        open = open.lowerBound..<range.upperBound
      } else {
        builder.append(open)
        open = range
      }
    }
    builder.append(open)
    return builder.finish()
  }

  /// A bit for each row that `wider` selects, 1 where this selects it too.
  ///
  /// Requires: `wider` selects all rows that this does. Cost: O(ranges of both + rows / 64).
  public func bitmap(within wider: RowSelection) -> Bitmap {
    precondition(rowCount == wider.rowCount, "selections of different rows")
    var builder = BitmapBuilder(capacity: wider.count)
    var index = 0
    for outer in wider.ranges {
      var next = outer.lowerBound
      while index < ranges.count, ranges[index].upperBound <= outer.upperBound {
        let inner = ranges[index]
        precondition(inner.lowerBound >= next, "a selection of more rows")
        builder.append(repeating: false, count: inner.lowerBound - next)
        builder.append(repeating: true, count: inner.count)
        next = inner.upperBound
        index += 1
      }
      builder.append(repeating: false, count: outer.upperBound - next)
    }
    precondition(index == ranges.count, "a selection of more rows")
    return builder.finish()
  }

  /// The rows from `start` up to the first selected one that is not among the next `count` selected
  /// ones; up to the end if there is none.
  ///
  /// Windows made like that have about as many rows to read each, however they are spread.
  public func window(from start: Int, holding count: Int) -> Range<Int> {
    precondition(start >= 0 && start <= rowCount && count > 0)
    var left = count
    var index = firstRange(endingAfter: start)
    while index < ranges.count {
      let first = max(ranges[index].lowerBound, start)
      if left == 0 { return start..<first }
      let size = ranges[index].upperBound - first
      if size > left { return start..<first + left }
      left -= size
      index += 1
    }
    return start..<rowCount
  }
}

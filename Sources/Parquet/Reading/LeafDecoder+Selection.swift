// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

extension LeafDecoder {
  /// Decodes those of the next rows that `selection` selects into `batch`, and goes on behind them
  /// all.
  func decode(_ selection: RowSelection, into batch: LeafBatch) throws(ParquetError) {
    if isFlat, selection.ranges.count > 1 { return try decodeFlat(selection, into: batch) }
    var next = 0
    for range in selection.ranges {
      skip(range.lowerBound - next)
      try decode(range.count, into: batch)
      next = range.upperBound
    }
    skip(selection.rowCount - next)
  }

  /// A page at a time: what is selected of it is picked from it at once.
  private func decodeFlat(
    _ selection: RowSelection, into batch: LeafBatch
  ) throws(ParquetError) {
    var ranges = selection.ranges[...]
    var position = 0
    while let first = ranges.first {
      skip(first.lowerBound - position)
      position = first.lowerBound
      let available = try levelsAtHand()
      let picked = Self.taking(available, from: position, of: &ranges)
      try decode(picked, into: batch)
      position += picked.last?.upperBound ?? 0
    }
    skip(selection.rowCount - position)
  }

  /// Takes what lies in the `count` rows from `position` on off `ranges`; the answer counts from
  /// there.
  private static func taking(
    _ count: Int, from position: Int, of ranges: inout ArraySlice<Range<Int>>
  ) -> [Range<Int>] {
    var taken: [Range<Int>] = []
    let end = position + count
    while let range = ranges.first, range.lowerBound < end {
      taken.append(range.lowerBound - position..<min(range.upperBound, end) - position)
      if range.upperBound > end {
        ranges[ranges.startIndex] = end..<range.upperBound
        return taken
      }
      ranges.removeFirst()
    }
    return taken
  }
}

extension PageValues {
  /// Appends those of the next values that lie in `ranges`, which ascend and count from the next
  /// value on; goes on behind the last of them.
  mutating func decode(
    _ ranges: [Range<Int>], dictionary: Column?, into output: inout DenseValues,
    _ workspace: DecodeWorkspace, limit: Int
  ) throws(ByteError) {
    guard let last = ranges.last else { return }
    guard ranges.count > 1 else {
      try skip(last.lowerBound, limit: limit)
      return try decode(last.count, dictionary: dictionary, into: &output, workspace)
    }
    let count = ranges.reduce(0) { $0 + $1.count }
    if try decodeCodes(ranges, count, dictionary, into: &output, workspace) { return }
    if let bytes = try takePlain(ranges, count) {
      try output.leaveDictionary()
      try appendPlain(bytes, count, into: &output)
      return output.add(count)
    }
    var next = 0
    for range in ranges {
      try skip(range.lowerBound - next, limit: limit)
      try decode(range.count, dictionary: dictionary, into: &output, workspace)
      next = range.upperBound
    }
  }
}

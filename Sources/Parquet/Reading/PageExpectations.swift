// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// What the page index says of the data pages of a column chunk, for pages that are decoded to be
/// held against.
///
/// Rows were chosen and left out by it. One page that is not as it says makes all it says doubtful,
/// so the error is of the index, not of the page (``ParquetError/leafOfPageIndex``).
struct PageExpectations {
  let index: PageIndex
  private let leaf: ParquetLeaf
  private let rowGroup: Int
  private let hasNullCounts: Bool

  init(_ index: PageIndex, of chunk: ChunkPlace) {
    self.index = index
    leaf = chunk.leaf
    rowGroup = chunk.rowGroup
    // What writers count as a null where there are lists differs.
    hasNullCounts =
      leaf.maxRepetitionLevel == 0 && index.statistics.count == index.rows.count
  }

  /// How many nulls data page `page` has; nil if that is not known.
  func nullCount(ofPage page: Int) -> Int? {
    guard hasNullCounts, index.statistics.indices.contains(page) else { return nil }
    return index.statistics[page].nullCount.flatMap { Int(exactly: $0) }
  }

  /// Holds data page `page`, which has `found` rows, against the index.
  func checkRows(_ found: Int, ofPage page: Int) throws(ParquetError) {
    guard index.rows.indices.contains(page) else {
      throw .inconsistent(
        offsetIndex, what: "data pages", expected: Int64(index.rows.count), found: Int64(page) + 1)
    }
    let expected = index.rows[page].count
    guard found == expected else {
      throw .inconsistent(
        offsetIndex, what: "rows of page \(page)", expected: Int64(expected), found: Int64(found))
    }
  }

  /// Holds data page `page` of a leaf in lists, which has `count` levels, against the index: as many
  /// rows as it says begin there, the first of them at its start.
  ///
  /// Cost: that of decoding its repetition levels.
  func checkRows(
    _ levels: LevelDecoder, count: Int, ofPage page: Int, _ part: ParquetPart
  ) throws(ParquetError) {
    let starts: (count: Int, isFirst: Bool)
    do throws(ByteError) {
      starts = try levels.rowStarts(in: count, maximum: leaf.maxRepetitionLevel)
    } catch {
      throw .malformed(part, error)
    }
    guard starts.isFirst else {
      throw .inconsistent(
        offsetIndex, what: "first repetition level of page \(page)", expected: 0, found: 1)
    }
    try checkRows(starts.count, ofPage: page)
  }

  /// The nulls that are left of `nulls`, when `found` were decoded and `values` are to come.
  func nullsLeft(
    _ nulls: Int, found: Int, values: Int, ofPage page: Int
  ) throws(ParquetError) -> Int {
    let left = nulls - found
    guard left >= 0, left <= values else {
      let expected = nullCount(ofPage: page) ?? 0
      throw .inconsistent(
        .columnIndex(path: leaf.name, rowGroup: rowGroup), what: "nulls of page \(page)",
        expected: Int64(expected), found: Int64(expected - left + (left < 0 ? 0 : values)))
    }
    return left
  }

  private var offsetIndex: ParquetPart { .offsetIndex(path: leaf.name, rowGroup: rowGroup) }
}

extension ParquetError {
  /// The leaf whose page index was found to be wrong of its pages; nil for other errors.
  package var leafOfPageIndex: String? {
    switch self {
    case .inconsistent(.offsetIndex(let path, _), _, _, _),
      .inconsistent(.columnIndex(let path, _), _, _, _):
      path
    default: nil
    }
  }
}

extension LevelDecoder {
  /// How many of the next `count` repetition levels are 0, where a row begins, and whether the first
  /// is. The levels stay where they are.
  fileprivate func rowStarts(
    in count: Int, maximum: Int
  ) throws(ByteError) -> (count: Int, isFirst: Bool) {
    var levels = self
    var zeros = 0
    var isFirst = false
    var left = count
    while left > 0 {
      let step = min(left, 1 << 13)
      if maximum == 1 {
        var bits = BitmapBuilder(capacity: step)
        try levels.decode(step, into: &bits)
        zeros += bits.countOfZeros
        if left == count { isFirst = !bits.finish()[0] }
      } else {
        var bytes = MutableBuffer(byteCount: step)
        var span = bytes.mutableValues(as: UInt8.self)
        try levels.decode(into: &span, maximum: maximum)
        for i in span.indices { zeros &+= span[i] == 0 ? 1 : 0 }
        if left == count { isFirst = span[0] == 0 }
      }
      left -= step
    }
    return (zeros, isFirst)
  }
}

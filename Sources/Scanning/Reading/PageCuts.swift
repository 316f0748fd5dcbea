// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Parquet

/// Where the rows of a row group can be cut, where some of them are wanted.
///
/// What few rows cost is the pages they are in, which are inflated whole: pieces with as many rows
/// may have a hundred times the work.
struct PageCuts {
  /// Where pages begin that have wanted rows, of the leaf that has the most pages; ascending.
  private let starts: [Int]
  /// How many pages it has in all.
  private let pageCount: Int

  /// Nil where that is not known of all `leaves`.
  init?(_ leaves: [Int], _ indexes: [Int: PageIndex], of selection: RowSelection) {
    var finest: [Range<Int>] = []
    for leaf in leaves {
      guard let index = indexes[leaf] else { return nil }
      if index.rows.count > finest.count { finest = index.rows }
    }
    guard !finest.isEmpty else { return nil }
    pageCount = finest.count
    starts = finest.filter { selection.overlaps($0) }.map(\.lowerBound)
  }

  /// The part of all pages that has wanted rows.
  var share: Double { Double(starts.count) / Double(pageCount) }

  /// `rows` in up to `count` pieces, which have about as many pages with wanted rows; no page of
  /// that leaf is in two.
  func pieces(of rows: Range<Int>, count: Int) -> [Range<Int>] {
    let own = starts.filter { $0 > rows.lowerBound && $0 < rows.upperBound }
    var pieces: [Range<Int>] = []
    var start = rows.lowerBound
    for piece in 1..<max(1, count) {
      let index = (own.count + 1) * piece / count - 1
      guard index >= 0, index < own.count, own[index] > start else { continue }
      pieces.append(start..<own[index])
      start = own[index]
    }
    return pieces + [start..<rows.upperBound]
  }
}

extension RowSelection {
  /// `rows` in pieces that have up to `count` selected rows.
  func pieces(of rows: Range<Int>, holding count: Int) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = rows.lowerBound
    while start < rows.upperBound {
      let piece = window(from: start, holding: count).clamped(to: rows)
      start = piece.upperBound
      pieces.append(piece)
    }
    return pieces
  }
}

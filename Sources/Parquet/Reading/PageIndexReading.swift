// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar

/// Where the data pages of a column chunk are, which rows they hold, and what of them is known.
///
/// Laws: pages are in the order of the rows, cover all of them, and lie in the chunk.
/// Source: parquet-format PageIndex.md.
public struct PageIndex: Sendable {
  /// The rows of each page, of the row group.
  public let rows: [Range<Int>]
  /// What is known of each page; empty if nothing is.
  public let statistics: [ColumnStatistics]
  package let offsetIndex: OffsetIndex
  /// The checksum of each page's header, dictionary included, where Lake wrote the file.
  let headerChecksums: [UInt32]

  /// The rows of the pages of which `mayMatch` holds; of all if nothing is known of them.
  public func selection(where mayMatch: (ColumnStatistics) -> Bool) -> RowSelection {
    let rowCount = rows.last?.upperBound ?? 0
    guard statistics.count == rows.count else { return .all(rowCount) }
    let kept = zip(rows, statistics).filter { mayMatch($0.1) }.map(\.0)
    return RowSelection(ranges: kept, rowCount: rowCount)
  }

  /// How many pages have rows that `selection` selects.
  public func pageCount(in selection: RowSelection) -> Int {
    rows.count { selection.overlaps($0) }
  }
}

extension ParquetFooter {
  /// Where the page index of leaf `leaf` in row group `rowGroup` lies; empty if there is none.
  ///
  /// Writers put the indexes of all chunks beside each other, behind the pages.
  public func pageIndexRanges(rowGroup: Int, leaf: Int) -> [Range<Int64>] {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    guard let offsets = offsetIndexRange(rowGroup, leaf) else { return [] }
    return [offsets] + (columnIndexRange(chunk).map { [$0] } ?? [])
  }

  /// With the checksums of page headers that are behind it, where Lake wrote the file.
  func offsetIndexRange(_ rowGroup: Int, _ leaf: Int) -> Range<Int64>? {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    let range = place(chunk.offsetIndexOffset, chunk.offsetIndexLength)
    guard let range, checksums(rowGroup: rowGroup, leaf: leaf) != nil else { return range }
    let pageCount = chunk.metaData?.encodingStats?.reduce(Int64(0)) { $0 + Int64($1.count) } ?? 0
    guard pageCount >= 0, pageCount <= (offset - range.upperBound) / 4 else { return nil }
    return range.lowerBound..<range.upperBound + 4 * pageCount
  }

  func columnIndexRange(_ chunk: ColumnChunk) -> Range<Int64>? {
    place(chunk.columnIndexOffset, chunk.columnIndexLength)
  }

  private func place(_ start: Int64?, _ length: Int32?) -> Range<Int64>? {
    guard let start, let length, start >= 0, start < offset, length > 0,
      Int64(length) <= offset - start
    else { return nil }
    return start..<start + Int64(length)
  }

  /// The page index of leaf `leaf` in row group `rowGroup`; nil if there is none, or none that can
  /// be relied on.
  ///
  /// - Parameter bytes: what ``pageIndexRanges(rowGroup:leaf:)`` asks for.
  public func pageIndex(rowGroup: Int, leaf: Int, bytes: FileBytes) -> PageIndex? {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    guard let place = try? chunkPlace(rowGroup: rowGroup, leaf: leaf),
      let range = offsetIndexRange(rowGroup, leaf), let found = bytes.slice(range),
      Self.isIntact(
        .offsetIndex(path: place.leaf.name, rowGroup: rowGroup), found,
        place.checksums?.offsetIndex)
    else { return nil }
    var reader = ThriftReader(found.bytes)
    guard let index = try? OffsetIndex(from: &reader), let rows = rows(of: index, place) else {
      return nil
    }
    let headers = found.slice(Int(chunk.offsetIndexLength ?? 0)..<found.count)
    return PageIndex(
      rows: rows,
      statistics: pageStatistics(chunk, place, bytes: bytes, rows: rows) ?? [],
      offsetIndex: index,
      headerChecksums: stride(from: 0, to: headers.count, by: 4).map {
        headers.bytes.loadLE(at: $0, as: UInt32.self)
      })
  }

  /// The rows of each page; nil if the index can't be right.
  private func rows(of index: OffsetIndex, _ place: ChunkPlace) -> [Range<Int>]? {
    guard let rowCount = Int(exactly: place.rowCount) else { return nil }
    var rows: [Range<Int>] = []
    var end = place.range.lowerBound
    let pages = index.pageLocations
    for (i, page) in pages.enumerated() {
      let size = Int64(page.compressedPageSize)
      guard page.offset >= end, size > 0, page.offset < place.range.upperBound,
        size <= place.range.upperBound - page.offset
      else { return nil }
      end = page.offset + size
      let next = i + 1 < pages.count ? pages[i + 1].firstRowIndex : place.rowCount
      // A page that is said to have no rows has those of another.
      guard page.firstRowIndex >= 0, page.firstRowIndex < next, next <= place.rowCount else {
        return nil
      }
      rows.append(Int(page.firstRowIndex)..<Int(next))
    }
    guard rows.first?.lowerBound ?? 0 == 0, rowCount == 0 || !rows.isEmpty else { return nil }
    if let count = place.metadata.dataPageCount, count != rows.count { return nil }
    return rows
  }

  private func pageStatistics(
    _ chunk: ColumnChunk, _ place: ChunkPlace, bytes: FileBytes, rows: [Range<Int>]
  ) -> [ColumnStatistics]? {
    let count = rows.count
    let part = ParquetPart.columnIndex(path: place.leaf.name, rowGroup: place.rowGroup)
    guard let range = columnIndexRange(chunk), let found = bytes.slice(range),
      Self.isIntact(part, found, place.checksums?.columnIndex)
    else { return nil }
    var reader = ThriftReader(found.bytes)
    guard let index = try? ColumnIndex(from: &reader), index.nullPages.count == count,
      index.minValues.count == count, index.maxValues.count == count,
      index.nullCounts?.count ?? count == count, index.nanCounts?.count ?? count == count
    else { return nil }
    let bounds = BoundReader(self, leaf: place.leaf.index)
    let isPerRow = place.leaf.maxRepetitionLevel == 0
    var pages: [ColumnStatistics] = []
    for page in 0..<count {
      let valueCount = isPerRow ? Int64(rows[page].count) : nil
      let known = bounds.statistics(index, page: page, valueCount: valueCount)
      guard index.isPossible(page, rowCount: rows[page].count, place.leaf), known.hasRoomForBounds
      else { return nil }
      pages.append(known)
    }
    let whole = statistics(rowGroup: place.rowGroup, leaf: place.leaf.index)
    return Self.agree(pages, whole) ? pages : nil
  }

  /// False if what is said of the pages of a chunk can't be true beside what is said of all of it:
  /// one of the two is wrong then, and neither is to be relied on for less than all.
  private static func agree(_ pages: [ColumnStatistics], _ whole: ColumnStatistics?) -> Bool {
    guard let whole else { return true }
    if let nullCount = whole.nullCount {
      var total: Int64 = 0
      for page in pages {
        let (sum, overflow) = total.addingReportingOverflow(page.nullCount ?? 0)
        if overflow { return false }
        total = sum
      }
      let isComplete = pages.allSatisfy { $0.nullCount != nil }
      guard isComplete ? total == nullCount : total <= nullCount else { return false }
    }
    return pages.allSatisfy { isWithin($0, whole) }
  }

  /// Bytes may be cut in one of the two and not in the other, so that they tell nothing here.
  private static func isWithin(_ page: ColumnStatistics, _ whole: ColumnStatistics) -> Bool {
    if let low = page.lower, let least = whole.lower, low.isNumber, low.isLess(than: least) {
      return false
    }
    if let high = page.upper, let most = whole.upper, high.isNumber, most.isLess(than: high) {
      return false
    }
    return true
  }
}

extension BoundValue {
  fileprivate var isNumber: Bool { if case .bytes = self { false } else { true } }
}

extension ColumnMetaData {
  /// How many data pages there are; nil if that is not told.
  fileprivate var dataPageCount: Int? {
    guard let encodingStats, !encodingStats.isEmpty else { return nil }
    let pages = encodingStats.filter { $0.pageType == .dataPage || $0.pageType == .dataPageV2 }
    return pages.reduce(0) { $0 + Int($1.count) }
  }
}

extension ColumnIndex {
  /// False if what is counted in `page` of `leaf`, to which the offset index gives `rowCount` rows,
  /// can't be, or is not what is said of it besides.
  ///
  /// A boundary between pages that is told in the wrong place makes a page of few values seem to
  /// have none but nulls, and no one would look into it again.
  fileprivate func isPossible(_ page: Int, rowCount: Int, _ leaf: ParquetLeaf) -> Bool {
    let rows = Int64(rowCount)
    let starts = Self.levels(
      repetitionLevelHistograms, page, of: nullPages.count, leaf.maxRepetitionLevel)
    if let starts, starts.first != rows { return false }
    let nulls = nullCounts?[page] ?? 0
    let nans = nanCounts?[page] ?? 0
    guard nulls >= 0, nans >= 0 else { return false }
    // In lists there are more values than rows, and fewer.
    guard leaf.maxRepetitionLevel == 0 else { return true }
    let levels = Self.levels(
      definitionLevelHistograms, page, of: nullPages.count, leaf.maxDefinitionLevel)
    if let levels {
      var left = rows
      for count in levels {
        guard count >= 0, count <= left else { return false }
        left -= count
      }
      guard left == 0 else { return false }
    }
    if nullPages[page] { return nullCounts == nil || nulls == rows }
    return nulls < rows && nans <= rows - nulls
  }

  /// How often each level occurs in `page`, where `histograms` are those of `pageCount` pages.
  private static func levels(
    _ histograms: [Int64]?, _ page: Int, of pageCount: Int, _ maximum: Int
  ) -> ArraySlice<Int64>? {
    let count = maximum + 1
    guard let histograms, histograms.count == pageCount * count else { return nil }
    return histograms[page * count..<(page + 1) * count]
  }
}

extension ColumnStatistics {
  /// False if there are bounds, which are of a value that is neither null nor NaN, and all values
  /// are counted among those.
  fileprivate var hasRoomForBounds: Bool {
    guard lower != nil || upper != nil, let valueCount else { return true }
    return (nullCount ?? 0) < valueCount - (nanCount ?? 0)
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Columnar

/// Where a column chunk lies, checked against the file.
struct ChunkPlace {
  let leaf: ParquetLeaf
  let rowGroup: Int
  let rowCount: Int64
  let metadata: ColumnMetaData
  /// All of its pages.
  let range: Range<Int64>
  /// True if pages are compressed even where their headers deny it.
  let isAlwaysCompressed: Bool
  /// Lake's own; nil in files of others.
  let checksums: ChunkChecksums?

  var part: ParquetPart { .columnChunk(path: leaf.name, rowGroup: rowGroup) }
}

/// Which bytes of a file must be fetched to decode some columns of one row group.
public struct ReadPlan: Sendable {
  public let rowGroup: Int
  public let projection: ParquetProjection
  /// What to fetch: ascending, none of them empty. Ranges may touch or lie near each other: it is
  /// for the caller to fetch several in one request.
  public let ranges: [Range<Int64>]
  /// The page indexes that are known, by leaf: pages of rows that are skipped need not be there.
  let pageIndexes: [Int: PageIndex]

  /// For decoding what was fetched by another plan, of as many pages or more.
  package init(rowGroup: Int, projection: ParquetProjection, pageIndexes: [Int: PageIndex]) {
    self.init(
      rowGroup: rowGroup, projection: projection, ranges: [], pageIndexes: pageIndexes)
  }

  init(
    rowGroup: Int, projection: ParquetProjection, ranges: [Range<Int64>],
    pageIndexes: [Int: PageIndex]
  ) {
    self.rowGroup = rowGroup
    self.projection = projection
    self.ranges = ranges
    self.pageIndexes = pageIndexes
  }

  /// How many bytes that is.
  public var byteCount: Int64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
}

extension ParquetFooter {
  /// What to fetch for the columns `projection` of row group `rowGroup`.
  ///
  /// - Throws: ``ParquetError/inconsistent(_:what:expected:found:)`` if a chunk does not lie before
  ///   the footer; ``ParquetError/encrypted(_:)``, or ``ParquetError/unsupported(_:in:)`` if it is
  ///   in another file.
  public func readPlan(
    rowGroup: Int, projection: ParquetProjection
  ) throws(ParquetError) -> ReadPlan {
    try readPlan(rowGroup: rowGroup, projection: projection, rows: nil, pageIndexes: [:])
  }

  /// What to fetch for the rows `selection` of the columns `projection` of row group `rowGroup`.
  ///
  /// - Parameter pageIndexes: of leaves, by their numbers. A leaf without one is fetched whole.
  /// Requires: the selection is of as many rows as the row group has. Rows that are not selected
  /// must be skipped, as their pages may not be there.
  /// - Throws: as ``readPlan(rowGroup:projection:)``.
  public func readPlan(
    rowGroup: Int, projection: ParquetProjection, selection: RowSelection,
    pageIndexes: [Int: PageIndex]
  ) throws(ParquetError) -> ReadPlan {
    precondition(
      Int64(selection.rowCount) == rowCount(ofRowGroup: rowGroup), "a selection of other rows")
    return try readPlan(
      rowGroup: rowGroup, projection: projection, rows: selection, pageIndexes: pageIndexes)
  }

  private func readPlan(
    rowGroup: Int, projection: ParquetProjection, rows: RowSelection?,
    pageIndexes: [Int: PageIndex]
  ) throws(ParquetError) -> ReadPlan {
    var ranges: [Range<Int64>] = []
    for leaf in projection.leafIndices {
      let place = try chunkPlace(rowGroup: rowGroup, leaf: leaf)
      if let rows, let index = pageIndexes[leaf] {
        ranges += Self.pages(of: place, index, rows)
      } else if !place.range.isEmpty {
        ranges.append(place.range)
      }
    }
    ranges.sort { $0.lowerBound < $1.lowerBound }
    return ReadPlan(
      rowGroup: rowGroup, projection: projection, ranges: ranges, pageIndexes: pageIndexes)
  }

  /// The pages of a chunk that hold selected rows, and what comes before all of them: a dictionary.
  private static func pages(
    of place: ChunkPlace, _ index: PageIndex, _ rows: RowSelection
  ) -> [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    for (page, location) in zip(index.rows, index.offsetIndex.pageLocations)
    where rows.overlaps(page) {
      let end = location.offset + Int64(location.compressedPageSize)
      if let last = ranges.last, last.upperBound == location.offset {
        ranges[ranges.count - 1] = last.lowerBound..<end
      } else {
        ranges.append(location.offset..<end)
      }
    }
    let first = index.offsetIndex.pageLocations.first?.offset ?? place.range.upperBound
    if !ranges.isEmpty, first > place.range.lowerBound {
      if ranges[0].lowerBound == first {
        ranges[0] = place.range.lowerBound..<ranges[0].upperBound
      } else {
        ranges.insert(place.range.lowerBound..<first, at: 0)
      }
    }
    return ranges
  }

  func chunkPlace(rowGroup: Int, leaf index: Int) throws(ParquetError) -> ChunkPlace {
    precondition(metadata.rowGroups.indices.contains(rowGroup), "no such row group")
    let group = metadata.rowGroups[rowGroup]
    let leaf = schema.leaves[index]
    let chunk = group.columns[index]
    let part = ParquetPart.columnChunk(path: leaf.name, rowGroup: rowGroup)
    if let path = chunk.filePath, !path.isEmpty {
      throw .unsupported(.externalFile(path), in: part)
    }
    guard !chunk.isEncrypted, let metadata = chunk.metaData else { throw .encrypted(part) }
    guard metadata.type == leaf.type else {
      throw .inconsistent(
        part, what: "physical type", expected: Int64(leaf.type.rawValue),
        found: Int64(metadata.type.rawValue))
    }
    guard metadata.valueCount >= 0 else {
      throw .inconsistent(part, what: "values", expected: 0, found: metadata.valueCount)
    }
    return ChunkPlace(
      leaf: leaf, rowGroup: rowGroup, rowCount: group.rowCount, metadata: metadata,
      range: try chunkRange(metadata, part), isAlwaysCompressed: writesFalseIsCompressed,
      checksums: checksums(rowGroup: rowGroup, leaf: index))
  }

  /// True for releases of Arrow C++ that compressed the values of pages of version 2 and wrote that
  /// they did not. Evidence: arrow-testing, ARROW-17100.parquet; Arrow issue 10353.
  private var writesFalseIsCompressed: Bool {
    guard let createdBy else { return false }
    return createdBy.hasPrefix("parquet-cpp version 0.")
      || createdBy.hasPrefix("parquet-cpp version 1.")
  }

  /// From the dictionary, if there is one, or else the first data page.
  ///
  /// Some writers state a dictionary at 0, where there can be none, or behind the data.
  private func chunkRange(
    _ metadata: ColumnMetaData, _ part: ParquetPart
  ) throws(ParquetError) -> Range<Int64> {
    var start = metadata.dataPageOffset
    if let dictionary = metadata.dictionaryPageOffset, dictionary > 0, dictionary < start {
      start = dictionary
    }
    let size = metadata.totalCompressedSize
    guard size >= 0, start >= 0, start <= offset, size <= offset - start else {
      throw .inconsistent(part, what: "end of its pages", expected: offset, found: start)
    }
    return start..<start + size
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Parquet

/// Holds one column chunk against what the file says of it.
///
/// The values of columns in structures and lists are decoded, and not held against bounds.
struct ChunkAudit {
  private let footer: ParquetFooter
  private let rowGroup: Int
  private let leaf: Int
  private let evidence: ChunkEvidence
  private var found: [ParquetProblem] = []
  private(set) var pageCount = 0
  private(set) var checksumCount = 0

  init(_ footer: ParquetFooter, rowGroup: Int, leaf: Int, _ evidence: ChunkEvidence) {
    self.footer = footer
    self.rowGroup = rowGroup
    self.leaf = leaf
    self.evidence = evidence
  }

  private var name: String { footer.schema.leaves[leaf].name }
  private var chunk: ParquetPart { .columnChunk(path: name, rowGroup: rowGroup) }

  mutating func problems() -> [ParquetProblem] {
    if let failure = evidence.failure {
      note(.chunk, chunk, "column chunk that can be found", "\(failure)")
      return found
    }
    checkIndexes()
    if checkPages() { checkValues() }
    return found
  }

  private mutating func note(
    _ check: ParquetProblem.Check, _ part: ParquetPart, _ expected: String, _ found: String
  ) {
    self.found.append(
      ParquetProblem(check: check, part: part, expected: expected, found: found))
  }

  private mutating func compare(
    _ check: ParquetProblem.Check, _ part: ParquetPart, _ what: String, _ expected: Int64,
    _ found: Int64
  ) {
    if expected != found { note(check, part, "\(expected) \(what)", "\(found)") }
  }

  // MARK: Pages

  /// False if the pages can't be told apart.
  private mutating func checkPages() -> Bool {
    let pages: [PageDescription]
    do throws(ParquetError) {
      pages = try footer.pages(rowGroup: rowGroup, leaf: leaf, bytes: evidence.pages)
    } catch {
      note(.pages, chunk, "pages", "\(error)")
      return false
    }
    pageCount = pages.count
    var isSound = true
    for (number, page) in pages.enumerated() {
      if page.checksum != .none { checksumCount += 1 }
      guard case .differs(let stated, let computed) = page.checksum else { continue }
      isSound = false
      note(
        .pages, .page(path: name, rowGroup: rowGroup, index: number), "CRC-32 \(stated)",
        "\(computed)")
    }
    guard let metadata = footer.metadata.rowGroups[rowGroup].columns[leaf].metaData else {
      return false
    }
    let data = pages.filter { $0.type == .dataPage || $0.type == .dataPageV2 }
    let values = data.reduce(0) { $0 + Int64($1.valueCount) }
    compare(.chunk, chunk, "values", metadata.valueCount, values)
    let stored = pages.reduce(0) { $0 + Int64($1.headerByteCount + $1.compressedByteCount) }
    compare(.chunk, chunk, "bytes", metadata.totalCompressedSize, stored)
    let inflated = pages.reduce(0) { $0 + Int64($1.headerByteCount + $1.uncompressedByteCount) }
    compare(.chunk, chunk, "uncompressed bytes", metadata.totalUncompressedSize, inflated)
    checkOffsetIndex(data)
    return isSound
  }

  private mutating func checkIndexes() {
    if evidence.hasOffsetIndex, evidence.index == nil {
      note(
        .offsetIndex, .offsetIndex(path: name, rowGroup: rowGroup), "pages that cover all rows",
        "none")
    }
    if evidence.hasColumnIndex, let index = evidence.index, index.statistics.isEmpty,
      !index.rows.isEmpty
    {
      note(
        .columnIndex, .columnIndex(path: name, rowGroup: rowGroup),
        "what each page has, as written and as the chunk has it", "none")
    }
    if evidence.hasBloomFilter, evidence.bloomFilter == nil {
      note(
        .bloomFilter, .bloomFilter(path: name, rowGroup: rowGroup), "a split-block filter", "none")
    }
  }

  private mutating func checkOffsetIndex(_ data: [PageDescription]) {
    guard let index = evidence.index else { return }
    let part = ParquetPart.offsetIndex(path: name, rowGroup: rowGroup)
    let places = index.offsetIndex.pageLocations
    compare(.offsetIndex, part, "pages", Int64(data.count), Int64(places.count))
    for (number, (page, place)) in zip(data, places).enumerated() {
      compare(.offsetIndex, part, "as offset of page \(number)", page.offset, place.offset)
      compare(
        .offsetIndex, part, "bytes in page \(number)",
        Int64(page.headerByteCount + page.compressedByteCount), Int64(place.compressedPageSize))
      if let rows = page.rowCount {
        compare(
          .offsetIndex, part, "rows in page \(number)", Int64(rows),
          Int64(index.rows[number].count))
      }
    }
  }

  // MARK: Values

  private mutating func checkValues() {
    let schema = footer.schema
    let isColumn = schema.shapes.contains { $0.isLeaf(leaf) }
    do throws(ParquetError) {
      let plan = ReadPlan(
        rowGroup: rowGroup, projection: ParquetProjection(leaf: leaf, of: schema),
        pageIndexes: [:])
      let decoder = try RowGroupDecoder(footer, plan: plan, bytes: evidence.pages)
      let chunkFacts = footer.statistics(rowGroup: rowGroup, leaf: leaf)
      var nulls: Int64 = 0
      while let window = nextWindow(decoder) {
        let batch = try decoder.read(.all(window.rows.count))
        guard isColumn, let column = batch.columns.first else { continue }
        nulls += Int64(column.nullCount)
        if let page = window.page { check(column, page, isPage: true) }
        if let chunkFacts { check(column, chunkFacts, isPage: false) }
        checkBloomFilter(column)
      }
      if isColumn, let stated = chunkFacts?.nullCount {
        compare(.statistics, chunk, "nulls", stated, nulls)
      }
    } catch {
      note(.values, chunk, "\(footer.rowCount(ofRowGroup: rowGroup)) rows", "\(error)")
    }
  }

  /// The next rows: of one page, where it is known which those are.
  private func nextWindow(
    _ decoder: RowGroupDecoder
  ) -> (rows: Range<Int>, page: ColumnStatistics?)? {
    guard decoder.remaining > 0 else { return nil }
    let most = min(decoder.remaining, 1 << 16, decoder.mostRowsPerBatch)
    guard let index = evidence.index, index.statistics.count == index.rows.count,
      let page = index.rows.firstIndex(where: { $0.contains(decoder.row) })
    else { return (decoder.row..<decoder.row + most, nil) }
    let end = min(index.rows[page].upperBound, decoder.row + most)
    // A page that is taken in parts has no nulls to be counted.
    let isWhole = decoder.row..<end == index.rows[page]
    return (decoder.row..<end, isWhole ? index.statistics[page] : nil)
  }

  private mutating func check(_ column: Column, _ facts: ColumnStatistics, isPage: Bool) {
    let part =
      isPage ? ParquetPart.columnIndex(path: name, rowGroup: rowGroup) : chunk
    let check = isPage ? ParquetProblem.Check.columnIndex : .statistics
    if let lower = facts.lower, let value = lower.columnValue(column.type) {
      let below = column.compare(.less, to: value).trues.countOfOnes
      if below > 0 { note(check, part, "no value below the lower bound", "\(below)") }
    }
    if let upper = facts.upper, let value = upper.columnValue(column.type) {
      let above = column.compare(.greater, to: value).trues.countOfOnes
      if above > 0 { note(check, part, "no value above the upper bound", "\(above)") }
    }
    if isPage, let nulls = facts.nullCount {
      compare(check, part, "nulls in a page", nulls, Int64(column.nullCount))
    }
  }

  private mutating func checkBloomFilter(_ column: Column) {
    guard let filter = evidence.bloomFilter else { return }
    var missing = 0
    for row in 0..<column.count where !column.isNull(row) {
      if let value = column.boundValue(row), !filter.mayContain(value) { missing += 1 }
    }
    if missing > 0 {
      note(
        .bloomFilter, .bloomFilter(path: name, rowGroup: rowGroup), "each value admitted",
        "\(missing) that are not")
    }
  }
}

extension ParquetProjection {
  /// The column that leaf `index` is of.
  init(leaf index: Int, of schema: ParquetSchema) {
    self.init(shapes: schema.shapes.filter { $0.leafRange.contains(index) })
  }
}

extension ColumnShape {
  fileprivate func isLeaf(_ index: Int) -> Bool {
    if case .leaf(index) = kind { true } else { false }
  }
}

extension BoundValue {
  /// This bound as columns of `type` are compared with it; nil where they can't be.
  fileprivate func columnValue(_ type: ColumnType) -> ColumnValue? {
    switch (self, type) {
    case (.integer(let value), .boolean): .boolean(value != 0)
    case (.integer(let value), _): .integer(Int128(value))
    case (.wide(let value), _): .integer(value)
    case (.floating(let value), .float), (.floating(let value), .double): .floatingPoint(value)
    case (.bytes(let value), _): type.layout == .bits ? nil : .bytes(Buffer(value))
    default: nil
    }
  }
}

extension Column {
  /// The value in `row` as Bloom filters are asked for it; nil for those that are not.
  fileprivate func boundValue(_ row: Int) -> BoundValue? {
    switch type {
    case .int32, .int64, .date, .time, .timestamp: .integer(integer(row))
    case .decimal:
      type.layout == .fixed(width: 16) ? .wide(unscaled(row)) : .integer(integer(row))
    case .float, .double: .floating(floatingPoint(row))
    case .string, .binary, .fixed, .uuid: .bytes(bytes(row).array())
    default: nil
    }
  }
}

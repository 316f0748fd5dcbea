// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Decodes one column chunk from its first row to its last, rows left out on the way included.
///
/// A class because it is long-lived, mutable state of one owner: a ``RowGroupDecoder``.
final class LeafDecoder {
  let leaf: ParquetLeaf
  /// True if the leaf is a column of its own: no levels are kept then, but a bit for each row.
  let isFlat: Bool
  private let rowGroup: Int
  private let options: ReadOptions
  private var pages: PageReader
  private let codec: CompressionCodec
  private let workspace: DecodeWorkspace
  /// What the page at hand was inflated to; empty for pages that were not compressed.
  private var inflated = Buffer.empty
  /// Nil where pages are read without an index.
  private let expected: PageExpectations?
  private let rowCount: Int64
  private let isAlwaysCompressed: Bool
  /// Pages that were read before; nil where none are kept.
  private let known: KnownPages.OfFile?

  private var dictionary: Column?
  private var page: DataPage?
  /// Levels of the chunk that are in pages not opened yet.
  private var levelsLeft: Int64
  /// The row that comes next, of the row group.
  private var row: Int64 = 0
  /// Rows to leave out before the next one is decoded: not looked at before that, as their pages
  /// may not be there.
  private var rowsToSkip: Int64 = 0
  private var pending = PendingLevels()

  /// The data page at hand.
  struct DataPage {
    var levelsLeft: Int
    var definition: LevelDecoder
    var repetition: LevelDecoder
    var values: PageValues
    /// How many nulls are still to come, where the column index tells.
    var nullsLeft: Int?
  }

  init(
    _ chunk: ChunkPlace, isFlat: Bool, bytes: FileBytes, pageIndex: PageIndex?,
    options: ReadOptions, workspace: DecodeWorkspace, known: KnownPages.OfFile? = nil
  ) throws(ParquetError) {
    codec = chunk.metadata.codec
    self.known = known
    guard DecodeWorkspace.supports(codec) else {
      throw .unsupported(.codec(codec), in: chunk.part)
    }
    self.workspace = workspace
    self.isFlat = isFlat
    leaf = chunk.leaf
    rowGroup = chunk.rowGroup
    self.options = options
    expected = pageIndex.map { PageExpectations($0, of: chunk) }
    rowCount = chunk.rowCount
    isAlwaysCompressed = chunk.isAlwaysCompressed
    levelsLeft = chunk.metadata.valueCount
    pages = PageReader(
      chunk, bytes: bytes, headerChecksums: pageIndex?.headerChecksums ?? [], options: options)
  }

  private var part: ParquetPart { pages.part }

  // MARK: Pages

  /// Opens the next data page that has levels.
  private func openPage() throws(ParquetError) {
    closePage()
    while true {
      guard let raw = try pages.next() else { throw tooFewRows() }
      if try open(raw) { return }
    }
  }

  /// Lets go of the page at hand, and of the memory it was inflated to.
  private func closePage() {
    page = nil
    workspace.giveBack(&inflated)
  }

  private func tooFewRows() -> ParquetError {
    .inconsistent(
      .columnChunk(path: leaf.name, rowGroup: rowGroup), what: "rows", expected: rowCount,
      found: row)
  }

  /// Answers false for pages without levels.
  private func open(_ raw: RawPage) throws(ParquetError) -> Bool {
    switch raw.header.body {
    case .other: return false
    case .dictionary(let header):
      if dictionary == nil, raw.index == 0,
        let before = known?.dictionary(at: pages.range.lowerBound)
      {
        dictionary = before
        return false
      }
      try pages.checkChecksum(raw)
      try openDictionary(header, raw)
      if let dictionary { known?.keep(dictionary, at: pages.range.lowerBound) }
      return false
    case .data(let header):
      guard header.valueCount > 0 else { return false }
      let before = known?.page(at: raw.offset, byteCount: raw.header.uncompressedPageSize)
      if before == nil { try pages.checkChecksum(raw) }
      try count(raw)
      try openData(header, raw, before)
    case .dataV2(let header):
      guard header.valueCount > 0 else { return false }
      try pages.checkChecksum(raw)
      try count(raw)
      try openData(header, raw)
    }
    return true
  }

  private func count(_ raw: RawPage) throws(ParquetError) {
    let found = Int64(raw.valueCount)
    if leaf.maxRepetitionLevel == 0 {
      try expected?.checkRows(raw.valueCount, ofPage: dataPage)
    }
    guard found <= levelsLeft else {
      throw .inconsistent(part, what: "values left", expected: levelsLeft, found: found)
    }
    levelsLeft -= found
  }

  /// The number of the data page last read.
  private var dataPage: Int { pages.dataPageIndex - 1 }

  /// Begins with a page that was opened, held against what the index says of it.
  private func begin(_ page: consuming DataPage) throws(ParquetError) {
    var page = page
    if let expected {
      if leaf.maxRepetitionLevel > 0 {
        try expected.checkRows(page.repetition, count: page.levelsLeft, ofPage: dataPage, part)
      }
      page.nullsLeft = expected.nullCount(ofPage: dataPage)
    }
    self.page = page
  }

  /// Takes note of nulls among rows of `page`, of which `left` are not decoded yet.
  private func note(
    nulls: Int, in page: inout DataPage, left: Int
  ) throws(ParquetError) {
    guard let expected, let nullsLeft = page.nullsLeft else { return }
    page.nullsLeft = try expected.nullsLeft(
      nullsLeft, found: nulls, values: left, ofPage: dataPage)
  }

  private func inflate(_ body: Buffer, to byteCount: Int) throws(ParquetError) -> Buffer {
    let bytes = try workspace.inflate(
      body, codec, byteCount: byteCount, limits: options.limits, part: part)
    workspace.giveBack(&inflated)
    if codec != .uncompressed { inflated = bytes }
    return bytes
  }

  /// What `raw` was inflated to; `before`, if that is what it was.
  private func inflate(_ raw: RawPage, _ before: Buffer?) throws(ParquetError) -> Buffer {
    if let before {
      workspace.giveBack(&inflated)
      return before
    }
    let bytes = try inflate(raw.body, to: Int(raw.header.uncompressedPageSize))
    if let known, codec != .uncompressed, known.keep(bytes, at: raw.offset) {
      // It is not the workspace's any more.
      inflated = .empty
    }
    return bytes
  }

  private func openDictionary(
    _ header: DictionaryPageHeader, _ raw: RawPage
  ) throws(ParquetError) {
    guard dictionary == nil, pages.dataPageIndex == 0 else {
      throw .inconsistent(part, what: "dictionaries", expected: 1, found: 2)
    }
    guard header.encoding == .plain || header.encoding == .plainDictionary,
      leaf.type != .boolean
    else { throw .unsupported(.encoding(header.encoding), in: part) }
    let bytes = try inflate(raw.body, to: Int(raw.header.uncompressedPageSize))
    let count = Int(header.valueCount)
    let room = bytes.count / (leaf.type.width(typeLength: leaf.typeLength) ?? 4)
    guard count <= room else {
      throw .inconsistent(part, what: "values", expected: Int64(room), found: Int64(count))
    }
    do throws(ByteError) {
      var values = DenseValues(
        type: leaf.columnType, capacity: count, byteCount: bytes.count,
        limit: options.limits.blockByteCount)
      var decoder = PageValues(leaf, .plain, bytes, at: 0)
      if leaf.conversion != .discard {
        try decoder.decode(count, dictionary: nil, into: &values, workspace)
        if pages.hasChecksums, decoder.byteCountLeft > 0 {
          throw .unexpected(
            offset: bytes.count - decoder.byteCountLeft, expected: "the end of the dictionary",
            found: "\(decoder.byteCountLeft) bytes")
        }
        dictionary = try values.finish(nil, rowCount: count)
      }
    } catch {
      throw .malformed(part, error)
    }
    workspace.giveBack(&inflated)
  }

  /// The dictionary that the chunk begins with; nil if it begins with something else.
  ///
  /// Requires: nothing was read yet.
  func readDictionary() throws(ParquetError) -> Column? {
    guard let raw = try pages.next(), case .dictionary = raw.header.body else { return nil }
    _ = try open(raw)
    return dictionary
  }

  private func check(_ encoding: Encoding) throws(ParquetError) {
    guard PageValues.supports(encoding, leaf.type) else {
      throw .unsupported(.encoding(encoding), in: part)
    }
  }

  private func openData(
    _ header: DataPageHeader, _ raw: RawPage, _ before: Buffer?
  ) throws(ParquetError) {
    try check(header.encoding)
    let bytes = try inflate(raw, before)
    let count = Int(header.valueCount)
    let page: DataPage
    do throws(ByteError) {
      var offset = 0
      let repetition = try LevelDecoder(
        header.repetitionLevelEncoding, in: bytes, at: &offset, count: count,
        maximum: leaf.maxRepetitionLevel)
      let definition = try LevelDecoder(
        header.definitionLevelEncoding, in: bytes, at: &offset, count: count,
        maximum: leaf.maxDefinitionLevel)
      page = DataPage(
        levelsLeft: count, definition: definition, repetition: repetition,
        values: PageValues(leaf, header.encoding, bytes, at: offset))
    } catch {
      throw .malformed(part, error)
    }
    try begin(page)
  }

  private func openData(_ header: DataPageHeaderV2, _ raw: RawPage) throws(ParquetError) {
    try check(header.encoding)
    let repetitionLength = Int(header.repetitionLevelsByteCount)
    let definitionLength = Int(header.definitionLevelsByteCount)
    let levels = repetitionLength + definitionLength
    let inflated = Int(raw.header.uncompressedPageSize) - levels
    guard repetitionLength >= 0, definitionLength >= 0, levels <= raw.body.count, inflated >= 0
    else {
      throw .inconsistent(
        part, what: "length of levels", expected: Int64(raw.body.count), found: Int64(levels))
    }
    let stored = raw.body.slice(levels..<raw.body.count)
    let isCompressed = header.isCompressed || isAlwaysCompressed
    guard isCompressed || stored.count == inflated else {
      throw .inconsistent(
        part, what: "uncompressed size", expected: Int64(stored.count), found: Int64(inflated))
    }
    let bytes = isCompressed ? try inflate(stored, to: inflated) : stored
    let page: DataPage
    do throws(ByteError) {
      let repetition = try LevelDecoder(
        filling: raw.body.slice(0..<repetitionLength), maximum: leaf.maxRepetitionLevel)
      let definition = try LevelDecoder(
        filling: raw.body.slice(repetitionLength..<levels), maximum: leaf.maxDefinitionLevel)
      page = DataPage(
        levelsLeft: Int(header.valueCount), definition: definition, repetition: repetition,
        values: PageValues(leaf, header.encoding, bytes, at: 0))
    } catch {
      throw .malformed(part, error)
    }
    try begin(page)
  }

  // MARK: Rows

  /// About how many bytes the strings of the next batch come to: a bit more than those of the
  /// one before.
  private(set) var expectedByteCount = 0

  func noteByteCount(_ batch: LeafBatch) {
    let count = batch.values.bytes.count
    if batch.values.layout == .variable {
      expectedByteCount = min(count + count / 8, options.limits.blockByteCount)
    }
  }

  /// Leaves out the next `count` rows.
  func skip(_ count: Int) { rowsToSkip += Int64(count) }

  /// Decodes the next `count` rows into `batch`.
  func decode(_ count: Int, into batch: LeafBatch) throws(ParquetError) {
    if count == 0 { return }
    try skipRows()
    if isFlat {
      try decodeFlat(count, into: batch)
    } else {
      try walkNested(count, into: batch)
    }
    row += Int64(count)
  }

  private func decodeFlat(_ count: Int, into batch: LeafBatch) throws(ParquetError) {
    var left = count
    while left > 0 {
      guard var page = self.page, page.levelsLeft > 0 else {
        try openPage()
        continue
      }
      self.page = nil  // so that the page is not copied when it changes
      let taken = min(left, page.levelsLeft)
      let present: Int
      do throws(ByteError) {
        present = try decodeValidity(taken, &page, into: &batch.validity)
        if leaf.conversion != .discard {
          try page.values.decode(
            present, dictionary: dictionary, into: &batch.values, workspace)
        }
      } catch {
        throw .malformed(part, error)
      }
      page.levelsLeft -= taken
      left -= taken
      try note(nulls: taken - present, in: &page, left: page.levelsLeft)
      self.page = page
    }
  }

  /// Leaves out what is to be, and opens the page of the next row; answers how many rows it has.
  ///
  /// Requires: a flat leaf.
  func levelsAtHand() throws(ParquetError) -> Int {
    try skipRows()
    while true {
      if let page, page.levelsLeft > 0 { return page.levelsLeft }
      try openPage()
    }
  }

  /// Decodes those of the next rows that lie in `ranges`, which ascend and count from the next row
  /// on; goes on behind the last of them.
  ///
  /// Requires: they are in the page at hand, of a flat leaf.
  func decode(_ ranges: [Range<Int>], into batch: LeafBatch) throws(ParquetError) {
    guard var page, let end = ranges.last?.upperBound else { return }
    self.page = nil  // so that the page is not copied when it changes
    let total: Int
    do throws(ByteError) {
      let values: [Range<Int>]
      (values, total) = try decodeValidity(ranges, end, &page, into: &batch.validity)
      if leaf.conversion != .discard {
        let limit = options.limits.blockByteCount
        try page.values.decode(
          values, dictionary: dictionary, into: &batch.values, workspace, limit: limit)
        try page.values.skip(total - (values.last?.upperBound ?? 0), limit: limit)
      }
    } catch {
      throw .malformed(part, error)
    }
    page.levelsLeft -= end
    row += Int64(end)
    try note(nulls: end - total, in: &page, left: page.levelsLeft)
    self.page = page
  }

  /// Decodes which of the next `end` rows have a value, keeps that of `ranges`, and answers which
  /// of the next values are of those, and how many there are in all.
  private func decodeValidity(
    _ ranges: [Range<Int>], _ end: Int, _ page: inout DataPage, into bits: inout BitmapBuilder
  ) throws(ByteError) -> (values: [Range<Int>], total: Int) {
    if leaf.maxDefinitionLevel == 0 { return (ranges, end) }
    var all = BitmapBuilder(capacity: end)
    try page.definition.decode(end, into: &all)
    if all.countOfZeros == 0 {
      for range in ranges { bits.append(repeating: true, count: range.count) }
      return (ranges, end)
    }
    let validity = all.finish()
    var values: [Range<Int>] = []
    var next = 0
    var value = 0
    for range in ranges {
      value += validity.slice(next..<range.lowerBound).countOfOnes
      let own = validity.slice(range)
      bits.append(own)
      let present = own.countOfOnes
      if present > 0 { values.append(value..<value + present) }
      value += present
      next = range.upperBound
    }
    return (values, value)
  }

  /// Decodes which of the next `count` rows have a value, and answers how many.
  private func decodeValidity(
    _ count: Int, _ page: inout DataPage, into bits: inout BitmapBuilder
  ) throws(ByteError) -> Int {
    if leaf.maxDefinitionLevel == 0 { return count }
    let zeros = bits.countOfZeros
    try page.definition.decode(count, into: &bits)
    return count - (bits.countOfZeros - zeros)
  }

  // MARK: Skipping

  private func skipRows() throws(ParquetError) {
    if pages.pageIndex == 0 { try pages.checkAllHeaders() }
    if rowsToSkip == 0 { return }
    var left = rowsToSkip
    rowsToSkip = 0
    if let index = expected?.index.offsetIndex { left = try jump(left, index) }
    if isFlat {
      try skipFlat(left)
    } else {
      while left > 0 {
        let part = min(left, 1 << 16)
        try walkNested(Int(part), into: nil)
        left -= part
        row += part
      }
    }
  }

  /// Goes to the page that holds the row `count` rows on, if that is not the one at hand; answers
  /// how many rows of it come before that one.
  private func jump(_ count: Int64, _ index: OffsetIndex) throws(ParquetError) -> Int64 {
    let target = row + count
    let locations = index.pageLocations
    var low = 0
    var high = locations.count
    while low < high {
      let middle = (low + high) / 2
      if locations[middle].firstRowIndex <= target { low = middle + 1 } else { high = middle }
    }
    let wanted = low - 1
    guard wanted >= 0, wanted >= pages.dataPageIndex else { return count }
    try openLeadingDictionary(locations[0].offset)
    let place = locations[wanted]
    try pages.jump(toDataPage: wanted, at: place.offset)
    closePage()
    pending.removeAll()
    // How many levels the pages in between have is known where each row has one.
    levelsLeft =
      leaf.maxRepetitionLevel == 0 ? max(0, rowCount - place.firstRowIndex) : .max
    row = place.firstRowIndex
    return target - row
  }

  /// Reads what comes before the first data page, if nothing was read yet.
  private func openLeadingDictionary(_ firstPage: Int64) throws(ParquetError) {
    guard pages.pageIndex == 0, pages.offset < firstPage else { return }
    if dictionary == nil, let before = known?.dictionary(at: pages.range.lowerBound) {
      dictionary = before
      return pages.skipDictionary(to: firstPage)
    }
    guard let raw = try pages.next() else { return }
    if case .dictionary = raw.header.body { _ = try open(raw) }
  }

  private func skipFlat(_ count: Int64) throws(ParquetError) {
    var left = count
    while left > 0 {
      guard var page = self.page, page.levelsLeft > 0 else {
        left -= try skipWholePage(atMost: left)
        continue
      }
      let taken = Int(min(left, Int64(page.levelsLeft)))
      if taken < page.levelsLeft {
        let present: Int
        do throws(ByteError) {
          var bits = BitmapBuilder(capacity: taken)
          present = try decodeValidity(taken, &page, into: &bits)
          if leaf.conversion != .discard {
            try page.values.skip(present, limit: options.limits.blockByteCount)
          }
        } catch {
          throw .malformed(part, error)
        }
        try note(nulls: taken - present, in: &page, left: page.levelsLeft - taken)
      }
      page.levelsLeft -= taken
      left -= Int64(taken)
      row += Int64(taken)
      self.page = page
    }
  }

  /// Leaves out the next page, if it has no more than `limit` rows, or else opens it; answers how
  /// many rows were left out.
  private func skipWholePage(atMost limit: Int64) throws(ParquetError) -> Int64 {
    guard let raw = try pages.next() else { throw tooFewRows() }
    let rows = Int64(raw.valueCount)
    guard rows > 0, rows <= limit else {
      _ = try open(raw)
      return 0
    }
    try self.count(raw)
    row += rows
    return rows
  }

  // MARK: Nested leaves

  /// Decodes the next `count` rows into `batch`, or leaves them out if there is none.
  ///
  /// A row goes on until a repetition level of 0, so the level behind it is looked at, too.
  private func walkNested(_ count: Int, into batch: LeafBatch?) throws(ParquetError) {
    var started = 0
    while true {
      if pending.isEmpty {
        guard try refill() else { break }
      }
      guard let levels = pending.countOfRows(count, started: &started) else {
        throw .inconsistent(part, what: "first repetition level", expected: 0, found: 1)
      }
      try use(levels, into: batch)
      if !pending.isEmpty { return }
      if started == count, leaf.maxRepetitionLevel == 0 || isAtRowBoundary { return }
    }
    guard started == count else { throw tooFewRows() }
  }

  /// True if the page at hand is used up, and rows are known to end with their pages: what comes
  /// then need not be looked at, and may not be there.
  private var isAtRowBoundary: Bool { expected != nil && (page?.levelsLeft ?? 0) == 0 }

  /// Uses the next `count` pending levels, and the values that go with them.
  private func use(_ count: Int, into batch: LeafBatch?) throws(ParquetError) {
    guard count > 0, var page else { return }
    let present = pending.countOfValues(count, top: leaf.maxDefinitionLevel)
    self.page = nil  // so that the page is not copied when it changes
    do throws(ByteError) {
      if let batch { try check(batch, adding: count) }
      pending.take(count, into: batch)
      if leaf.conversion != .discard {
        if let batch {
          try page.values.decode(
            present, dictionary: dictionary, into: &batch.values, workspace)
        } else {
          try page.values.skip(present, limit: options.limits.blockByteCount)
        }
      }
    } catch {
      throw .malformed(part, error)
    }
    try note(nulls: count - present, in: &page, left: page.levelsLeft + pending.count)
    self.page = page
  }

  private func check(_ batch: LeafBatch, adding count: Int) throws(ByteError) {
    let limit = options.limits.blockByteCount / 4
    guard batch.definition.count + count <= limit else {
      throw .limitExceeded(
        what: "values of a batch", value: Int64(batch.definition.count + count),
        limit: Int64(limit))
    }
  }

  /// Decodes more levels of the page at hand, or of the next; false at the end of the chunk.
  private func refill() throws(ParquetError) -> Bool {
    if (page?.levelsLeft ?? 0) == 0 {
      if levelsLeft == 0 || pages.isAtEnd { return false }
      try openPage()
    }
    guard var page else { return false }
    do throws(ByteError) {
      try pending.refill(from: &page, leaf)
    } catch {
      throw .malformed(part, error)
    }
    self.page = page
    return true
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs
internal import Columnar

/// Turns the values of one leaf into the pages of a column chunk, one row group after the other.
///
/// Compressed pages are kept until the chunk is finished; of the values, only those of the page
/// that is being filled.
final class ColumnChunkEncoder {
  private let leaf: ParquetLeaf
  private let kind: LeafKind
  private let options: WriterOptions
  private let bloomFilter: BloomFilterOptions?
  private let pageEncoder: any PageEncoder

  private var levels: PageLevels
  private var summary: ChunkSummary
  private var pages: [EncodedPage] = []
  private var rowCount = 0
  private var hashes: [UInt64]?
  private var body = MutableBuffer()
  private var compressed = MutableBuffer()

  /// A page with its header.
  private struct EncodedPage {
    var bytes: Buffer
    var headerByteCount: Int
    /// What it takes uncompressed, header included.
    var uncompressedByteCount: Int
    var firstRow: Int
    var type: PageType
    var encoding: Encoding
  }

  /// - Throws: ``ParquetError/unwritable(path:what:)`` for an encoding the leaf's type can't have.
  init(leaf: ParquetLeaf, options: WriterOptions, column: ColumnOptions) throws(ParquetError) {
    self.leaf = leaf
    self.options = options
    kind = LeafKind(leaf)
    bloomFilter = kind == .boolean ? nil : column.bloomFilter
    hashes = bloomFilter == nil ? nil : []
    let candidates = try Self.candidates(leaf, options.encodings, column.encoding)
    let choice = EncodingChoice(
      candidates: candidates, use: column.dictionary,
      dictionaryLimit: min(options.dictionaryByteCount, Self.mostBytesPerPage))
    switch kind {
    case .boolean: pageEncoder = BooleanPageEncoder(encoding: candidates[0])
    case .int32, .float: pageEncoder = NarrowPageEncoder(kind: kind, choice: choice)
    case .int64, .double: pageEncoder = WidePageEncoder(kind: kind, choice: choice)
    case .byteArray, .fixed, .wideDecimal:
      pageEncoder = BytesPageEncoder(kind: kind, choice: choice)
    }
    levels = PageLevels(
      maxDefinition: leaf.maxDefinitionLevel, maxRepetition: leaf.maxRepetitionLevel)
    summary = ChunkSummary(leaf: leaf, options: options)
  }

  /// A row is in one page, and a page with all it needs must stay below 2 GiB.
  private static let mostBytesPerRow = 1 << 30
  /// The most bytes a page may be asked to have.
  private static let mostBytesPerPage = 256 << 20

  /// How many bytes the pages take so far.
  private(set) var encodedByteCount = 0

  private var pageByteCount: Int { min(options.pageByteCount, Self.mostBytesPerPage) }

  /// Adds the rows of `batch`.
  ///
  /// - Throws: ``ParquetError/unwritable(path:what:)`` for a row of more than 1 GiB.
  func append(_ batch: ShreddedLeaf, _ context: inout PageContext) throws(ParquetError) {
    var piece = LeafPiece(entries: 0..<0, present: 0..<0, rowCount: 0)
    while piece.entries.upperBound < batch.entryCount {
      piece = batch.piece(
        after: piece, rowLimit: max(1, options.pageRowCount - levels.rowCount),
        byteLimit: max(1, pageByteCount - pageEncoder.pendingByteCount),
        maxDefinition: leaf.maxDefinitionLevel)
      guard batch.values.byteCount(piece.present) <= Self.mostBytesPerRow else {
        throw .unwritable(path: leaf.name, what: "a row of more than 1 GiB")
      }
      pageEncoder.append(batch.values, piece.present)
      levels.append(batch.levels, piece)
      if levels.rowCount >= options.pageRowCount
        || pageEncoder.pendingByteCount >= pageByteCount
      {
        context.isLastPage = false
        try finishPage(&context)
      }
    }
  }

  // MARK: Pages

  private func finishPage(_ context: inout PageContext) throws(ParquetError) {
    swap(&context.hashes, &hashes)
    defer { swap(&context.hashes, &hashes) }
    body.removeAll()
    compressed.removeAll()
    let page =
      switch options.dataPageVersion {
      case .v1: try encodeV1(&context)
      case .v2: try encodeV2(&context)
      }
    summary.add(page, levels)
    rowCount += levels.rowCount
    levels.removeAll()
  }

  /// Levels and values compressed together, each kind of levels behind its length.
  private func encodeV1(_ context: inout PageContext) throws(ParquetError) -> EncodedValues {
    if leaf.maxRepetitionLevel > 0 {
      appendWithLength { levels.encodeRepetition(into: &$0) }
    }
    if leaf.maxDefinitionLevel > 0 {
      appendWithLength { levels.encodeDefinition(into: &$0) }
    }
    let values = try pageEncoder.finishPage(&context, into: &body)
    try context.compressor.compress(body, from: 0, into: &compressed)
    let header = DataPageHeader(
      valueCount: Int32(clamping: levels.entryCount), encoding: values.encoding)
    try append(.data(header), uncompressedByteCount: body.count, values.encoding, .dataPage)
    return values
  }

  private func appendWithLength(_ encode: (inout MutableBuffer) -> Void) {
    let start = body.count
    body.append(value: UInt32(0))
    encode(&body)
    let length = UInt32(truncatingIfNeeded: body.count - start - 4)
    body.replace(at: start, withValue: length)
  }

  /// Levels as they are, values compressed if that makes them shorter.
  private func encodeV2(_ context: inout PageContext) throws(ParquetError) -> EncodedValues {
    levels.encodeRepetition(into: &body)
    let repetitionByteCount = body.count
    levels.encodeDefinition(into: &body)
    let levelsByteCount = body.count
    let values = try pageEncoder.finishPage(&context, into: &body)
    compressed.append(body.bytes.extracting(0..<levelsByteCount))
    try context.compressor.compress(body, from: levelsByteCount, into: &compressed)
    var header = DataPageHeaderV2(
      valueCount: Int32(clamping: levels.entryCount), nullCount: Int32(clamping: levels.nullCount),
      rowCount: Int32(clamping: levels.rowCount), encoding: values.encoding,
      definitionLevelsByteCount: Int32(clamping: levelsByteCount - repetitionByteCount),
      repetitionLevelsByteCount: Int32(clamping: repetitionByteCount))
    header.isCompressed = options.codec != .uncompressed
    if compressed.count >= body.count {
      compressed.removeAll()
      compressed.append(body.bytes)
      header.isCompressed = false
    }
    try append(.dataV2(header), uncompressedByteCount: body.count, values.encoding, .dataPageV2)
    return values
  }

  /// Puts a header before what is in `compressed`.
  private func append(
    _ kind: PageHeader.Body, uncompressedByteCount: Int, _ encoding: Encoding, _ type: PageType
  ) throws(ParquetError) {
    guard let uncompressedSize = Int32(exactly: uncompressedByteCount),
      let compressedSize = Int32(exactly: compressed.count)
    else { throw .unwritable(path: leaf.name, what: "a page of more than 2 GiB") }
    let checksum = CRC32.checksum(compressed.bytes)
    var writer = ThriftWriter()
    PageHeader(
      uncompressedPageSize: uncompressedSize, compressedPageSize: compressedSize,
      crc: Int32(bitPattern: checksum), body: kind
    ).encode(into: &writer)
    let header = writer.finish()
    var page = MutableBuffer(capacity: header.count + compressed.count)
    page.append(header.bytes)
    page.append(compressed.bytes)
    let bytes = page.freeze()
    encodedByteCount += bytes.count
    pages.append(
      EncodedPage(
        bytes: bytes, headerByteCount: header.count,
        uncompressedByteCount: header.count + uncompressedByteCount,
        firstRow: rowCount, type: type, encoding: encoding))
  }

  // MARK: Chunks

  /// Ends the column chunk, and makes ready for the next one.
  func finish(_ context: inout PageContext) throws(ParquetError) -> EncodedColumnChunk {
    context.isLastPage = true
    if levels.entryCount > 0 { try finishPage(&context) }
    try finishDictionary(&context)
    defer { startChunk() }
    return makeChunk(context.compressor.codec)
  }

  private func finishDictionary(_ context: inout PageContext) throws(ParquetError) {
    swap(&context.hashes, &hashes)
    defer { swap(&context.hashes, &hashes) }
    guard let dictionary = try pageEncoder.finishChunk(&context) else { return }
    compressed.removeAll()
    try context.compressor.compress(dictionary.plain.bytes, into: &compressed)
    let header = DictionaryPageHeader(valueCount: Int32(clamping: dictionary.count))
    try append(
      .dictionary(header), uncompressedByteCount: dictionary.plain.count, .plain, .dictionaryPage)
    // It is made last, as it grows with the pages, and stands first.
    pages.insert(pages.removeLast(), at: 0)
  }

  private func makeChunk(_ codec: CompressionCodec) -> EncodedColumnChunk {
    var metaData = ColumnMetaData(
      type: leaf.type, pathInSchema: leaf.path, codec: codec,
      valueCount: Int64(summary.valueCount), dataPageOffset: 0)
    var locations: [PageLocation] = []
    var offset: Int64 = 0
    for page in pages {
      if page.type == .dictionaryPage {
        metaData.dictionaryPageOffset = offset
      } else {
        if locations.isEmpty { metaData.dataPageOffset = offset }
        locations.append(
          PageLocation(
            offset: offset, compressedPageSize: Int32(clamping: page.bytes.count),
            firstRowIndex: Int64(page.firstRow)))
      }
      offset += Int64(page.bytes.count)
      metaData.totalUncompressedSize += Int64(page.uncompressedByteCount)
    }
    metaData.totalCompressedSize = offset
    metaData.statistics = summary.statistics()
    metaData.sizeStatistics = summary.sizeStatistics()
    describeEncodings(&metaData)
    let headers = pages.map { $0.bytes.slice(0..<$0.headerByteCount) }
    return EncodedColumnChunk(
      pages: pages.map(\.bytes), metaData: metaData,
      headerChecksums: headers.map { CRC32C.checksum($0.bytes) },
      checksums: ChunkChecksums(
        pageHeaders: headers.reduce(0) { CRC32C.checksum($1.bytes, continuing: $0) }),
      offsetIndex: OffsetIndex(
        pageLocations: locations, unencodedByteArrayDataBytes: summary.byteArrayByteCounts()),
      columnIndex: summary.columnIndex(),
      bloomFilter: bloomFilter.map { BloomFilter(hashes: hashes ?? [], options: $0) },
      summary: summary)
  }

  private func describeEncodings(_ metaData: inout ColumnMetaData) {
    var stats: [PageEncodingStats] = []
    var encodings: [Encoding] = []
    if leaf.maxDefinitionLevel > 0 || leaf.maxRepetitionLevel > 0 { encodings.append(.rle) }
    for page in pages {
      if !encodings.contains(page.encoding) { encodings.append(page.encoding) }
      if let known = stats.firstIndex(where: {
        $0.pageType == page.type && $0.encoding == page.encoding
      }) {
        stats[known].count += 1
      } else {
        stats.append(PageEncodingStats(pageType: page.type, encoding: page.encoding, count: 1))
      }
    }
    metaData.encodings = encodings
    metaData.encodingStats = stats
  }

  private func startChunk() {
    pages = []
    rowCount = 0
    encodedByteCount = 0
    if bloomFilter != nil { hashes = [] }
    summary = ChunkSummary(leaf: leaf, options: options)
  }
}

/// A finished column chunk. Offsets count from its first page until ``move(to:)``.
struct EncodedColumnChunk {
  let pages: [Buffer]
  var metaData: ColumnMetaData
  /// Of each page's header.
  let headerChecksums: [UInt32]
  let checksums: ChunkChecksums
  var offsetIndex: OffsetIndex
  let columnIndex: ColumnIndex?
  let bloomFilter: BloomFilter?
  let summary: ChunkSummary

  /// Makes offsets count from the start of a file where the chunk is at `offset`.
  mutating func move(to offset: Int64) {
    metaData.dataPageOffset += offset
    metaData.dictionaryPageOffset = metaData.dictionaryPageOffset.map { $0 + offset }
    for i in offsetIndex.pageLocations.indices { offsetIndex.pageLocations[i].offset += offset }
  }
}

extension ColumnChunkEncoder {
  /// What pages of `leaf` without dictionary may be encoded with.
  private static func candidates(
    _ leaf: ParquetLeaf, _ set: EncodingSet, _ wanted: Encoding?
  ) throws(ParquetError) -> [Encoding] {
    let possible = possibleEncodings(LeafKind(leaf))
    if let wanted {
      guard possible.contains(wanted) else {
        throw .unwritable(path: leaf.name, what: "\(wanted) is no encoding for \(leaf.columnType)")
      }
      return [wanted]
    }
    let allowed: [Encoding] =
      switch set {
      case .widest: [.plain]
      case .current: [.plain, .deltaBinaryPacked]
      case .smallest: widelyRead(LeafKind(leaf))
      }
    return LeafKind(leaf) == .boolean ? [.plain] : possible.filter { allowed.contains($0) }
  }

  /// Without those that the format has had since 2024 only, or that some engines never got:
  /// BYTE_STREAM_SPLIT for integers and fixed lengths, DELTA_BYTE_ARRAY for fixed lengths.
  private static func widelyRead(_ kind: LeafKind) -> [Encoding] {
    switch kind {
    case .int32, .int64: [.plain, .deltaBinaryPacked]
    case .fixed, .wideDecimal: [.plain]
    default: possibleEncodings(kind)
    }
  }

  /// What the format allows.
  private static func possibleEncodings(_ kind: LeafKind) -> [Encoding] {
    switch kind {
    case .boolean: [.plain, .rle]
    case .int32, .int64: [.plain, .deltaBinaryPacked, .byteStreamSplit]
    case .float, .double: [.plain, .byteStreamSplit]
    case .byteArray: [.plain, .deltaLengthByteArray, .deltaByteArray]
    case .fixed, .wideDecimal: [.plain, .deltaByteArray, .byteStreamSplit]
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs

/// A page as it lies in the file: its header, and its bytes, not yet decompressed.
struct RawPage {
  let header: PageHeader
  let body: Buffer
  /// 0 is the first page of the chunk, dictionary or not.
  let index: Int
  /// Where it begins in the file.
  let offset: Int64

  /// How many levels a data page has; 0 for others.
  var valueCount: Int {
    switch header.body {
    case .data(let data): Int(data.valueCount)
    case .dataV2(let data): Int(data.valueCount)
    case .dictionary, .other: 0
    }
  }
}

/// Walks the pages of one column chunk.
///
/// Laws: every page lies within the chunk and within the bytes that are there; sizes are held
/// against the limits before a page is answered.
struct PageReader {
  let leaf: ParquetLeaf
  let rowGroup: Int
  let options: ReadOptions
  /// Where the chunk lies in the file.
  let range: Range<Int64>
  private let bytes: FileBytes
  /// Those Lake kept of the chunk; nil where there are none, or they are not to be looked at.
  private let checksums: ChunkChecksums?
  /// Of the header of each page; empty if they are not known.
  private let headerChecksums: [UInt32]
  /// Where the next page begins.
  private(set) var offset: Int64
  private(set) var pageIndex = 0
  /// Data pages seen or skipped.
  private(set) var dataPageIndex = 0

  /// Page headers are small; one above this is not taken for honest.
  static let maxHeaderByteCount: Int64 = 1 << 20

  /// - Parameter headerChecksums: of the header of each page; empty if they are not known.
  init(
    _ chunk: ChunkPlace, bytes: FileBytes, headerChecksums: [UInt32], options: ReadOptions
  ) {
    leaf = chunk.leaf
    rowGroup = chunk.rowGroup
    range = chunk.range
    self.bytes = bytes
    self.options = options
    let isVerified = options.checksums == .verified
    checksums = isVerified ? chunk.checksums : nil
    self.headerChecksums = isVerified ? headerChecksums : []
    offset = range.lowerBound
  }

  /// The page that errors are about: the one last read.
  var part: ParquetPart {
    .page(path: leaf.name, rowGroup: rowGroup, index: max(0, pageIndex - 1))
  }

  /// True if Lake wrote the chunk, so that its headers are held against their checksums.
  var hasChecksums: Bool { checksums != nil }

  var isAtEnd: Bool { offset >= range.upperBound }

  /// Goes to data page `index`, which begins at `offset`: read next is that one.
  mutating func jump(toDataPage index: Int, at offset: Int64) throws(ParquetError) {
    guard range.contains(offset) else {
      throw .inconsistent(
        .offsetIndex(path: leaf.name, rowGroup: rowGroup), what: "page offset",
        expected: range.lowerBound, found: offset)
    }
    self.offset = offset
    pageIndex += index - dataPageIndex
    dataPageIndex = index
  }

  /// Goes past the dictionary, which the chunk begins with, to the page at `offset`.
  ///
  /// Requires: nothing was read yet.
  mutating func skipDictionary(to offset: Int64) {
    self.offset = offset
    pageIndex = 1
  }

  /// The next page; nil at the end of the chunk.
  mutating func next() throws(ParquetError) -> RawPage? {
    if isAtEnd { return nil }
    pageIndex += 1
    let (header, length) = try readHeader()
    let size = Int64(header.compressedPageSize)
    let start = offset + Int64(length)
    guard size >= 0, size <= range.upperBound - start else {
      throw .inconsistent(
        part, what: "compressed size", expected: range.upperBound - start, found: size)
    }
    guard let body = bytes.slice(start..<start + size) else {
      throw .missingBytes(part, needed: start..<start + size)
    }
    try checkSizes(header, body)
    let place = offset
    offset = start + size
    let index = pageIndex - 1
    switch header.body {
    case .data, .dataV2: dataPageIndex += 1
    case .dictionary, .other: break
    }
    return RawPage(header: header, body: body, index: index, offset: place)
  }

  private func readHeader() throws(ParquetError) -> (PageHeader, Int) {
    let limit = min(range.upperBound, offset + Self.maxHeaderByteCount)
    guard let rest = bytes.rest(from: offset, to: limit) else {
      throw .missingBytes(part, needed: offset..<limit)
    }
    let header: PageHeader
    let length: Int
    do throws(ByteError) {
      var reader = ThriftReader(rest.bytes)
      header = try PageHeader(from: &reader)
      length = reader.offset
    } catch {
      throw .malformed(part, error)
    }
    try checkHeader(rest.bytes.extracting(0..<length))
    return (header, length)
  }

  /// Holds a header against its own checksum, where that is known.
  private func checkHeader(_ header: RawSpan) throws(ParquetError) {
    guard headerChecksums.indices.contains(pageIndex - 1) else { return }
    let expected = headerChecksums[pageIndex - 1]
    let found = CRC32C.checksum(header)
    guard found == expected else {
      throw .checksumMismatch(part, expected: expected, found: found)
    }
  }

  /// Holds the headers of all pages against their common checksum, where Lake kept one and those of
  /// the single headers are not known: before a row is read, as a reader need not come to the end.
  ///
  /// Requires: nothing was read yet, and all pages are there.
  /// Cost: O(pages).
  func checkAllHeaders() throws(ParquetError) {
    guard headerChecksums.isEmpty, let expected = checksums?.pageHeaders else { return }
    var walk = self
    var found: UInt32 = 0
    while true {
      let start = walk.offset
      guard let page = try walk.next() else { break }
      let end = walk.offset - Int64(page.body.count)
      guard let header = bytes.slice(start..<end) else { break }
      found = CRC32C.checksum(header.bytes, continuing: found)
    }
    guard found == expected else {
      throw .checksumMismatch(
        .columnChunk(path: leaf.name, rowGroup: rowGroup), expected: expected, found: found)
    }
  }

  private func checkSizes(_ header: PageHeader, _ body: Buffer) throws(ParquetError) {
    do throws(ByteError) {
      try options.limits.checkBlock(
        inflated: Int64(header.uncompressedPageSize), compressed: body.count)
    } catch {
      throw .malformed(part, error)
    }
    let count: Int32 =
      switch header.body {
      case .data(let data): data.valueCount
      case .dataV2(let data): data.valueCount
      case .dictionary(let data): data.valueCount
      case .other: 0
      }
    guard count >= 0 else {
      throw .inconsistent(part, what: "values", expected: 0, found: Int64(count))
    }
  }

  /// Holds the bytes of a page that is to be decoded against its checksum.
  func checkChecksum(_ page: RawPage) throws(ParquetError) {
    guard options.checksums == .verified, let crc = page.header.crc else { return }
    let found = CRC32.checksum(page.body.bytes)
    guard found == UInt32(bitPattern: crc) else {
      throw .checksumMismatch(part, expected: UInt32(bitPattern: crc), found: found)
    }
  }
}

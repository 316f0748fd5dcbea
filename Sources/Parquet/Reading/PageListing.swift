// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A page of a column chunk, as its header tells it.
package struct PageDescription: Hashable, Sendable {
  package let type: PageType
  package let encoding: Encoding?
  /// Where its header begins in the file.
  package let offset: Int64
  package let headerByteCount: Int
  /// Without the header, as the next.
  package let compressedByteCount: Int
  package let uncompressedByteCount: Int
  /// Nulls included.
  package let valueCount: Int
  /// Nil where the header does not tell: of pages of version 1 with lists.
  package let rowCount: Int?
  package let checksum: Checksum

  package enum Checksum: Hashable, Sendable {
    case none
    case matches
    case differs(stated: UInt32, found: UInt32)
  }
}

extension ParquetFooter {
  /// The pages of leaf `leaf` in row group `rowGroup`, in order.
  ///
  /// - Parameter bytes: what the plan for that leaf asks for.
  package func pages(
    rowGroup: Int, leaf: Int, bytes: FileBytes
  ) throws(ParquetError) -> [PageDescription] {
    let place = try chunkPlace(rowGroup: rowGroup, leaf: leaf)
    var reader = PageReader(
      place, bytes: bytes, headerChecksums: [], options: ReadOptions())
    var pages: [PageDescription] = []
    while true {
      let offset = reader.offset
      guard let page = try reader.next() else { return pages }
      let headerByteCount = Int(reader.offset - offset) - page.body.count
      pages.append(
        PageDescription(page, at: offset, headerByteCount, place.leaf.maxRepetitionLevel == 0))
    }
  }
}

extension PageDescription {
  fileprivate init(_ page: RawPage, at offset: Int64, _ headerByteCount: Int, _ isPerRow: Bool) {
    self.offset = offset
    self.headerByteCount = headerByteCount
    compressedByteCount = page.body.count
    uncompressedByteCount = Int(page.header.uncompressedPageSize)
    switch page.header.body {
    case .data(let data):
      (type, encoding) = (.dataPage, data.encoding)
      valueCount = Int(data.valueCount)
      rowCount = isPerRow ? Int(data.valueCount) : nil
    case .dataV2(let data):
      (type, encoding) = (.dataPageV2, data.encoding)
      valueCount = Int(data.valueCount)
      rowCount = Int(data.rowCount)
    case .dictionary(let data):
      (type, encoding) = (.dictionaryPage, data.encoding)
      valueCount = Int(data.valueCount)
      rowCount = nil
    case .other(let other):
      (type, encoding) = (other, nil)
      valueCount = 0
      rowCount = nil
    }
    guard let crc = page.header.crc else {
      checksum = .none
      return
    }
    let stated = UInt32(bitPattern: crc)
    let found = CRC32.checksum(page.body.bytes)
    checksum = stated == found ? .matches : .differs(stated: stated, found: found)
  }
}

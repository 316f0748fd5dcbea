// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The checksums Lake keeps of what belongs to a column chunk and has none in the format.
///
///     lake.chunk-crc32c := for each column chunk, row group by row group: four CRC-32C,
///                          each of eight lower-case hexadecimal digits
///
/// They are of the chunk's page headers one behind the other, of its Bloom filter, of its column
/// index, and of its offset index with what follows it: the CRC-32C of each page header, four bytes
/// little-endian, so that a page that is read alone can be held against its own. What a chunk does
/// not have counts as empty.
///
/// As ``FooterChecksum``, they count only where Lake wrote the footer.
/// Source: this project's SPEC.md, "Lake's own marks in tables".
package struct ChunkChecksums: Hashable, Sendable {
  package var pageHeaders: UInt32
  package var bloomFilter: UInt32 = 0
  package var columnIndex: UInt32 = 0
  package var offsetIndex: UInt32 = 0

  package static let key = "lake.chunk-crc32c"
  private static let digitCount = 32

  package init(pageHeaders: UInt32) { self.pageHeaders = pageHeaders }

  /// The value for all chunks of a file, in order.
  static func text(_ chunks: [ChunkChecksums]) -> String {
    chunks.map(\.text).joined()
  }

  private var text: String {
    [pageHeaders, bloomFilter, columnIndex, offsetIndex].map(FooterChecksum.text).joined()
  }

  /// Those of all chunks of a file, in order; empty where Lake did not write the footer.
  ///
  /// Cost: O(chunks).
  static func all(in metadata: FileMetaData) -> [ChunkChecksums] {
    guard FooterChecksum.isOurs(metadata),
      let value = metadata.keyValueMetadata?.last(where: { $0.key == key })?.value
    else { return [] }
    let digits = Array(value.utf8)
    let count = metadata.rowGroups.reduce(0) { $0 + $1.columns.count }
    guard digits.count == count * digitCount else { return [] }
    var chunks: [ChunkChecksums] = []
    chunks.reserveCapacity(count)
    for start in stride(from: 0, to: digits.count, by: digitCount) {
      guard let chunk = ChunkChecksums(digits[start..<start + digitCount]) else { return [] }
      chunks.append(chunk)
    }
    return chunks
  }

  private init?(_ digits: ArraySlice<UInt8>) {
    let start = digits.startIndex
    guard let pageHeaders = Self.word(digits[start..<start + 8]),
      let bloomFilter = Self.word(digits[start + 8..<start + 16]),
      let columnIndex = Self.word(digits[start + 16..<start + 24]),
      let offsetIndex = Self.word(digits[start + 24..<start + 32])
    else { return nil }
    self.init(pageHeaders: pageHeaders)
    self.bloomFilter = bloomFilter
    self.columnIndex = columnIndex
    self.offsetIndex = offsetIndex
  }

  /// What eight digits come to.
  private static func word(_ digits: ArraySlice<UInt8>) -> UInt32? {
    var word: UInt32 = 0
    for digit in digits {
      switch digit {
      case 0x30...0x39: word = word << 4 | UInt32(digit - 0x30)
      case 0x61...0x66: word = word << 4 | UInt32(digit - 0x57)
      default: return nil
      }
    }
    return word
  }
}

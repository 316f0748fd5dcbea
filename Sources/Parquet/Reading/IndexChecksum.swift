// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension ParquetFooter {
  /// What lies between the last page and the footer: Bloom filters and page indexes. Nil where
  /// chunks do not lie as they should.
  package var indexRange: Range<Int64>? {
    var end: Int64 = 0
    for group in 0..<rowGroupCount {
      for leaf in 0..<schema.leafCount {
        guard let place = try? chunkPlace(rowGroup: group, leaf: leaf) else { return nil }
        end = max(end, place.range.upperBound)
      }
    }
    return end > 0 && end <= offset ? end..<offset : nil
  }

  /// The checksum of ``indexRange`` that the file states, where Lake wrote it; nil else.
  package var indexChecksum: String? {
    guard createdBy?.hasPrefix("lake version ") == true else { return nil }
    return keyValue(FooterChecksum.indexKey)
  }

  /// False if ``indexRange`` is known to be damaged.
  ///
  /// - Parameter bytes: that range, at least; nothing is known without it.
  package func hasSoundIndexes(_ bytes: FileBytes) -> Bool {
    guard let stated = indexChecksum, let range = indexRange, let found = bytes.slice(range) else {
      return true
    }
    return FooterChecksum.text(CRC32C.checksum(found.bytes)) == stated
  }
}

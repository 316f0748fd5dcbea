// SPDX-License-Identifier: Apache-2.0

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
}

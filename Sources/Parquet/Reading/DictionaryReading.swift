// SPDX-License-Identifier: Apache-2.0
public import Columnar

extension ParquetFooter {
  /// Where the dictionary of leaf `leaf` in row group `rowGroup` lies, if it is known that all
  /// values of the column chunk are in it; nil else.
  ///
  /// Writers go on without a dictionary when it gets too big: then it tells nothing of what follows.
  public func dictionaryRange(rowGroup: Int, leaf: Int) -> Range<Int64>? {
    guard let place = try? chunkPlace(rowGroup: rowGroup, leaf: leaf),
      place.metadata.isInDictionary, place.leaf.conversion != .discard
    else { return nil }
    let start = place.range.lowerBound
    guard place.metadata.dictionaryPageOffset == start, place.metadata.dataPageOffset > start,
      place.metadata.dataPageOffset <= place.range.upperBound
    else { return nil }
    return start..<place.metadata.dataPageOffset
  }

  /// The values that leaf `leaf` has in row group `rowGroup`, nulls left aside, each of them once or
  /// more; nil if that is not known, or can't be read.
  ///
  /// - Parameter bytes: what ``dictionaryRange(rowGroup:leaf:)`` asks for, at least.
  public func dictionary(
    rowGroup: Int, leaf: Int, bytes: FileBytes, workspace: DecodeWorkspace = DecodeWorkspace()
  ) -> Column? {
    guard dictionaryRange(rowGroup: rowGroup, leaf: leaf) != nil,
      let place = try? chunkPlace(rowGroup: rowGroup, leaf: leaf),
      let decoder = try? LeafDecoder(
        place, isFlat: true, bytes: bytes, pageIndex: nil, options: ReadOptions(),
        workspace: workspace)
    else { return nil }
    return try? decoder.readDictionary()
  }
}

extension ColumnMetaData {
  /// True if all data pages are known to be of codes of the dictionary.
  fileprivate var isInDictionary: Bool {
    guard let encodingStats else { return false }
    let data = encodingStats.filter {
      ($0.pageType == .dataPage || $0.pageType == .dataPageV2) && $0.count != 0
    }
    return !data.isEmpty
      && data.allSatisfy { $0.encoding == .rleDictionary || $0.encoding == .plainDictionary }
  }
}

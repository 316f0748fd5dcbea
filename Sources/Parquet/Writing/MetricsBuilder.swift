// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Adds up the metrics of a column over its row groups.
struct MetricsBuilder {
  private let leaf: ParquetLeaf
  private let kind: LeafKind
  private let path: String
  private var byteCount: Int64 = 0
  private var valueCount: Int64 = 0
  private var nullCount: Int64 = 0
  private var nanCount: Int64 = 0
  private var least: BoundValue?
  private var greatest: BoundValue?

  init(leaf: ParquetLeaf, path: String) {
    self.leaf = leaf
    self.path = path
    kind = LeafKind(leaf)
  }

  mutating func add(_ chunk: EncodedColumnChunk) {
    byteCount += chunk.metaData.totalCompressedSize
    valueCount += Int64(chunk.summary.valueCount)
    nullCount += Int64(chunk.summary.nullCount)
    nanCount += Int64(chunk.summary.nanCount)
    if let value = chunk.summary.least, least.map({ value.isLess(than: $0) }) ?? true {
      least = value
    }
    if let value = chunk.summary.greatest, greatest.map({ $0.isLess(than: value) }) ?? true {
      greatest = value
    }
  }

  /// - Parameter limit: byte strings that are longer are cut.
  func metrics(_ limit: Int) -> ColumnMetrics {
    let isRepeated = leaf.maxRepetitionLevel > 0
    return ColumnMetrics(
      fieldID: leaf.element.fieldID, path: path, type: leaf.columnType, isRepeated: isRepeated,
      byteCount: byteCount, valueCount: valueCount, nullCount: nullCount,
      nanCount: kind.isFloating ? nanCount : nil,
      lowerBound: isRepeated ? nil : lowerBound(limit),
      upperBound: isRepeated ? nil : upperBound(limit))
  }

  private func lowerBound(_ limit: Int) -> ColumnBound? {
    guard let least else { return nil }
    if case .bytes(let bytes) = least, kind.isByteArray, bytes.count > limit {
      let cut = BoundTruncation.lower(bytes, to: limit, isText: isText)
      return ColumnBound(bytes: cut, isExact: false)
    }
    return ColumnBound(bytes: least.singleValue(kind, isDecimal: isDecimal), isExact: true)
  }

  private func upperBound(_ limit: Int) -> ColumnBound? {
    guard let greatest else { return nil }
    if case .bytes(let bytes) = greatest, kind.isByteArray, bytes.count > limit {
      let cut = BoundTruncation.upper(bytes, to: limit, isText: isText)
      return cut.map { ColumnBound(bytes: $0, isExact: false) }
    }
    return ColumnBound(bytes: greatest.singleValue(kind, isDecimal: isDecimal), isExact: true)
  }

  private var isText: Bool { kind == .byteArray(isText: true) }
  private var isDecimal: Bool { if case .decimal = leaf.columnType { true } else { false } }
}

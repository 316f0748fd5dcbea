// SPDX-License-Identifier: Apache-2.0

/// What is known of a column chunk once its pages are made: statistics and page index.
struct ChunkSummary {
  private let kind: LeafKind
  private let maxDefinition: Int
  private let maxRepetition: Int
  private let statisticsByteCount: Int
  /// False for values that no order is defined of: shapes.
  private let isOrdered: Bool

  private(set) var valueCount = 0
  private(set) var nullCount = 0
  private(set) var nanCount = 0
  private(set) var byteArrayByteCount = 0
  private(set) var least: BoundValue?
  private(set) var greatest: BoundValue?
  private var definitionHistogram: [Int64]
  private var repetitionHistogram: [Int64]
  private var pages: [Page] = []

  private struct Page {
    var bounds: ValueBounds?
    var valueCount: Int
    var nullCount: Int
    var nanCount: Int
    var byteArrayByteCount: Int
    var definitionHistogram: [Int64]
    var repetitionHistogram: [Int64]
  }

  init(leaf: ParquetLeaf, options: WriterOptions) {
    kind = LeafKind(leaf)
    maxDefinition = leaf.maxDefinitionLevel
    maxRepetition = leaf.maxRepetitionLevel
    statisticsByteCount = options.statisticsByteCount
    isOrdered =
      switch leaf.element.logicalType {
      case .geometry, .geography: false
      default: true
      }
    definitionHistogram = [Int64](repeating: 0, count: maxDefinition + 1)
    repetitionHistogram = [Int64](repeating: 0, count: maxRepetition + 1)
  }

  private var isText: Bool { kind == .byteArray(isText: true) }

  mutating func add(_ values: EncodedValues, _ levels: borrowing PageLevels) {
    let definition = levels.definitionHistogram()
    let repetition = levels.repetitionHistogram()
    for i in definition.indices { definitionHistogram[i] += definition[i] }
    for i in repetition.indices { repetitionHistogram[i] += repetition[i] }
    valueCount += levels.entryCount
    nullCount += levels.nullCount
    nanCount += values.nanCount
    byteArrayByteCount += values.byteArrayByteCount
    let bounds = isOrdered ? values.bounds : nil
    if let bounds { extend(to: bounds) }
    pages.append(
      Page(
        bounds: bounds.map { shortened($0, to: statisticsByteCount) ?? $0 },
        valueCount: values.count, nullCount: levels.nullCount, nanCount: values.nanCount,
        byteArrayByteCount: values.byteArrayByteCount, definitionHistogram: definition,
        repetitionHistogram: repetition))
  }

  private mutating func extend(to bounds: ValueBounds) {
    if least.map({ bounds.least.isLess(than: $0) }) ?? true { least = bounds.least }
    if greatest.map({ $0.isLess(than: bounds.greatest) }) ?? true { greatest = bounds.greatest }
  }

  /// Both bounds in at most `limit` bytes; nil if there is no such upper bound.
  private func shortened(_ bounds: ValueBounds, to limit: Int) -> ValueBounds? {
    guard let greatest = shortenedUpper(bounds.greatest, to: limit) else { return nil }
    return ValueBounds(least: shortenedLower(bounds.least, to: limit), greatest: greatest)
  }

  private func shortenedLower(_ value: BoundValue, to limit: Int) -> BoundValue {
    guard case .bytes(let bytes) = value, kind.isByteArray else { return value }
    return .bytes(BoundTruncation.lower(bytes, to: limit, isText: isText))
  }

  private func shortenedUpper(_ value: BoundValue, to limit: Int) -> BoundValue? {
    guard case .bytes(let bytes) = value, kind.isByteArray else { return value }
    return BoundTruncation.upper(bytes, to: limit, isText: isText).map { .bytes($0) }
  }

  // MARK: Results

  /// The statistics of the column chunk.
  func statistics() -> Statistics {
    var statistics = Statistics()
    statistics.nullCount = Int64(nullCount)
    if kind.isFloating { statistics.nanCount = Int64(nanCount) }
    if let least {
      let short = shortenedLower(least, to: statisticsByteCount)
      statistics.minValue = short.plain(kind)
      statistics.isMinValueExact = short == least
    }
    if let greatest, let short = shortenedUpper(greatest, to: statisticsByteCount) {
      statistics.maxValue = short.plain(kind)
      statistics.isMaxValueExact = short == greatest
    }
    return statistics
  }

  func sizeStatistics() -> SizeStatistics {
    var sizes = SizeStatistics()
    if kind.isByteArray { sizes.unencodedByteArrayDataBytes = Int64(byteArrayByteCount) }
    // Histograms of one or two levels say nothing that the counts don't.
    if maxDefinition > 1 { sizes.definitionLevelHistogram = definitionHistogram }
    if maxRepetition > 0 { sizes.repetitionLevelHistogram = repetitionHistogram }
    return sizes
  }

  /// Nil where a page has values and no bounds, being all NaN or without order.
  func columnIndex() -> ColumnIndex? {
    var index = ColumnIndex(
      nullPages: [], minValues: [], maxValues: [], boundaryOrder: boundaryOrder())
    for page in pages {
      guard page.bounds != nil || page.valueCount == 0 else { return nil }
      index.nullPages.append(page.bounds == nil)
      index.minValues.append(page.bounds?.least.plain(kind) ?? [])
      index.maxValues.append(page.bounds?.greatest.plain(kind) ?? [])
    }
    index.nullCounts = pages.map { Int64($0.nullCount) }
    if kind.isFloating { index.nanCounts = pages.map { Int64($0.nanCount) } }
    if maxDefinition > 1 { index.definitionLevelHistograms = pages.flatMap(\.definitionHistogram) }
    if maxRepetition > 0 { index.repetitionLevelHistograms = pages.flatMap(\.repetitionHistogram) }
    return index
  }

  private func boundaryOrder() -> BoundaryOrder {
    var isAscending = true
    var isDescending = true
    var previous: ValueBounds?
    for case let bounds? in pages.lazy.map(\.bounds) {
      if let previous {
        if bounds.least.isLess(than: previous.least)
          || bounds.greatest.isLess(than: previous.greatest)
        {
          isAscending = false
        }
        if previous.least.isLess(than: bounds.least)
          || previous.greatest.isLess(than: bounds.greatest)
        {
          isDescending = false
        }
      }
      previous = bounds
    }
    return isAscending ? .ascending : isDescending ? .descending : .unordered
  }

  /// Bytes of byte arrays a page; nil for other types.
  func byteArrayByteCounts() -> [Int64]? {
    kind.isByteArray ? pages.map { Int64($0.byteArrayByteCount) } : nil
  }
}

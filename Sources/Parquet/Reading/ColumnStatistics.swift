// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar

/// What is known of the values of a column chunk, or of one page of it, without reading them.
///
/// Laws: no value that is not null or NaN is below ``lower`` or above ``upper``. What a writer
/// stated in a way that can't be relied on is left out: bounds without a stated order or in the
/// order of another type, NaN, bounds of the wrong width or the wrong way round, counts that can't
/// be. So a missing fact means "unknown", never zero.
/// Source: parquet.thrift, `Statistics` and `ColumnOrder`.
public struct ColumnStatistics: Hashable, Sendable {
  /// What the bounds are values of.
  public let type: ColumnType
  /// How many values there are, nulls included; of a leaf in lists, that is not rows.
  public let valueCount: Int64?
  public let nullCount: Int64?
  public let nanCount: Int64?
  public let lower: BoundValue?
  public let upper: BoundValue?
  /// True if the bound is known to be a value that occurs.
  public let isLowerExact: Bool
  public let isUpperExact: Bool

  /// True if all values are known to be null.
  public var areAllNull: Bool { nullCount != nil && nullCount == valueCount }
}

extension ParquetFooter {
  /// What the footer tells of leaf `leaf` in row group `rowGroup`; nil if nothing.
  ///
  /// Leaves are numbered as ``ParquetSchema/leafIndex(fieldID:)`` does.
  public func statistics(rowGroup: Int, leaf index: Int) -> ColumnStatistics? {
    guard let chunk = metadata.rowGroups[rowGroup].columns[index].metaData else { return nil }
    guard let stated = chunk.statistics else { return nil }
    return BoundReader(self, leaf: index).statistics(stated, valueCount: chunk.valueCount)
  }
}

extension ParquetSchema {
  /// The number of the leaf with field id `id`; nil if there is none, or several are.
  public func leafIndex(fieldID id: Int32) -> Int? {
    let found = leaves.filter { $0.element.fieldID == id }
    return found.count == 1 ? found[0].index : nil
  }

  /// The number of the leaf at `path`; nil if there is none, or several are.
  public func leafIndex(path: [String]) -> Int? {
    let found = leaves.filter { $0.path == path }
    return found.count == 1 ? found[0].index : nil
  }

  /// What leaf `index` is read as.
  public func leafType(_ index: Int) -> ColumnType { leaves[index].columnType }

  /// True if each row has one value, or null, of leaf `index`: it is in no list.
  public func isPerRow(leaf index: Int) -> Bool { leaves[index].maxRepetitionLevel == 0 }
}

/// Decides which stated bounds of a leaf can be believed, and decodes those.
struct BoundReader {
  private let leaf: ParquetLeaf
  private let order: ColumnOrder?

  init(_ footer: ParquetFooter, leaf index: Int) {
    leaf = footer.schema.leaves[index]
    let orders = footer.metadata.columnOrders ?? []
    order = orders.indices.contains(index) ? orders[index] : nil
  }

  /// How values of the leaf are ordered, as far as there is an order.
  private enum Comparison {
    case signed
    case unsigned
    case floating
    case int96
    case none
  }

  private var comparison: Comparison {
    if leaf.element.convertedType == .interval || leaf.element.logicalType == .unrecognized {
      return .none
    }
    switch leaf.element.annotation {
    case .unknown, .variant, .geometry, .geography, .list, .map: return .none
    case .integer(_, isSigned: false): return .unsigned
    case .decimal: return .signed
    case .float16: return .floating
    default: break
    }
    switch leaf.type {
    case .boolean, .int32, .int64: return .signed
    case .float, .double: return .floating
    case .int96: return .int96
    case .byteArray, .fixedLenByteArray: return .unsigned
    }
  }

  /// True if bounds in the file's stated order are bounds in the leaf's order.
  private var isOrderKnown: Bool {
    switch (comparison, order) {
    case (.signed, .typeDefined), (.unsigned, .typeDefined), (.floating, .typeDefined): true
    case (.floating, .ieee754Total), (.int96, .int96Timestamp): true
    default: false
    }
  }

  func statistics(_ stated: Statistics, valueCount: Int64) -> ColumnStatistics {
    var lower: [UInt8]?
    var upper: [UInt8]?
    if isOrderKnown {
      (lower, upper) = (stated.minValue, stated.maxValue)
    } else if comparison == .signed, leaf.type.width(typeLength: 0) != nil,
      leaf.type != .fixedLenByteArray
    {
      // The older fields are in signed order, whatever the type is.
      (lower, upper) = (stated.min, stated.max)
    }
    return make(
      lower, upper, valueCount: valueCount, nullCount: stated.nullCount,
      nanCount: stated.nanCount, isLowerExact: stated.isMinValueExact ?? false,
      isUpperExact: stated.isMaxValueExact ?? false)
  }

  /// Page `page` of a column index whose lists are all of one length.
  ///
  /// - Parameter valueCount: how many values the page has, nulls included, where that is known.
  func statistics(_ index: ColumnIndex, page: Int, valueCount: Int64?) -> ColumnStatistics {
    let isOfNulls = index.nullPages[page]
    let hasBounds = isOrderKnown && !isOfNulls
    return make(
      hasBounds ? index.minValues[page] : nil, hasBounds ? index.maxValues[page] : nil,
      valueCount: valueCount,
      nullCount: index.nullCounts?[page] ?? (isOfNulls ? valueCount : nil),
      nanCount: index.nanCounts?[page], isLowerExact: false, isUpperExact: false)
  }

  private func make(
    _ lower: [UInt8]?, _ upper: [UInt8]?, valueCount: Int64?, nullCount: Int64?,
    nanCount: Int64?, isLowerExact: Bool, isUpperExact: Bool
  ) -> ColumnStatistics {
    let valueCount = valueCount.flatMap { $0 >= 0 ? $0 : nil }
    let possible = { (count: Int64) in count >= 0 && count <= valueCount ?? .max }
    var bounds = (
      lower.flatMap { decode($0) }.map { widen($0, isLower: true) },
      upper.flatMap { decode($0) }.map { widen($0, isLower: false) }
    )
    if let least = bounds.0, let greatest = bounds.1, greatest.isLess(than: least) {
      bounds = (nil, nil)
    }
    return ColumnStatistics(
      type: leaf.columnType, valueCount: valueCount,
      nullCount: nullCount.flatMap { possible($0) ? $0 : nil },
      nanCount: nanCount.flatMap { possible($0) ? $0 : nil },
      lower: bounds.0, upper: bounds.1,
      isLowerExact: isLowerExact && bounds.0 != nil, isUpperExact: isUpperExact && bounds.1 != nil)
  }

  /// Zeros to the one that is further out, as the other may occur as well.
  private func widen(_ value: BoundValue, isLower: Bool) -> BoundValue {
    guard case .floating(0) = value else { return value }
    return .floating(isLower ? -0.0 : 0.0)
  }

  /// The value that `bytes` are the PLAIN encoding of, a byte array's without length; nil if they
  /// are none, or NaN.
  func decode(_ bytes: [UInt8]) -> BoundValue? {
    switch leaf.type {
    case .boolean: return bytes.count == 1 ? .integer(Int64(bytes[0] & 1)) : nil
    case .byteArray:
      if leaf.conversion == .none { return .bytes(bytes) }
    default:
      guard bytes.count == leaf.type.width(typeLength: leaf.typeLength) else { return nil }
      if leaf.conversion == .none, leaf.type == .fixedLenByteArray { return .bytes(bytes) }
    }
    return convert(bytes)
  }

  /// By way of a column of one row, so that bounds are converted as values are.
  private func convert(_ bytes: [UInt8]) -> BoundValue? {
    do throws(ByteError) {
      var values = DenseValues(type: leaf.columnType, capacity: 1, limit: 1 << 20)
      let stored = Buffer(bytes)
      if leaf.type == .byteArray {
        let ends = Buffer([0, 0, 0, 0] + littleEndian(Int32(clamping: bytes.count)))
        try leaf.convert(ends.values(as: Int32.self), of: stored.bytes, into: &values)
      } else if leaf.conversion == .none {
        values.bytes.append(stored.bytes)
      } else {
        try leaf.convert(stored, 1, into: &values)
      }
      return Self.value(try values.finish(nil, rowCount: 1))
    } catch {
      return nil
    }
  }

  private func littleEndian(_ value: Int32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func value(_ column: Column) -> BoundValue? {
    switch column.type {
    case .float, .double:
      let value = column.floatingPoint(0)
      return value.isNaN ? nil : .floating(value)
    case .decimal where column.type.layout == .fixed(width: 16): return .wide(column.unscaled(0))
    case .int32, .int64, .date, .time, .timestamp, .decimal: return .integer(column.integer(0))
    default: return nil
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet

/// What a Parquet footer tells of the columns of one row group.
///
/// Statistics only ever rule rows out, and only where the format says what they mean: those without
/// a column order are read for signed numbers alone, NaNs and bounds of a wrong size are as good as
/// none, and zeros have either sign.
/// Source: parquet.thrift, `Statistics` and `ColumnOrder`.
struct RowGroupFacts: ColumnFactsSource {
  let footer: ParquetFooter
  let rowGroup: Int
  /// The leaf of each field that lies in no list or map.
  let leaves: [FieldID: Int]

  /// The leaves of `columns`, which are the file's, ids given; `shapes` are how they are read.
  static func leaves(_ columns: [ColumnField], _ shapes: [ColumnShape]) -> [FieldID: Int] {
    var found: [FieldID: Int] = [:]
    for (column, shape) in zip(columns, shapes) {
      switch shape.kind {
      case .leaf(let index): if let id = column.fieldID { found[FieldID(id)] = index }
      case .structure(let children):
        found.merge(leaves(column.type.children, children)) { first, _ in first }
      case .list: break
      }
    }
    return found
  }

  func facts(of column: BoundColumn) -> ColumnFacts? {
    guard let index = leaves[column.id], let type = column.type.primitive else { return nil }
    let leaf = footer.schema.leaves[index]
    let metadata = footer.metadata.rowGroups[rowGroup].columns[index].metaData
    guard let metadata, let statistics = metadata.statistics else { return nil }
    let (lower, upper) = bounds(statistics, leaf, type)
    return ColumnFacts(
      valueCount: metadata.valueCount, nullCount: statistics.nullCount,
      nanCount: statistics.nanCount, lower: lower, upper: upper, type: type)
  }

  private func bounds(
    _ statistics: Statistics, _ leaf: ParquetLeaf, _ type: PrimitiveType
  ) -> (lower: Value?, upper: Value?) {
    let order = footer.metadata.columnOrders.flatMap {
      leaf.index < $0.count ? $0[leaf.index] : nil
    }
    var raw: (min: [UInt8]?, max: [UInt8]?)
    switch order {
    case .typeDefined?, .ieee754Total?: raw = (statistics.minValue, statistics.maxValue)
    case nil: raw = leaf.isSignedNumber ? (statistics.min, statistics.max) : (nil, nil)
    default: raw = (nil, nil)
    }
    let lower = raw.min.flatMap { leaf.value($0, as: type) }
    let upper = raw.max.flatMap { leaf.value($0, as: type) }
    // Of a NaN on either side it can't be told what the other means.
    if lower?.isNaNBound == true || upper?.isNaNBound == true { return (nil, nil) }
    return (lower?.withSign(minus: true), upper?.withSign(minus: false))
  }
}

extension ParquetLeaf {
  /// True if old statistics, which were compared as signed numbers, are right for it.
  fileprivate var isSignedNumber: Bool {
    switch (type, conversion) {
    case (.int32, .none), (.int64, .none), (.float, .none), (.double, .none),
      (.int32, .widenSigned):
      true
    default: false
    }
  }

  /// A bound of this leaf as a value of `type`, which its column is read as; nil if it can't be.
  fileprivate func value(_ bytes: [UInt8], as type: PrimitiveType) -> Value? {
    let buffer = Buffer(bytes)
    let span = buffer.bytes
    switch (self.type, conversion) {
    case (.boolean, .none):
      return bytes.count == 1 && type == .boolean ? .boolean(bytes[0] != 0) : nil
    case (.int32, .none), (.int32, .widenSigned):
      guard bytes.count == 4 else { return nil }
      return Self.number(Int64(span.loadLE(at: 0, as: Int32.self)), columnType, type)
    case (.int64, .none), (.int64, .widenToDecimal):
      guard bytes.count == 8 else { return nil }
      return Self.number(span.loadLE(at: 0, as: Int64.self), columnType, type)
    case (.int32, .widenToDecimal):
      guard bytes.count == 4 else { return nil }
      return Self.number(Int64(span.loadLE(at: 0, as: Int32.self)), columnType, type)
    case (.float, .none):
      guard bytes.count == 4 else { return nil }
      let number = Float(bitPattern: span.loadLE(at: 0, as: UInt32.self))
      return type == .float ? .float(number) : type == .double ? .double(Double(number)) : nil
    case (.double, .none):
      guard bytes.count == 8, type == .double else { return nil }
      return .double(Double(bitPattern: span.loadLE(at: 0, as: UInt64.self)))
    case (.byteArray, .none), (.fixedLenByteArray, .none): return Self.text(bytes, type)
    case (_, .bigEndianDecimal): return Self.decimal(bytes, columnType, type)
    default: return nil
    }
  }

  private static func number(_ value: Int64, _ stored: ColumnType, _ type: PrimitiveType) -> Value? {
    switch (stored, type) {
    case (.int32, .int), (.date, .date): Int32(exactly: value).map { .int($0) }
    case (.int32, .long): .long(value)
    case (.decimal(_, let scale), .decimal(_, let wanted)):
      scale == wanted ? .decimal(Int128(value)) : nil
    case (.int64, _), (.time, _), (.timestamp, _):
      stored == type.columnType ? .long(value) : nil
    default: nil
    }
  }

  private static func text(_ bytes: [UInt8], _ type: PrimitiveType) -> Value? {
    switch type {
    case .string: String(validating: bytes, as: UTF8.self).map { .string($0) }
    case .binary, .uuid, .fixed: .bytes(bytes)
    default: nil
    }
  }

  private static func decimal(
    _ bytes: [UInt8], _ stored: ColumnType, _ type: PrimitiveType
  ) -> Value? {
    guard case .decimal(_, let scale) = stored, case .decimal(_, let wanted) = type,
      scale == wanted, !bytes.isEmpty, bytes.count <= 16
    else { return nil }
    var value: Int128 = bytes[0] & 0x80 == 0 ? 0 : -1
    for byte in bytes { value = value << 8 | Int128(byte) }
    return .decimal(value)
  }
}

extension Value {
  fileprivate var isNaNBound: Bool {
    switch self {
    case .float(let value): value.isNaN
    case .double(let value): value.isNaN
    default: false
    }
  }

  /// The same bound, a zero with the sign that lets it bound both zeros.
  fileprivate func withSign(minus: Bool) -> Value {
    switch self {
    case .float(let value) where value == 0: .float(minus ? -0.0 : 0.0)
    case .double(let value) where value == 0: .double(minus ? -0.0 : 0.0)
    default: self
    }
  }
}

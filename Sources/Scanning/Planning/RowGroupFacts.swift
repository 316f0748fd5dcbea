// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet

/// What a Parquet footer tells of the columns of one row group: only ever used to rule rows out.
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
    // What a file stores of row lineage is not all that rows have of it.
    guard MetadataColumn(column.id) == nil, let index = leaves[column.id], let type = column.type.primitive,
      let statistics = footer.statistics(rowGroup: rowGroup, leaf: index)
    else { return nil }
    return ColumnFacts(
      valueCount: statistics.valueCount, nullCount: statistics.nullCount,
      nanCount: statistics.nanCount,
      lower: statistics.lower?.value(of: statistics.type, as: type),
      upper: statistics.upper?.value(of: statistics.type, as: type), type: type)
  }
}

extension BoundValue {
  /// This bound of a column stored as `stored` as a value of `type`, which it is read as; nil where
  /// the two differ in more than width.
  fileprivate func value(of stored: ColumnType, as type: PrimitiveType) -> Value? {
    switch (self, stored, type) {
    case (.integer(let value), .boolean, .boolean): return .boolean(value != 0)
    case (.integer(let value), .int32, .int), (.integer(let value), .date, .date):
      return Int32(exactly: value).map { .int($0) }
    case (.integer(let value), .int32, .long), (.integer(let value), .int64, .long):
      return .long(value)
    case (.integer(let value), .decimal(_, let scale), .decimal(_, let wanted)):
      return scale == wanted ? .decimal(Int128(value)) : nil
    case (.wide(let value), .decimal(_, let scale), .decimal(_, let wanted)):
      return scale == wanted ? .decimal(value) : nil
    case (.integer(let value), .time, _), (.integer(let value), .timestamp, _):
      return stored == type.columnType ? .long(value) : nil
    case (.floating(let value), .float, .float): return .float(Float(value))
    case (.floating(let value), _, .double): return .double(value)
    case (.bytes(let value), _, .string):
      return String(validating: value, as: UTF8.self).map { .string($0) }
    case (.bytes(let value), _, .binary), (.bytes(let value), _, .uuid),
      (.bytes(let value), _, .fixed):
      return .bytes(value)
    default: return nil
    }
  }
}

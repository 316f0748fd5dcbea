// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet

/// What is known of the columns of one row group without reading its rows: statistics, page
/// indexes, Bloom filters, dictionaries. Only ever used to rule rows out.
struct RowGroupFacts: ColumnFactsSource {
  let footer: ParquetFooter
  let rowGroup: Int
  /// The leaf of each field that lies in no list or map.
  let leaves: [FieldID: Int]
  /// By leaf, as the next.
  var pageIndexes: [Int: PageIndex] = [:]
  var bloomFilters: [Int: ColumnBloomFilter] = [:]
  /// All values of a column, nulls left aside, as the schema has them; by field.
  var dictionaries: [FieldID: RecordBatch] = [:]

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
    guard let leaf = leaves[column.id],
      let statistics = footer.statistics(rowGroup: rowGroup, leaf: leaf)
    else { return nil }
    return ColumnFacts(statistics, column)
  }

  /// False only if no row of the row group matches.
  func mightMatch(_ predicate: BoundPredicate) -> Bool {
    switch predicate {
    case .always(let value): value
    case .and(let parts): parts.allSatisfy(mightMatch)
    case .or(let parts): parts.contains(where: mightMatch)
    case .test(let column, let test):
      predicate.mightMatch(self) && mightContain(column, test) && mightBeListed(column, test)
    }
  }

  /// The rows of the pages that `predicate` might match rows of.
  func selection(_ predicate: BoundPredicate) -> RowSelection {
    let rowCount = Int(clamping: footer.rowCount(ofRowGroup: rowGroup))
    switch predicate {
    case .always(let value): return value ? .all(rowCount) : .none(of: rowCount)
    case .and(let parts):
      return parts.reduce(.all(rowCount)) { $0.isEmpty ? $0 : $0.intersection(selection($1)) }
    case .or(let parts):
      return parts.reduce(.none(of: rowCount)) { $0.isAll ? $0 : $0.union(selection($1)) }
    case .test(let column, _):
      guard mightMatch(predicate) else { return .none(of: rowCount) }
      guard let leaf = leaves[column.id], let index = pageIndexes[leaf] else {
        return .all(rowCount)
      }
      return index.selection { page in
        ColumnFacts(page, column).map { predicate.mightMatch(PageFacts(facts: $0)) } ?? true
      }
    }
  }

  // MARK: Bloom filters

  /// The values of which a row must have one, if `test` is to be true of it; nil if that is not
  /// what it asks.
  private static func values(of test: BoundTest) -> [Value]? {
    switch test {
    case .compare(.equal, let value): [value]
    case .isIn(let values): values
    default: nil
    }
  }

  /// The leaves whose Bloom filters could rule the row group out, if there are any.
  func leavesToLookUp(_ predicate: BoundPredicate) -> Set<Int> {
    switch predicate {
    case .always: return []
    case .and(let parts), .or(let parts):
      return parts.reduce(into: []) { $0.formUnion(leavesToLookUp($1)) }
    case .test(let column, let test):
      guard Self.values(of: test) != nil, let leaf = leaves[column.id] else { return [] }
      return [leaf]
    }
  }

  private func mightContain(_ column: BoundColumn, _ test: BoundTest) -> Bool {
    guard let values = Self.values(of: test), let leaf = leaves[column.id],
      let filter = bloomFilters[leaf], let type = column.type.primitive
    else { return true }
    let stored = footer.schema.leafType(leaf)
    return values.contains { value in
      value.stored(as: stored, from: type).map(filter.mayContain) ?? true
    }
  }

  // MARK: Dictionaries

  private func mightBeListed(_ column: BoundColumn, _ test: BoundTest) -> Bool {
    guard let values = dictionaries[column.id], !test.holds(nil) else { return true }
    return RowFilter(.test(column, test)).matching(values).countOfOnes > 0
  }
}

/// What is known of one column in the rows of one page.
private struct PageFacts: ColumnFactsSource {
  let facts: ColumnFacts

  func facts(of column: BoundColumn) -> ColumnFacts? { facts }
}

extension ColumnFacts {
  /// Of a column that a predicate asks about; nil if it is no single value.
  fileprivate init?(_ statistics: ColumnStatistics, _ column: BoundColumn) {
    guard let type = column.type.primitive else { return nil }
    self.init(
      valueCount: statistics.valueCount, nullCount: statistics.nullCount,
      nanCount: statistics.nanCount,
      lower: statistics.lower?.value(of: statistics.type, as: type),
      upper: statistics.upper?.value(of: statistics.type, as: type), type: type)
  }
}

extension BoundValue {
  /// This bound of a column stored as `stored` as a value of `type`, which it is read as; nil where
  /// the two differ in more than width.
  func value(of stored: ColumnType, as type: PrimitiveType) -> Value? {
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

extension Value {
  /// This value of a column read as `type` as it is in a file that stores it as `stored`; nil where
  /// that can't be said.
  fileprivate func stored(as stored: ColumnType, from type: PrimitiveType) -> BoundValue? {
    switch (self, stored, type) {
    case (.int(let value), .int32, .int), (.int(let value), .date, .date):
      return .integer(Int64(value))
    case (.long(let value), .int32, .long), (.long(let value), .int64, .long):
      return .integer(value)
    case (.long(let value), .time, _), (.long(let value), .timestamp, _):
      return stored == type.columnType ? .integer(value) : nil
    case (.decimal(let value), .decimal(_, let scale), .decimal(_, let wanted)):
      guard scale == wanted else { return nil }
      if stored.layout == .fixed(width: 16) { return .wide(value) }
      return Int64(exactly: value).map { .integer($0) }
    case (.float(let value), .float, .float): return .floating(Double(value))
    case (.double(let value), .float, .double), (.double(let value), .double, .double):
      return .floating(value)
    case (.string(let value), .string, .string): return .bytes(Array(value.utf8))
    case (.bytes(let value), .binary, .binary), (.bytes(let value), .uuid, .uuid),
      (.bytes(let value), .fixed, .fixed):
      return .bytes(value)
    default: return nil
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Columns that are to be put together get one form first: all plain, or all codes into one
/// dictionary.
extension Column {
  static func withOneForm(_ parts: [Pieces]) throws(ColumnarError) -> [Pieces] {
    if parts.count == 1 { return parts }
    if let merged = try mergedDictionaries(parts) { return merged }
    var plain: [Pieces] = []
    for part in parts {
      let column: Column
      switch part.column.values {
      case .dictionary:
        column = try part.column.materialized()
      default: column = part.column
      }
      plain.append(Pieces(column.withSlots(), ranges: part.ranges))
    }
    return plain
  }

  /// The same rows over one dictionary; nil if one has none, or the entries are many.
  private static func mergedDictionaries(_ parts: [Pieces]) throws(ColumnarError) -> [Pieces]? {
    var dictionaries: [Column] = []
    var rowCount = 0
    for part in parts {
      switch part.column.values {
      case .dictionary(_, let dictionary): dictionaries.append(dictionary)
      case .null: dictionaries.append(Column(part.column.type, empty: ()))
      default: return nil
      }
      rowCount += part.ranges.reduce(0) { $0 + $1.count }
    }
    if let first = dictionaries.first, dictionaries.allSatisfy({ $0.isSame(as: first) }) {
      return parts.map { part in
        guard case .null = part.column.values else { return part }
        return Pieces(part.column.recoded(by: .empty, into: first), ranges: part.ranges)
      }
    }
    let entryCount = dictionaries.reduce(0) { $0 + $1.count }
    if entryCount * 2 > rowCount || parts[0].column.type.isNested { return nil }
    let entries = try concat(dictionaries)
    let groups = RowGroups(keys: [entries.withoutNaNs()])
    let merged = try entries.gather(groups.representatives)
    let numbers = Buffer(groups.numbers)
    var base = 0
    return zip(parts, dictionaries).map { part, dictionary in
      let mapping = numbers.slice(base * 4..<(base + dictionary.count) * 4)
      base += dictionary.count
      return Pieces(part.column.recoded(by: mapping, into: merged), ranges: part.ranges)
    }
  }

  /// The same bits as no numbers, so that all of them count, those of NaN too.
  private func withoutNaNs() -> Column {
    switch type {
    case .float: retyped(as: .int32)
    case .double: retyped(as: .int64)
    default: self
    }
  }

  /// The same rows as codes into `dictionary`, where entry i of the old one is entry `mapping[i]`.
  private func recoded(by mapping: Buffer, into dictionary: Column) -> Column {
    var codes = MutableBuffer(zeroed: count * 4).freeze()
    if case .dictionary(let old, let entries) = values, entries.count > 0 {
      codes = Gather.fixed(mapping, width: 4, rows: old.values(as: Int32.self))
    }
    return Column(
      type: type, count: count, validity: validity,
      values: .dictionary(codes: codes, dictionary))
  }

  /// True if `other` is the very same column, or one of few rows and the same bytes.
  private func isSame(as other: Column) -> Bool {
    guard type == other.type, count == other.count else { return false }
    switch (values, other.values) {
    case (.fixed(let a), .fixed(let b)): return a == b
    case (.variable(let a, let x), .variable(let b, let y)): return a == b && x == y
    default: return false
    }
  }

  /// A column of no rows.
  init(_ type: ColumnType, empty: Void) {
    self.init(type: type, count: 0, validity: nil, values: Column.zeroes(type, count: 0))
  }

  /// The same rows, with a zero for each if there are only nulls and so no values.
  func withSlots() -> Column {
    guard case .null = values, type != .null else { return self }
    return Column(
      type: type, count: count, validity: validity, values: Column.zeroes(type, count: count))
  }

  private static func zeroes(_ type: ColumnType, count: Int) -> Values {
    switch type.layout {
    case .null: .null
    case .bits: .bits(Bitmap(repeating: false, count: count))
    case .fixed(let width): .fixed(MutableBuffer(zeroed: count * width).freeze())
    case .variable:
      .variable(offsets: MutableBuffer(zeroed: (count + 1) * 4).freeze(), bytes: .empty)
    case .structure: .structure(type.children.map { .nulls($0.type, count: count) })
    case .list:
      .list(
        offsets: MutableBuffer(zeroed: (count + 1) * 4).freeze(),
        elements: Column(type.elementType, empty: ()))
    }
  }
}

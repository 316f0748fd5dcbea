// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Iceberg

/// A predicate that is asked of the rows of batches, a column at a time.
///
/// Law: its answer for each row is that of ``BoundPredicate/matches(_:)``.
public struct RowFilter: Sendable {
  private let predicate: BoundPredicate

  public init(_ predicate: BoundPredicate) { self.predicate = predicate }

  /// The fields whose columns must be in the batches.
  public var fieldIDs: [FieldID] { predicate.columns.map(\.id) }

  /// 1 for each row of `batch` that matches. Columns are found by field id, in structures too.
  ///
  /// Requires: all columns of ``fieldIDs`` are there.
  public func matching(_ batch: RecordBatch) -> Bitmap { evaluate(predicate, batch) }

  private func evaluate(_ predicate: BoundPredicate, _ batch: RecordBatch) -> Bitmap {
    switch predicate {
    case .always(let value): return Bitmap(repeating: value, count: batch.rowCount)
    case .and(let parts):
      var result = Bitmap(repeating: true, count: batch.rowCount)
      for part in parts { result = result.and(evaluate(part, batch)) }
      return result
    case .or(let parts):
      var result = Bitmap(repeating: false, count: batch.rowCount)
      for part in parts { result = result.or(evaluate(part, batch)) }
      return result
    case .test(let column, let test):
      guard let found = batch.nestedColumn(column.id) else {
        preconditionFailure("a batch without column \(column.name), which its filter needs")
      }
      return evaluate(test, found)
    }
  }

  private func evaluate(_ test: BoundTest, _ column: Column) -> Bitmap {
    switch test {
    case .isNull: return column.nulls
    case .isNotNull: return column.nulls.inverted()
    case .isNaN: return column.nans
    case .isNotNaN: return column.nans.inverted()
    case .compare(let comparison, let value):
      guard let value = value.columnValue else { return none(column) }
      // Of NaN only `notEqual` is true, which is what unordered comparison gives.
      return column.compare(comparison.columnOperator, to: value).trues
    case .isIn(let values): return column.isIn(values.compactMap(\.columnValue)).trues
    case .isNotIn(let values):
      return column.isIn(values.compactMap(\.columnValue)).not().trues
    case .startsWith(let prefix): return column.starts(with: Buffer(utf8: prefix)).trues
    case .doesNotStartWith(let prefix):
      return column.starts(with: Buffer(utf8: prefix)).not().trues
    }
  }

  private func none(_ column: Column) -> Bitmap { Bitmap(repeating: false, count: column.count) }
}

extension Comparison {
  var columnOperator: ComparisonOperator {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    }
  }
}

extension RecordBatch {
  /// The column of the field `id`, which may lie in structures; what is in a null structure is
  /// null. Nil if it is not there, or lies in a list or map.
  public func nestedColumn(_ id: FieldID) -> Column? {
    if let column = column(fieldID: id.rawValue) { return column }
    for (field, column) in zip(fields, columns) {
      guard case .structure(let children) = field.type else { continue }
      guard case .structure(let parts) = column.values else {
        // A column of nulls alone has no parts, and all of them are null.
        if let type = children.type(of: id) { return .nulls(type, count: rowCount) }
        continue
      }
      let inner = RecordBatch(fields: children, columns: parts, rowCount: rowCount)
      if let found = inner.nestedColumn(id) { return found.nulled(where: column.validity) }
    }
    return nil
  }
}

extension [ColumnField] {
  /// The type of the field `id`, which may lie in structures.
  fileprivate func type(of id: FieldID) -> ColumnType? {
    for field in self {
      if field.fieldID == id.rawValue { return field.type }
      if case .structure(let children) = field.type, let type = children.type(of: id) {
        return type
      }
    }
    return nil
  }
}

extension Column {
  /// The same values, null too where `validity` says so.
  fileprivate func nulled(where validity: Bitmap?) -> Column {
    guard let validity else { return self }
    if case .null = values { return self }
    let both = self.validity.map { $0.and(validity) } ?? validity
    return Column(type: type, count: count, validity: both, values: values)
  }
}

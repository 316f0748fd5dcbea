// SPDX-License-Identifier: Apache-2.0
public import Columnar
internal import Expressions
public import Iceberg

/// Brings rows as a user has them into the shape of a table's schema.
///
/// Columns are matched by name, those of structures too. Narrower types are widened; a column that
/// is missing holds the field's write default, else nulls where they are allowed; order does not
/// matter; a column the table does not have is an error, since dropping it would lose data.
public struct RowConformance: Sendable {
  private let schema: Schema
  private let fields: [ColumnField]

  public init(to schema: Schema) {
    self.schema = schema
    fields = schema.columnFields
  }

  /// `batch` with exactly the schema's columns.
  ///
  /// - Throws: ``CommitError/schemaMismatch(column:expected:found:)``;
  ///   ``CommitError/invalidValue(column:row:reason:)`` for a null where none may be.
  public func conform(_ batch: RecordBatch) throws(CommitError) -> RecordBatch {
    for field in batch.fields where schema.fields.first(where: { $0.name == field.name }) == nil {
      throw .schemaMismatch(
        column: field.name, expected: "one of \(schema.fields.map(\.name).joined(separator: ", "))",
        found: "a column the table does not have")
    }
    var columns: [Column] = []
    for field in schema.fields {
      let column = try conform(batch.column(field.name), to: field, count: batch.rowCount)
      columns.append(column)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: batch.rowCount)
  }

  private func conform(
    _ column: Column?, to field: Field, count: Int
  ) throws(CommitError) -> Column {
    let type = field.type.columnType
    guard let column else { return try missing(field, type, count: count) }
    let converted = try convert(column, to: field, path: field.name)
    if field.isRequired, converted.nullCount > 0 {
      let row = (0..<converted.count).first { converted.isNull($0) } ?? 0
      throw .invalidValue(column: field.name, row: row, reason: "expected a value, found none")
    }
    return converted
  }

  private func missing(
    _ field: Field, _ type: ColumnType, count: Int
  ) throws(CommitError) -> Column {
    guard field.writeDefault != nil || !field.isRequired else {
      throw .schemaMismatch(
        column: field.name, expected: "a column, since the table requires it", found: "none")
    }
    do throws(ColumnarError) {
      return try Column.repeating(field.writeDefault, type, count: count)
    } catch {
      throw .invalidValue(column: field.name, row: 0, reason: "\(error)")
    }
  }

  private func convert(
    _ column: Column, to field: Field, path: String
  ) throws(CommitError) -> Column {
    let type = field.type.columnType
    if column.type == type { return column }
    switch (field.type, column.values) {
    case (.structure(let wanted), .structure):
      return try structure(column, wanted.fields, type, path)
    case (.list(let wanted), .list(let offsets, let elements)):
      guard case .list = column.type else { break }
      let element = try convert(elements, to: wanted.elementField, path: path + ".element")
      return Column(
        type: type, count: column.count, validity: column.validity,
        values: .list(offsets: offsets, elements: element))
    case (.map(let wanted), .list(let offsets, let entries)):
      guard case .map = column.type else { break }
      let sides = entries.children
      let key = try convert(sides[0], to: wanted.keyField, path: path + ".key")
      let value = try convert(sides[1], to: wanted.valueField, path: path + ".value")
      let pairs = ColumnType.structure([
        wanted.keyField.columnField, wanted.valueField.columnField,
      ])
      let converted = Column(
        type: pairs, count: entries.count, validity: nil, values: .structure([key, value]))
      return Column(
        type: type, count: column.count, validity: column.validity,
        values: .list(offsets: offsets, elements: converted))
    default: break
    }
    do throws(ColumnarError) {
      return try column.promoted(to: type)
    } catch {
      throw .schemaMismatch(column: path, expected: "\(type)", found: "\(column.type)")
    }
  }

  private func structure(
    _ column: Column, _ wanted: [Field], _ type: ColumnType, _ path: String
  ) throws(CommitError) -> Column {
    let found = column.type.children
    for child in found where !wanted.contains(where: { $0.name == child.name }) {
      throw .schemaMismatch(
        column: "\(path).\(child.name)",
        expected: "one of \(wanted.map(\.name).joined(separator: ", "))",
        found: "a field the table does not have")
    }
    var children: [Column] = []
    for field in wanted {
      if let index = found.firstIndex(where: { $0.name == field.name }) {
        let child = column.children[index]
        children.append(try convert(child, to: field, path: "\(path).\(field.name)"))
      } else {
        children.append(try missing(field, field.type.columnType, count: column.count))
      }
    }
    return Column(
      type: type, count: column.count, validity: column.validity, values: .structure(children))
  }
}

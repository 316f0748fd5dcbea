// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg

/// How the columns of one data file become those of the schema that is read.
///
/// Columns are found by field id. One that the file does not have is, in this order: the value of
/// an identity partition, the field's initial default, null; that of a required field without a
/// default is an error.
/// Source: Iceberg spec, "Column Projection".
struct ColumnMapping: Sendable {
  let file: String
  /// The fields wanted, in order.
  let fields: [Field]
  /// Of identity partition fields, by the id of their source column.
  let partitionValues: [FieldID: Value?]
  /// What metadata columns show; nil of a file that is of no table.
  let facts: FileFacts?

  /// The mapping of some of the fields.
  func keeping(_ isKept: (FieldID) -> Bool) -> ColumnMapping {
    ColumnMapping(
      file: file, fields: fields.filter { isKept($0.id) }, partitionValues: partitionValues,
      facts: facts)
  }

  /// The columns wanted, from a batch of what the file has of them.
  ///
  /// - Parameter places: of the rows in the file.
  func apply(_ batch: RecordBatch, at places: RowPlaces) throws(ScanError) -> RecordBatch {
    var columns: [Column] = []
    for field in fields {
      if let facts, let kind = MetadataColumn(field.id) {
        columns.append(try metadataColumn(kind, field, facts, batch, at: places))
      } else {
        columns.append(try column(field, batch.fields, batch.columns, rowCount: batch.rowCount))
      }
    }
    return RecordBatch(
      fields: fields.map(\.columnField), columns: columns, rowCount: batch.rowCount)
  }

  private func metadataColumn(
    _ kind: MetadataColumn, _ field: Field, _ facts: FileFacts, _ batch: RecordBatch,
    at places: RowPlaces
  ) throws(ScanError) -> Column {
    var stored: Column?
    if kind.isStored,
      let index = batch.fields.firstIndex(where: { $0.fieldID == field.id.rawValue })
    {
      stored = try convert(batch.columns[index], batch.fields[index], to: field)
    }
    do throws(ColumnarError) {
      return try facts.column(kind, field, at: places, stored: stored)
    } catch {
      throw .schemaMismatch(
        file: file, column: field.name, expected: "\(field.type)", found: "\(error)")
    }
  }

  private func column(
    _ field: Field, _ found: [ColumnField], _ columns: [Column], rowCount: Int
  ) throws(ScanError) -> Column {
    guard let index = found.firstIndex(where: { $0.fieldID == field.id.rawValue }) else {
      return try missing(field, rowCount: rowCount)
    }
    return try convert(columns[index], found[index], to: field)
  }

  private func missing(_ field: Field, rowCount: Int) throws(ScanError) -> Column {
    let type = field.type.columnType
    let value: Value?
    if let constant = partitionValues[field.id] {
      value = constant
    } else {
      guard field.initialDefault != nil || !field.isRequired else {
        throw .schemaMismatch(
          file: file, column: field.name, expected: "a value, since the column is required",
          found: "no such column and no default")
      }
      if case .structure(let structure) = field.type, field.initialDefault != nil {
        return try defaultStructure(structure, type, rowCount: rowCount)
      }
      value = field.initialDefault
    }
    do throws(ColumnarError) {
      return try Column.repeating(value, type, count: rowCount)
    } catch {
      throw .schemaMismatch(
        file: file, column: field.name, expected: "\(type)", found: "\(error)")
    }
  }

  /// A structure whose default is an empty one: its fields have their own.
  private func defaultStructure(
    _ structure: StructType, _ type: ColumnType, rowCount: Int
  ) throws(ScanError) -> Column {
    var children: [Column] = []
    for field in structure.fields { children.append(try missing(field, rowCount: rowCount)) }
    return Column(type: type, count: rowCount, validity: nil, values: .structure(children))
  }

  private func convert(
    _ column: Column, _ found: ColumnField, to field: Field
  ) throws(ScanError) -> Column {
    let type = field.type.columnType
    if column.type == type { return column }
    if case .null = column.values { return .nulls(type, count: column.count) }
    switch (field.type, column.values) {
    case (.structure(let wanted), .structure(let parts)):
      var children: [Column] = []
      for child in wanted.fields {
        children.append(
          try self.column(child, column.type.children, parts, rowCount: column.count))
      }
      return Column(
        type: type, count: column.count, validity: column.validity, values: .structure(children))
    case (.list(let wanted), .list(let offsets, let elements)):
      guard let element = column.type.children.first else { break }
      let converted = try convert(elements, element, to: wanted.elementField)
      return Column(
        type: type, count: column.count, validity: column.validity,
        values: .list(offsets: offsets, elements: converted))
    case (.map(let wanted), .list(let offsets, let entries)):
      return try map(column, wanted, offsets: offsets, entries)
    default: break
    }
    return try scalar(column, to: type, field)
  }

  private func map(
    _ column: Column, _ wanted: MapType, offsets: Buffer, _ entries: Column
  ) throws(ScanError) -> Column {
    let sides = column.type.children
    let key = try convert(entries.children[0], sides[0], to: wanted.keyField)
    let value = try convert(entries.children[1], sides[1], to: wanted.valueField)
    let pairs = ColumnType.structure([
      wanted.keyField.columnField, wanted.valueField.columnField,
    ])
    let converted = Column(
      type: pairs, count: entries.count, validity: nil, values: .structure([key, value]))
    return Column(
      type: FieldType.map(wanted).columnType, count: column.count, validity: column.validity,
      values: .list(offsets: offsets, elements: converted))
  }

  /// Promotes the values of a file that was written before its column's type was widened; and takes
  /// bytes for what the schema says they are where the file does not say, as old writers' don't.
  private func scalar(
    _ column: Column, to type: ColumnType, _ field: Field
  ) throws(ScanError) -> Column {
    if let promoted = try? column.promoted(to: type) { return promoted }
    switch (column.type, type) {
    case (.binary, .string), (.string, .binary), (.fixed, .uuid), (.uuid, .fixed),
      (.timestamp(.microseconds, _), .timestamp(.microseconds, _)),
      (.timestamp(.nanoseconds, _), .timestamp(.nanoseconds, _)),
      (.int32, .date), (.int64, .time), (.int64, .timestamp):
      if column.type.layout == type.layout { return column.retyped(as: type) }
    default: break
    }
    throw .schemaMismatch(
      file: file, column: field.name, expected: "\(type)", found: "\(column.type)")
  }
}

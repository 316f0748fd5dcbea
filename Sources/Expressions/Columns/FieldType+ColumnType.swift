// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Iceberg

extension PrimitiveType {
  /// How columns of this type lie in memory.
  public var columnType: ColumnType {
    switch self {
    case .unknown: .null
    case .boolean: .boolean
    case .int: .int32
    case .long: .int64
    case .float: .float
    case .double: .double
    case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
    case .date: .date
    case .time: .time
    case .timestamp: .timestamp(.microseconds, zoned: false)
    case .timestamptz: .timestamp(.microseconds, zoned: true)
    case .timestampNs: .timestamp(.nanoseconds, zoned: false)
    case .timestamptzNs: .timestamp(.nanoseconds, zoned: true)
    case .string: .string
    case .uuid: .uuid
    case .fixed(let byteCount): .fixed(byteCount: byteCount)
    case .binary, .geometry, .geography: .binary
    case .variant:
      .structure([
        ColumnField("metadata", .binary, isNullable: false),
        ColumnField("value", .binary, isNullable: true),
      ])
    }
  }
}

extension FieldType {
  /// How columns of this type lie in memory.
  public var columnType: ColumnType {
    switch self {
    case .primitive(let type): type.columnType
    case .structure(let type): .structure(type.fields.map(\.columnField))
    case .list(let type): .list(type.elementField.columnField)
    case .map(let type): .map(key: type.keyField.columnField, value: type.valueField.columnField)
    }
  }
}

extension Field {
  /// The column that holds this field's values.
  public var columnField: ColumnField {
    ColumnField(
      name, type.columnType, isNullable: !isRequired, fieldID: id.rawValue,
      isVariant: type == .variant)
  }
}

extension Schema {
  /// The columns of a batch of this schema's rows.
  public var columnFields: [ColumnField] { fields.map(\.columnField) }

  /// A schema for rows of these columns, its ids given level by level from 1, as a new table's are.
  ///
  /// - Throws: ``IcebergError`` if a name is there twice, or a type has no place in Iceberg.
  public init(inferredFrom columns: [ColumnField]) throws(IcebergError) {
    var assigner = FieldIDAssigner()
    try self.init(fields: try assigner.fields(columns))
  }
}

/// Gives fields ids level by level, the order in which the reference implementation does.
private struct FieldIDAssigner {
  private var last: Int32 = 0

  mutating func fields(_ columns: [ColumnField]) throws(IcebergError) -> [Field] {
    let ids = columns.map { _ in next() }
    var fields: [Field] = []
    for (column, id) in zip(columns, ids) {
      let type = try type(of: column)
      fields.append(Field(id: id, name: column.name, type: type, isRequired: !column.isNullable))
    }
    return fields
  }

  private mutating func next() -> FieldID {
    last += 1
    return FieldID(last)
  }

  private mutating func type(of column: ColumnField) throws(IcebergError) -> FieldType {
    if column.isVariant, column.type.fitsVariants { return .variant }
    return switch column.type {
    // Rows that hold only nulls tell nothing; text takes whatever comes.
    case .null: .string
    case .boolean: .boolean
    case .int32: .int
    case .int64: .long
    case .float: .float
    case .double: .double
    case .decimal(let precision, let scale): .decimal(precision, scale)
    case .date: .date
    case .time: .time
    case .timestamp(.microseconds, let zoned): zoned ? .timestamptz : .timestamp
    case .timestamp(.nanoseconds, let zoned): .primitive(zoned ? .timestamptzNs : .timestampNs)
    case .string: .string
    case .binary: .binary
    case .fixed(let byteCount): .fixed(byteCount)
    case .uuid: .uuid
    case .structure(let fields): .structure(StructType(try self.fields(fields)))
    case .list(let element): try list(of: element)
    case .map(let key, let value): try map(from: key, to: value)
    }
  }

  private mutating func list(of element: ColumnField) throws(IcebergError) -> FieldType {
    let id = next()
    return .list(
      ListType(
        elementID: id, element: try type(of: element), isElementRequired: !element.isNullable))
  }

  private mutating func map(
    from key: ColumnField, to value: ColumnField
  ) throws(IcebergError) -> FieldType {
    let keyID = next()
    let valueID = next()
    return .map(
      MapType(
        keyID: keyID, key: try type(of: key), valueID: valueID, value: try type(of: value),
        isValueRequired: !value.isNullable))
  }
}

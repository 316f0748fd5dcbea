// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg
internal import Parquet

/// The columns a Parquet file has, by field id.
///
/// A file without any id gets them from the table's name mapping; where the table has none, its
/// top-level columns are numbered from 1, as the reference implementation does.
/// Source: Iceberg spec, "Column Projection".
struct FileColumns {
  private let schema: ParquetSchema
  /// The file's columns with ids given, where it has none itself.
  private let given: [ColumnField]?
  private let ids: Set<Int32>
  /// The leaf of each field that lies in no list or map.
  var leaves: [FieldID: Int] {
    // What a file stores of row lineage is not all that rows have of it.
    RowGroupFacts.leaves(given ?? schema.fields, schema.shapes)
      .filter { MetadataColumn($0.key) == nil }
  }

  /// - Parameter mapping: the table's; asked for if the file has no ids.
  init(
    _ schema: ParquetSchema, mapping: () throws(ScanError) -> NameMapping?
  ) throws(ScanError) {
    self.schema = schema
    let own = Self.ids(in: schema.fields)
    if own.isEmpty {
      let fields =
        try mapping().map { Self.mapped(schema.fields, by: $0, at: []) }
        ?? Self.numbered(schema.fields)
      given = fields
      ids = Self.ids(in: fields)
    } else {
      given = nil
      ids = own
    }
  }

  /// - Parameter given: the file's columns, all of them with ids.
  init(_ schema: ParquetSchema, given: [ColumnField]) {
    self.schema = schema
    self.given = given
    ids = Self.ids(in: given)
  }

  /// The file's columns that `fields` are made from.
  func projection(of fields: [Field]) -> ParquetProjection {
    var wanted: Set<Int32> = []
    for field in fields { wanted.formUnion(leaves(of: field)) }
    guard let given else { return schema.projection(fieldIDs: wanted) }
    return schema.projection(indices(given, wanted))
  }

  /// The fields of that projection, with ids; nil if the file has them itself.
  func fieldsWithIDs(of fields: [Field]) -> [ColumnField]? {
    guard let given else { return nil }
    var wanted: Set<Int32> = []
    for field in fields { wanted.formUnion(leaves(of: field)) }
    return indices(given, wanted).map { given[$0] }
  }

  private func indices(_ fields: [ColumnField], _ wanted: Set<Int32>) -> [Int] {
    fields.indices.filter { !wanted.isDisjoint(with: Self.ids(in: [fields[$0]])) }
  }

  /// What to read for `field`: its leaves; or, where the file has none of those, itself, since it
  /// still tells which rows are null.
  private func leaves(of field: Field) -> Set<Int32> {
    if let column = MetadataColumn(field.id), !column.isStored { return [] }
    var found: Set<Int32> = []
    switch field.type {
    case .primitive: return [field.id.rawValue]
    case .structure(let type): for child in type.fields { found.formUnion(leaves(of: child)) }
    case .list(let type): found = leaves(of: type.elementField)
    case .map(let type): found = leaves(of: type.keyField).union(leaves(of: type.valueField))
    }
    return found.isDisjoint(with: ids) ? [field.id.rawValue] : found
  }

  private static func ids(in fields: [ColumnField]) -> Set<Int32> {
    var found: Set<Int32> = []
    for field in fields {
      if let id = field.fieldID { found.insert(id) }
      found.formUnion(ids(in: field.type.children))
    }
    return found
  }

  /// `fields`, which are at `path`, with the ids that `mapping` gives them.
  private static func mapped(
    _ fields: [ColumnField], by mapping: NameMapping, at path: [String]
  ) -> [ColumnField] {
    fields.map { mapped($0, called: $0.name, by: mapping, at: path) }
  }

  /// - Parameter name: what the mapping calls the field.
  private static func mapped(
    _ field: ColumnField, called name: String, by mapping: NameMapping, at path: [String]
  ) -> ColumnField {
    let path = path + [name]
    var field = field
    field.fieldID = mapping.fieldID(at: path)?.rawValue
    switch field.type {
    case .structure(let fields):
      field.type = .structure(mapped(fields, by: mapping, at: path))
    case .list(let element):
      field.type = .list(mapped(element, called: "element", by: mapping, at: path))
    case .map(let key, let value):
      field.type = .map(
        key: mapped(key, called: "key", by: mapping, at: path),
        value: mapped(value, called: "value", by: mapping, at: path))
    default: break
    }
    return field
  }

  private static func numbered(_ fields: [ColumnField]) -> [ColumnField] {
    fields.enumerated().map { index, field in
      var field = field
      field.fieldID = Int32(truncatingIfNeeded: index + 1)
      return field
    }
  }
}

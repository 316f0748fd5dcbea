// SPDX-License-Identifier: Apache-2.0
public import Columnar
internal import Expressions
public import Iceberg

/// Which columns of a table are its key.
public struct KeyColumns: Hashable, Sendable {
  /// By ascending id, whatever order they were named in.
  public let fields: [Field]

  /// - Throws: ``KeyIndexError/unknownColumn(_:)``; ``KeyIndexError/unsupportedKey(column:type:)``
  ///   for floating-point numbers, and for what has parts or lies in something that has.
  public init(schema: Schema, fieldIDs: [FieldID]) throws(KeyIndexError) {
    var fields: [Field] = []
    for id in Set(fieldIDs).sorted() {
      guard let field = schema.field(id) else { throw .unknownColumn("\(id.rawValue)") }
      fields.append(try Self.checked(field, schema))
    }
    self.fields = fields
  }

  /// - Parameter names: nil for the identifier fields of the schema.
  /// - Throws: as ``init(schema:fieldIDs:)``, and ``KeyIndexError/noKey(table:)``.
  public init(
    schema: Schema, names: [String]?, table: String = "the table"
  ) throws(KeyIndexError) {
    var ids = schema.identifierFieldIDs
    if let names {
      ids = []
      for name in names {
        guard let field = schema.field(named: name) else { throw .unknownColumn(name) }
        ids.append(field.id)
      }
    }
    guard !ids.isEmpty else { throw .noKey(table: table) }
    try self.init(schema: schema, fieldIDs: ids)
  }

  public var fieldIDs: [FieldID] { fields.map(\.id) }
  public var names: [String] { fields.map(\.name) }

  private static func checked(_ field: Field, _ schema: Schema) throws(KeyIndexError) -> Field {
    let isSupported =
      switch field.type.primitive {
      case .boolean, .int, .long, .decimal, .date, .time, .timestamp, .timestamptz, .timestampNs,
        .timestamptzNs, .string, .uuid, .fixed, .binary:
        true
      default: false
      }
    guard isSupported, schema.parent(of: field.id) == nil else {
      let name = schema.name(of: field.id) ?? field.name
      let place = schema.parent(of: field.id) == nil ? "" : " within another column"
      throw .unsupportedKey(column: name, type: "\(field.type)\(place)")
    }
    return field
  }

  /// The hashes of the keys of `batch`, whose columns are found by name.
  ///
  /// Rows without a key, as a column of it is null, are told by ``KeyHashes/validity``.
  /// Cost: some 10 ns a row and column.
  /// - Throws: ``KeyIndexError/missingColumn(_:)``, ``KeyIndexError/typeMismatch(column:expected:found:)``.
  public func hashes(
    of batch: RecordBatch, seed: KeySeed
  ) throws(KeyIndexError) -> KeyHashes {
    KeyHasher.hashes(of: try columns(of: batch), rowCount: batch.rowCount, seed: seed)
  }

  /// As ``hashes(of:seed:)``, of rows that must all have a key.
  ///
  /// - Throws: also ``KeyIndexError/nullKey(column:row:)``.
  public func keys(
    of batch: RecordBatch, seed: KeySeed
  ) throws(KeyIndexError) -> KeyHashes {
    let columns = try columns(of: batch)
    for (field, column) in zip(fields, columns) where column.nullCount > 0 {
      throw .nullKey(
        column: field.name, row: (0..<column.count).first { column.isNull($0) } ?? 0)
    }
    return KeyHasher.hashes(of: columns, rowCount: batch.rowCount, seed: seed)
  }

  /// The key's columns of `batch`, of the types the table has.
  func columns(of batch: RecordBatch) throws(KeyIndexError) -> [Column] {
    var columns: [Column] = []
    for field in fields {
      guard let column = batch.column(field.name) else { throw .missingColumn(field.name) }
      let type = field.type.columnType
      guard column.type != type else {
        columns.append(column)
        continue
      }
      do throws(ColumnarError) { columns.append(try column.promoted(to: type)) } catch {
        throw .typeMismatch(column: field.name, expected: "\(type)", found: "\(column.type)")
      }
    }
    return columns
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import KeyIndexing
internal import Writing

/// What the options of a writer mean for the schema that its table has.
struct UpsertBinding: Sendable {
  let schema: Schema
  /// In the order of the table's identifier fields, else as given.
  let key: [Field]
  private let keyColumns: KeyColumns
  let order: Field?
  private let operationColumn: String?
  private let deletions: RowFilter?
  let isPartial: Bool
  private let conformance: RowConformance
  private let required: [Field]

  init(_ table: Table, _ options: UpsertOptions) throws(IngestError) {
    let schema = table.metadata.currentSchema
    self.schema = schema
    key = try Self.key(table, options.key)
    do throws(KeyIndexError) {
      keyColumns = try KeyColumns(schema: schema, fieldIDs: key.map(\.id))
    } catch {
      throw .index(error)
    }
    order = try options.orderBy.map { name throws(IngestError) in
      try Self.order(schema, name)
    }
    operationColumn = options.operationColumn
    if let name = operationColumn, schema.field(named: name) != nil {
      throw .badOperationColumn(name, reason: "the table has a column of that name")
    }
    isPartial = options.isPartial
    required = schema.fields.filter(\.isRequired)
    do throws(IcebergError) {
      deletions = try options.deleteWhen.map { predicate throws(IcebergError) in
        RowFilter(try predicate.bound(to: schema))
      }
      conformance = RowConformance(to: try Self.relaxed(schema, isPartial: isPartial))
    } catch {
      throw .rows(.rejected(error))
    }
  }

  /// The schema without what a single batch need not have: which values a row must have is known
  /// when it is known whether it is a deletion, and what is below it.
  private static func relaxed(_ schema: Schema, isPartial: Bool) throws(IcebergError) -> Schema {
    try Schema(
      id: schema.id,
      fields: schema.fields.map { field in
        Field(
          id: field.id, name: field.name, type: field.type, isRequired: false,
          writeDefault: isPartial ? nil : field.writeDefault)
      })
  }

  private static func key(
    _ table: Table, _ names: [String]?
  ) throws(IngestError) -> [Field] {
    let schema = table.metadata.currentSchema
    let identifiers = schema.identifierFieldIDs
    let identifierNames = identifiers.map { schema.name(of: $0) ?? "" }
    if let names, !identifiers.isEmpty, Set(names) != Set(identifierNames) {
      throw .otherKey(given: names, identifierFields: identifierNames)
    }
    let chosen = identifiers.isEmpty ? names ?? [] : identifierNames
    guard !chosen.isEmpty else { throw .noKey(table: table.name) }
    var fields: [Field] = []
    for name in chosen {
      guard let field = schema.fields.first(where: { $0.name == name }) else {
        let isNested = schema.field(named: name) != nil
        throw .badKeyColumn(name, reason: isNested ? "it lies in another" : "there is none")
      }
      guard let type = field.type.primitive else {
        throw .badKeyColumn(name, reason: "it is made of others")
      }
      guard type != .float, type != .double, type != .unknown, !type.isOpaque else {
        throw .badKeyColumn(name, reason: "values of type \(type) can't identify rows")
      }
      guard !fields.contains(where: { $0.id == field.id }) else {
        throw .badKeyColumn(name, reason: "it is there twice")
      }
      fields.append(field)
    }
    return fields
  }

  private static func order(_ schema: Schema, _ name: String) throws(IngestError) -> Field {
    guard let field = schema.fields.first(where: { $0.name == name }) else {
      throw .badOrderColumn(name, reason: "the table has no such column")
    }
    guard let type = field.type.primitive, type != .unknown, !type.isOpaque else {
      throw .badOrderColumn(name, reason: "values of type \(field.type) have no order")
    }
    return field
  }
}

/// Rows as a writer takes them in.
struct TakenRows: Sendable {
  /// With all of the table's columns.
  let rows: RecordBatch
  /// The columns of the key, without nulls.
  let keys: RecordBatch
  let orders: OrderValues
  /// 1 for rows that are deletions; nil: none is.
  let deletions: Bitmap?
}

extension UpsertBinding {
  /// `batch` in the table's shape, its keys and order values checked.
  ///
  /// - Throws: ``IngestError``; the batch is refused then.
  func keyed(_ batch: RecordBatch) throws(IngestError) -> TakenRows {
    var batch = batch
    var deletions: Bitmap?
    if let name = operationColumn {
      (batch, deletions) = try split(batch, name)
    }
    let rows: RecordBatch
    do throws(CommitError) { rows = try conformance.conform(batch) } catch { throw .rows(error) }
    if let filter = self.deletions {
      let matching = filter.matching(rows)
      deletions = deletions.map { $0.or(matching) } ?? matching
    }
    if deletions?.countOfOnes == 0 { deletions = nil }
    try checkRequired(rows, deletions)
    return TakenRows(
      rows: rows, keys: try keys(of: rows), orders: try orders(of: rows), deletions: deletions)
  }

  /// The keys of deletions: columns of the key, and the one rows are ordered by where it is given.
  func deletions(
    _ batch: RecordBatch
  ) throws(IngestError) -> (keys: RecordBatch, orders: OrderValues?) {
    let known = key + [order].compactMap { $0 }
    for field in batch.fields where !known.contains(where: { $0.name == field.name }) {
      throw .rows(
        .schemaMismatch(
          column: field.name, expected: "one of \(known.map(\.name).joined(separator: ", "))",
          found: "a column that is not part of the key"))
    }
    let rows: RecordBatch
    do throws(CommitError) { rows = try conformance.conform(batch) } catch { throw .rows(error) }
    let isOrdered = order.map { batch.column($0.name) != nil } ?? true
    return (try keys(of: rows), isOrdered ? try orders(of: rows) : nil)
  }

  /// The hashes of `keys`, which are columns of the key.
  func hashes(_ keys: RecordBatch, seed: KeySeed) throws(IngestError) -> KeyHashes {
    do throws(KeyIndexError) { return try keyColumns.keys(of: keys, seed: seed) } catch {
      throw .index(error)
    }
  }

  /// Rows given in part, filled: where nothing lies below, defaults stand for what is missing.
  ///
  /// - Throws: ``IngestError/incompleteRow(column:key:)``.
  func completed(_ pending: PendingRows, base: BaseRows?) throws(IngestError) -> PendingRows {
    var columns = pending.rows.columns
    let isNew = Bitmap(pending.entries.map { base?.rowByEntry[$0] == nil })
    for (index, field) in schema.fields.enumerated() {
      var column = columns[index]
      if let value = field.writeDefault {
        let wanted = column.nulls.and(isNew)
        if wanted.countOfOnes > 0 {
          do throws(ColumnarError) {
            let all = try Column.concat([column, .repeating(value, column.type, count: 1)])
            let last = Int32(column.count)
            column = try all.gather((0..<last).map { wanted[Int($0)] ? last : $0 })
          } catch {
            throw .rows(.invalidValue(column: field.name, row: 0, reason: "\(error)"))
          }
        }
      }
      if field.isRequired, column.nullCount > 0 {
        let row = (0..<column.count).first { column.isNull($0) } ?? 0
        throw .incompleteRow(column: field.name, key: keyText(pending.rows, row))
      }
      columns[index] = column
    }
    return PendingRows(
      rows: RecordBatch(
        fields: pending.rows.fields, columns: columns, rowCount: pending.rows.rowCount),
      entries: pending.entries)
  }

  /// The key of a row, for messages.
  private func keyText(_ rows: RecordBatch, _ row: Int) -> String {
    key.map { field in
      let value = rows.column(fieldID: field.id.rawValue)?.icebergValue(row)
      return "\(field.name)=\(value.map { "\($0)" } ?? "null")"
    }.joined(separator: ", ")
  }

  /// The columns of the key, given alone or among others.
  func keys(in batch: RecordBatch) throws(IngestError) -> RecordBatch {
    var indices: [Int] = []
    for field in key {
      guard let index = batch.fields.firstIndex(where: { $0.name == field.name }) else {
        throw .nullKey(column: field.name, row: 0)
      }
      indices.append(index)
    }
    let rows: RecordBatch
    do throws(CommitError) {
      rows = try conformance.conform(batch.selecting(indices))
    } catch {
      throw .rows(error)
    }
    return try keys(of: rows)
  }

  private func keys(of rows: RecordBatch) throws(IngestError) -> RecordBatch {
    var indices: [Int] = []
    for field in key {
      guard let index = rows.fields.firstIndex(where: { $0.fieldID == field.id.rawValue }) else {
        throw .badKeyColumn(field.name, reason: "there is none")
      }
      if rows.columns[index].nullCount > 0 {
        let row = rows.columns[index].nulls.positionsOfOnes().first.map { Int($0) } ?? 0
        throw .nullKey(column: field.name, row: row)
      }
      indices.append(index)
    }
    return rows.selecting(indices)
  }

  private func orders(of rows: RecordBatch) throws(IngestError) -> OrderValues {
    guard let order, let column = rows.column(fieldID: order.id.rawValue) else { return .arrival }
    return try OrderValues(column, name: order.name)
  }

  private func checkRequired(
    _ rows: RecordBatch, _ deletions: Bitmap?
  ) throws(IngestError) {
    guard !isPartial else { return }
    for field in required {
      guard let column = rows.column(fieldID: field.id.rawValue), column.nullCount > 0 else {
        continue
      }
      // Keys and order values are asked for by name.
      if key.contains(where: { $0.id == field.id }) || order?.id == field.id { continue }
      let missing = deletions.map { column.nulls.andNot($0) } ?? column.nulls
      guard let row = missing.positionsOfOnes().first else { continue }
      throw .rows(
        .invalidValue(
          column: field.name, row: Int(row), reason: "expected a value, found none"))
    }
  }

  /// `batch` without the column `name`, and which of its rows are deletions.
  private func split(
    _ batch: RecordBatch, _ name: String
  ) throws(IngestError) -> (RecordBatch, Bitmap) {
    guard let index = batch.fields.firstIndex(where: { $0.name == name }) else {
      throw .badOperationColumn(name, reason: "the rows have no such column")
    }
    let column = batch.columns[index]
    guard column.type == .string || column.nullCount == column.count else {
      throw .badOperationColumn(name, reason: "expected text, found values of \(column.type)")
    }
    let upserts = column.isIn([.string("upsert")]).trues
    let deletes = column.isIn([.string("delete")]).trues
    if let row = upserts.or(deletes).inverted().positionsOfOnes().first {
      let found = column.isNull(Int(row)) ? "none" : "'\(column.string(Int(row)))'"
      throw .badOperation(column: name, row: Int(row), found: found)
    }
    let others = batch.fields.indices.filter { $0 != index }
    return (batch.selecting(others), deletes)
  }
}

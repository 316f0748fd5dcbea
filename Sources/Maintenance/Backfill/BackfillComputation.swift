// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Scanning
internal import Writing

/// What a backfill makes of rows, on the columns of a source and for those of a target.
struct BackfillComputation: Sendable {
  private enum Kind: Sendable {
    case selection(BoundSelection)
    case batches(
      name: String, @Sendable (RecordBatch) throws(MaintenanceError) -> RecordBatch)
  }

  private let kind: Kind
  /// The columns that it reads.
  let columns: [String]

  /// - Parameter isOwn: the source is the target: columns that are not computed stay as they are.
  init(
    _ computation: BackfillOptions.Computation, of schema: Schema, for target: Schema, isOwn: Bool
  ) throws(MaintenanceError) {
    switch computation {
    case .selection(let list):
      let bound: BoundSelection
      do throws(ExpressionError) {
        bound = try list.bound(to: schema, assigning: target)
      } catch {
        throw .expression(error)
      }
      kind = .selection(bound)
      let ids = Set(bound.fieldIDs)
      var names = schema.fields.filter { !ids.isDisjoint(with: $0.ids) }.map(\.name)
      // How many rows there are is told by some column.
      if names.isEmpty { names = schema.fields.prefix(1).map(\.name) }
      columns = names
      if isOwn {
        try Self.checkKey(bound, target)
      } else {
        try Self.checkFit(bound.fields, target)
      }
    case .batches(let name, let columns, let compute):
      kind = .batches(name: name, compute)
      self.columns = columns
    }
  }

  /// The rows of the target that come of rows of the source, in their order.
  func rows(_ batch: RecordBatch) throws(MaintenanceError) -> RecordBatch {
    switch kind {
    case .selection(let bound):
      do throws(ExpressionError) { return try bound.evaluate(batch) } catch {
        throw .expression(error)
      }
    case .batches(_, let compute):
      return try compute(
        batch.selecting(
          batch.fields.indices.filter {
            columns.contains(batch.fields[$0].name)
          }))
    }
  }

  /// The table's own rows, with the columns that are computed in the place of those they had.
  func replacing(_ batch: RecordBatch, key: [String]) throws(MaintenanceError) -> RecordBatch {
    let computed = try rows(batch)
    if case .batches(let name, _) = kind {
      guard computed.rowCount == batch.rowCount else {
        throw .invalidPolicy(
          "the function '\(name)'",
          reason: "it gave \(computed.rowCount) rows in the place of \(batch.rowCount)")
      }
      for column in key where computed.column(column) != nil {
        throw .invalidPolicy(
          "the function '\(name)'",
          reason: "it gave a value to '\(column)', which is part of the key")
      }
    }
    var fields = batch.fields
    var columns = batch.columns
    for (field, column) in zip(computed.fields, computed.columns) {
      guard let index = fields.firstIndex(where: { $0.name == field.name }) else {
        throw .commit(
          .schemaMismatch(
            column: field.name, expected: "a column of the table",
            found: "a column the table does not have"))
      }
      (fields[index], columns[index]) = (field, column)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: batch.rowCount)
  }

  /// A row that got another key would be another's.
  private static func checkKey(
    _ bound: BoundSelection, _ target: Schema
  ) throws(MaintenanceError) {
    for (field, column) in zip(bound.fields, bound.columns) {
      guard let id = field.fieldID.map({ FieldID($0) }), target.identifierFieldIDs.contains(id),
        !column.value.isColumn(id)
      else { continue }
      throw .invalidPolicy(
        "a backfill of a table into itself",
        reason: "'\(field.name)' is part of the key, which can't be computed anew")
    }
  }

  /// Refuses what the first row would be refused for.
  private static func checkFit(
    _ fields: [ColumnField], _ target: Schema
  ) throws(MaintenanceError) {
    let none = RecordBatch(
      fields: fields, columns: fields.map { .nulls($0.type, count: 0) }, rowCount: 0)
    do throws(CommitError) { _ = try RowConformance(to: target).conform(none) } catch {
      throw .commit(error)
    }
  }
}

extension Field {
  /// The ids of this field and all below it.
  fileprivate var ids: [FieldID] { [id] + type.children.flatMap(\.ids) }
}

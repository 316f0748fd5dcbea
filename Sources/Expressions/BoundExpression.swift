// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Iceberg

/// An expression on the columns of a schema, with a type, that is computed of batches a column at a
/// time.
///
/// Nulls, NaN and failures:
///
/// - The result is null where an operand is, but for `IS NULL`, `coalesce`, `greatest`, `least`,
///   `concat`, `CASE`, and `AND` and `OR`, which know three truths.
/// - NaN equals nothing, is neither less nor greater than any number, and is above all of them for
///   `greatest` and `least`.
/// - Integers and decimals that overflow, division by zero, and a cast of what the type does not
///   have throw, with the row; they never wrap around. Doubles become infinite instead. `TRY_CAST`
///   and `try_divide` give null. What a `CASE`, `coalesce`, `AND` or `OR` does not ask for in a row,
///   decided from the left, does not fail in it.
///
/// Division (`/`) is in doubles; a cast to fewer digits rounds half away from zero; moments with a
/// zone are taken apart in UTC.
public struct BoundExpression: Sendable {
  let node: BoundNode
  /// The column that it is assigned to, and if that must have a value.
  private let target: (name: String, isRequired: Bool)?
  /// The fields whose columns must be in the batches.
  public let fieldIDs: [FieldID]

  init(_ node: BoundNode, target: (name: String, isRequired: Bool)? = nil) {
    self.node = node
    self.target = target
    var ids: [FieldID] = []
    node.collectFieldIDs(&ids)
    self.fieldIDs = ids
  }

  /// The type of the values. `unknown` where all are null, as those of `NULL` are.
  public var type: FieldType { node.fieldType }

  /// The value that every row has, whatever is in it; nil if there is none such or it is null.
  public var constant: Value? {
    if case .constant(let value) = node.kind { value } else { nil }
  }

  /// True if it is the column `id` as it is.
  public func isColumn(_ id: FieldID) -> Bool {
    if case .column(let column) = node.kind { column == id } else { false }
  }

  /// The value in each row of `batch`, whose columns are found by field id, in structures too.
  ///
  /// - Throws: ``ExpressionError`` for the first row, in the order of evaluation, that has no
  ///   result; ``ExpressionError/columnar(_:in:)`` if strings outgrow a column.
  /// - Requires: all columns of ``fieldIDs`` are there.
  public func evaluate(_ batch: RecordBatch) throws(ExpressionError) -> Column {
    let column = try Evaluation(batch, fieldIDs).column(node)
    if let target, target.isRequired, let row = column.firstNull {
      throw .nullNotAllowed("\(node.source)", row: row, column: target.name)
    }
    return column
  }

  /// 1 for each row of `batch` in which it is true.
  ///
  /// - Throws: as ``evaluate(_:)``.
  /// - Requires: a boolean expression.
  public func matching(_ batch: RecordBatch) throws(ExpressionError) -> Bitmap {
    precondition(type == .boolean || type == .unknown, "not a boolean expression")
    return try Evaluation(batch, fieldIDs).truth(node).trues
  }
}

extension Expression {
  /// This expression on the columns of `schema`.
  ///
  /// A name that no column has as it is spelled is looked for in any case. Parts that are the same
  /// for every row are computed now.
  ///
  /// - Throws: ``ExpressionError`` if a column or function is not there, or a type has no place.
  public func bound(to schema: Schema) throws(ExpressionError) -> BoundExpression {
    BoundExpression(try Binder(schema: schema).bind(self))
  }
}

/// An assignment on the columns of a schema.
public struct BoundAssignment: Sendable {
  /// The column that gets the value.
  public let field: Field
  /// Computes values of exactly the column's type.
  public let value: BoundExpression
}

extension Assignment {
  /// This assignment on the columns of `schema`.
  ///
  /// Numbers become the column's type by themselves, and so do dates in columns of timestamps. A
  /// row whose value would be changed by that fails: cast or round it. But doubles become the
  /// nearest float. Text in quotes may be a value of any type; other text has to be cast, as has
  /// what becomes text.
  ///
  /// - Throws: as ``Expression/bound(to:)``, and ``ExpressionError/notAssignable(column:from:to:)``.
  public func bound(to schema: Schema) throws(ExpressionError) -> BoundAssignment {
    let binder = Binder(schema: schema)
    let field = try binder.field(named: column)
    let node = try binder.assigned(try binder.bind(value), to: field, named: column)
    let isRequired = !schema.isOptional(field.id)
    return BoundAssignment(
      field: field, value: BoundExpression(node, target: (column, isRequired)))
  }
}

/// A selection on the columns of a schema: batches in, batches of the selected columns out.
public struct BoundSelection: Sendable {
  /// The result's columns, in order.
  public let columns: [(name: String, value: BoundExpression)]
  /// As ``columns``; those that are just a column of the table keep its field id.
  public let fields: [ColumnField]

  /// The fields whose columns must be in the batches.
  public var fieldIDs: [FieldID] {
    var ids: [FieldID] = []
    for column in columns {
      for id in column.value.fieldIDs where !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  /// The selected columns of `batch`.
  ///
  /// - Throws: as ``BoundExpression/evaluate(_:)``.
  public func evaluate(_ batch: RecordBatch) throws(ExpressionError) -> RecordBatch {
    var results: [Column] = []
    for column in columns { results.append(try column.value.evaluate(batch)) }
    return RecordBatch(fields: fields, columns: results, rowCount: batch.rowCount)
  }
}

extension SelectionList {
  /// This selection on the columns of `schema`.
  ///
  /// - Throws: as ``Expression/bound(to:)``; ``ExpressionError/duplicateColumn(_:)`` if two columns
  ///   of the result have the same name.
  public func bound(to schema: Schema) throws(ExpressionError) -> BoundSelection {
    let binder = Binder(schema: schema)
    var columns: [(name: String, value: BoundExpression)] = []
    var fields: [ColumnField] = []
    func add(_ node: BoundNode, _ name: String) {
      columns.append((name, BoundExpression(node)))
      var field = ColumnField(
        name, node.fieldType.columnType, isVariant: node.fieldType == .variant)
      if case .column(let id) = node.kind {
        field.fieldID = id.rawValue
        field.isNullable = schema.isOptional(id)
      }
      fields.append(field)
    }
    for (node, name) in try nodes(binder) { add(node, name) }
    try Self.checkNames(columns.map(\.name))
    return BoundSelection(columns: columns, fields: fields)
  }

  private static func checkNames(_ names: [String]) throws(ExpressionError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { throw .duplicateColumn(name) }
  }

  /// This selection on the columns of `schema`, as rows of a table of `target`: each column has the
  /// type of the target's of its name, as if it were assigned to it (``Assignment/bound(to:)``).
  ///
  /// - Throws: as ``bound(to:)``; ``ExpressionError/unknownColumn(_:)`` if the target has no such
  ///   column.
  public func bound(
    to schema: Schema, assigning target: Schema
  ) throws(ExpressionError) -> BoundSelection {
    let binder = Binder(schema: schema)
    var columns: [(name: String, value: BoundExpression)] = []
    var fields: [ColumnField] = []
    for (node, name) in try nodes(binder) {
      guard let field = target.fields.first(where: { $0.name == name }) else {
        throw .unknownColumn(name)
      }
      let value = try binder.assigned(node, to: field, named: name)
      columns.append((name, BoundExpression(value, target: (name, field.isRequired))))
      fields.append(field.columnField)
    }
    try Self.checkNames(columns.map(\.name))
    return BoundSelection(columns: columns, fields: fields)
  }

  /// What is computed, and what it is called.
  private func nodes(_ binder: Binder) throws(ExpressionError) -> [(BoundNode, String)] {
    var nodes: [(BoundNode, String)] = []
    for item in items {
      switch item {
      case .all:
        for field in binder.schema.fields {
          nodes.append(
            (BoundNode(.column(field.id), of: field.type, .column(field.name)), field.name))
        }
      case .expression(let expression, let name):
        let node = try binder.bind(expression)
        nodes.append((node, name ?? binder.name(of: node)))
      }
    }
    return nodes
  }
}

extension Column {
  /// The first row that is null.
  fileprivate var firstNull: Int? {
    nullCount == 0 ? nil : nulls.positionsOfOnes().first.map { Int($0) }
  }
}

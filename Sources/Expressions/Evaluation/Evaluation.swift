// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg

/// Computes nodes over some rows of a batch, a column at a time.
struct Evaluation {
  private let columns: [FieldID: Column]
  let rowCount: Int
  /// Where the rows are in the batch that was given; nil if they are all of it.
  private let rows: [Int32]?

  init(_ batch: RecordBatch, _ fieldIDs: [FieldID]) {
    var columns: [FieldID: Column] = [:]
    for id in fieldIDs {
      guard let column = batch.nestedColumn(id) else {
        preconditionFailure("a batch without field \(id.rawValue), which its expression needs")
      }
      columns[id] = column
    }
    self.init(columns: columns, rowCount: batch.rowCount, rows: nil)
  }

  /// Of expressions without columns.
  init(rowCount: Int) { self.init(columns: [:], rowCount: rowCount, rows: nil) }

  private init(columns: [FieldID: Column], rowCount: Int, rows: [Int32]?) {
    self.columns = columns
    self.rowCount = rowCount
    self.rows = rows
  }

  /// The same of the rows whose bit in `mask` is 1, with only the columns that `nodes` need.
  func filtered(by mask: Bitmap, for nodes: [BoundNode]) -> Evaluation {
    var ids: [FieldID] = []
    for node in nodes { node.collectFieldIDs(&ids) }
    var picked: [FieldID: Column] = [:]
    for id in ids { picked[id] = columns[id]?.filter(by: mask) }
    let positions = mask.positionsOfOnes()
    return Evaluation(
      columns: picked, rowCount: positions.count,
      rows: rows.map { rows in positions.map { rows[Int($0)] } } ?? positions)
  }

  /// Where `row` is in the batch that was given.
  func origin(_ row: Int) -> Int { rows.map { Int($0[row]) } ?? row }

  // MARK: Nodes

  /// The values of `node`, of exactly its type.
  func column(_ node: BoundNode) throws(ExpressionError) -> Column {
    switch node.kind {
    case .constant(let value): return try repeating(value, node)
    case .column(let id):
      guard let column = columns[id] else { preconditionFailure("a column that was not fetched") }
      return column.retyped(as: node.fieldType.columnType)
    case .not, .and, .or, .compared, .decided, .isNull, .isNaN, .isIn, .isLike:
      return try truth(node).column
    case .cases, .coalesced: return try branches(node)
    case .negated, .arithmetic: return try numbers(node)
    case .cast(let part, let mode): return try cast(node, part, mode)
    case .concatenated(let parts): return try concatenated(node, parts)
    case .function(let function, let arguments):
      return try self.function(function, arguments, node)
    }
  }

  private func repeating(
    _ value: Value?, _ node: BoundNode
  ) throws(ExpressionError) -> Column {
    do throws(ColumnarError) {
      return try .repeating(value, node.fieldType.columnType, count: rowCount)
    } catch { throw .columnar(error, in: "\(node.source)") }
  }

  /// The values of `node` without a dictionary.
  func plain(_ node: BoundNode) throws(ExpressionError) -> Column {
    let column = try self.column(node)
    do throws(ColumnarError) { return try column.materialized() } catch {
      throw .columnar(error, in: "\(node.source)")
    }
  }

  /// The plain values of each of `nodes`.
  func plain(_ nodes: [BoundNode]) throws(ExpressionError) -> [Column] {
    var columns: [Column] = []
    for node in nodes { columns.append(try plain(node)) }
    return columns
  }

  /// What `outcome` holds, or the error of the first row that failed.
  ///
  /// - Parameter isLenient: failures become null.
  func settle(
    _ outcome: Outcome, isLenient: Bool = false, _ error: (Int) -> ExpressionError
  ) throws(ExpressionError) -> Column {
    guard let failures = outcome.failures else { return outcome.column }
    guard isLenient else {
      throw error(failures.positionsOfOnes().first.map { Int($0) } ?? 0)
    }
    let column = outcome.column
    let kept = failures.inverted()
    return Column(
      type: column.type, count: column.count,
      validity: column.validity.map { $0.and(kept) } ?? kept, values: column.values)
  }

  private func numbers(_ node: BoundNode) throws(ExpressionError) -> Column {
    switch node.kind {
    case .negated(let part):
      return try settle(Arithmetic.negated(try plain(part), node.type)) { row in
        overflow(node, row)
      }
    case .arithmetic(let op, let left, let right):
      return try arithmetic(node, op, left, right, isLenient: false)
    default: preconditionFailure("\(node.source) is no arithmetic")
    }
  }

  func arithmetic(
    _ node: BoundNode, _ op: ArithmeticOperator, _ left: BoundNode, _ right: BoundNode,
    isLenient: Bool
  ) throws(ExpressionError) -> Column {
    let a = try plain(left)
    let b = try plain(right)
    let outcome = Arithmetic.combined(op, a, left.type, b, right.type, as: node.type)
    return try settle(outcome, isLenient: isLenient) { row in
      let isDivision = op == .divide || op == .remainder
      return isDivision && b.isZero(row)
        ? .divisionByZero("\(node.source)", row: origin(row)) : overflow(node, row)
    }
  }

  func overflow(_ node: BoundNode, _ row: Int) -> ExpressionError {
    .overflow("\(node.source)", row: origin(row), type: node.type.name)
  }

  private func cast(
    _ node: BoundNode, _ part: BoundNode, _ mode: CastMode
  ) throws(ExpressionError) -> Column {
    let column = try self.column(part)
    let outcome: Outcome
    do throws(ColumnarError) {
      outcome = try Casting(from: part.type, to: node.type, mode: mode).cast(column)
    } catch { throw .columnar(error, in: "\(node.source)") }
    return try settle(outcome, isLenient: mode == .nullOnFailure) { row in
      let value = column.icebergValue(row)?.text(as: part.type) ?? "NULL"
      if mode == .exact {
        return .inexact(
          "\(part.source)", row: origin(row), value: value, column: "\(node.source)",
          type: node.type.name)
      }
      return .notConvertible(
        "\(node.source)", row: origin(row), value: value, to: node.type.name)
    }
  }
}

/// A column that was computed, and where that failed.
struct Outcome {
  let column: Column
  /// 1 in rows with a value in all operands that have no result; nil if there are none.
  let failures: Bitmap?

  init(_ column: Column, failures: Bitmap? = nil) {
    self.column = column
    self.failures = failures
  }
}

extension Column {
  /// True if no row has a value, and there may be no values to read.
  var isAllNull: Bool {
    if case .null = values { true } else { false }
  }

  /// True if the number in `row` is zero.
  fileprivate func isZero(_ row: Int) -> Bool {
    switch value(row) {
    case .integer(let value): value == 0
    case .floatingPoint(let value): value == 0
    default: false
    }
  }
}

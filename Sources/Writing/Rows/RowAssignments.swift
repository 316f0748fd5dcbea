// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Columnar
public import Expressions
public import Iceberg

extension Table {
  /// Gives columns of the rows that match `filter` new values, in one commit.
  ///
  /// Values are computed of the rows as they are: `a = b, b = a` swaps two columns.
  ///
  /// - Parameter mode: as in ``updateRows(where:mode:branch:_:)``.
  /// - Returns: nil if no row matched; then nothing was committed.
  /// - Throws: ``CommitError/computing(_:)`` if a value can't be computed; nothing was changed then.
  public func updateRows(
    where filter: Predicate, set assignments: [Assignment], mode: RowChangeMode? = nil,
    branch: String = SnapshotReference.mainBranch
  ) async throws(CommitError) -> CommitReceipt? {
    let schema = metadata.currentSchema
    var bound: [BoundAssignment] = []
    var ids: Set<FieldID> = []
    do throws(ExpressionError) {
      for assignment in assignments {
        let one = try assignment.bound(to: schema)
        guard ids.insert(one.field.id).inserted else { throw .duplicateColumn(assignment.column) }
        bound.append(one)
      }
    } catch {
      throw .computing(error)
    }
    let values = bound
    return try await updateRows(where: filter, mode: mode, branch: branch) {
      (rows) throws(CommitError) in
      do throws(ExpressionError) {
        var columns = rows.columns
        for assignment in values {
          let column = try assignment.value.evaluate(rows)
          columns = columns.indices.map {
            columns[$0].replacing(assignment.field.id, in: rows.fields[$0], by: column)
          }
        }
        return RecordBatch(fields: rows.fields, columns: columns, rowCount: rows.rowCount)
      } catch {
        throw .computing(error)
      }
    }
  }
}

extension Column {
  /// This column, which is `field`, with `column` in the place of the field `id`: of itself, or of
  /// what lies in its structures. A structure that is null stays null.
  fileprivate func replacing(_ id: FieldID, in field: ColumnField, by column: Column) -> Column {
    if field.fieldID == id.rawValue { return column }
    guard case .structure(let fields) = field.type, case .structure(let children) = values else {
      return self
    }
    let replaced = zip(children, fields).map { $0.replacing(id, in: $1, by: column) }
    return Column(type: type, count: count, validity: validity, values: .structure(replaced))
  }
}

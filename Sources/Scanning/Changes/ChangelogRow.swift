// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar

/// What became of a row.
public enum ChangeType: String, Hashable, Sendable, CaseIterable {
  case insert
  case delete
  /// A row as it was before the change that the next row shows.
  case updateBefore = "update_before"
  case updateAfter = "update_after"
}

/// The columns that rows of a changelog have before the table's own.
///
/// Source: the names, types and ids are those of the reference implementation's changelog.
public enum ChangelogColumn: String, Hashable, Sendable, CaseIterable {
  /// A ``ChangeType``.
  case changeType = "_change_type"
  /// Counts the changes of a range by their commits, from 0 on.
  case changeOrdinal = "_change_ordinal"
  /// The commit that made the change.
  case commitSnapshotID = "_commit_snapshot_id"

  public var field: ColumnField {
    switch self {
    case .changeType:
      ColumnField(rawValue, .string, isNullable: false, fieldID: 2_147_483_543)
    case .changeOrdinal: ColumnField(rawValue, .int32, isNullable: false, fieldID: 2_147_483_542)
    case .commitSnapshotID:
      ColumnField(rawValue, .int64, isNullable: false, fieldID: 2_147_483_541)
    }
  }
}

/// Which commit rows of a changelog are of.
struct ChangeMark: Sendable {
  let ordinal: Int
  let snapshotID: Int64

  /// `rows` behind the columns that tell what became of each, `types`.
  func marking(_ rows: RecordBatch, _ types: Column) throws(ColumnarError) -> RecordBatch {
    RecordBatch(
      fields: ChangelogColumn.allCases.map(\.field) + rows.fields,
      columns: [
        types,
        try .constant(.integer(Int128(ordinal)), type: .int32, count: rows.rowCount),
        try .constant(.integer(Int128(snapshotID)), type: .int64, count: rows.rowCount),
      ] + rows.columns, rowCount: rows.rowCount)
  }

  /// As ``marking(_:_:)``, all of one type.
  func marking(_ rows: RecordBatch, _ type: ChangeType) throws(ColumnarError) -> RecordBatch {
    try marking(rows, [(type, rows.rowCount)].column)
  }
}

extension [(type: ChangeType, count: Int)] {
  /// The types, each as often as is told.
  var column: Column {
    let count = reduce(0) { $0 + $1.count }
    let names = ColumnBuilder(.string)
    for type in ChangeType.allCases { names.append(type.rawValue) }
    var target = MutableBuffer(byteCount: count * 4)
    var codes = target.mutableValues(as: Int32.self)
    var next = 0
    for (type, count) in self {
      let code = Int32(ChangeType.allCases.firstIndex(of: type) ?? 0)
      for i in next..<next + count { codes[i] = code }
      next += count
    }
    return Column(
      type: .string, count: count, validity: nil,
      values: .dictionary(codes: target.freeze(), names.finish()))
  }
}

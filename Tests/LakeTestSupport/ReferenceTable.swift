// SPDX-License-Identifier: Apache-2.0
import Lake

/// What a table is, without any of what makes it one: a list of rows, and how long it was at each
/// snapshot.
public struct ReferenceTable: Sendable {
  public let schema: Schema
  public private(set) var rows: [[Value?]] = []
  /// Each snapshot, and how many rows there were.
  public private(set) var states: [(snapshot: SnapshotID, rowCount: Int)] = []

  public init(_ schema: Schema) { self.schema = schema }

  public mutating func append(_ added: [[Value?]], as snapshot: SnapshotID) {
    rows += added
    states.append((snapshot, rows.count))
  }

  /// The rows that match `predicate` of the first `rowCount`: each is asked by itself.
  public func rows(
    matching predicate: Predicate = .alwaysTrue, first rowCount: Int? = nil
  ) throws -> [[Value?]] {
    let bound = try predicate.bound(to: schema)
    return rows.prefix(rowCount ?? rows.count).filter { row in
      let values = Self.values(of: row, schema.fields)
      return bound.matches { values[$0] ?? nil }
    }
  }

  /// The values of a row by field, those in structures too; what is in a null structure is null.
  public static func values(of row: [Value?], _ fields: [Field]) -> [FieldID: Value?] {
    var values: [FieldID: Value?] = [:]
    for (field, value) in zip(fields, row) {
      values[field.id] = .some(value)
      guard case .structure(let type) = field.type else { continue }
      var inner: [Value?] = type.fields.map { _ in nil }
      if case .structure(let parts) = value {
        inner = type.fields.map { parts[$0.id] ?? nil }
      }
      values.merge(Self.values(of: inner, type.fields)) { first, _ in first }
    }
    return values
  }

  /// The canonical text of rows of this table, of some of its columns.
  public func lines(_ rows: [[Value?]], columns: [String]? = nil) throws -> [String] {
    var batch = Rows.batch(rows, schema)
    if let columns {
      batch = batch.selecting(
        columns.compactMap { name in
          schema.fields.firstIndex { $0.name == name }
        })
    }
    return try CanonicalRows.lines(of: [batch])
  }
}

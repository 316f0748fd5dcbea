// SPDX-License-Identifier: Apache-2.0
import Lake

/// What branches of a table hold, as lists of rows: what changes of rows are held against.
///
/// Rows have a column `k` with a number of their own that no change touches, so that a row can be
/// followed wherever it is written.
public struct ModelTable: Sendable {
  public typealias Row = [Value?]

  public private(set) var branches: [String: [Row]] = ["main": []]
  public var schema: Schema

  public init(_ schema: Schema) { self.schema = schema }

  public func rows(_ branch: String) -> [Row] { branches[branch] ?? [] }

  /// The canonical text of the rows of `branch`.
  public func lines(_ branch: String) throws -> [String] {
    try CanonicalRows.lines(of: [Rows.batch(rows(branch), schema)])
  }

  public mutating func append(_ rows: [Row], to branch: String) {
    branches[branch, default: []] += rows
  }

  /// Takes out the rows that match.
  public mutating func delete(where predicate: Predicate, from branch: String) throws {
    let matches = try matcher(predicate)
    branches[branch]?.removeAll(where: matches)
  }

  /// Puts `value` into `column` of the rows that match; gives back their numbers.
  @discardableResult
  public mutating func update(
    where predicate: Predicate, _ column: String, to value: Value?, in branch: String
  ) throws -> Set<Int64> {
    let matches = try matcher(predicate)
    guard let index = schema.fields.firstIndex(where: { $0.name == column }) else { return [] }
    var changed: Set<Int64> = []
    var rows = rows(branch)
    for i in rows.indices where matches(rows[i]) {
      rows[i][index] = value
      changed.insert(number(of: rows[i]))
    }
    branches[branch] = rows
    return changed
  }

  /// Takes out the rows whose partitions by `spec` are among those of `rows`, and adds these.
  public mutating func replacePartitions(
    _ rows: [Row], by spec: PartitionSpec, in branch: String
  ) {
    let touched = Set(rows.map { partition(of: $0, spec) })
    let kept = self.rows(branch).filter { !touched.contains(partition(of: $0, spec)) }
    branches[branch] = kept + rows
  }

  /// Makes `branch` what `other` is.
  public mutating func set(_ branch: String, to other: [Row]) { branches[branch] = other }

  /// Adds a field, which rows that are there hold `value` of.
  public mutating func add(_ schema: Schema, filling value: Value?) {
    self.schema = schema
    for (name, rows) in branches { branches[name] = rows.map { $0 + [value] } }
  }

  /// Drops the field at `index`.
  public mutating func drop(_ index: Int, _ schema: Schema) {
    self.schema = schema
    for (name, rows) in branches {
      branches[name] = rows.map { row in
        var row = row
        row.remove(at: index)
        return row
      }
    }
  }

  /// The number of `row`.
  public func number(of row: Row) -> Int64 {
    guard let index = schema.fields.firstIndex(where: { $0.name == "k" }),
      case .long(let number) = row[index]
    else { return -1 }
    return number
  }

  private func matcher(_ predicate: Predicate) throws -> (Row) -> Bool {
    let bound = try predicate.bound(to: schema)
    let fields = schema.fields
    return { row in
      let values = ReferenceTable.values(of: row, fields)
      return bound.matches { values[$0] ?? nil }
    }
  }

  private func partition(of row: Row, _ spec: PartitionSpec) -> [Value?] {
    let values = ReferenceTable.values(of: row, schema.fields)
    return spec.fields.map { field in
      guard let id = field.sourceIDs.first, let type = schema.field(id)?.type.primitive else {
        return nil
      }
      return field.transform.apply(to: values[id] ?? nil, of: type)
    }
  }
}

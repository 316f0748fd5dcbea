// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// One value of a row that is made up rather than read: of metadata tables and of the results of
/// commands. Which type it has, the column tells that it is put into.
package indirect enum Cell: Sendable {
  case null
  case boolean(Bool)
  /// Of an int, long, date, time or timestamp; or the unscaled value of a decimal.
  case integer(Int128)
  case floatingPoint(Double)
  case text(String)
  /// Of a binary, fixed or uuid.
  case bytes(Buffer)
  /// The fields of a structure, in order.
  case structure([Cell])
  case list([Cell])
  case map([(key: Cell, value: Cell)])
}

extension Cell {
  package init(_ value: Int64?) { self = value.map { .integer(Int128($0)) } ?? .null }
  package init(_ value: Int32?) { self = value.map { .integer(Int128($0)) } ?? .null }
  package init(_ value: Int?) { self = value.map { .integer(Int128($0)) } ?? .null }
  package init(_ value: Bool?) { self = value.map { .boolean($0) } ?? .null }
  package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
  package init(_ value: [UInt8]?) { self = value.map { .bytes(Buffer($0)) } ?? .null }

  /// Texts by name, in the order of their names.
  package init(_ values: [String: String]) {
    self = .map(values.sorted { $0.key < $1.key }.map { (.text($0.key), .text($0.value)) })
  }

  package init(_ value: ColumnValue?) {
    self =
      switch value {
      case nil: .null
      case .boolean(let value): .boolean(value)
      case .integer(let value): .integer(value)
      case .floatingPoint(let value): .floatingPoint(value)
      case .bytes(let value): .bytes(value)
      }
  }
}

extension ColumnBuilder {
  /// Appends `cell`, which must suit the column's type.
  package func append(_ cell: Cell) {
    switch cell {
    case .null: appendNull()
    case .boolean(let value): append(value)
    case .integer(let value): append(integer: value)
    case .floatingPoint(let value):
      if type == .float { append(Float(value)) } else { append(value) }
    case .text(let value): append(value)
    case .bytes(let value): append(value.bytes)
    case .structure(let cells):
      precondition(cells.count == children.count, "a cell for each field of \(type)")
      for (child, cell) in zip(children, cells) { child.append(cell) }
      endStructure()
    case .list(let cells):
      for cell in cells { children[0].append(cell) }
      endList()
    case .map(let pairs):
      for (key, value) in pairs { children[0].append(.structure([key, value])) }
      endList()
    }
  }

  private func append(integer value: Int128) {
    switch (type, type.layout) {
    case (.decimal, _): append(value)
    case (_, .fixed(width: 4)): append(Int32(truncatingIfNeeded: value))
    default: append(Int64(truncatingIfNeeded: value))
    }
  }
}

extension RecordBatch {
  /// The rows `rows`, each with a cell for each field.
  package init(_ fields: [ColumnField], rows: [[Cell]]) {
    let builder = BatchBuilder(fields, capacity: rows.count)
    for row in rows {
      precondition(row.count == fields.count, "a cell for each field")
      for (column, cell) in zip(builder.columns, row) { column.append(cell) }
    }
    self.init(
      fields: fields, columns: builder.columns.map { $0.finish() }, rowCount: rows.count)
  }
}

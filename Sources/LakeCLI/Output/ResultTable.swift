// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// Rows that a command makes up, printed in any format.
struct ResultTable {
  let fields: [ColumnField]
  var rows: [[Cell]] = []

  /// - Parameter columns: as in `lake create --schema`: `name string not null, size long`.
  init(_ columns: String) throws {
    fields = try Schema(columns).columnFields
  }

  func print(_ options: OutputOptions) {
    var printer = RowPrinter(options.effectiveFormat, fields: fields)
    if !rows.isEmpty { printer.print(RecordBatch(fields, rows: rows)) }
    printer.finish()
  }
}

/// One thing a command tells all about: a line a fact for people, a row of its own for programs.
struct ResultRecord {
  private var columns: [(name: String, type: ColumnType, cell: Cell)] = []

  mutating func add(_ name: String, _ type: ColumnType, _ cell: Cell) {
    columns.append((name, type, cell))
  }

  mutating func add(_ name: String, _ value: String?) { add(name, .string, Cell(value)) }
  mutating func add(_ name: String, _ value: Int64?) { add(name, .int64, Cell(value)) }
  mutating func add(_ name: String, _ value: Bool?) { add(name, .boolean, Cell(value)) }
  mutating func add(_ name: String, _ values: [String]) {
    let element = ColumnField("element", .string, isNullable: false)
    add(name, .list(element), .list(values.map { .text($0) }))
  }
  mutating func add(_ name: String, _ values: [String: String]) {
    let key = ColumnField("key", .string, isNullable: false)
    let value = ColumnField("value", .string, isNullable: false)
    add(name, .map(key: key, value: value), Cell(values))
  }
  /// The moment `milliseconds` after 1970 began.
  mutating func add(_ name: String, milliseconds: Int64?) {
    let cell = milliseconds.map { Cell(Timestamp(milliseconds: $0).microseconds) } ?? .null
    add(name, .timestamp(.microseconds, zoned: true), cell)
  }
  /// Rows of their own, which people see as a table after the facts.
  mutating func add(_ name: String, _ table: ResultTable) {
    let element = ColumnField("element", .structure(table.fields), isNullable: false)
    add(name, .list(element), .list(table.rows.map { .structure($0) }))
  }

  private var batch: RecordBatch {
    let fields = columns.map { ColumnField($0.name, $0.type) }
    return RecordBatch(fields, rows: [columns.map(\.cell)])
  }

  func print(_ options: OutputOptions) {
    let batch = batch
    guard options.effectiveFormat == .table else {
      var printer = RowPrinter(options.effectiveFormat, fields: batch.fields)
      printer.print(batch)
      return printer.finish()
    }
    let width = columns.map { $0.name.count }.max() ?? 0
    var tables = ""
    for (index, column) in columns.enumerated() {
      if case .list(let element) = column.type, case .structure(let fields) = element.type {
        tables += "\n" + Self.text(of: column.cell, fields)
        continue
      }
      let lines = Self.lines(column.cell, batch.columns[index])
      for (number, line) in lines.enumerated() {
        let name = number == 0 ? column.name : ""
        let padding = String(repeating: " ", count: width - name.count + 2)
        StandardOutput.write(name + padding + line + "\n")
      }
    }
    StandardOutput.write(tables)
  }

  private static func text(of cell: Cell, _ fields: [ColumnField]) -> String {
    guard case .list(let cells) = cell else { return "" }
    let rows = cells.map { cell -> [Cell] in
      if case .structure(let row) = cell { row } else { [] }
    }
    return TextTable(fields, [RecordBatch(fields, rows: rows)], leftOut: 0).text
  }

  /// A value on a line; a map or list on a line each.
  private static func lines(_ cell: Cell, _ column: Column) -> [String] {
    switch cell {
    case .null: ["-"]
    case .list(let cells): cells.isEmpty ? ["-"] : cells.map(text)
    case .map(let pairs):
      pairs.isEmpty ? ["-"] : pairs.map { "\(text($0.key)) = \(text($0.value))" }
    default: [column.textCells(.plain).text(0)]
    }
  }

  private static func text(_ cell: Cell) -> String {
    if case .text(let text) = cell { text } else { "" }
  }
}

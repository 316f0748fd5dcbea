// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// Rows laid out for people: a line of names, a rule, a line a row; numbers to the right.
struct TextTable {
  let text: String

  init(_ fields: [ColumnField], _ batches: [RecordBatch], leftOut: Int) {
    var columns = fields.map { [$0.name] }
    for batch in batches {
      for (index, column) in batch.columns.enumerated() {
        let cells = column.textCells(.plain, isVariant: fields[index].isVariant)
        for row in 0..<batch.rowCount { columns[index].append(Self.shortened(cells.text(row))) }
      }
    }
    let widths = columns.map { cells in cells.map(\.count).max() ?? 0 }
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    var lines: [String] = []
    for row in 0...rowCount {
      let cells = columns.indices.map { index in
        Self.padded(columns[index][row], widths[index], right: Self.isNumber(fields[index].type))
      }
      lines.append(Self.withoutSpacesAtEnd(cells.joined(separator: "  ")))
      if row == 0 {
        lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
      }
    }
    if leftOut > 0 { lines.append("… and \(leftOut) more rows (--format jsonl prints all)") }
    lines.append(rowCount + leftOut == 1 ? "1 row" : "\(rowCount + leftOut) rows")
    text = lines.joined(separator: "\n") + "\n"
  }

  private static func shortened(_ text: String) -> String {
    let line = text.map { $0.isNewline || $0 == "\t" ? " " : $0 }
    return line.count > 80 ? String(line.prefix(79)) + "…" : String(line)
  }

  private static func padded(_ text: String, _ width: Int, right: Bool) -> String {
    let spaces = String(repeating: " ", count: max(0, width - text.count))
    return right ? spaces + text : text + spaces
  }

  private static func withoutSpacesAtEnd(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
  }

  private static func isNumber(_ type: ColumnType) -> Bool {
    switch type {
    case .int32, .int64, .float, .double, .decimal: true
    default: false
    }
  }
}

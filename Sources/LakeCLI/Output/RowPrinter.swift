// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Lake

/// Prints batches of rows in one of the formats, with bounded memory but for `table`, which has to
/// know the width of what it prints and cuts after 10,000 rows.
struct RowPrinter: ~Copyable {
  private let format: OutputOptions.Format
  private let fields: [ColumnField]
  private var isFirst = true
  private var kept: [RecordBatch] = []
  private var keptRowCount = 0
  private var leftOut = 0

  private static let tableRowLimit = 10_000

  init(_ format: OutputOptions.Format, fields: [ColumnField]) {
    self.format = format
    self.fields = fields
    if format == .csv { StandardOutput.write(Self.csvHeader(fields)) }
    if format == .json { StandardOutput.write("[") }
  }

  static func csvHeader(_ fields: [ColumnField]) -> String {
    fields.map { field in
      let needsQuotes = field.name.contains { "\",\n\r".contains($0) } || field.name.isEmpty
      return needsQuotes ? "\"" + doublingQuotes(field.name) + "\"" : field.name
    }.joined(separator: ",") + "\n"
  }

  private static func doublingQuotes(_ text: String) -> String {
    var result = ""
    for character in text { result += character == "\"" ? "\"\"" : String(character) }
    return result
  }

  /// The text of a batch, for all formats but `table`; made where it suits, then handed to
  /// ``print(rendered:)`` in order.
  static func render(_ batch: RecordBatch, _ format: OutputOptions.Format) -> Buffer {
    var text = MutableBuffer(capacity: batch.byteCount * 2)
    let ending = format == .json ? ",\n" : "\n"
    for start in stride(from: 0, to: batch.rowCount, by: 8192) {
      let part = batch.slice(start..<min(start + 8192, batch.rowCount))
      part.appendLines(format == .csv ? .csv : .json, ending: ending, to: &text)
    }
    return text.freeze()
  }

  mutating func print(rendered text: Buffer) {
    guard format == .json else { return StandardOutput.write(text.bytes) }
    guard text.count > 0 else { return }
    // What follows a row is written before the next one, as nothing follows the last.
    if !isFirst { StandardOutput.write(",\n") }
    isFirst = false
    StandardOutput.write(text.bytes.extracting(0..<text.count - 2))
  }

  mutating func print(_ batch: RecordBatch) {
    switch format {
    case .csv, .jsonl, .json: print(rendered: Self.render(batch, format))
    case .table:
      let room = max(0, Self.tableRowLimit - keptRowCount)
      let taken = min(room, batch.rowCount)
      if taken > 0 { kept.append(batch.slice(0..<taken)) }
      keptRowCount += taken
      leftOut += batch.rowCount - taken
    }
  }

  /// Prints what is still to be printed.
  consuming func finish() {
    switch format {
    case .json: StandardOutput.write("]\n")
    case .table: StandardOutput.write(TextTable(fields, kept, leftOut: leftOut).text)
    case .csv, .jsonl: break
    }
  }
}

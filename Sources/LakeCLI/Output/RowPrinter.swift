// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Lake

/// Prints batches of rows in one of the formats, with bounded memory but for `table`, which has to
/// know the width of what it prints and cuts after 10,000 rows.
struct RowPrinter: ~Copyable {
  /// Makes the bytes of batches, wherever that suits.
  let renderer: RowRenderer
  private var format: OutputOptions.Format { renderer.format }
  private var isFirst = true
  private var kept: [RecordBatch] = []
  private var keptRowCount = 0
  private var leftOut = 0
  private var parquet: ParquetOutput?

  private static let tableRowLimit = 10_000

  init(_ format: OutputOptions.Format, fields: [ColumnField]) {
    renderer = RowRenderer(format, fields: fields)
    switch format {
    case .csv: StandardOutput.write(RowRenderer.csvHeader(fields))
    case .json: StandardOutput.write("[")
    case .arrow: StandardOutput.write(renderer.arrow.schema.bytes)
    case .parquet: parquet = ParquetOutput(fields)
    case .jsonl, .table: break
    }
  }

  /// Prints what the ``renderer`` made of the next batch; not for formats it does not make.
  mutating func print(rendered pieces: [Buffer]) {
    guard format == .json else {
      for piece in pieces { StandardOutput.write(piece.bytes) }
      return
    }
    for text in pieces where text.count > 0 {
      // What follows a row is written before the next one, as nothing follows the last.
      if !isFirst { StandardOutput.write(",\n") }
      isFirst = false
      StandardOutput.write(text.bytes.extracting(0..<text.count - 2))
    }
  }

  mutating func print(_ batch: RecordBatch) {
    switch format {
    case .csv, .jsonl, .json, .arrow: print(rendered: renderer.render(batch))
    case .parquet: parquet?.write(batch)
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
    case .table: StandardOutput.write(TextTable(renderer.fields, kept, leftOut: leftOut).text)
    case .arrow: StandardOutput.write(renderer.arrow.end.bytes)
    case .parquet: parquet?.finish()
    case .csv, .jsonl: break
    }
  }
}

/// Makes the bytes of batches one by one, in any task: for all formats but `table` and `parquet`,
/// which have to see all rows in order.
struct RowRenderer: Sendable {
  let format: OutputOptions.Format
  let fields: [ColumnField]

  init(_ format: OutputOptions.Format, fields: [ColumnField]) {
    self.format = format
    self.fields = fields
  }

  /// True if batches need not be seen in order.
  var isParallel: Bool { format != .table && format != .parquet }

  var arrow: ArrowStreamWriter { ArrowStreamWriter(fields: fields) }

  /// The bytes of a batch, to be handed to ``RowPrinter/print(rendered:)`` in order.
  func render(_ batch: RecordBatch) -> [Buffer] {
    if format == .arrow { return arrowMessage(batch) }
    var text = MutableBuffer(capacity: batch.byteCount * 2)
    let ending = format == .json ? ",\n" : "\n"
    for start in stride(from: 0, to: batch.rowCount, by: 8192) {
      let part = batch.slice(start..<min(start + 8192, batch.rowCount))
      part.appendLines(format == .csv ? .csv : .json, ending: ending, to: &text)
    }
    return [text.freeze()]
  }

  private func arrowMessage(_ batch: RecordBatch) -> [Buffer] {
    do throws(ArrowError) {
      return try arrow.message(batch)
    } catch {
      StandardOutput.end("\(error)")
    }
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
}

/// Rows as one Parquet file, its bytes printed as row groups fill.
private struct ParquetOutput {
  private let writer: ParquetFileWriter

  init(_ fields: [ColumnField]) {
    do throws(ParquetError) {
      writer = try ParquetFileWriter(fields: fields)
    } catch {
      StandardOutput.end("\(error)")
    }
  }

  func write(_ batch: RecordBatch) {
    do throws(ParquetError) {
      try writer.write(batch)
    } catch {
      StandardOutput.end("\(error)")
    }
    printBytes()
  }

  func finish() {
    do throws(ParquetError) {
      _ = try writer.finish()
    } catch {
      StandardOutput.end("\(error)")
    }
    printBytes()
  }

  private func printBytes() {
    for piece in writer.takeBytes() { StandardOutput.write(piece.bytes) }
  }
}

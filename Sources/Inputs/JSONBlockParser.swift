// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// Makes batches of JSON lines.
struct JSONBlockParser: TextBlockParser {
  private let file: String
  private let fields: [ColumnField]
  private let batchRowCount: Int
  private let badRows: InputOptions.BadRows

  init(file: String, _ fields: [ColumnField], _ options: InputOptions) {
    self.file = file
    self.fields = fields
    batchRowCount = max(1, options.batchRowCount)
    badRows = options.badRows
  }

  func parse(
    _ text: Buffer, _ range: Range<Int>, isAtEnd: Bool, line: Int
  ) throws(InputError) -> ParsedBlock {
    let type = ColumnType.structure(fields)
    let root = JSONColumn(ColumnField("row", type, isNullable: false), ColumnBuilder(type))
    let bytes = text.bytes
    var places = RowPlaces()
    var block = ParsedBlock(start: range.lowerBound)
    while block.end < range.upperBound,
      let end = bytes.endOfLine(from: block.end, isAtEnd: isAtEnd)
    {
      let row = bytes.extracting(block.end..<end)
      do throws(InputError) {
        try append(row, to: root, line: line + block.lineCount)
      } catch {
        guard badRows == .keepApart else { throw error }
        root.builder.truncate(to: root.builder.count)
        places.reject(error, row)
      }
      block.lineCount &+= 1
      block.end = min(end &+ 1, bytes.byteCount)
      if root.builder.count > places.byteEnds.count {
        places.addRow(byteEnd: block.end &- range.lowerBound, lineEnd: block.lineCount)
        if root.builder.count == batchRowCount { finish(root, &places, &block, range.lowerBound) }
      }
    }
    finish(root, &places, &block, range.lowerBound)
    return block
  }

  func skip(_ text: RawSpan, isAtEnd: Bool, lineCount: inout Int64) -> Int {
    var at = 0
    while lineCount > 0, at < text.byteCount,
      let end = text.endOfLine(from: at, isAtEnd: isAtEnd)
    {
      at = min(end &+ 1, text.byteCount)
      lineCount &-= 1
    }
    return at
  }

  private func finish(
    _ root: JSONColumn, _ places: inout RowPlaces, _ block: inout ParsedBlock, _ start: Int
  ) {
    let rows = root.builder.count
    if rows == 0, places.rejected.isEmpty { return }
    let columns = root.builder.finish().children
    block.batches.append(
      ParsedBatch(
        batch: RecordBatch(fields: fields, columns: columns, rowCount: rows), places: places,
        byteEnd: block.end - start, lineEnd: block.lineCount))
    places = RowPlaces()
  }

  private func append(
    _ text: RawSpan, to root: JSONColumn, line: Int
  ) throws(InputError) {
    var reader = JSONReader(text)
    guard reader.nextDocument() else { return }
    let failure: JSONValueFailure?
    do throws(JSONError) {
      failure = try root.appendFields(&reader)
      if failure == nil { try reader.finish() }
    } catch {
      throw .malformed(file: file, line: line, column: nil, reason: error.description)
    }
    guard let failure else { return root.builder.endStructure() }
    switch failure.cause {
    case .missing: throw .missingValue(file: file, line: line, column: failure.column)
    case .unparsable(let expected, let found):
      throw .unparsable(
        file: file, line: line, column: failure.column, expected: expected, found: found)
    case .unknownKey(let key, let known):
      throw .malformed(
        file: file, line: line, column: failure.column,
        reason: "'\(key)' is not one of the columns: \(known.joined(separator: ", "))")
    }
  }
}

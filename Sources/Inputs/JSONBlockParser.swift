// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// Makes batches of JSON lines.
struct JSONBlockParser: TextBlockParser {
  private let file: String
  private let fields: [ColumnField]
  private let batchRowCount: Int

  init(file: String, _ fields: [ColumnField], _ options: InputOptions) {
    self.file = file
    self.fields = fields
    batchRowCount = max(1, options.batchRowCount)
  }

  func parse(
    _ text: Buffer, _ range: Range<Int>, isAtEnd: Bool, line: Int
  ) throws(InputError) -> ParsedBlock {
    let type = ColumnType.structure(fields)
    let root = JSONColumn(ColumnField("row", type, isNullable: false), ColumnBuilder(type))
    let bytes = text.bytes
    var block = ParsedBlock()
    block.end = range.lowerBound
    while block.end < range.upperBound,
      let end = bytes.endOfLine(from: block.end, isAtEnd: isAtEnd)
    {
      try append(bytes.extracting(block.end..<end), to: root, line: line + block.lineCount)
      block.lineCount &+= 1
      block.end = min(end &+ 1, bytes.byteCount)
      if root.builder.count == batchRowCount { finish(root, &block) }
    }
    if root.builder.count > 0 { finish(root, &block) }
    return block
  }

  private func finish(_ root: JSONColumn, _ block: inout ParsedBlock) {
    let rows = root.builder.count
    let columns = root.builder.finish().children
    block.batches.append(RecordBatch(fields: fields, columns: columns, rowCount: rows))
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

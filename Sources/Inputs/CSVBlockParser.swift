// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Makes batches of CSV records: which field goes to which column, and how.
struct CSVBlockParser: TextBlockParser {
  let fields: [ColumnField]
  private let file: String
  private let records: CSVRecords
  private let nullTexts: [Buffer]
  private let batchRowCount: Int
  private let badRows: InputOptions.BadRows
  /// For each field of a record, which column it goes to.
  private let targets: [Int]
  /// Columns wanted that the input does not have.
  private let absent: [Int]

  /// - Parameters:
  ///   - names: of the header, if there is one.
  ///   - wanted: the columns of the batches.
  init(
    file: String, _ options: InputOptions, _ records: CSVRecords, names: [String]?,
    wanted: [ColumnField]
  ) throws(InputError) {
    var targets: [Int] = []
    var seen: Set<Int> = []
    let places = Dictionary(wanted.enumerated().map { ($1.name, $0) }) { first, _ in first }
    for name in names ?? wanted.map(\.name) {
      guard let index = places[name] else {
        throw .unknownColumn(file: file, column: name, known: wanted.map(\.name))
      }
      guard seen.insert(index).inserted else {
        throw .malformed(file: file, line: 1, column: name, reason: "the header has it twice")
      }
      targets.append(index)
    }
    absent = wanted.indices.filter { !seen.contains($0) }
    for index in absent where !wanted[index].isNullable {
      throw .missingColumn(file: file, column: wanted[index].name)
    }
    for index in targets where !TextColumn.isSupported(wanted[index].type) {
      throw .columnType(
        file: file, column: wanted[index].name, expected: "\(wanted[index].type)",
        found: "text of a CSV field")
    }
    fields = wanted
    self.file = file
    self.records = records
    self.targets = targets
    batchRowCount = max(1, options.batchRowCount)
    badRows = options.badRows
    nullTexts = options.nullTexts.map { Buffer(utf8: $0) }
  }

  /// The builders of one block.
  private struct Columns {
    let all: [TextColumn]
    /// By the fields of a record.
    let targets: [TextColumn]
    let absent: [TextColumn]
  }

  private func makeColumns() -> Columns {
    let all = fields.map { TextColumn($0, ColumnBuilder($0.type)) }
    return Columns(all: all, targets: targets.map { all[$0] }, absent: absent.map { all[$0] })
  }

  func parse(
    _ text: Buffer, _ range: Range<Int>, isAtEnd: Bool, line: Int
  ) throws(InputError) -> ParsedBlock {
    let columns = makeColumns()
    let bytes = text.bytes
    var block = ParsedBlock(start: range.lowerBound)
    var places = RowPlaces()
    var scratch: [CSVField] = []
    loop: while block.end < range.upperBound {
      let rest = bytes.extracting(block.end..<bytes.byteCount)
      switch records.parse(rest, isAtEnd: isAtEnd, into: &scratch) {
      case .incomplete: break loop
      case .broken(let field, let lineInRecord, let offset, let reason):
        let error = InputError.malformed(
          file: file, line: line + block.lineCount + lineInRecord, column: name(ofField: field),
          reason: reason)
        guard badRows == .keepApart else { throw error }
        // The next row is taken to begin on the next line.
        guard let end = rest.endOfLine(from: offset, isAtEnd: isAtEnd) else { break loop }
        places.reject(error, rest.extracting(0..<end))
        block.lineCount &+= lineInRecord &+ 1
        block.end &+= min(end &+ 1, rest.byteCount)
      case .record(let byteCount, let lineCount):
        var isRow = !isBlank(scratch)
        if isRow {
          do throws(InputError) {
            try append(scratch, of: rest, to: columns, line: line + block.lineCount)
          } catch {
            guard badRows == .keepApart else { throw error }
            for column in columns.all { column.builder.truncate(to: places.byteEnds.count) }
            places.reject(error, rest.extracting(0..<byteCount))
            isRow = false
          }
        }
        block.lineCount &+= lineCount
        block.end &+= byteCount
        if isRow {
          places.addRow(byteEnd: block.end &- range.lowerBound, lineEnd: block.lineCount)
        }
      }
      if places.byteEnds.count == batchRowCount {
        finish(columns, &places, &block, range.lowerBound)
      }
    }
    finish(columns, &places, &block, range.lowerBound)
    return block
  }

  func skip(_ text: RawSpan, isAtEnd: Bool, lineCount: inout Int64) -> Int {
    var scratch: [CSVField] = []
    var at = 0
    while lineCount > 0, at < text.byteCount {
      let rest = text.extracting(at..<text.byteCount)
      switch records.parse(rest, isAtEnd: isAtEnd, into: &scratch) {
      case .incomplete: return at
      case .record(let byteCount, let lines):
        at &+= byteCount
        lineCount &-= Int64(lines)
      case .broken(_, let lines, let offset, _):
        guard let end = rest.endOfLine(from: offset, isAtEnd: isAtEnd) else { return at }
        at &+= min(end &+ 1, rest.byteCount)
        lineCount &-= Int64(lines) &+ 1
      }
    }
    lineCount = max(0, lineCount)
    return at
  }

  private func finish(
    _ columns: Columns, _ places: inout RowPlaces, _ block: inout ParsedBlock, _ start: Int
  ) {
    let rows = places.byteEnds.count
    if rows == 0, places.rejected.isEmpty { return }
    let built = columns.all.map { $0.builder.finish() }
    block.batches.append(
      ParsedBatch(
        batch: RecordBatch(fields: fields, columns: built, rowCount: rows), places: places,
        byteEnd: block.end - start, lineEnd: block.lineCount))
    places = RowPlaces()
  }

  /// A line of nothing is no row, but where there is one column: there it is a null.
  private func isBlank(_ record: [CSVField]) -> Bool {
    record.count == 1 && targets.count > 1 && record[0].end == record[0].start
      && !record[0].isQuoted
  }

  private func name(ofField index: Int) -> String? {
    targets.indices.contains(index) ? fields[targets[index]].name : nil
  }

  private func append(
    _ record: [CSVField], of text: RawSpan, to columns: Columns, line: Int
  ) throws(InputError) {
    guard record.count == columns.targets.count else {
      throw .fieldCount(
        file: file, line: line, expected: columns.targets.count, found: record.count)
    }
    for index in record.indices {
      let column = columns.targets[index]
      let field = record[index]
      let value = text.extracting(field.start..<field.end)
      if !field.isQuoted, isNull(value) {
        guard column.isNullable else {
          throw .missingValue(file: file, line: line, column: column.field.name)
        }
        column.builder.appendNull()
      } else if field.hasEscapes {
        let unescaped = Buffer(CSVRecords.unescaped(value))
        guard column.append(unescaped.bytes) else {
          throw unparsable(column, unescaped.bytes, line)
        }
      } else if !column.append(value) {
        throw unparsable(column, value, line)
      }
    }
    for column in columns.absent { column.builder.appendNull() }
  }

  private func isNull(_ text: RawSpan) -> Bool {
    if text.byteCount == 0 { return true }
    if nullTexts.isEmpty { return false }
    for null in nullTexts where null.count == text.byteCount {
      if text.hasSameBytes(as: null.bytes) { return true }
    }
    return false
  }

  private func unparsable(_ column: TextColumn, _ text: RawSpan, _ line: Int) -> InputError {
    .unparsable(
      file: file, line: line, column: column.field.name, expected: column.expectation,
      found: text.excerpt)
  }
}

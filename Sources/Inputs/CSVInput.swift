// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Storage

/// Streams the rows of CSV text as batches.
///
/// Laws: a row has a field for each column; a field of no text, or of a text that is told to mean
/// null, is null unless it is quoted; lines of no text at all are passed over where there is more
/// than one column.
final class CSVInput {
  let fields: [ColumnField]
  private var window: TextWindow
  private let options: InputOptions
  private let records: CSVRecords
  private let nullTexts: [[UInt8]]
  private let columns: [TextColumn]
  /// For each field of a record, which column it goes to.
  private let targets: [Int]
  /// Columns wanted that the input does not have.
  private let absent: [Int]
  private var line: Int

  /// Reads the header, and a sample where types are to be inferred.
  static func open(
    _ source: any ByteSource, _ options: InputOptions
  ) async throws(InputError) -> CSVInput {
    var window = TextWindow(source, rowByteLimit: options.rowByteLimit)
    let records = CSVRecords(delimiter: options.delimiter)
    try await skipByteOrderMark(&window)
    var line = 1
    var names: [String]?
    if options.header == .present {
      guard let header = try await nextTexts(&window, records, &line) else {
        throw .noRows(file: window.name)
      }
      names = header
    }
    if let wanted = options.columns {
      return try CSVInput(window, options, records, names: names, wanted: wanted, line: line)
    }
    let inferred = try await infer(&window, options, records, names: names, line: line)
    return try CSVInput(window, options, records, names: names, wanted: inferred, line: line)
  }

  private init(
    _ window: consuming TextWindow, _ options: InputOptions, _ records: CSVRecords,
    names: [String]?, wanted: [ColumnField], line: Int
  ) throws(InputError) {
    let file = window.name
    let order = names ?? wanted.map(\.name)
    var targets: [Int] = []
    var seen: Set<Int> = []
    for name in order {
      guard let index = wanted.firstIndex(where: { $0.name == name }) else {
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
    columns = wanted.map {
      TextColumn($0, ColumnBuilder($0.type, capacity: options.batchRowCount))
    }
    for index in targets where !columns[index].isSupported {
      throw .columnType(
        file: file, column: wanted[index].name, expected: "\(wanted[index].type)",
        found: "text of a CSV field")
    }
    self.fields = wanted
    self.targets = targets
    self.window = window
    self.options = options
    self.records = records
    self.line = line
    nullTexts = options.nullTexts.map { Array($0.utf8) }
  }

  /// The next rows; nil after the last.
  func next() async throws(InputError) -> RecordBatch? {
    var rows = 0
    var scratch: [CSVField] = []
    // Whole batches of text can pass 2 GiB; a batch ends long before.
    var taken = 0
    while rows < options.batchRowCount, taken < 256 << 20 {
      let progress = try appendRows(limit: options.batchRowCount - rows, &scratch)
      window.take(progress.byteCount)
      line += progress.lineCount
      rows += progress.rowCount
      taken += progress.byteCount
      if progress.byteCount > 0 { continue }
      if window.isAtEnd { break }
      try await window.refill(line: line)
    }
    guard rows > 0 else { return nil }
    return RecordBatch(
      fields: fields, columns: columns.map { $0.builder.finish() }, rowCount: rows)
  }

  /// How much of the window's text was taken.
  private struct Progress {
    var rowCount = 0
    var byteCount = 0
    var lineCount = 0
  }

  /// Appends the whole rows that the window holds, as far as `limit`.
  private func appendRows(limit: Int, _ scratch: inout [CSVField]) throws(InputError) -> Progress {
    var progress = Progress()
    let unread = window.unread
    let text = unread.bytes
    loop: while progress.rowCount < limit, progress.byteCount < text.byteCount {
      let rest = text.extracting(progress.byteCount..<text.byteCount)
      switch records.parse(rest, isAtEnd: window.isAtEnd, into: &scratch) {
      case .incomplete: break loop
      case .broken(let field, let lineInRecord, let reason):
        throw .malformed(
          file: window.name, line: line + progress.lineCount + lineInRecord,
          column: name(ofField: field), reason: reason)
      case .record(let byteCount, let lineCount):
        if !isBlank(scratch) {
          try append(scratch, of: rest, line: line + progress.lineCount)
          progress.rowCount &+= 1
        }
        progress.byteCount &+= byteCount
        progress.lineCount &+= lineCount
      }
    }
    return progress
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
    _ record: [CSVField], of text: RawSpan, line: Int
  ) throws(InputError) {
    guard record.count == targets.count else {
      throw .fieldCount(
        file: window.name, line: line, expected: targets.count, found: record.count)
    }
    for index in record.indices {
      let column = columns[targets[index]]
      let field = record[index]
      let value = text.extracting(field.start..<field.end)
      if !field.isQuoted, isNull(value) {
        guard column.field.isNullable else {
          throw .missingValue(file: window.name, line: line, column: column.field.name)
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
    for index in absent { columns[index].builder.appendNull() }
  }

  private func isNull(_ text: RawSpan) -> Bool {
    if text.byteCount == 0 { return true }
    for null in nullTexts where null.count == text.byteCount {
      if text.array() == null { return true }
    }
    return false
  }

  private func unparsable(_ column: TextColumn, _ text: RawSpan, _ line: Int) -> InputError {
    .unparsable(
      file: window.name, line: line, column: column.field.name, expected: column.expectation,
      found: text.excerpt)
  }
}

extension CSVInput {
  private static func skipByteOrderMark(_ window: inout TextWindow) async throws(InputError) {
    while window.unread.count < 3, !window.isAtEnd { try await window.refill(line: 1) }
    let unread = window.unread
    if unread.count >= 3, unread.slice(0..<3).array() == [0xef, 0xbb, 0xbf] { window.take(3) }
  }

  /// The texts of the next record; nil at the end.
  private static func nextTexts(
    _ window: inout TextWindow, _ records: CSVRecords, _ line: inout Int
  ) async throws(InputError) -> [String]? {
    var fields: [CSVField] = []
    while true {
      let unread = window.unread
      if unread.isEmpty, window.isAtEnd { return nil }
      switch records.parse(unread.bytes, isAtEnd: window.isAtEnd, into: &fields) {
      case .incomplete: try await window.refill(line: line)
      case .broken(_, let lineInRecord, let reason):
        throw .malformed(
          file: window.name, line: line + lineInRecord, column: nil, reason: reason)
      case .record(let byteCount, let lineCount):
        let texts = Self.texts(fields, of: unread.bytes)
        window.take(byteCount)
        line += lineCount
        return texts
      }
    }
  }

  private static func texts(_ fields: [CSVField], of text: RawSpan) -> [String] {
    var texts: [String] = []
    for field in fields {
      let value = text.extracting(field.start..<field.end)
      let bytes = field.hasEscapes ? CSVRecords.unescaped(value) : value.array()
      texts.append(String(decoding: bytes, as: UTF8.self))
    }
    return texts
  }

  /// The columns of a sample of the rows, which stay to be read.
  private static func infer(
    _ window: inout TextWindow, _ options: InputOptions, _ records: CSVRecords,
    names: [String]?, line: Int
  ) async throws(InputError) -> [ColumnField] {
    // A sample is what some megabytes hold; a longer first row is read to its end.
    while window.unread.count < 8 << 20, !window.isAtEnd { try await window.refill(line: line) }
    var inferences: [TypeInference] = names.map { $0.map { _ in TypeInference() } } ?? []
    let nullTexts = options.nullTexts.map { Array($0.utf8) }
    var fields: [CSVField] = []
    let unread = window.unread
    let text = unread.bytes
    var at = 0
    var rows = 0
    while rows < options.sampleRowCount, at < text.byteCount {
      let rest = text.extracting(at..<text.byteCount)
      guard
        case .record(let byteCount, _) = records.parse(
          rest, isAtEnd: window.isAtEnd, into: &fields)
      else { break }
      if inferences.isEmpty { inferences = fields.map { _ in TypeInference() } }
      for (index, field) in fields.enumerated() where index < inferences.count {
        let value = rest.extracting(field.start..<field.end)
        if !field.isQuoted, value.byteCount == 0 || nullTexts.contains(value.array()) { continue }
        inferences[index].observe(value)
      }
      at += byteCount
      rows += 1
    }
    guard !inferences.isEmpty else { throw .noRows(file: window.name) }
    return inferences.enumerated().map { index, inference in
      ColumnField(names?[index] ?? "column\(index + 1)", inference.type ?? .string)
    }
  }
}

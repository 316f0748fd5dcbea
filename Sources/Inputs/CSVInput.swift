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
  /// The names in the header; nil if there is none.
  let header: [String]?
  private let blocks: TextBlocks<CSVBlockParser>

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
    var wanted = options.columns ?? []
    if options.columns == nil {
      wanted = try await infer(&window, options, records, names: names)
    }
    let parser = try CSVBlockParser(
      file: window.name, options, records, names: names, wanted: wanted)
    if case .bytes(let start) = options.start, start > window.offset {
      try await window.skip(to: start)
      line = 1
    }
    return CSVInput(window, parser, options, header: names, line: line)
  }

  private init(
    _ window: consuming TextWindow, _ parser: CSVBlockParser, _ options: InputOptions,
    header: [String]?, line: Int
  ) {
    fields = parser.fields
    self.header = header
    blocks = TextBlocks(window, parser, options, line: line)
  }

  /// The next rows.
  func step() async throws(InputError) -> InputStep { try await blocks.step() }
}

extension CSVInput {
  private static func skipByteOrderMark(_ window: inout TextWindow) async throws(InputError) {
    try await window.fill(to: 3)
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
      case .broken(_, let lineInRecord, _, let reason):
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
    names: [String]?
  ) async throws(InputError) -> [ColumnField] {
    // A sample is what some megabytes hold; a longer first row is read to its end.
    try await window.fill(to: 8 << 20)
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

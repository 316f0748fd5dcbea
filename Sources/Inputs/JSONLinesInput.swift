// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// Streams the rows of JSON lines as batches: one object a line, blank lines passed over.
final class JSONLinesInput {
  let fields: [ColumnField]
  private var window: TextWindow
  private let options: InputOptions
  private let root: JSONColumn
  private var line = 1

  /// Reads a sample where columns are to be inferred.
  static func open(
    _ source: any ByteSource, _ options: InputOptions
  ) async throws(InputError) -> JSONLinesInput {
    var window = TextWindow(source, rowByteLimit: options.rowByteLimit)
    let fields: [ColumnField]
    if let columns = options.columns {
      fields = columns
    } else {
      fields = try await infer(&window, options)
    }
    return JSONLinesInput(window, options, fields)
  }

  private init(
    _ window: consuming TextWindow, _ options: InputOptions, _ fields: [ColumnField]
  ) {
    self.fields = fields
    self.window = window
    self.options = options
    let type = ColumnType.structure(fields)
    root = JSONColumn(ColumnField("row", type, isNullable: false), ColumnBuilder(type))
  }

  /// The next rows; nil after the last.
  func next() async throws(InputError) -> RecordBatch? {
    var taken = 0
    while root.builder.count < options.batchRowCount, taken < 256 << 20 {
      let (byteCount, lineCount) = try appendRows()
      window.take(byteCount)
      line += lineCount
      taken += byteCount
      if byteCount > 0 { continue }
      if window.isAtEnd { break }
      try await window.refill(line: line)
    }
    let rows = root.builder.count
    guard rows > 0 else { return nil }
    return RecordBatch(fields: fields, columns: root.builder.finish().children, rowCount: rows)
  }

  /// Appends the whole lines that the window holds, as far as the batch goes.
  private func appendRows() throws(InputError) -> (byteCount: Int, lineCount: Int) {
    let unread = window.unread
    let text = unread.bytes
    var at = 0
    var lines = 0
    while root.builder.count < options.batchRowCount, at < text.byteCount {
      guard let end = text.endOfLine(from: at, isAtEnd: window.isAtEnd) else { break }
      try append(text.extracting(at..<end), line: line + lines)
      lines += 1
      at = min(end + 1, text.byteCount)
    }
    return (at, lines)
  }

  private func append(_ text: RawSpan, line: Int) throws(InputError) {
    var reader = JSONReader(text)
    guard reader.nextDocument() else { return }
    let failure: JSONValueFailure?
    do throws(JSONError) {
      failure = try root.appendFields(&reader)
      if failure == nil { try reader.finish() }
    } catch {
      throw .malformed(file: window.name, line: line, column: nil, reason: error.description)
    }
    guard let failure else { return root.builder.endStructure() }
    switch failure.cause {
    case .missing: throw .missingValue(file: window.name, line: line, column: failure.column)
    case .unparsable(let expected, let found):
      throw .unparsable(
        file: window.name, line: line, column: failure.column, expected: expected, found: found)
    case .unknownKey(let key, let known):
      throw .malformed(
        file: window.name, line: line, column: failure.column,
        reason: "'\(key)' is not one of the columns: \(known.joined(separator: ", "))")
    }
  }

  private static func infer(
    _ window: inout TextWindow, _ options: InputOptions
  ) async throws(InputError) -> [ColumnField] {
    while window.unread.count < 8 << 20, !window.isAtEnd { try await window.refill(line: 1) }
    var inference = JSONInference()
    let unread = window.unread
    let text = unread.bytes
    var at = 0
    var line = 1
    while line <= options.sampleRowCount, at < text.byteCount,
      let end = text.endOfLine(from: at, isAtEnd: window.isAtEnd)
    {
      var reader = JSONReader(text.extracting(at..<end))
      do throws(JSONError) {
        if reader.nextDocument() { try inference.observeObject(&reader) }
      } catch {
        throw .malformed(file: window.name, line: line, column: nil, reason: error.description)
      }
      line += 1
      at = min(end + 1, text.byteCount)
    }
    guard !inference.names.isEmpty else { throw .noRows(file: window.name) }
    return inference.columns
  }
}

extension RawSpan {
  /// Where the line from `start` on ends: at its line feed, or at the end of all text; nil if the
  /// rest of the line was not read yet.
  func endOfLine(from start: Int, isAtEnd: Bool) -> Int? {
    var at = start
    // Eight bytes at a time; a byte is zero in the difference where it is a line feed.
    while at &+ 8 <= byteCount {
      let difference = loadLE(at: at, as: UInt64.self) ^ 0x0a0a_0a0a_0a0a_0a0a
      let zeros =
        (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
      if zeros != 0 { return at &+ zeros.trailingZeroBitCount / 8 }
      at &+= 8
    }
    while at < byteCount {
      if loadLE(at: at, as: UInt8.self) == 10 { return at }
      at &+= 1
    }
    return isAtEnd ? byteCount : nil
  }
}

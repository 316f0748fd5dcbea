// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import JSON

/// Streams the rows of JSON lines as batches: one object a line, blank lines passed over.
final class JSONLinesInput {
  let fields: [ColumnField]
  private let blocks: TextBlocks<JSONBlockParser>

  /// Reads a sample where columns are to be inferred.
  static func open(
    _ source: any ByteSource, _ options: InputOptions
  ) async throws(InputError) -> JSONLinesInput {
    var window = TextWindow(source, rowByteLimit: options.rowByteLimit)
    var fields = options.columns ?? []
    if options.columns == nil { fields = try await infer(&window, options) }
    if case .bytes(let start) = options.start { try await window.skip(to: start) }
    return JSONLinesInput(window, options, fields)
  }

  private init(
    _ window: consuming TextWindow, _ options: InputOptions, _ fields: [ColumnField]
  ) {
    self.fields = fields
    let parser = JSONBlockParser(file: window.name, fields, options)
    blocks = TextBlocks(window, parser, options, line: 1)
  }

  /// The next rows.
  func step() async throws(InputError) -> InputStep { try await blocks.step() }

  private static func infer(
    _ window: inout TextWindow, _ options: InputOptions
  ) async throws(InputError) -> [ColumnField] {
    // A sample is what some megabytes hold.
    try await window.fill(to: 8 << 20)
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

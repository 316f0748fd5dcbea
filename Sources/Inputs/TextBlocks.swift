// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// What was made of a block of text.
struct ParsedBlock: Sendable {
  var batches: [RecordBatch] = []
  /// Where the first row begins that was not parsed: it begins behind the block, or does not end.
  var end = 0
  var lineCount = 0
}

/// Makes batches of rows of text. A value that tasks share.
protocol TextBlockParser: Sendable {
  /// Parses the rows that begin in `range` of `text`, at whose start one begins.
  ///
  /// - Parameter line: the number of the first line, for errors.
  func parse(
    _ text: Buffer, _ range: Range<Int>, isAtEnd: Bool, line: Int
  ) throws(InputError) -> ParsedBlock
}

/// Streams the rows of a text as batches, parsing blocks of it in parallel.
///
/// Where a block begins is a guess: behind a line feed, which may be inside a quoted field. The
/// first block begins where a row does; each other one counts only if the one before it ended where
/// it began, and is parsed again if not. So guesses cost time at worst.
/// Laws: the same rows in the same order whatever the number of threads.
final class TextBlocks<Parser: TextBlockParser> {
  private var window: TextWindow
  private let parser: Parser
  private let threads: Int
  /// So many bytes are parsed by one task: rows for about one batch.
  private let blockByteCount: Int
  /// The number of the line that comes next.
  private var line: Int
  private var ready: [RecordBatch] = []
  private var nextReady = 0

  init(
    _ window: consuming TextWindow, _ parser: Parser, _ options: InputOptions, line: Int
  ) {
    self.window = window
    self.parser = parser
    threads = max(1, options.threads)
    blockByteCount = max(1, options.blockByteCount)
    self.line = line
  }

  /// The next rows; nil after the last.
  func next() async throws(InputError) -> RecordBatch? {
    while nextReady == ready.count {
      ready = []
      nextReady = 0
      try await window.fill(to: threads * blockByteCount)
      if window.unread.isEmpty { return nil }
      if try await !parseBlocks() {
        // One row that does not end yet.
        try await window.refill(line: line)
      }
    }
    nextReady += 1
    return ready[nextReady - 1]
  }

  /// Parses what is there; false if that is not one whole row.
  private func parseBlocks() async throws(InputError) -> Bool {
    let text = window.unread
    let isAtEnd = window.isAtEnd
    let ranges = blocks(of: text)
    let results = await parse(text, ranges, isAtEnd: isAtEnd)
    var end = 0
    for (range, result) in zip(ranges, results) {
      guard range.lowerBound == end else { break }
      let block: ParsedBlock
      switch result {
      case .success(let parsed): block = parsed
      case .failure:
        // Again, now that the number of its first line is known.
        block = try parser.parse(text, range, isAtEnd: isAtEnd, line: line)
      }
      ready += block.batches
      line += block.lineCount
      end = block.end
    }
    window.take(end)
    return end > 0
  }

  private func blocks(of text: Buffer) -> [Range<Int>] {
    let count = max(1, min(threads, text.count / blockByteCount))
    var ranges: [Range<Int>] = []
    var start = 0
    for index in 1...count {
      var end = text.count
      if index < count {
        let middle = max(start, text.count / count * index)
        end = min(text.count, (text.bytes.endOfLine(from: middle, isAtEnd: true) ?? middle) + 1)
      }
      if end > start { ranges.append(start..<end) }
      start = end
    }
    return ranges
  }

  private func parse(
    _ text: Buffer, _ ranges: [Range<Int>], isAtEnd: Bool
  ) async -> [Result<ParsedBlock, InputError>] {
    let parser = self.parser
    let line = self.line
    guard ranges.count > 1 else {
      return ranges.map { Self.parse(parser, text, $0, isAtEnd, line) }
    }
    return await withTaskGroup(of: (Int, Result<ParsedBlock, InputError>).self) { tasks in
      for (index, range) in ranges.enumerated() {
        tasks.addTask { (index, Self.parse(parser, text, range, isAtEnd, line)) }
      }
      var results: [(Int, Result<ParsedBlock, InputError>)] = []
      for await result in tasks { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static func parse(
    _ parser: Parser, _ text: Buffer, _ range: Range<Int>, _ isAtEnd: Bool, _ line: Int
  ) -> Result<ParsedBlock, InputError> {
    do throws(InputError) {
      return .success(try parser.parse(text, range, isAtEnd: isAtEnd, line: line))
    } catch {
      return .failure(error)
    }
  }
}

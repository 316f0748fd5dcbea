// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// What was made of a block of text.
struct ParsedBlock: Sendable {
  var batches: [ParsedBatch] = []
  /// Where the first row begins that was not parsed: it begins behind the block, or does not end.
  var end: Int
  var lineCount = 0

  init(start: Int) { end = start }

  var hasRejectedRows: Bool { batches.contains { !$0.rejected.isEmpty } }
}

/// The rows of one batch, and where they end: counted from the start of their block.
struct ParsedBatch: Sendable {
  let batch: RecordBatch
  let places: RowPlaces
  let byteEnd: Int
  let lineEnd: Int
  var rejected: [RejectedRow] { places.rejected }
}

/// Notes where rows end, and those kept apart, for the batch that is being built.
struct RowPlaces: Sendable {
  var byteEnds: [UInt32] = []
  var lineEnds: [UInt32] = []
  var rejectedBefore: [UInt32] = []
  var rejected: [RejectedRow] = []

  /// - Parameters: where the row ends, counted from the start of its block.
  mutating func addRow(byteEnd: Int, lineEnd: Int) {
    byteEnds.append(UInt32(truncatingIfNeeded: byteEnd))
    lineEnds.append(UInt32(truncatingIfNeeded: lineEnd))
    rejectedBefore.append(UInt32(truncatingIfNeeded: rejected.count))
  }

  mutating func reject(_ error: InputError, _ text: RawSpan) {
    var end = text.byteCount
    while end > 0, [10, 13].contains(text.loadLE(at: end - 1, as: UInt8.self)) { end -= 1 }
    rejected.append(
      RejectedRow(
        error: error, text: Buffer(text.extracting(0..<end).array()),
        precedingRowCount: byteEnds.count))
  }
}

/// Makes batches of rows of text. A value that tasks share.
protocol TextBlockParser: Sendable {
  /// Parses the rows that begin in `range` of `text`, at whose start one begins.
  ///
  /// - Parameter line: the number of the first line, for errors.
  func parse(
    _ text: Buffer, _ range: Range<Int>, isAtEnd: Bool, line: Int
  ) throws(InputError) -> ParsedBlock

  /// The length of at most `lineCount` lines at the start of `text`, in whole rows; taken off it.
  func skip(_ text: RawSpan, isAtEnd: Bool, lineCount: inout Int64) -> Int
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
  /// How many lines are passed over before the first row.
  private var linesToSkip: Int64 = 0
  private var rowCount: Int64 = 0
  private var ready: [InputRows] = []
  private var nextReady = 0

  init(
    _ window: consuming TextWindow, _ parser: Parser, _ options: InputOptions, line: Int
  ) {
    self.window = window
    self.parser = parser
    threads = max(1, options.threads)
    blockByteCount = max(1, options.blockByteCount)
    self.line = line
    if case .lines(let count) = options.start { linesToSkip = max(0, count - Int64(line - 1)) }
  }

  /// The next rows.
  func step() async throws(InputError) -> InputStep {
    while nextReady == ready.count {
      ready = []
      nextReady = 0
      try await window.fill(to: threads * blockByteCount)
      if window.unread.isEmpty, window.isAtEnd { return try end() }
      if try await !takeBlocks() {
        // One row that does not end yet.
        if window.isPaused {
          try window.checkLength(line: line)
          return .pause
        }
        try await window.refill(line: line)
      }
    }
    nextReady += 1
    return .rows(ready[nextReady - 1])
  }

  private func end() throws(InputError) -> InputStep {
    guard linesToSkip == 0 else {
      let end = Int64(line - 1)
      throw .endsBeforeStart(file: window.name, start: end + linesToSkip, end: end)
    }
    return .end
  }

  /// Skips or parses what is there; false if that is not one whole row.
  private func takeBlocks() async throws(InputError) -> Bool {
    if window.unread.isEmpty { return false }
    guard linesToSkip > 0 else { return try await parseBlocks() }
    var left = linesToSkip
    let text = window.unread
    let byteCount = parser.skip(text.bytes, isAtEnd: window.isAtEnd, lineCount: &left)
    window.take(byteCount)
    line += Int(linesToSkip - left)
    linesToSkip = left
    return byteCount > 0
  }

  /// Parses what is there; false if that is not one whole row.
  private func parseBlocks() async throws(InputError) -> Bool {
    let text = window.unread
    let isAtEnd = window.isAtEnd
    let ranges = blocks(of: text)
    let results = await parse(text, ranges, isAtEnd: isAtEnd)
    var end = 0
    let assumedLine = line
    for (range, result) in zip(ranges, results) {
      guard range.lowerBound == end else { break }
      let block: ParsedBlock
      switch result {
      case .success(let parsed) where line == assumedLine || !parsed.hasRejectedRows:
        block = parsed
      case .success, .failure:
        // Again, now that the number of its first line is known.
        block = try parser.parse(text, range, isAtEnd: isAtEnd, line: line)
      }
      place(block, from: range.lowerBound)
      line += block.lineCount
      end = block.end
    }
    window.take(end)
    return end > 0
  }

  /// Readies the rows of a block that begins at `start` of what is unread.
  private func place(_ block: ParsedBlock, from start: Int) {
    var blockStart = InputPlace()
    blockStart.byteCount = window.offset + Int64(start)
    blockStart.lineCount = Int64(line - 1)
    var place = blockStart
    place.rowCount = rowCount
    for part in block.batches {
      var end = blockStart
      end.byteCount += Int64(part.byteEnd)
      end.lineCount += Int64(part.lineEnd)
      end.rowCount = place.rowCount + Int64(part.batch.rowCount + part.rejected.count)
      let lines = InputRows.RowLines(
        blockStart: blockStart, byteEnds: part.places.byteEnds, lineEnds: part.places.lineEnds,
        rejectedBefore: part.places.rejectedBefore)
      ready.append(
        InputRows(
          batch: part.batch, rejected: part.rejected, end: end, lines: lines, start: place))
      place = end
    }
    rowCount = place.rowCount
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

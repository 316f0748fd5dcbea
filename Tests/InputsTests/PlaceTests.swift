// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Synchronization
import Testing

@testable import Inputs

@Suite("Places in inputs, rows kept apart, sources that grow")
struct PlaceTests {
  private static let fields = [ColumnField("a", .int64), ColumnField("b", .string)]

  private static func options(
    block: Int = 40, threads: Int = 2, batch: Int = 3, start: InputStart = .beginning,
    badRows: InputOptions.BadRows = .fail
  ) -> InputOptions {
    var options = InputOptions()
    options.columns = fields
    options.blockByteCount = block
    options.threads = threads
    options.batchRowCount = batch
    options.start = start
    options.badRows = badRows
    return options
  }

  /// Everything that an input gives: rows as text, and what was kept apart as `line: text`.
  private struct Contents {
    var rows: [String] = []
    var rejected: [String] = []
    /// Behind each row of the batches.
    var places: [InputPlace] = []
    var end = InputPlace()
  }

  private static func text(_ batch: RecordBatch) -> [String] {
    var text = MutableBuffer()
    batch.appendLines(.json, to: &text)
    return String(decoding: text.freeze().array(), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  private static func read(_ reader: InputReader) async throws -> Contents {
    var contents = Contents()
    while true {
      guard case .rows(let part) = try await reader.step() else { return contents }
      contents.rows += text(part.batch)
      for count in stride(from: 1, through: part.batch.rowCount, by: 1) {
        contents.places.append(part.place(after: count))
        guard count < part.batch.rowCount else { continue }
        // Cutting a batch in two changes nothing.
        let (head, tail) = (part.slice(0..<count), part.slice(count..<part.batch.rowCount))
        #expect(head.end == part.place(after: count) && tail.end == part.end)
        #expect(head.rejected.count + tail.rejected.count == part.rejected.count)
        #expect(tail.place(after: 1) == part.place(after: count + 1))
      }
      for row in part.rejected {
        let line =
          switch row.error {
          case .unparsable(_, let line, _, _, _), .malformed(_, let line, _, _),
            .missingValue(_, let line, _), .fieldCount(_, let line, _, _):
            line
          default: -1
          }
        contents.rejected.append("\(line): \(String(decoding: row.text.array(), as: UTF8.self))")
      }
      contents.end = part.end
    }
  }

  private static func read(
    _ text: String, _ format: InputFormat, _ options: InputOptions
  ) async throws -> Contents {
    try await read(
      InputReader.open(SeekableText(text, chunk: 7), format: format, options: options))
  }

  private static let texts: [(InputFormat, String)] = [
    (
      .jsonl,
      (0..<40).map { #"{"a":\#($0),"b":"x\#($0)"}"# + ($0 % 7 == 0 ? "\n\n" : "\n") }
        .joined()
    ),
    (
      .csv,
      "a,b\n"
        + (0..<40).map { i in
          i % 5 == 0 ? "\(i),\"two\nlines\"\n" : i % 7 == 0 ? "\(i),x\r\n\n" : "\(i),x\(i)\n"
        }.joined()
    ),
  ]

  @Test(arguments: texts)
  func `reading goes on from the place behind any row`(
    format: InputFormat, text: String
  ) async throws {
    let all = try await Self.read(text, format, Self.options())
    #expect(all.rows.count == 40 && all.end.byteCount == text.utf8.count)
    for (index, place) in all.places.enumerated() {
      let starts: [InputStart] = [
        .bytes(place.byteCount), .lines(place.lineCount), .rows(place.rowCount),
      ]
      for start in starts {
        let rest = try await Self.read(text, format, Self.options(block: 100, start: start))
        #expect(rest.rows == Array(all.rows[(index + 1)...]), "from \(start)")
      }
      // A source that can't seek is read up to the place.
      let reader = try await InputReader.open(
        TextSource(text, chunk: 11), format: format,
        options: Self.options(start: .bytes(place.byteCount)))
      let rest = try await Self.read(reader)
      #expect(rest.rows == Array(all.rows[(index + 1)...]))
    }
  }

  @Test(arguments: texts)
  func `an input that ends before the place, or has no line end there, is another one`(
    format: InputFormat, text: String
  ) async throws {
    for start in [InputStart.bytes(9999), .lines(9999), .rows(9999)] {
      do {
        _ = try await Self.read(text, format, Self.options(start: start))
        Issue.record("nothing thrown from \(start)")
      } catch InputError.endsBeforeStart(_, 9999, _) {}
    }
    do {
      _ = try await Self.read(text, format, Self.options(start: .bytes(15)))
      Issue.record("nothing thrown within a line")
    } catch InputError.startsWithinLine(_, 15) {}
  }

  @Test(arguments: [1, 2, 5], [15, 60, 5000])
  func `rows that do not fit are kept apart, with their lines, and change no other`(
    threads: Int, block: Int
  ) async throws {
    let good = (0..<60).map { #"{"a":\#($0),"b":"x"}"# }
    let bad = [#"{"a":"k"}"#, #"{"b":1,"#, #"{"c":1}"#, #"{"b":"late","a":{}}"#, "[]"]
    var lines: [String] = []
    var expected: [String] = []
    for (index, line) in good.enumerated() {
      if index % 4 == 0 {
        lines.append(bad[index / 4 % bad.count])
        expected.append("\(lines.count): \(lines[lines.count - 1])")
      }
      lines.append(line)
    }
    let options = Self.options(block: block, threads: threads, badRows: .keepApart)
    let text = lines.joined(separator: "\n")
    let found = try await Self.read(text, .jsonl, options)
    #expect(found.rows == good)
    #expect(found.rejected == expected)
    #expect(found.end.rowCount == Int64(lines.count))
  }

  @Test func `bad CSV records are kept apart, and the next line is a row again`() async throws {
    let text = """
      a,b
      1,x
      k,y
      2,"z
      z"
      3
      "4"4,x
      5,"x

      """
    let options = Self.options(block: 1000, badRows: .keepApart)
    let found = try await Self.read(text, .csv, options)
    #expect(found.rows == [#"{"a":1,"b":"x"}"#, #"{"a":2,"b":"z\nz"}"#])
    #expect(found.rejected == ["3: k,y", "6: 3", "7: \"4\"4,x", "8: 5,\"x"])
  }

  @Test func `only whole lines are taken of a source that grows`() async throws {
    let source = GrowingText()
    let reader = try await InputReader.open(source, format: .jsonl, options: Self.options())
    func step() async throws -> [String]? {
      switch try await reader.step() {
      case .rows(let rows): Self.text(rows.batch)
      case .pause: []
      case .end: nil
      }
    }
    #expect(try await step() == [])
    source.add(#"{"a""#)
    #expect(try await step() == [])
    source.add(#":1,"b":null}"#)
    #expect(try await step() == [])
    source.add("\n{}\n{")
    #expect(try await step() == [#"{"a":1,"b":null}"#, #"{"a":null,"b":null}"#])
    #expect(try await step() == [])
    source.add("}")
    source.end()
    #expect(try await step() == [#"{"a":null,"b":null}"#])
    #expect(try await step() == nil)
  }
}

/// A text that can be read from any byte on.
private struct SeekableText: SeekableByteSource {
  let name = "text"
  private let bytes: [UInt8]
  private let chunk: Int
  private var offset = 0

  init(_ text: String, chunk: Int) {
    bytes = [UInt8](text.utf8)
    self.chunk = chunk
  }

  func byteCount() async throws(InputError) -> Int64 { Int64(bytes.count) }
  mutating func seek(to offset: Int64) { self.offset = Int(offset) }

  mutating func read() async throws(InputError) -> Buffer? {
    guard offset < bytes.count else { return nil }
    let part = bytes[offset...].prefix(chunk)
    offset += part.count
    return Buffer([UInt8](part))
  }
}

/// A text to which more is added while it is read.
private final class GrowingText: ByteSource {
  let name = "growing"
  private let state = Mutex<(text: [UInt8], isDone: Bool)>(([], false))

  func add(_ text: String) { state.withLock { $0.text += Array(text.utf8) } }
  func end() { state.withLock { $0.isDone = true } }

  func read() async throws(InputError) -> Buffer? {
    state.withLock { state in
      if state.text.isEmpty { return state.isDone ? nil : .empty }
      defer { state.text = [] }
      return Buffer(state.text)
    }
  }
}

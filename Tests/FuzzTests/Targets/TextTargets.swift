// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Inputs
import JSON

/// JSON, and the texts users hand in.
enum TextTargets {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "json", run: json, seeds: { texts(jsons) }, files: [".metadata.json"]),
    FuzzTarget(name: "csv", run: csv, seeds: { texts(csvs) }),
    FuzzTarget(name: "jsonLines", run: jsonLines, seeds: { texts(lines) }),
  ]

  // MARK: JSON

  /// Laws: a value is skipped if and only if it is read; what was read and written reads the same.
  static func json(_ bytes: Buffer) throws(BrokenLaw) {
    let skipped: Void? = attempt { () throws(JSONError) in
      var reader = JSONReader(bytes.bytes)
      try reader.skipValue()
      try reader.finish()
    }
    let read = attempt { () throws(JSONError) in try JSONValue(parsing: bytes.bytes) }
    guard let read else { return }
    try hold(skipped != nil, "a value that is read and not skipped")
    for layout in [JSONLayout.compact, .indented] {
      guard let text = attempt({ () throws(JSONError) in try read.text(layout) }) else { continue }
      let again = attempt { () throws(JSONError) in try JSONValue(parsing: text.bytes) }
      try hold(again == read, "a value that changes when it is read back")
    }
  }

  // MARK: Inputs

  /// input := what is told of the file, size of chunks, text. Law: chunks change nothing.
  static func csv(_ bytes: Buffer) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let told = choices.byte()
    let chunk = 1 + choices.byte()
    var options = InputOptions()
    options.header = told & 1 == 0 ? .present : .absent
    options.delimiter = [0x2c, 0x3b, 0x09, 0x7c][told >> 1 & 3]
    if told & 8 != 0 { options.nullTexts = ["NA"] }
    options.sampleRowCount = told & 16 == 0 ? 20_000 : 2
    if told & 32 != 0 {
      options.columns = [ColumnField("a", .int64), ColumnField("b", .string)]
    }
    guard hasFewFields(choices.rest, options.delimiter) else { return }
    try chunksChangeNothing(.csv, options, choices.rest, chunk)
  }

  /// Columns take most of the time of a small input, and a hundred do nothing that ten do not: with
  /// them, the address sanitizer gets through some 80 inputs a second.
  private static func hasFewFields(_ text: Buffer, _ delimiter: UInt8) -> Bool {
    text.array().count { $0 == delimiter } <= 24
  }

  static func jsonLines(_ bytes: Buffer) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let told = choices.byte()
    let chunk = 1 + choices.byte()
    var options = InputOptions()
    options.sampleRowCount = told & 1 == 0 ? 20_000 : 2
    if told & 2 != 0 {
      options.columns = [
        ColumnField("a", .decimal(precision: 9, scale: 2)),
        ColumnField("b", .timestamp(.microseconds, zoned: true)),
        ColumnField("c", .list(ColumnField("element", .double))),
      ]
    }
    try chunksChangeNothing(.jsonl, options, choices.rest, chunk)
  }

  private static func chunksChangeNothing(
    _ format: InputFormat, _ options: InputOptions, _ text: Buffer, _ chunk: Int
  ) throws(BrokenLaw) {
    var options = options
    options.format = format
    options.batchRowCount = 100
    options.rowByteLimit = 1 << 20
    options.threads = 1
    let whole = rows(text, options, chunk: max(1, text.count))
    let parts = rows(text, options, chunk: chunk)
    try hold((whole == nil) == (parts == nil), "chunks change whether it is read")
    guard let whole, let parts, let first = whole.first, let other = parts.first else { return }
    try hold(first.fields == other.fields, "chunks change the columns")
    for i in first.columns.indices {
      let one = try? Column.concat(whole.map { $0.columns[i] })
      let two = try? Column.concat(parts.map { $0.columns[i] })
      if let one, let two { try hold(one.isEqual(to: two), "chunks change column \(i)") }
    }
  }

  private struct Chunks: ByteSource {
    let name = "input"
    var rest: Buffer
    let byteCount: Int

    mutating func read() async throws(InputError) -> Buffer? {
      guard rest.count > 0 else { return nil }
      let end = min(byteCount, rest.count)
      defer { rest = rest.slice(end..<rest.count) }
      return rest.slice(0..<end)
    }
  }

  private static func rows(
    _ text: Buffer, _ options: InputOptions, chunk: Int
  ) -> [RecordBatch]? {
    Waiting.value {
      guard let format = options.format,
        let reader = try? await InputReader.open(
          Chunks(rest: text, byteCount: chunk), format: format, options: options)
      else { return nil }
      var batches: [RecordBatch] = []
      do throws(InputError) {
        while let batch = try await reader.next() { batches.append(batch) }
      } catch {
        return nil
      }
      return batches
    }
  }

  // MARK: Seeds

  private static func texts(_ texts: [String]) -> [Buffer] { texts.map { Buffer(utf8: $0) } }

  private static let jsons = [
    #"{"a":[1,-2.5e3,true,false,null,"\u00e9\n\ud83d\ude00"],"b":{"c":{}}}"#, "[]", "0.1", #""""#,
    "[1e400,-0,9223372036854775807,9223372036854775808,1.0E-5]",
  ]
  private static let csvs = [
    "\0\u{10}a,b,c\n1,x,2.5\n-2,\"y, \"\"z\"\"\",\n,,1e9\n",
    "\u{1}\u{3}2024-01-31,12:30:00,true,0.10\r\n2024-02-29,00:00:00.5,false,12345678901.25\r\n",
    "\u{2}\u{5}n;t\n9223372036854775807;2024-01-31T12:30:00.123Z\n1;2024-01-31 12:30:00+02:00\n",
    "\u{28}\u{2}a,b\n1,NA\nNA,\"\"\n", "\u{10}\u{40}i\n1\n2\n3.5\nx\n",
  ]
  private static let lines = [
    "\0\u{10}{\"a\":1,\"b\":\"x\",\"c\":[1.5,null]}\n{\"b\":null,\"a\":-2}\n\n",
    "\u{1}\u{4}{\"s\":{\"t\":[{\"u\":true}]},\"n\":1}\n{\"s\":{\"t\":[]},\"n\":2.5}\n{\"n\":null}",
    "\u{2}\u{7}{\"a\":12.25,\"b\":\"2024-01-31T12:30:00Z\",\"c\":[1,2]}\n{\"c\":null}\n",
  ]
}

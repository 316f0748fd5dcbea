// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@testable import Inputs

@Suite("CSV input")
struct CSVInputTests {
  private func csv(
    _ text: String, _ options: InputOptions = InputOptions()
  ) async throws -> [String] {
    try await TextSource.rows(TextSource(text), .csv, options).rows
  }

  @Test func `quotes hold delimiters, line ends and doubled quotes`() async throws {
    let rows = try await csv("a,b\r\n\"x,y\",\"line\nend\"\r\n\"say \"\"hi\"\"\",it's \"so\"\r\n")
    #expect(rows == [#"{"a":"x,y","b":"line\nend"}"#, #"{"a":"say \"hi\"","b":"it's \"so\""}"#])
  }

  @Test func `an empty field is null and a quoted empty one is not`() async throws {
    #expect(try await csv("a,b\n,\"\"\n") == [#"{"a":null,"b":""}"#])
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func `lines end in any way, the last one need not`(end: String) async throws {
    let rows = try await csv("a,b" + end + "1,2" + end + end + "3,4")
    #expect(rows == [#"{"a":1,"b":2}"#, #"{"a":3,"b":4}"#])
  }

  @Test func `null spellings count where they are not quoted`() async throws {
    var options = InputOptions()
    options.nullTexts = ["NA", "NULL"]
    #expect(
      try await csv("a\n1\nNA\nNULL\n", options) == [#"{"a":1}"#, #"{"a":null}"#, #"{"a":null}"#])
    #expect(try await csv("a\n\"NA\"\nx\n", options) == [#"{"a":"NA"}"#, #"{"a":"x"}"#])
  }

  @Test(arguments: [";", "\t", "|"])
  func `other delimiters separate`(delimiter: String) async throws {
    var options = InputOptions()
    options.delimiter = delimiter.utf8.first ?? 0
    #expect(
      try await csv("a\(delimiter)b\n1,5\(delimiter)x\n", options) == [#"{"a":"1,5","b":"x"}"#])
  }

  @Test func `types are the narrowest that hold all of a sample`() async throws {
    let text = """
      a,b,c,d,e,f,g,h
      1,1,true,2024-01-31,2024-01-31,12:30:00,2024-01-31T10:00:00Z,007
      -2,2.5,false,1969-12-31,2024-01-31 11:00:00,23:59:59.5,2024-01-31T10:00:00+01:00,1
      """
    let fields = try await TextSource.rows(TextSource(text), .csv).fields
    #expect(
      fields.map(\.type) == [
        .int64, .double, .boolean, .date, .timestamp(.microseconds, zoned: false), .time,
        .timestamp(.microseconds, zoned: true), .string,
      ])
  }

  @Test func `errors name the line and the column`() async {
    var options = InputOptions()
    options.columns = [.init("a", .int64), .init("b", .date, isNullable: false)]
    let start = "a,b\n1,2024-01-01\n"
    #expect(
      await TextSource.error(start + "x,2024-01-01\n", .csv, options) == "unparsable 3 a: x")
    #expect(await TextSource.error(start + "1,\n", .csv, options) == "missingValue 3 b")
    #expect(
      await TextSource.error(start + "1,2024-01-01\n1,2,3\n", .csv, options)
        == "fieldCount 4: 2 3")
    let texts = [ColumnField("a", .string), ColumnField("b", .string)].options
    #expect(
      await TextSource.error(start + "\"1\n\",\"2\"x\n", .csv, texts) == "malformed 4 b")
    // The line that the quote is on which has no partner.
    #expect(await TextSource.error(start + "1,\"2\n\n", .csv, texts) == "malformed 3 b")
  }

  /// A field as it is, and as CSV spells it.
  private static func field(_ random: inout Seeded) -> (value: String?, text: String) {
    let piece = ["a", ",", "\"", "\n", "\r\n", "é", "\r", " ", "long text without anything"]
    let value = (0..<random.below(6)).map { _ in random.pick(piece) }.joined()
    let needsQuotes = value.contains { ",\"\n\r\r\n".contains($0) }
    if needsQuotes || random.chance(20) {
      return (
        value,
        "\""
          + value.split(separator: "\"", omittingEmptySubsequences: false)
          .joined(separator: "\"\"") + "\""
      )
    }
    return (value.isEmpty ? nil : value, value)
  }

  /// Held to the values the text was made of.
  @Test(arguments: 0..<40)
  func `rows are what was spelled, whatever the blocks, chunks and threads`(
    seed: Int
  ) async throws {
    var random = Seeded(UInt64(seed))
    let width = 2 + random.below(3)
    var text = (0..<width).map { "c\($0)" }.joined(separator: ",") + "\n"
    var expected: [[String?]] = []
    for _ in 0..<random.pick([1, 30, 300]) {
      let fields = (0..<width).map { _ in Self.field(&random) }
      text += fields.map(\.text).joined(separator: ",") + random.pick(["\n", "\r\n"])
      expected.append(fields.map(\.value))
    }
    var options = (0..<width).map { ColumnField("c\($0)", .string) }.options
    options.threads = random.pick([1, 2, 5])
    options.blockByteCount = random.pick([1, 20, 200, 1 << 20])
    options.batchRowCount = random.pick([1, 7, 1000])
    let source = TextSource(text, chunk: random.pick([1, 13, 1 << 20]))
    let reader = try await InputReader.open(source, format: .csv, options: options)
    var found: [[String?]] = []
    while let batch = try await reader.next() {
      #expect(batch.rowCount <= options.batchRowCount)
      for row in 0..<batch.rowCount {
        found.append(batch.columns.map { $0.isNull(row) ? nil : $0.string(row) })
      }
    }
    #expect(found == expected)
  }

  @Test func `an error in a later block has its own line`() async {
    var options = [ColumnField("a", .int64)].options
    options.threads = 4
    options.blockByteCount = 50
    let lines = (1...200).map { $0 == 150 ? "x" : "\($0)" }.joined(separator: "\n")
    #expect(await TextSource.error("a\n" + lines, .csv, options) == "unparsable 151 a: x")
  }
}

extension [ColumnField] {
  /// Options that want these columns.
  var options: InputOptions {
    var options = InputOptions()
    options.columns = self
    return options
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Testing

@testable import Inputs

@Suite("JSON lines input")
struct JSONLinesInputTests {
  private func json(_ text: String) async throws -> (fields: [ColumnField], rows: [String]) {
    try await TextSource.rows(TextSource(text), .jsonl)
  }

  @Test func `a key that is missing is null, at any depth`() async throws {
    let (_, rows) = try await json(
      """
      {"a": 1, "s": {"x": 1, "y": "k"}}
      {"s": {"y": null}}

      {"s": null, "a": 2}
      """)
    #expect(
      rows == [
        #"{"a":1,"s":{"x":1,"y":"k"}}"#, #"{"a":null,"s":{"x":null,"y":null}}"#,
        #"{"a":2,"s":null}"#,
      ])
  }

  @Test func `types widen: long to double, different kinds to text`() async throws {
    let (fields, rows) = try await json(
      """
      {"n": 1, "m": 1, "d": "2024-01-01"}
      {"n": 2.5, "m": "x", "d": "2024-01-01T10:00:00"}
      {"n": null, "m": true, "d": null}
      """)
    #expect(
      fields.map(\.type) == [.double, .string, .timestamp(.microseconds, zoned: false)])
    #expect(rows[0] == #"{"n":1.0,"m":"1","d":"2024-01-01T00:00:00.000000"}"#)
    #expect(rows[2] == #"{"n":null,"m":"true","d":null}"#)
  }

  @Test func `structures and lists merge over rows`() async throws {
    let (fields, rows) = try await json(
      """
      {"s": {"a": 1}, "l": [1, 2]}
      {"s": {"b": [true]}, "l": []}
      {"s": {"a": 2.5}, "l": [null, 0.5]}
      """)
    #expect(
      fields.map(\.type) == [
        .structure([
          .init("a", .double), .init("b", .list(.init("element", .boolean))),
        ]), .list(.init("element", .double)),
      ])
    #expect(
      rows == [
        #"{"s":{"a":1.0,"b":null},"l":[1.0,2.0]}"#, #"{"s":{"a":null,"b":[true]},"l":[]}"#,
        #"{"s":{"a":2.5,"b":null},"l":[null,0.5]}"#,
      ])
  }

  @Test func `a value of another kind than its column's others is its text`() async throws {
    let (_, rows) = try await json(
      """
      {"a": {"x": 1}}
      {"a": [1, "y"]}
      """)
    #expect(rows == [#"{"a":"{\"x\": 1}"}"#, #"{"a":"[1, \"y\"]"}"#])
  }

  @Test func `errors name the line and the path`() async {
    var options = [ColumnField("s", .structure([ColumnField("x", .int64)]))].options
    options.threads = 3
    options.blockByteCount = 30
    let start = String(repeating: #"{"s": {"x": 1}}"# + "\n", count: 20)
    func error(_ line: String) async -> String {
      await TextSource.error(start + line, .jsonl, options)
    }
    #expect(await error(#"{"s": {"x": "k"}}"#) == "unparsable 21 s.x: k")
    #expect(await error(#"{"s": {"x": 1}"#) == "malformed 21 -")
    #expect(await error(#"{"s": {"z": 1}}"#) == "malformed 21 s.z")
    #expect(await error(#"{"s": {"x": 1, "x": 1}}"#) == "malformed 21 -")
  }

  @Test(arguments: [1, 3, 40])
  func `blocks, chunks and threads change nothing`(threads: Int) async throws {
    let text = (0..<300).map { #"{"i":\#($0),"s":"\#(String(repeating: "é\\n", count: $0 % 7))"}"# }
      .joined(separator: "\n")
    let expected = try await json(text).rows
    #expect(expected.count == 300)
    for block in [1, 33, 1000] {
      var options = InputOptions()
      options.threads = threads
      options.blockByteCount = block
      let found = try await TextSource.rows(TextSource(text, chunk: 17), .jsonl, options).rows
      #expect(found == expected, "blocks of \(block)")
    }
  }
}

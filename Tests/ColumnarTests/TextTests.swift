// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@testable import Columnar

@Suite("Rows as text")
struct TextTests {
  private func lines(_ batch: RecordBatch, _ form: TextForm) -> [String] {
    var output = MutableBuffer()
    batch.appendLines(form, to: &output)
    let text = String(decoding: output.bytes.array(), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  private func column(_ type: ColumnType, _ fill: (ColumnBuilder) -> Void) -> RecordBatch {
    let builder = BatchBuilder([ColumnField("c", type)])
    fill(builder.columns[0])
    return builder.finish()
  }

  @Test func `numbers and moments have their canonical text`() {
    func json(_ type: ColumnType, _ value: Int64) -> String {
      lines(
        column(type) {
          $0.type.layout == .fixed(width: 4) ? $0.append(Int32(value)) : $0.append(value)
        },
        .json)[0]
    }
    #expect(json(.int64, .min) == #"{"c":-9223372036854775808}"#)
    #expect(json(.int32, 0) == #"{"c":0}"#)
    #expect(json(.decimal(precision: 9, scale: 2), -5) == #"{"c":"-0.05"}"#)
    #expect(json(.decimal(precision: 18, scale: 18), .max / 10) == #"{"c":"0.922337203685477580"}"#)
    #expect(json(.decimal(precision: 4, scale: 0), 1230) == #"{"c":"1230"}"#)
    #expect(json(.date, 19782) == #"{"c":"2024-02-29"}"#)
    #expect(json(.date, -719529) == #"{"c":"-0001-12-31"}"#)
    #expect(json(.date, 2_932_897) == #"{"c":"+10000-01-01"}"#)
    #expect(json(.time, 86_399_123_456) == #"{"c":"23:59:59.123456"}"#)
    #expect(
      json(.timestamp(.microseconds, zoned: true), -1) == #"{"c":"1969-12-31T23:59:59.999999Z"}"#)
    #expect(
      json(.timestamp(.nanoseconds, zoned: false), 1_510_871_468_000_001_001)
        == #"{"c":"2017-11-16T22:31:08.000001001"}"#)
  }

  @Test func `floats that are no JSON numbers are strings`() {
    let batch = column(.double) {
      for value in [0.1, -0.0, .nan, .infinity, -.infinity, 1e300] { $0.append(value) }
    }
    #expect(
      lines(batch, .json) == [
        #"{"c":0.1}"#, #"{"c":-0.0}"#, #"{"c":"NaN"}"#, #"{"c":"Infinity"}"#, #"{"c":"-Infinity"}"#,
        #"{"c":1e+300}"#,
      ])
  }

  @Test func `text is escaped as JSON and as CSV want it`() {
    let batch = column(.string) {
      $0.append("a\"b\\c\n\u{1}é")
      $0.append("")
      $0.appendNull()
      $0.append("x,y")
    }
    #expect(
      lines(batch, .json)
        == [#"{"c":"a\"b\\c\n\u0001é"}"#, #"{"c":""}"#, #"{"c":null}"#, #"{"c":"x,y"}"#])
    var csv = MutableBuffer()
    batch.appendLines(.csv, to: &csv)
    let text = String(decoding: csv.bytes.array(), as: UTF8.self)
    #expect(text == "\"a\"\"b\\c\n\u{1}é\"\n\"\"\n\n\"x,y\"\n")
  }

  @Test func `nested values keep order, and maps are pairs sorted by key`() {
    let type = ColumnType.structure([
      ColumnField("l", .list(ColumnField("element", .int32))),
      ColumnField(
        "m", .map(key: ColumnField("key", .string), value: ColumnField("value", .boolean))),
    ])
    let batch = column(type) { row in
      let (list, map) = (row.children[0], row.children[1])
      list.children[0].append(Int32(2))
      list.children[0].appendNull()
      list.endList()
      for key in ["b", "a"] {
        map.children[0].children[0].append(key)
        map.children[0].children[1].append(key == "a")
        map.children[0].endStructure()
      }
      map.endList()
      row.endStructure()
    }
    #expect(lines(batch, .json) == [#"{"c":{"l":[2,null],"m":[["a",true],["b",false]]}}"#])
  }

  @Test func `a dictionary, a slice and a plain column give the same lines`() {
    let plain = column(.string) { builder in
      for i in 0..<1000 { builder.append(["", "x", "longer than sixteen bytes it is"][i % 3]) }
    }
    let words = column(.string) {
      for word in ["", "x", "longer than sixteen bytes it is"] { $0.append(word) }
    }.columns[0]
    var codes = MutableBuffer()
    for i in 0..<1000 { codes.append(value: Int32(i % 3)) }
    let coded = Column(
      type: .string, count: 1000, validity: nil, values: .dictionary(codes: codes.freeze(), words))
    let batch = RecordBatch(fields: plain.fields, columns: [coded], rowCount: 1000)
    #expect(lines(batch, .json) == lines(plain, .json))
    #expect(lines(batch.slice(77..<901), .json) == Array(lines(plain, .json)[77..<901]))
    #expect(lines(plain.slice(77..<901), .json) == Array(lines(plain, .json)[77..<901]))
  }
}

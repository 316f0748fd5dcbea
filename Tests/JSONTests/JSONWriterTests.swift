// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import SeededNumbers
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
  @Test func `commas and colons are put where they are due`() throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("a")
    writer.write(1 as Int64)
    writer.writeKey("b")
    writer.beginArray()
    writer.write(true)
    writer.writeNull()
    try writer.write(0.5)
    writer.beginObject()
    writer.endObject()
    writer.write("x")
    writer.endArray()
    writer.writeKey("c")
    writer.write(raw: Buffer(utf8: "{ }").bytes)
    writer.endObject()
    #expect(text(writer.finish()) == #"{"a":1,"b":[true,null,0.5,{},"x"],"c":{ }}"#)
  }

  @Test func `indented text has a line for each member and element`() throws {
    let value = try JSONValue(parsing: #"{"a":[1,{"b":[]}],"c":{}}"#)
    let expected = """
      {
        "a": [
          1,
          {
            "b": []
          }
        ],
        "c": {}
      }
      """
    #expect(text(try value.text(.indented)) == expected)
  }

  @Test func `only what must be escaped is`() throws {
    let all = String(String.UnicodeScalarView((0..<0x80).compactMap { UnicodeScalar($0) }))
    let value = JSONValue.string(all + "/\u{e9}\u{2028}\u{1F600}")
    let written = try value.text()
    #expect(try JSONValue(parsing: written.bytes) == value)
    let expected =
      #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
      + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d"#
      + ##"\u001e\u001f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"##
      + "abcdefghijklmnopqrstuvwxyz{|}~\u{7f}/\u{e9}\u{2028}\u{1F600}\""
    #expect(text(written) == expected)
  }

  @Test func `integers are written as Swift writes them`() {
    var random = Seeded(2)
    var values: [Int64] = [0, 9, 10, -1, .max, .min]
    for _ in 0..<1000 { values.append(Int64(bitPattern: random.next()) >> random.below(64)) }
    for value in values {
      var writer = JSONWriter()
      writer.write(value)
      #expect(text(writer.finish()) == "\(value)")
    }
  }

  @Test func `every finite double comes back, and is JSON; no other is written`() throws {
    var random = Seeded(3)
    var values = [
      0, -0.0, 1, 1e16, 1e-5, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e22, 123456789.125,
    ]
    for _ in 0..<5000 { values.append(Double(bitPattern: random.next())) }
    for value in values where value.isFinite {
      let written = try JSONValue.double(value).text()
      var reader = JSONReader(written.bytes)
      #expect(try reader.readDouble().bitPattern == value.bitPattern, "seed \(random.seed)")
      try reader.finish()
    }
    for value in [Double.nan, .infinity, -.infinity] {
      #expect(throws: JSONError.notFinite) { try JSONValue.array([.double(value)]).text() }
    }
  }

  @Test func `lines are values of their own`() {
    var writer = JSONWriter()
    for value in 0..<3 {
      writer.write(value)
      writer.endLine()
    }
    #expect(text(writer.finish()) == "0\n1\n2\n")
  }

  private func text(_ buffer: Buffer) -> String { String(decoding: buffer.array(), as: UTF8.self) }
}

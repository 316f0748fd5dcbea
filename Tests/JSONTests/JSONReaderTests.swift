// SPDX-License-Identifier: Apache-2.0
import Bytes
import Glibc
import JSON
import SeededNumbers
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
  func read<T>(_ text: String, _ body: (inout JSONReader) throws -> T) throws -> T {
    let bytes = Buffer(utf8: text)
    var reader = JSONReader(bytes.bytes)
    let value = try body(&reader)
    try reader.finish()
    return value
  }

  @Test func `integers are exact over all of their range, and nothing else is an integer`() throws {
    for value in [0, 1, -1, 42, .max, .min, 1 << 53, (1 << 53) + 1, 999_999_999_999_999_999]
      as [Int64]
    {
      #expect(try read("\(value)") { try $0.readInt64() } == value)
    }
    #expect(try read("-0") { try $0.readInt64() } == 0)
    #expect(try read("-2147483648") { try $0.readInt32() } == .min)
    for text in [
      "9223372036854775808", "-9223372036854775809", "99999999999999999999", "1.0", "1e3", "1e999",
      "18446744073709551616", "0.5",
    ] {
      #expect(
        throws: JSONError.outOfRange(
          offset: 0, expected: "an integer of 64 bits", found: text)
      ) { try read(text) { try $0.readInt64() } }
    }
    #expect(throws: JSONError.self) { try read("2147483648") { try $0.readInt32() } }
  }

  @Test func `doubles are the nearest ones, as the C library finds them`() throws {
    var random = Seeded(1)
    var texts = [
      "0.1", "1e22", "1e23", "9007199254740993", "9007199254740992.5", "2.2250738585072011e-308",
      "4.9406564584124654e-324", "2.4703282292062327e-324", "1.7976931348623157e308", "1e-400",
      "123456789012345678901234567890e-10", "0.000000000000000000000000000000000001e36", "0e999999",
      "8.5e-323", "1" + String(repeating: "0", count: 400) + "e-400",
      "0." + String(repeating: "0", count: 400) + "1e400", "-0", "-0.0", "1e0000000000000000000001",
    ]
    for _ in 0..<20_000 {
      switch random.below(3) {
      case 0:
        let double = Double(bitPattern: random.next())
        if double.isFinite { texts.append(double.description) }
      case 1: texts.append("\(random.next() >> UInt64(random.below(64)))e\(random.below(80) - 40)")
      default: texts.append("\(random.below(1000)).\(random.next())")
      }
    }
    for text in texts {
      let value = try read(text) { try $0.readDouble() }
      let expected = unsafe strtod(text, nil)
      #expect(value.bitPattern == expected.bitPattern, "\(text), seed \(random.seed)")
    }
    for text in ["1e309", "-1e309", "1e999999999999999999999"] {
      #expect(throws: JSONError.self) { try read(text) { try $0.readDouble() } }
    }
  }

  @Test func `a value of another kind is told from text that is no JSON`() {
    #expect(throws: JSONError.mismatch(offset: 1, expected: .number, found: .string)) {
      try read(" \"1\"") { try $0.readInt64() }
    }
    #expect(throws: JSONError.mismatch(offset: 0, expected: .string, found: .null)) {
      try read("null") { try $0.readString() }
    }
    #expect(throws: JSONError.mismatch(offset: 0, expected: .object, found: .array)) {
      try read("[]") { try $0.beginObject() }
    }
    #expect(throws: JSONError.mismatch(offset: 0, expected: .boolean, found: .number)) {
      try read("0") { try $0.readBool() }
    }
    #expect(throws: JSONError.mismatch(offset: 0, expected: .null, found: .boolean)) {
      try read("true") { try $0.readNull() }
    }
    #expect(
      throws: JSONError.malformed(
        offset: 0, .unexpected(found: UInt8(ascii: "x"), expected: "a value"))
    ) { try read("x") { try $0.readBool() } }
  }

  @Test func `keys are matched by their bytes, escaped or not`() throws {
    let text = #"{"plain":1,"esc\u0061ped":2,"é":3,"other":4,"opt":null}"#
    let seen = try read(text) { reader in
      var seen: [Int64] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        switch key {
        case "plain": seen.append(try reader.readInt64())
        case "escaped": seen.append(try reader.readInt64() * 10)
        case "e\u{301}": Issue.record("canonical equivalence is not equality of keys")
        case "\u{e9}": seen.append(try reader.readInt64() * 100)
        case "opt": seen.append(try reader.readOptional() ? 0 : -1)
        default: try reader.skipValue()
        }
      }
      return seen
    }
    #expect(seen == [1, 20, 300, -1])
  }

  @Test func `strings are resolved, whole or appended`() throws {
    let text = #""a\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00z é😀""#
    let expected = "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}z \u{e9}\u{1F600}"
    #expect(try read(text) { try $0.readString() } == expected)
    let bytes = try read(text) { reader in
      var target = MutableBuffer()
      try reader.readText().append(to: &target)
      return target.bytes.array()
    }
    #expect(bytes == Array(expected.utf8))
  }

  @Test func `a raw value is its bytes, whatever it is`() throws {
    let values = [
      "1", "\"a]\\\"\"", "[1, {\"x\" : [ ]}]", "{\"a\":1,\"b\":[\"}\"]}", "null", "-1.5e3",
    ]
    let text = "[ " + values.joined(separator: " ,\n") + "\t]"
    let raw = try read(text) { reader in
      var raw: [String] = []
      try reader.beginArray()
      while try reader.nextElement() {
        let range = try reader.readRawValue()
        raw.append(String(validatingUTF8: reader.rawBytes(range)) ?? "")
      }
      return raw
    }
    #expect(raw == values)
  }

  @Test func `double keys are found among few, many and escaped keys, in any object`() throws {
    for count in [1, 5, 127, 128, 129, 130, 1000] {
      let keys = (0..<count).map { "\"key-\($0)\":{\"key-0\":0}" }
      let unique = "{" + keys.joined(separator: ",") + "}"
      _ = try JSONValue(parsing: unique)
      for again in Set([0, count / 2, count - 1]) {
        for spelling in ["key-\(again)", "k\\u0065y-\(again)"] {
          let text = "{" + keys.joined(separator: ",") + ",\"\(spelling)\":0}"
          let offset = text.utf8.count - spelling.utf8.count - 5
          #expect(throws: JSONError.duplicateKey(offset: offset, key: "key-\(again)")) {
            try JSONValue(parsing: text)
          }
        }
      }
    }
  }

  @Test func `a reader walks the values of JSON lines, and starts again after a bad one`() throws {
    let text = Buffer(utf8: "{\"a\":1}\n{\"a\":2}\n\n{\"a\":x,\"b\":1}\n{\"a\":4}")
    var reader = JSONReader(text.bytes)
    var seen: [Int64] = []
    while reader.nextDocument() {
      do throws(JSONError) {
        try reader.beginObject()
        while try reader.nextKey() != nil { seen.append(try reader.readInt64()) }
      } catch {
        var end = error.offset ?? 0
        while end < text.count, text.bytes[end] != UInt8(ascii: "\n") { end += 1 }
        reader.restart(at: end)
        seen.append(-1)
      }
    }
    #expect(seen == [1, 2, -1, 4])
  }

  @Test func `a key table finds all its keys and no other`() throws {
    let keys = (0..<100).map { "column \($0)" } + ["", "\u{e9}"]
    let table = JSONKeyTable(keys)
    let text = try JSONValue.object((keys + ["e\u{301}", "x"]).map { JSONMember($0, .null) }).text()
    for guess in [-1, 0, 50, 1000] {
      var reader = JSONReader(text.bytes)
      var found: [Int?] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        found.append(table.index(of: key, expecting: guess))
        try reader.skipValue()
      }
      #expect(found == Array(keys.indices) + [nil, nil], "guess \(guess)")
    }
  }
}

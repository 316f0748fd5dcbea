// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import Testing

/// What is JSON and what is not, by the productions of RFC 8259 (sections 2 to 8).
@Suite("JSON grammar")
struct JSONGrammarTests {
  static let accepted: [String] = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "0.5", "-0.5", "1e5", "1E+5",
    "1e-5", "0e1", "0.0e-0", "1.0E005", "123456789012345678901234567890", "1e400", "1e-400",
    "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]", "[[]]", "[[],[]]", "[{},[],\"\",null]",
    "{\"a\":1}", "{\"\":0}", "{\"a\":{\"a\":{}}}", "{\"a\":[],\"b\":{}}", "\"\"", "\"a\"",
    "\"/\"", "\"\\/\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\u00e9\"",
    "\"\\uD83D\\ude00\"", "\"\\uDBFF\\uDFFF\"", "\"\\uFFFF\"", "\"\u{7f}\"", "\"\u{2028}\u{e9}\"",
    "\"\u{1F600}\"", "\"\u{10FFFF}\"", " null ", "\n\t\r [\n1\t,\r2 ]\n",
    "{ \"a\" : 1 , \"b\" : 2 }",
    "\"12345678\\\"\"", "\"1234567\u{e9}\"", "{\"a\":1,\"A\":2}", "{\"\\u0061b\":1,\"ab2\":2}",
    // Canonically equivalent, and yet different keys.
    "{\"\u{e9}\":1,\"e\u{301}\":2}",
  ]

  static let rejected: [String] = [
    "", " ", "\u{FEFF}null", "nul", "nulL", "nullx", "NULL", "True", "tru", "truE", "fals", "falsy",
    "undefined", "NaN", "Infinity", "-Infinity", "+1", "-", "--1", "01", "-01", "00", "1.", ".5",
    "-.5", "1.e5", "1e", "1e+", "1e-", "1e5.5", "1..5", "0x10", "1_000", "1a", "1 2", "- 1",
    "\u{661}", "[", "]", "[1", "[1,", "[1,]", "[,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "[1:2]",
    "{", "}", "{]", "{1:2}", "{a:1}", "{'a':1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
    "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{\"a\"::1}", "{\"a\":1,,\"b\":2}", "{\"a\":1", "{\"a\":",
    "{\"a\"", "{\"a", "{\"a\":1]", "\"", "\"a", "'a'", "\"\n\"", "\"\t\"", "\"\u{0}\"",
    "\"1234567\u{1f}\"", "\"\\\"", "\"\\a\"", "\"\\'\"", "\"\\x41\"", "\"\\u\"", "\"\\u12\"",
    "\"\\u12G4\"", "\"\\u+123\"", "\"\\U0041\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\n\"",
    "\"\\uD800\\uD800\"", "\"\\uDC00\\uD800\"", "\"\\uD800x\"", "\"\\uD83D\\ude0\"", "null null",
    "{}{}", "[]]", "[] x", "//c\n1", "/**/1", "[1]#", "\u{a0}1", "\u{2028}1", "\u{b}1", "\u{c}1",
    "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"\\u0061\":1,\"a\":2}",
    "[{\"b\":{\"a\":1,\"c\":2,\"a\":3}}]", "{\"a\":{\"a\":1},\"a\":2}",
  ]

  static let notUTF8: [[UInt8]] = [
    [0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xe0, 0x80, 0x80], [0xe9], [0xe2, 0x82],
    [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80], [0xff], [0xfe], [0xf0, 0x9f, 0x98],
  ]

  @Test(arguments: accepted)
  func `every text of the grammar is read, and as its twin reads it`(text: String) throws {
    let value = try JSONValue(parsing: text)
    #expect(value == (try NaiveJSON.parse(Array(text.utf8))))
    let bytes = Buffer(utf8: text)
    var reader = JSONReader(bytes.bytes)
    try reader.skipValue()
    try reader.finish()
  }

  @Test(arguments: rejected)
  func `every text outside the grammar is refused`(text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    #expect(throws: NaiveJSON.Invalid.self) { try NaiveJSON.parse(Array(text.utf8)) }
  }

  @Test(arguments: notUTF8)
  func `a string that is not UTF-8 is refused at its first bad byte`(bad: [UInt8]) {
    for padding in 0..<20 {
      let prefix = Array("[\"".utf8) + [UInt8](repeating: 0x61, count: padding)
      let text = Buffer(prefix + bad + Array("\"]".utf8))
      let expected = JSONError.malformed(offset: prefix.count, .notUTF8)
      #expect(throws: expected) { try JSONValue(parsing: text.bytes) }
      #expect(throws: expected) {
        var reader = JSONReader(text.bytes)
        try reader.skipValue()
      }
    }
  }

  @Test func `the error tells the offset, and the line and column on demand`() {
    let text = Buffer(utf8: "{\n  \"a\": 1,\n  \"b\": x\n}")
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text.bytes) }
    #expect(
      error == .malformed(offset: 19, .unexpected(found: UInt8(ascii: "x"), expected: "a value")))
    let location = JSONLocation(offset: error?.offset ?? 0, in: text.bytes)
    #expect(location.line == 3 && location.column == 8)
    #expect(error?.description == "not JSON at byte 19: expected a value, found 'x'")
  }

  @Test func `each defect has its name`() {
    func defect(_ text: String) -> JSONError? {
      #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }
    #expect(defect("\u{FEFF}1") == .malformed(offset: 0, .byteOrderMark))
    #expect(defect("[012]") == .malformed(offset: 1, .leadingZero))
    #expect(defect("[1] 2") == .malformed(offset: 4, .trailingBytes))
    #expect(defect("[\"\\uD800\"]") == .malformed(offset: 2, .loneSurrogate))
    #expect(defect("\"\\q\"") == .malformed(offset: 1, .invalidEscape))
    #expect(defect("\"a\u{1}\"") == .malformed(offset: 2, .controlCharacter(1)))
    #expect(defect("[1,") == .malformed(offset: 3, .endsEarly))
    #expect(defect("{\"a\":0,\"a\":0}") == .duplicateKey(offset: 7, key: "a"))
  }

  @Test func `nesting is allowed to the limit and not beyond`() throws {
    for limit in [1, 5, 512] {
      let fits = Array(repeating: "[", count: limit) + Array(repeating: "]", count: limit)
      let tooMany = "[" + fits.joined() + "]"
      let fine = Buffer(utf8: fits.joined())
      let deep = Buffer(utf8: tooMany)
      _ = try JSONValue(parsing: fine.bytes, depth: limit)
      #expect(throws: JSONError.tooDeep(offset: limit, limit: limit)) {
        try JSONValue(parsing: deep.bytes, depth: limit)
      }
      #expect(throws: JSONError.tooDeep(offset: limit, limit: limit)) {
        var reader = JSONReader(deep.bytes, depth: limit)
        try reader.skipValue()
      }
    }
    let bomb = Buffer([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
    #expect(throws: JSONError.tooDeep(offset: 512, limit: 512)) {
      try JSONValue(parsing: bomb.bytes)
    }
  }
}

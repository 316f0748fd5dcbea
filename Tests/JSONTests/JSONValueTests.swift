// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import SeededNumbers
import Testing

@Suite("JSON values")
struct JSONValueTests {
  @Test func `a number becomes the first of integer, double and text that loses nothing`() throws {
    let cases: [(String, JSONValue)] = [
      ("0", .integer(0)), ("-0", .double(-0.0)), ("9223372036854775807", .integer(.max)),
      ("9223372036854775808", .decimal("9223372036854775808")), ("0.1", .double(0.1)),
      ("1.0", .double(1)), ("1e2", .double(100)), ("0.1234567890123456789", nil),
      ("123456789012345680000", .double(1.2345678901234568e20)), ("1e400", nil),
      ("1e-400", nil), ("0.30000000000000004", .double(0.1 + 0.2)), ("2.5e-324", nil),
    ].map { ($0.0, $0.1 ?? .decimal($0.0)) }
    for (text, value) in cases { #expect(try JSONValue(parsing: text) == value, "\(text)") }
  }

  @Test func `members keep their order and are found by key`() throws {
    let value = try JSONValue(parsing: #"{"z":1,"a":{"b":[true,"x"]},"m":null}"#)
    #expect(value.members?.map(\.key) == ["z", "a", "m"])
    #expect(value["z"]?.integer == 1)
    #expect(value["a"]?["b"]?.elements?.first?.boolean == true)
    #expect(value["a"]?["b"]?.elements?.last?.string == "x")
    #expect(value["m"] == .null && value["n"] == nil)
  }

  @Test func `random trees come back from both layouts, as the naive twin reads them too`() throws {
    var random = Seeded(4)
    for _ in 0..<300 {
      let value = randomValue(&random, depth: 0)
      for layout in [JSONLayout.compact, .indented] {
        let text = try value.text(layout)
        let parsed = try JSONValue(parsing: text.bytes)
        #expect(parsed == value, "seed \(random.seed)")
        #expect(try NaiveJSON.parse(text.array()) == value, "seed \(random.seed)")
      }
    }
  }

  @Test func `every truncation of a document throws`() throws {
    let text = Array(Self.document.utf8)
    for count in 0..<text.count {
      let cut = Buffer(Array(text[..<count]))
      #expect(throws: JSONError.self, "\(count) bytes") { try JSONValue(parsing: cut.bytes) }
      #expect(throws: JSONError.self, "\(count) bytes") {
        var reader = JSONReader(cut.bytes)
        try reader.skipValue()
      }
    }
  }

  @Test func `mutated text is taken or refused exactly as the naive twin does, and never traps`() {
    var random = Seeded(5)
    let original = Array(Self.document.utf8)
    for round in 0..<100_000 {
      var text = original
      for _ in 0...random.below(3) { mutate(&text, &random) }
      let buffer = Buffer(text)
      let value = try? JSONValue(parsing: buffer.bytes)
      // The twin is slow: it is asked for a part of the rounds.
      guard round % 20 == 0 else { continue }
      let expected = try? NaiveJSON.parse(text)
      #expect(
        value == expected, "\(String(decoding: text, as: UTF8.self)), seed \(random.seed)")
    }
  }

  static let document = #"""
    {"a":[1,-2.5e3,0.1,true,false,null,"x\n\u00e9\uD83D\uDE00"],"b":{"c":{},"d":[[]]},
     "é":"naïve", "k":12345678901234567890 }
    """#

  private func mutate(_ text: inout [UInt8], _ random: inout Seeded) {
    let alphabet =
      Array("{}[],:\"\\u0123456789eE+-.truefalsn \n\u{1}\u{e9}".utf8) + [0xff, 0xed, 0]
    guard !text.isEmpty else { return text.append(alphabet[random.below(alphabet.count)]) }
    let at = random.below(text.count)
    switch random.below(4) {
    case 0: text[at] = alphabet[random.below(alphabet.count)]
    case 1: text.insert(alphabet[random.below(alphabet.count)], at: at)
    case 2: text.remove(at: at)
    default:
      let other = random.below(text.count)
      text.replaceSubrange(
        min(at, other)..<max(at, other), with: text[other..<text.count].prefix(9))
    }
  }

  private func randomValue(_ random: inout Seeded, depth: Int) -> JSONValue {
    switch random.below(depth > 4 ? 5 : 8) {
    case 0: return .null
    case 1: return .boolean(random.below(2) == 0)
    case 2: return .integer(Int64(bitPattern: random.next()) >> random.below(64))
    case 3:
      let double = Double(bitPattern: random.next())
      return double.isFinite ? .double(double) : .decimal("1e999")
    case 4: return .string(randomText(&random))
    case 5, 6:
      return .array((0..<random.below(6)).map { _ in randomValue(&random, depth: depth + 1) })
    default:
      return .object(
        (0..<random.below(6)).map { index in
          JSONMember(randomText(&random) + "\(index)", randomValue(&random, depth: depth + 1))
        })
    }
  }

  private func randomText(_ random: inout Seeded) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<random.below(20) {
      let bound = [0x30, 0x80, 0x800, 0x11_0000][random.below(4)]
      if let scalar = UnicodeScalar(UInt32(random.below(bound))) { text.append(scalar) }
    }
    return String(text)
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Columnar

/// Bytes made by hand after the format's own description (VariantEncoding.md).
@Suite("Variants as text")
struct VariantTextTests {
  private static let field = ColumnField(
    "v",
    .structure([.init("metadata", .binary, isNullable: false), .init("value", .binary)]),
    isVariant: true)

  private func text(
    _ value: [UInt8]?, names: [String] = [], _ form: TextForm = .json,
    metadata: [UInt8]? = nil
  ) -> String {
    let builder = BatchBuilder([Self.field])
    let column = builder.columns[0]
    column.children[0].append(Buffer(metadata ?? Self.metadata(names)).bytes)
    if let value {
      column.children[1].append(Buffer(value).bytes)
    } else {
      column.children[1].appendNull()
    }
    column.endStructure()
    var output = MutableBuffer()
    builder.finish().appendLines(form, to: &output)
    var line = String(decoding: output.bytes.array(), as: UTF8.self).dropLast()
    if form == .json { line = line.dropFirst(5).dropLast() }
    return String(line)
  }

  private static func metadata(_ names: [String]) -> [UInt8] {
    var bytes: [UInt8] = [1, UInt8(names.count), 0]
    for name in names { bytes.append(bytes[bytes.count - 1] + UInt8(name.utf8.count)) }
    return bytes + names.flatMap { Array($0.utf8) }
  }

  private func primitive(_ type: UInt8, _ bytes: [UInt8] = []) -> [UInt8] { [type << 2] + bytes }

  private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  @Test func `values without parts are spelled as columns of their types are`() {
    #expect(text(primitive(0)) == "null")
    #expect(text(primitive(1)) == "true")
    #expect(text(primitive(2)) == "false")
    #expect(text(primitive(3, [0x80])) == "-128")
    #expect(text(primitive(4, bytes(Int16.min))) == "-32768")
    #expect(text(primitive(5, bytes(Int32.max))) == "2147483647")
    #expect(text(primitive(6, bytes(Int64.min))) == "-9223372036854775808")
    #expect(text(primitive(7, bytes((0.1).bitPattern))) == "0.1")
    #expect(text(primitive(7, bytes(Double.nan.bitPattern))) == "\"NaN\"")
    #expect(text(primitive(7, bytes((-Double.infinity).bitPattern))) == "\"-Infinity\"")
    #expect(text(primitive(14, bytes(Float(0.5).bitPattern))) == "0.5")
    #expect(text(primitive(8, [2] + bytes(Int32(-5)))) == "-0.05")
    #expect(text(primitive(9, [0] + bytes(Int64(12)))) == "12")
    #expect(
      text(primitive(10, [38] + bytes(Int128(1)))) == "0." + String(repeating: "0", count: 37) + "1"
    )
    #expect(text(primitive(11, bytes(Int32(19782)))) == "\"2024-02-29\"")
    #expect(text(primitive(12, bytes(Int64(-1)))) == "\"1969-12-31T23:59:59.999999Z\"")
    #expect(text(primitive(13, bytes(Int64(0)))) == "\"1970-01-01T00:00:00.000000\"")
    #expect(text(primitive(17, bytes(Int64(1)))) == "\"00:00:00.000001\"")
    #expect(text(primitive(18, bytes(Int64(1)))) == "\"1970-01-01T00:00:00.000000001Z\"")
    #expect(text(primitive(19, bytes(Int64(1)))) == "\"1970-01-01T00:00:00.000000001\"")
    #expect(text(primitive(15, [2, 0, 0, 0, 0xca, 0xfe])) == "\"0xcafe\"")
    #expect(text(primitive(16, [2, 0, 0, 0] + "\"é".utf8.prefix(2))).hasPrefix("{"), "cut in two")
    #expect(text(primitive(16, [3, 0, 0, 0] + "\"é".utf8)) == #""\"é""#)
    #expect(text([3 << 2 | 1] + "n/a".utf8) == #""n/a""#)
    #expect(
      text(primitive(20, (0..<16).map { $0 })) == "\"00010203-0405-0607-0809-0a0b0c0d0e0f\"")
  }

  @Test func `objects have their fields by name, and lists their elements in order`() {
    // {"b": [1, null, [], {}], "a": "x"}: fields by name, values where they please.
    let list: [UInt8] = [
      3, 4, 0, 2, 3, 6, 9, 3 << 2, 1, 0, 3, 0, 0, 2, 0, 0,
    ]
    let value: [UInt8] = [2, 2, 1, 0, UInt8(list.count), 0, UInt8(list.count + 2)] + list
    let object = value + [1 << 2 | 1, UInt8(ascii: "x")]
    #expect(text(object, names: ["b", "a"]) == #"{"a":"x","b":[1,null,[],{}]}"#)
    #expect(
      text(object, names: ["b", "a"], .csv) == #""{""a"":""x"",""b"":[1,null,[],{}]}""#)
    #expect(text(object, names: ["b", "a"], .plain) == #"{"a":"x","b":[1,null,[],{}]}"#)
  }

  @Test func `what is no variant is shown as the two binaries it is`() {
    let broken: [[UInt8]] = [
      [], [21 << 2], primitive(5, [1]), primitive(16, [9, 0, 0, 0, 65]),
      // A list whose elements lie at one place, and one that goes beyond its end.
      [3, 2, 0, 0, 1, 0], [3, 1, 0, 9, 0],
      // An object whose only field has no name.
      [2, 1, 5, 0, 1, 0],
    ]
    for value in broken {
      let hex = value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(text(value) == "{\"metadata\":\"0x010000\",\"value\":\"0x\(hex)\"}")
    }
    #expect(text(nil) == #"{"metadata":"0x010000","value":null}"#)
    #expect(text([0], metadata: [2, 0, 0]) == #"{"metadata":"0x020000","value":"0x00"}"#)
    // A list in a list, and so on, deeper than anyone means.
    var deep: [UInt8] = [0]
    for _ in 0..<90 { deep = [15, 1, 0, 0, 0, 0] + bytes(UInt32(deep.count)) + deep }
    #expect(text(deep).hasPrefix("[[[["))
    for _ in 0..<20 { deep = [15, 1, 0, 0, 0, 0] + bytes(UInt32(deep.count)) + deep }
    #expect(text(deep).hasPrefix("{\"metadata\":"))
  }

  @Test func `no bytes trap`() {
    var random = Seeded(93)
    print("variants of any bytes: LAKE_SEED=\(random.seed)")
    func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    let list: [UInt8] = [3, 4, 0, 2, 3, 6, 9, 3 << 2, 1, 0, 3, 0, 0, 2, 0, 0]
    let object: [UInt8] = [2, 2, 1, 0, 16, 0, 18] + list + [1 << 2 | 1, UInt8(ascii: "x")]
    for _ in 0..<20_000 {
      var value = below(2) == 0 ? object : list
      var names = Self.metadata(["b", "a"])
      for _ in 0...below(3) {
        value[below(value.count)] = UInt8(below(256))
        if below(3) == 0 { names[below(names.count)] = UInt8(below(256)) }
      }
      if below(5) == 0 { value.removeLast(below(value.count)) }
      #expect(!text(value, metadata: names).isEmpty)
    }
  }
}

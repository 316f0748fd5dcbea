// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Parquet

@Suite("RLE / bit-packed hybrid encoder")
struct RLEBitPackedEncoderTests {
  private func encode(_ values: [UInt32], _ bitWidth: Int) -> [UInt8] {
    var output = MutableBuffer()
    RLEBitPackedEncoder.encode(values.span, bitWidth: bitWidth, into: &output)
    return output.freeze().array()
  }

  @Test func `the specification's example packs as it shows`() {
    #expect(encode([0, 1, 2, 3, 4, 5, 6, 7], 3) == [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010])
  }

  @Test func `a run is its count and one value`() {
    #expect(encode([UInt32](repeating: 4, count: 50), 3) == [100, 4])
    #expect(encode([UInt32](repeating: 300, count: 100), 9) == [200, 1, 44, 1])
  }

  @Test func `the last group is padded with zero bits`() {
    #expect(encode([1, 0, 1], 1) == [0b11, 0b101])
    #expect(encode([], 5) == [])
  }

  @Test func `a width of no bits stores no values`() {
    #expect(encode([0, 0, 0], 0) == [0b11])
    #expect(encode([UInt32](repeating: 0, count: 8), 0) == [16])
  }

  @Test(arguments: 0...32) func `all widths come back whatever the runs`(width: Int) throws {
    var random = Seeded(UInt64(width))
    let mask = width == 32 ? UInt32.max : 1 << UInt32(width) - 1
    for _ in 0..<40 {
      var values: [UInt32] = []
      for _ in 0..<random.below(20) {
        let value = UInt32(truncatingIfNeeded: random.next()) & mask
        let count = random.pick([1, 2, 7, 8, 9, 31, 32, 200])
        values += (0..<count).map { random.chance(90) ? value : UInt32($0) & mask }
      }
      var decoder = try RLEBitPackedDecoder(Buffer(encode(values, width)), bitWidth: width)
      var decoded = [UInt32](repeating: 0, count: values.count)
      var span = decoded.mutableSpan
      try decoder.decode(into: &span, 0..<values.count)
      #expect(decoded == values)
    }
  }
}

@Suite("DELTA_BINARY_PACKED encoder")
struct DeltaBinaryPackedEncoderTests {
  @Test func `a steady slope takes no bits a value`() {
    var output = MutableBuffer()
    let values: [Int32] = [1, 2, 3, 4, 5]
    DeltaBinaryPackedEncoder.encode(values.span, into: &output)
    // 128, 4 miniblocks, 5 values, the first is 1 (zig-zag 2); least delta 1, widths of 0.
    #expect(output.freeze().array() == [0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0])
  }

  @Test func `the specification's second example packs its deltas into two bits`() {
    var output = MutableBuffer()
    let values: [Int32] = [7, 5, 3, 1, 2, 3, 4, 5]
    DeltaBinaryPackedEncoder.encode(values.span, into: &output)
    let body: [UInt8] = [0b1100_0000, 0b0011_1111] + [UInt8](repeating: 0, count: 6)
    #expect(output.freeze().array() == [0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0] + body)
  }

  @Test func `no values are a header alone`() {
    var output = MutableBuffer()
    let values: [Int64] = []
    DeltaBinaryPackedEncoder.encode(values.span, into: &output)
    #expect(output.freeze().array() == [0x80, 1, 4, 0, 0])
  }

  @Test func `values of all ranges and counts come back`() throws {
    var random = Seeded(3)
    for count in [1, 2, 31, 32, 33, 127, 128, 129, 130, 256, 257, 1000] {
      for bits in [0, 1, 7, 31, 32, 33, 62, 63, 64] {
        let values = (0..<count).map { _ in
          bits == 0 ? 5 : Int64(bitPattern: random.next()) >> Int64(64 - bits)
        }
        var output = MutableBuffer()
        DeltaBinaryPackedEncoder.encode(values.span, into: &output)
        var decoder = try DeltaBinaryPackedDecoder(output.freeze())
        var decoded = [Int64](repeating: 0, count: count)
        var span = decoded.mutableSpan
        try decoder.decode(into: &span, 0..<count)
        #expect(decoded == values, "\(count) values of \(bits) bits")
      }
    }
  }

  @Test func `extreme steps wrap around in the type's own width`() throws {
    let narrow: [Int32] = [.min, .max, .min, 0, .max, -1, .min, .min, .max]
    var output = MutableBuffer()
    DeltaBinaryPackedEncoder.encode(narrow.span, into: &output)
    let bytes = output.freeze()
    var decoder = try DeltaBinaryPackedDecoder(bytes)
    var decoded = [Int32](repeating: 0, count: narrow.count)
    var span = decoded.mutableSpan
    try decoder.decode(into: &span, 0..<narrow.count)
    #expect(decoded == narrow)
    // No miniblock may be wider than the type: 10 bytes of header and block header, 4 a value.
    #expect(bytes.count <= 20 + 32 * 4)
  }
}

@Suite("DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY encoders")
struct DeltaByteArrayEncoderTests {
  private func layOut(_ texts: [String]) -> (offsets: [Int32], bytes: Buffer) {
    var offsets: [Int32] = [0]
    for text in texts { offsets.append(offsets.last! + Int32(text.utf8.count)) }
    return (offsets, Buffer(utf8: texts.joined()))
  }

  private func deltas(_ values: [Int32]) -> [UInt8] {
    var output = MutableBuffer()
    DeltaBinaryPackedEncoder.encode(values.span, into: &output)
    return output.freeze().array()
  }

  @Test func `lengths come first, then all bytes`() {
    let (offsets, bytes) = layOut(["Hello", "World", "Foobar", "ABCDEF"])
    var output = MutableBuffer()
    DeltaLengthByteArrayEncoder.encode(offsets.span, bytes.bytes, into: &output)
    let expected = deltas([5, 5, 6, 6]) + Array("HelloWorldFoobarABCDEF".utf8)
    #expect(output.freeze().array() == expected)
  }

  @Test func `a shared prefix is stored as its length`() {
    let (offsets, bytes) = layOut(["axis", "axle", "babble", "babyhood"])
    var output = MutableBuffer()
    DeltaByteArrayEncoder.encode(offsets.span, bytes.bytes, into: &output)
    let expected =
      deltas([0, 2, 0, 3]) + deltas([4, 2, 6, 5]) + Array("axislebabbleyhood".utf8)
    #expect(output.freeze().array() == expected)
  }

  @Test func `a slice of the strings is encoded as if they were alone`() {
    let (offsets, bytes) = layOut(["unseen", "Hello", "World"])
    var output = MutableBuffer()
    DeltaLengthByteArrayEncoder.encode(
      offsets.span.extracting(1...), bytes.bytes, into: &output)
    #expect(output.freeze().array() == deltas([5, 5]) + Array("HelloWorld".utf8))
  }
}

@Suite("BYTE_STREAM_SPLIT encoder")
struct ByteStreamSplitEncoderTests {
  @Test func `the specification's example splits as it shows`() {
    let bytes = Buffer([0xAA, 0xBB, 0xCC, 0xDD, 0, 0x11, 0x22, 0x33, 0xA3, 0xB4, 0xC5, 0xD6])
    var output = MutableBuffer()
    ByteStreamSplitEncoder.encode(bytes.bytes, width: 4, into: &output)
    let expected: [UInt8] = [
      0xAA, 0, 0xA3, 0xBB, 0x11, 0xB4, 0xCC, 0x22, 0xC5, 0xDD, 0x33, 0xD6,
    ]
    #expect(output.freeze().array() == expected)
  }
}

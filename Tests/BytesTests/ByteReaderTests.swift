// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@Suite("Reading and writing primitives")
struct ByteReaderTests {
  /// One of each, the values at the ends of their ranges.
  private static func written() -> Buffer {
    var writer = ByteWriter()
    writer.write(0xfe)
    writer.writeLE(0xfedc as UInt16)
    writer.writeLE(0xfedc_ba98 as UInt32)
    writer.writeLE(Int32.min)
    writer.writeBE(0x0102_0304)
    writer.writeLE(UInt64.max - 1)
    writer.writeLE(Int64.min)
    writer.writeULEB128(.max)
    writer.writeZigZag(.min)
    writer.writeZigZag(-1)
    writer.write(utf8: "größer")
    writer.write([7, 8, 9])
    return writer.finish()
  }

  private static func read(_ bytes: Buffer) throws(ByteError) {
    var reader = ByteReader(bytes.bytes)
    let byte = try reader.readUInt8()
    let short = try reader.readUInt16LE()
    let word = try reader.readUInt32LE()
    let signed = try reader.readInt32LE()
    let big = try reader.readUInt32BE()
    #expect(byte == 0xfe && short == 0xfedc && word == 0xfedc_ba98 && signed == .min)
    #expect(big == 0x0102_0304)
    let long = try reader.readUInt64LE()
    let signedLong = try reader.readInt64LE()
    let leb = try reader.readULEB128()
    let zigZag = try reader.readZigZag()
    let minusOne = try reader.readZigZag()
    #expect(long == .max - 1 && signedLong == .min && leb == .max && zigZag == .min)
    #expect(minusOne == -1)
    let text = try reader.readUTF8(8)
    #expect(text == "größer")
    let next = reader.peek()
    if let next { #expect(next == 7) }
    try reader.expect([7, 8], as: "a seven and an eight")
    try reader.skip(1)
    let isAtEnd = reader.isAtEnd
    let nothing = reader.peek()
    #expect(isAtEnd && nothing == nil)
  }

  @Test func `what was written is read`() throws {
    try Self.read(Self.written())
  }

  @Test func `every truncation throws, and says where`() {
    let bytes = Self.written()
    for count in 0..<bytes.count {
      do {
        try Self.read(bytes.slice(0..<count))
        Issue.record("\(count) bytes")
      } catch {
        guard case .truncated(let offset, let needed, let available) = error else {
          Issue.record("\(count) bytes: \(error)")
          continue
        }
        #expect(offset + available == count && needed > available, "\(count) bytes")
      }
    }
  }

  @Test func `integers that do not fit or do not end throw`() {
    let nine = [UInt8](repeating: 0xff, count: 9)
    for (bytes, most) in [(nine + [0x02], 10), (nine + [0x80, 0x01], 10), (nine, 5)] {
      let buffer = Buffer(bytes)
      #expect(throws: ByteError.overlongInteger(offset: 0)) {
        var reader = ByteReader(buffer.bytes)
        return try reader.readULEB128(maxBytes: most)
      }
    }
  }

  @Test func `lengths that cannot be throw`() {
    let buffer = pattern(10)
    for length in [-1, .min, 11, .max] {
      #expect(throws: ByteError.self) {
        var reader = ByteReader(buffer.bytes)
        try reader.skip(length)
      }
      #expect(throws: ByteError.self) {
        var reader = ByteReader(buffer.bytes)
        return try reader.readUTF8(length)
      }
      #expect(throws: ByteError.self) {
        var reader = ByteReader(buffer.bytes)
        return try reader.readBytes(length).byteCount
      }
    }
  }

  @Test func `what is not UTF-8, or not what was expected, throws`() {
    for bytes in [[0xc0, 0x80], [0xff], [0xe2, 0x82], [0xed, 0xa0, 0x80]] as [[UInt8]] {
      let buffer = Buffer(bytes)
      #expect(throws: ByteError.notUTF8(offset: 0)) {
        var reader = ByteReader(buffer.bytes)
        return try reader.readUTF8(bytes.count)
      }
    }
    let buffer = Buffer(utf8: "PAR2")
    #expect(throws: ByteError.unexpected(offset: 0, expected: "PAR1", found: "0x50415232")) {
      var reader = ByteReader(buffer.bytes)
      try reader.expect(Array("PAR1".utf8), as: "PAR1")
    }
  }

  @Test func `bytes that were written can be written over`() {
    var writer = ByteWriter()
    writer.writeLE(0 as UInt32)
    writer.write(utf8: "body")
    let size = Buffer([4, 0, 0, 0])
    writer.overwrite(at: 0, with: size.bytes)
    let found = writer.finish().array()
    #expect(found == [4, 0, 0, 0] + Array("body".utf8))
  }
}

@Suite("Limits of decoding")
struct DecodeLimitsTests {
  @Test func `a block may inflate to 32 MiB, then only by the ratio, and never over the limit`() {
    let limits = DecodeLimits.standard
    let mebibyte: Int64 = 1 << 20
    let allowed: [(Int64, Int)] = [
      (0, 0), (32 * mebibyte, 1), (32 * mebibyte + 1, 1 << 20), (256 * mebibyte, 1 << 20),
      (256 * mebibyte, .max),
    ]
    for (inflated, compressed) in allowed {
      #expect(throws: Never.self, "\(inflated) from \(compressed)") {
        try limits.checkBlock(inflated: inflated, compressed: compressed)
      }
    }
    let refused: [(Int64, Int)] = [
      (-1, 100), (.min, 1), (32 * mebibyte + 1, 1), (256 * mebibyte + 1, .max), (.max, .max),
    ]
    for (inflated, compressed) in refused {
      #expect(throws: ByteError.self, "\(inflated) from \(compressed)") {
        try limits.checkBlock(inflated: inflated, compressed: compressed)
      }
    }
  }
}

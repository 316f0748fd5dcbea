// SPDX-License-Identifier: Apache-2.0
import Bytes
import CZlib
import Codecs
import SeededNumbers
import Testing

@Suite("Deflate blocks against zlib")
struct InflateTests {
  /// What zlib makes of a raw deflate stream; nil if it refuses it, or finds no end.
  private static func zlib(_ stream: [UInt8], room: Int) -> (bytes: [UInt8], left: Int)? {
    var state = z_stream()
    guard
      inflateInit2_(&state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&state) }
    var input = stream
    var output = [UInt8](repeating: 0, count: room + 1)
    return input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        state.next_in = source.baseAddress
        state.avail_in = UInt32(source.count)
        state.next_out = target.baseAddress
        state.avail_out = UInt32(target.count)
        guard inflate(&state, Z_NO_FLUSH) == Z_STREAM_END else { return nil }
        let count = target.count - Int(state.avail_out)
        return (Array(target[..<count]), Int(state.avail_in))
      }
    }
  }

  /// Streams of every kind of block: stored, with the fixed codes, and with codes of their own.
  private static func stream(_ content: [UInt8], _ random: inout Seeded) -> [UInt8] {
    var state = z_stream()
    let strategy =
      [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED]
      .randomElement(using: &random) ?? Z_DEFAULT_STRATEGY
    deflateInit2_(
      &state, Int32.random(in: 0...9, using: &random), Z_DEFLATED, -15, 8, strategy, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&state) }
    var input = content
    var output = [UInt8](repeating: 0, count: content.count * 2 + 100)
    let count = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        state.next_in = source.baseAddress
        state.avail_in = UInt32(source.count)
        state.next_out = target.baseAddress
        state.avail_out = UInt32(target.count)
        deflate(&state, Z_FINISH)
        return target.count - Int(state.avail_out)
      }
    }
    return Array(output[..<count])
  }

  /// Bytes of few values and many repeats, or of many values, some much rarer than others.
  private static func content(_ random: inout Seeded) -> [UInt8] {
    let count = [0, 1, 2, 30, 300, 3000, 40_000].randomElement(using: &random) ?? 0
    let depth = Int.random(in: 1...8, using: &random)
    var bytes: [UInt8] = []
    while bytes.count < count {
      if bytes.count > 10, UInt8.random(in: 0...3, using: &random) == 0 {
        let distance = Int.random(in: 1...bytes.count, using: &random)
        for _ in 0..<Int.random(in: 3...300, using: &random) {
          bytes.append(bytes[bytes.count - distance])
        }
      } else {
        let bits = (0..<depth).map { _ in UInt8.random(in: 0...1, using: &random) }
        bytes.append(UInt8((bits.firstIndex(of: 1) ?? depth) * 31) ^ UInt8(bits.reduce(0, +)))
      }
    }
    return bytes
  }

  @Test func `streams that zlib writes come out as what went in, into any room`() throws {
    var random = Seeded(11)
    for round in 0..<600 {
      let content = Self.content(&random)
      let stream = Self.stream(content, &random)
      let note = Comment("round \(round)")
      #expect(try Codec.deflate.decompress(Buffer(stream)).array() == content, note)
      #expect(try Codec.deflate.decompressTightly(stream, to: content.count) == content, note)
      let tooSmall = content.count - 1
      if tooSmall >= 0 {
        #expect(throws: CodecError.sizeMismatch(.deflate, declared: tooSmall, found: nil), note) {
          try Codec.deflate.decompress(Buffer(stream), to: tooSmall)
        }
      }
    }
  }

  @Test func `a broken stream is one for zlib as well, and else the same bytes`() throws {
    var random = Seeded(12)
    var accepted = 0
    for round in 0..<30_000 {
      var content = Self.content(&random)
      content.removeLast(max(0, content.count - 600))
      var stream = Self.stream(content, &random)
      for _ in 0..<Int.random(in: 1...3, using: &random) where !stream.isEmpty {
        let i = Int.random(in: 0..<stream.count, using: &random)
        stream[i] ^= 1 << UInt8.random(in: 0...7, using: &random)
      }
      if round % 4 == 0 { stream.removeLast(Int.random(in: 0..<stream.count, using: &random)) }
      let expected = Self.zlib(stream, room: 1 << 18)
      let found = try? Codec.deflate.decompress(Buffer(stream)).array()
      // What follows the end may be a checksum of four bytes, and is refused if it is more.
      let isAllowed = !stream.isEmpty && expected?.left ?? 0 <= 4
      let same = stream.isEmpty || found == (isAllowed ? expected?.bytes : nil)
      #expect(same, "round \(round), \(stream)")
      if expected != nil { accepted += 1 }
    }
    #expect(accepted > 100, "nothing that was mutated was a stream still")
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import SeededNumbers
import Testing

@Suite("Round trips")
struct RoundTripTests {
  /// Kinds of content that make the codecs take different paths.
  enum Content: CaseIterable {
    case random, text, constant, period, sparse

    func bytes(_ count: Int, _ random: inout Seeded) -> Buffer {
      switch self {
      case .random: return Buffer(random.bytes(count))
      case .text: return CodecFixture.text(lines: count / 12 + 1).slice(0..<count)
      case .constant: return Buffer([UInt8](repeating: 7, count: count))
      case .period:
        let period = Int(random.next() % 20) + 2
        return Buffer((0..<count).map { UInt8($0 % period) })
      case .sparse:
        return Buffer(
          (0..<count).map { _ in random.next() % 50 == 0 ? UInt8(random.next() % 4) : 0 })
      }
    }
  }

  /// Around the seams: LZ4's margins, Snappy's fragment, zstd's block, LZ4's frame blocks.
  static let sizes =
    Array(0...40) + [
      59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 100, 255, 256, 257, 270, 1000, 4095, 4096, 4097,
      65535, 65536, 65537, 131_073, 200_000,
    ]

  @Test(arguments: Codec.allCases, Content.allCases)
  func `what was compressed comes back`(codec: Codec, content: Content) throws {
    var random = Seeded(1)
    var compressor = try Compressor(codec)
    var decompressor = Decompressor(codec)
    var compressed = MutableBuffer()
    for size in Self.sizes {
      let bytes = content.bytes(size, &random)
      compressed.removeAll()
      try compressor.compress(bytes.bytes, into: &compressed)
      let known = try decompressor.decompress(compressed.bytes, uncompressedByteCount: size)
      #expect(known == bytes, "\(size) bytes")
      var output = MutableBuffer()
      let count = try decompressor.decompress(compressed.bytes, into: &output)
      let unknown = output.freeze()
      #expect(count == size && unknown == bytes, "\(size) bytes of unknown size")
    }
  }

  @Test(arguments: Content.allCases)
  func `a mebibyte comes back`(content: Content) throws {
    var random = Seeded(2)
    let bytes = content.bytes(1 << 20, &random)
    for codec in Codec.allCases {
      let compressed = try codec.compress(bytes)
      #expect(try codec.decompress(compressed, to: bytes.count) == bytes, "\(codec)")
      #expect(try codec.decompress(compressed) == bytes, "\(codec)")
    }
  }

  @Test func `an LZ4 frame of several blocks comes back`() throws {
    var random = Seeded(3)
    let tail = Buffer(random.bytes(100_000))
    var writer = ByteWriter()
    writer.write([UInt8](repeating: 1, count: 4 << 20))
    writer.write(tail)
    writer.write([UInt8](repeating: 2, count: 4 << 20))
    let bytes = writer.finish()
    let compressed = try Codec.lz4Frame.compress(bytes)
    #expect(compressed.count < 200_000)
    #expect(try Codec.lz4Frame.decompress(compressed, to: bytes.count) == bytes)
    #expect(try Codec.lz4Frame.decompress(compressed) == bytes)
  }

  @Test(arguments: [Codec.gzip, .deflate, .zstd])
  func `every level comes back`(codec: Codec) throws {
    let levels = try #require(codec.levels)
    for level in max(levels.lowerBound, -10)...levels.upperBound {
      let compressed = try codec.compress(CodecFixture.text, level: CompressionLevel(level))
      #expect(try codec.decompress(compressed) == CodecFixture.text, "level \(level)")
    }
    let fast = try codec.compress(CodecFixture.text, level: CompressionLevel(1))
    let small = try codec.compress(CodecFixture.text, level: CompressionLevel(levels.upperBound))
    #expect(small.count < fast.count)
    for level in [levels.lowerBound - 1, levels.upperBound + 1] {
      let error = CodecError.levelOutOfRange(codec, level: level, allowed: levels)
      #expect(throws: error) { try codec.compress(.empty, level: CompressionLevel(level)) }
    }
  }

  @Test(arguments: Codec.allCases)
  func `output is appended and what was there stays`(codec: Codec) throws {
    let head = Buffer(utf8: "before")
    var compressor = try Compressor(codec)
    var compressed = MutableBuffer()
    compressed.append(head.bytes)
    let text = CodecFixture.text
    try compressor.compress(text.bytes, into: &compressed)
    let whole = compressed.freeze()
    #expect(whole.slice(0..<6) == head)
    let block = whole.slice(6..<whole.count)
    #expect(try codec.compress(text) == block)

    var decompressor = Decompressor(codec)
    var output = MutableBuffer()
    output.append(head.bytes)
    let count = text.count
    try decompressor.decompress(block.bytes, uncompressedByteCount: count, into: &output)
    try decompressor.decompress(block.bytes, into: &output)
    let broken = block.slice(0..<block.count / 2)
    #expect(throws: CodecError.self) {
      try Self.append(&decompressor, broken, &output, count)
    }
    if codec != .uncompressed, codec != .lz4Raw {  // neither can know of what was cut off
      #expect(throws: CodecError.self) { try Self.append(&decompressor, broken, &output, nil) }
    }
    var expected = ByteWriter()
    expected.write(head)
    expected.write(text)
    expected.write(text)
    let whatIsThere = output.freeze()
    let whatShallBe = expected.finish()
    #expect(whatIsThere == whatShallBe)
  }

  private static func append(
    _ decompressor: inout Decompressor, _ bytes: Buffer, _ output: inout MutableBuffer,
    _ byteCount: Int?
  ) throws {
    if let byteCount {
      try decompressor.decompress(bytes.bytes, uncompressedByteCount: byteCount, into: &output)
    } else {
      try decompressor.decompress(bytes.bytes, into: &output)
    }
  }

  @Test(arguments: Codec.allCases)
  func `no bytes stand for no bytes`(codec: Codec) throws {
    #expect(try codec.decompress(.empty, to: 0).isEmpty)
    #expect(try codec.decompress(.empty).isEmpty)
    #expect(throws: CodecError.self) { try codec.decompress(.empty, to: 1) }
  }
}

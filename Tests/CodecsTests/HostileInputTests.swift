// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import SeededNumbers
import Testing

/// Blocks that lie, are cut off, or were hit by something: each ends in a typed error or in as many
/// bytes as were declared, in bounded memory.
@Suite("Hostile blocks")
struct HostileInputTests {
  static let codecs = Codec.allCases.filter { $0 != .uncompressed }

  @Test(arguments: GoldenTests.files)
  func `every truncation throws`(name: String, codec: Codec) throws {
    let file = try CodecFixture.read(name)
    let byteCount = name == "linked.lz4" ? CodecFixture.repeatedText.count : 15498
    // What may be missing: the checksum bytes of avro.deflate, and the skippable frame.
    let optional = ["avro.deflate": 3, "frames.zst": 13][name] ?? 0
    var decompressor = Decompressor(codec)
    var output = MutableBuffer()
    for count in 0..<file.count - optional {
      let part = file.slice(0..<count)
      do throws(CodecError) {
        try decompressor.decompress(part.bytes, uncompressedByteCount: byteCount, into: &output)
        Issue.record("\(count) of \(file.count) bytes")
      } catch {
        if output.count > 0 { Issue.record("\(count) of \(file.count) bytes: \(error)") }
      }
    }
  }

  /// 6000 mutations for each of the files, 114000 in all, every fourth decompressed in both ways.
  @Test(arguments: GoldenTests.files)
  func `no mutation traps or gives another size`(name: String, codec: Codec) throws {
    var random = Seeded(UInt64(name.utf8.count))
    let file = try CodecFixture.read(name).array()
    var decompressor = Decompressor(codec)
    var output = MutableBuffer()
    let byteCount = name == "linked.lz4" ? CodecFixture.repeatedText.count : 15498
    var limits = DecodeLimits()
    limits.blockByteCount = 1 << 20
    for round in 0..<6000 {
      var bytes = file
      for _ in 0...random.next() % 4 {
        let at = Int(random.next() % UInt64(round % 2 == 0 ? bytes.count : min(bytes.count, 40)))
        bytes[at] = UInt8(truncatingIfNeeded: random.next())
      }
      let block = Buffer(bytes)
      output.removeAll()
      do {
        try decompressor.decompress(block.bytes, uncompressedByteCount: byteCount, into: &output)
        #expect(output.count == byteCount, "round \(round)")
      } catch {
        #expect(output.count == 0, "round \(round)")
      }
      guard round % 4 == 0 else { continue }
      output.removeAll()
      do {
        let count = try decompressor.decompress(block.bytes, into: &output, limits: limits)
        #expect(output.count == count && count <= 1 << 20, "round \(round)")
      } catch {
        #expect(output.count == 0 && output.capacity <= 1 << 23, "round \(round)")
      }
    }
    // It still works after all that.
    let whole = Buffer(file)
    output.removeAll()
    try decompressor.decompress(whole.bytes, uncompressedByteCount: byteCount, into: &output)
  }

  @Test(arguments: codecs)
  func `random bytes throw`(codec: Codec) {
    var random = Seeded(5)
    for round in 0..<3000 {
      let block = Buffer(random.bytes(1 + Int(random.next() % 60)))
      #expect(throws: CodecError.self, "round \(round)") {
        try codec.decompress(block, to: 100_003)
      }
      _ = try? codec.decompress(block)
    }
  }

  @Test(arguments: Codec.allCases)
  func `a declared size over the limits throws before memory is taken`(codec: Codec) throws {
    let block = try codec.compress(CodecFixture.text)
    let limit = DecodeLimits.standard.blockByteCount
    for declared in [limit + 1, 1 << 40, .max] {
      let error = CodecError.self
      #expect(throws: error) { try codec.decompress(block, to: declared) }
    }
    let byRatio = max(32 << 20, block.count * DecodeLimits.standard.compressionRatio)
    let error = CodecError.limitExceeded(
      codec, byteCount: Int64(byRatio) + 1, limit: Int64(byRatio))
    #expect(throws: error) { try codec.decompress(block, to: byRatio + 1) }
    for declared in [-1, .min] {
      #expect(throws: CodecError.sizeMismatch(codec, declared: declared, found: nil)) {
        try codec.decompress(block, to: declared)
      }
    }
  }

  @Test(arguments: codecs)
  func `a bomb stops at the limit`(codec: Codec) throws {
    let bomb = try codec.compress(Buffer([UInt8](repeating: 0, count: 1 << 20)))
    var limits = DecodeLimits()
    limits.blockByteCount = 1 << 20
    #expect(try codec.decompress(bomb, limits: limits).count == 1 << 20)
    limits.blockByteCount = 1 << 20 - 1
    do {
      _ = try codec.decompress(bomb, limits: limits)
      Issue.record("it was decompressed")
    } catch {
      guard case .limitExceeded(codec, _, 1 << 20 - 1) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func `a Snappy block that lies about its size throws`() throws {
    // A preamble of 4 GiB and one literal.
    let lie = Buffer([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x41])
    #expect(throws: CodecError.self) { try Codec.snappy.decompress(lie) }
    #expect(throws: CodecError.sizeMismatch(.snappy, declared: 1, found: 0xffff_ffff)) {
      try Codec.snappy.decompress(lie, to: 1)
    }
    #expect(throws: CodecError.corrupt(.snappy, offset: 0)) {
      try Codec.snappy.decompress(Buffer([0xff, 0xff, 0xff, 0xff, 0x1f, 0x00, 0x41]))
    }
    #expect(throws: CodecError.corrupt(.snappy, offset: 0)) {
      try Codec.snappy.decompress(Buffer([0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x41]))
    }
  }

  @Test func `a zstd frame that asks for too large a window throws`() {
    // Magic, no content size, window descriptor 0xA8: 2^31 bytes; then a last raw block of none.
    let frame = Buffer([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00])
    #expect(throws: CodecError.windowTooLarge(.zstd, limit: 1 << 27)) {
      try Codec.zstd.decompress(frame)
    }
    #expect(throws: CodecError.windowTooLarge(.zstd, limit: 1 << 27)) {
      try StreamDecompressorTests.decompress(frame, .zstd, chunk: 1)
    }
  }

  @Test func `what needs a dictionary throws`() {
    // Frame header flags 1: a dictionary id of one byte.
    let zstd = Buffer([0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x07, 0x00, 0x01, 0x00, 0x00])
    #expect(throws: CodecError.dictionaryNeeded(.zstd)) { try Codec.zstd.decompress(zstd) }
    let zlib = Buffer([0x78, 0xbb, 0x00, 0x00, 0x00, 0x01, 0x03, 0x00])
    #expect(throws: CodecError.dictionaryNeeded(.gzip)) { try Codec.gzip.decompress(zlib) }
  }

  @Test(arguments: ["checksum.zst", "unsized.lz4", "linked.lz4", "pyarrow.gz"])
  func `another checksum than the stored one throws`(name: String) throws {
    var bytes = try CodecFixture.read(name).array()
    let last = bytes.count - (name == "pyarrow.gz" ? 5 : 1)
    bytes[last] ^= 1
    let codec: Codec = name.hasSuffix("zst") ? .zstd : name.hasSuffix("gz") ? .gzip : .lz4Frame
    let byteCount = name == "linked.lz4" ? CodecFixture.repeatedText.count : 15498
    let block = Buffer(bytes)
    if codec == .gzip {
      #expect(throws: CodecError.self) { try codec.decompress(block, to: byteCount) }
    } else {
      #expect(throws: CodecError.checksumMismatch(codec)) {
        try codec.decompress(block, to: byteCount)
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Testing

/// Blocks of other implementations; what each is and who made it is in Fixtures/README.md.
@Suite("Blocks of other implementations")
struct GoldenTests {
  static let files: [(String, Codec)] = [
    ("pyarrow.snappy", .snappy), ("cramjam.snappy", .snappy),
    ("pyarrow.gz", .gzip), ("members.gz", .gzip), ("zlib.zlib", .gzip),
    ("raw.deflate", .deflate), ("avro.deflate", .deflate),
    ("pyarrow.lz4_raw", .lz4Raw), ("lz4.lz4_raw", .lz4Raw),
    ("pyarrow.lz4", .lz4Frame), ("unsized.lz4", .lz4Frame), ("linked.lz4", .lz4Frame),
    ("chunks.lz4_hadoop", .lz4Hadoop),
    // What else was written as Parquet's LZ4.
    ("pyarrow.lz4_raw", .lz4Hadoop), ("pyarrow.lz4", .lz4Hadoop),
    ("pyarrow.zst", .zstd), ("checksum.zst", .zstd), ("unsized.zst", .zstd), ("frames.zst", .zstd),
  ]

  @Test func `the text is the one the files were made from`() {
    let text = CodecFixture.text
    let checksum = CRC32.checksum(text.bytes)
    #expect(checksum == 0x52d0_879e)
    #expect(text.count == 15498)
  }

  @Test(arguments: files)
  func `each is decompressed, its size being known or not`(name: String, codec: Codec) throws {
    let file = try CodecFixture.read(name)
    let expected = name == "linked.lz4" ? CodecFixture.repeatedText : CodecFixture.text
    #expect(try codec.decompress(file, to: expected.count) == expected)
    #expect(try codec.decompress(file) == expected)
    var decompressor = Decompressor(codec)
    var output = MutableBuffer(byteCount: expected.count)
    var span = output.mutableBytes
    try decompressor.decompress(file.bytes, into: &span)
    let filled = output.freeze()
    #expect(filled == expected)
  }

  @Test(arguments: files)
  func `a declared size that is not the block's throws`(name: String, codec: Codec) throws {
    let file = try CodecFixture.read(name)
    let count = name == "linked.lz4" ? CodecFixture.repeatedText.count : CodecFixture.text.count
    for declared in [0, 1, count / 2, count - 1, count + 1, count * 2, 1 << 20] {
      #expect(throws: CodecError.self, "\(declared) bytes") {
        try codec.decompress(file, to: declared)
      }
    }
  }
}

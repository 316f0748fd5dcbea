// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Glibc

/// What the files of Fixtures/codecs were made from, and the files.
enum CodecFixture {
  /// Lines `number,word,number`; the words and numbers come from Knuth's MMIX generator.
  static func text(lines: Int) -> Buffer {
    let words = [
      "order", "lineitem", "customer", "nation", "region", "part", "supplier", "partsupp",
    ]
    var state: UInt64 = 1
    var writer = ByteWriter()
    for i in 0..<lines {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      writer.write(utf8: "\(i),\(words[Int(state >> 33) % 8]),\((state >> 40) % 1000)\n")
    }
    return writer.finish()
  }

  /// 15498 bytes: what all files but `linked.lz4` hold.
  static let text = text(lines: 1000)

  /// What `linked.lz4` holds: the first 300 lines, 20 times.
  static let repeatedText: Buffer = {
    let part = text(lines: 300)
    var writer = ByteWriter()
    for _ in 0..<20 { writer.write(part) }
    return writer.finish()
  }()

  static func read(_ name: String) throws -> Buffer {
    var folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    folder = "/\(folder)/Fixtures/codecs/\(name)"
    guard let file = fopen(folder, "rb") else { throw MissingFixture(path: folder) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return Buffer(Array(bytes.prefix(count)))
  }

  struct MissingFixture: Error { let path: String }
}

extension Codec {
  /// `bytes`, compressed by us.
  func compress(_ bytes: Buffer, level: CompressionLevel = .standard) throws(CodecError) -> Buffer {
    var compressor = try Compressor(self, level: level)
    return try compressor.compress(bytes.bytes)
  }

  /// Decompressed by us, the size being known.
  func decompress(_ bytes: Buffer, to byteCount: Int) throws(CodecError) -> Buffer {
    var decompressor = Decompressor(self)
    return try decompressor.decompress(bytes.bytes, uncompressedByteCount: byteCount)
  }

  /// Decompressed by us, the size not being known.
  func decompress(_ bytes: Buffer, limits: DecodeLimits = .standard) throws(CodecError) -> Buffer {
    var decompressor = Decompressor(self)
    var output = MutableBuffer()
    try decompressor.decompress(bytes.bytes, into: &output, limits: limits)
    return output.freeze()
  }

  /// Decompressed from and into arrays, which unlike buffers have nothing behind their bytes: an
  /// address sanitizer sees what is read or written there.
  func decompressTightly(_ bytes: [UInt8], to byteCount: Int) throws(CodecError) -> [UInt8] {
    var decompressor = Decompressor(self)
    var output = [UInt8](repeating: 0, count: byteCount)
    var values = output.mutableSpan
    var span = values.mutableBytes
    try decompressor.decompress(bytes.span.bytes, into: &span)
    return output
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs

/// Compresses pages one after the other, with contexts and scratch memory that are kept.
struct PageCompressor: ~Copyable, Sendable {
  private var compressor: Compressor
  private var scratch = MutableBuffer()
  /// Its name in the file.
  let codec: CompressionCodec

  /// - Throws: ``ParquetError/unwritable(path:what:)`` for a level or a codec that Parquet does not have.
  init(_ codec: Codec, level: CompressionLevel) throws(ParquetError) {
    guard let name = Self.name(of: codec) else {
      throw .unwritable(path: "", what: "no codec of Parquet: \(codec)")
    }
    do throws(CodecError) {
      compressor = try Compressor(codec, level: level)
    } catch {
      throw .unwritable(path: "", what: "\(error)")
    }
    self.codec = name
  }

  private static func name(of codec: Codec) -> CompressionCodec? {
    switch codec {
    case .uncompressed: .uncompressed
    case .snappy: .snappy
    case .gzip: .gzip
    case .lz4Raw: .lz4Raw
    case .zstd: .zstd
    case .deflate, .lz4Hadoop, .lz4Frame: nil
    }
  }

  /// Appends the compressed `input` to `output`.
  mutating func compress(
    _ input: RawSpan, into output: inout MutableBuffer
  ) throws(ParquetError) {
    if codec == .uncompressed { return output.append(input) }
    do {
      try compressor.compress(input, into: &output)
    } catch {
      throw .unwritable(path: "", what: "\(error)")
    }
  }

  /// Appends what is in `input` from byte `start` on, compressed, to `output`.
  mutating func compress(
    _ input: borrowing MutableBuffer, from start: Int, into output: inout MutableBuffer
  ) throws(ParquetError) {
    try compress(input.bytes.extracting(start..<input.count), into: &output)
  }

  /// How many bytes `input` compresses to.
  mutating func measure(_ input: RawSpan) throws(ParquetError) -> Int {
    if codec == .uncompressed { return input.byteCount }
    var output = exchange(&scratch, with: MutableBuffer())
    output.removeAll()
    try compress(input, into: &output)
    let size = output.count
    scratch = output
    return size
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Compresses whole blocks with one codec, with working memory that is kept from block to block.
///
/// The same bytes, codec and level give the same compressed bytes; another version of zlib or zstd
/// may give others.
public struct Compressor: ~Copyable, Sendable {
  public let codec: Codec
  private let level: Int
  private var snappyTable: [UInt16] = []
  private var lz4Table: [UInt32] = []
  private var zstd: ZstdEncoder?
  private var deflater: Deflater?

  /// - Throws: ``CodecError/levelOutOfRange(_:level:allowed:)`` for a level the codec does not have.
  public init(_ codec: Codec, level: CompressionLevel = .standard) throws(CodecError) {
    let standard = codec == .zstd ? ZstdEncoder.standardLevel : Deflater.standardLevel
    let level = level.value ?? standard
    if let allowed = codec.levels, !allowed.contains(level) {
      throw .levelOutOfRange(codec, level: level, allowed: allowed)
    }
    self.codec = codec
    self.level = level
  }

  /// Appends `input`, compressed as one block, to `output`.
  ///
  /// - Throws: ``CodecError/inputTooLarge(_:byteCount:limit:)`` for more than a Snappy block
  ///   (4 GiB) or an LZ4 block (2 GiB) can hold; ``CodecError/outOfMemory(_:)``. Nothing was
  ///   appended then.
  public mutating func compress(
    _ input: RawSpan, into output: inout MutableBuffer
  ) throws(CodecError) {
    let start = output.count
    do throws(CodecError) {
      try append(input, to: &output)
    } catch {
      output.resize(to: start)
      throw error
    }
  }

  /// `input`, compressed as one block.
  public mutating func compress(_ input: RawSpan) throws(CodecError) -> Buffer {
    var output = MutableBuffer()
    try compress(input, into: &output)
    return output.freeze()
  }

  private mutating func append(
    _ input: RawSpan, to output: inout MutableBuffer
  ) throws(CodecError) {
    switch codec {
    case .uncompressed: output.append(input)
    case .snappy: try Snappy.compress(input, into: &output, table: &snappyTable)
    case .lz4Raw: try LZ4.encodeBlock(input, into: &output, table: &lz4Table, codec: codec)
    case .lz4Hadoop: try LZ4Hadoop.compress(input, into: &output, table: &lz4Table)
    case .lz4Frame: try LZ4Frame.compress(input, into: &output, table: &lz4Table)
    case .zstd:
      if zstd == nil { zstd = try ZstdEncoder(level: level) }
      try zstd?.compress(input, into: &output)
    case .gzip, .deflate:
      if deflater == nil { deflater = try Deflater(codec, level: level) }
      try deflater?.compress(input, into: &output)
    }
  }
}

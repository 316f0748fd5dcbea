// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Decompresses whole blocks of one codec, with working memory that is kept from block to block.
///
/// Laws, for every input:
/// 1. What is returned is exactly what was compressed, in the declared size, or it throws.
/// 2. No memory is taken for a size before it was held against the limits.
/// 3. Output that a throwing call was to append to holds what it held before.
///
/// One per worker: it is cheap to make, and takes its working memory (zlib and zstd, some 100 KB)
/// with the first block.
public struct Decompressor: ~Copyable, Sendable {
  public let codec: Codec
  private var zstd: ZstdDecoder?
  private var inflater: Inflater?
  private var blockInflater: BlockInflater?

  public init(_ codec: Codec) { self.codec = codec }

  /// What `input` holds, which must be `uncompressedByteCount` bytes.
  ///
  /// No bytes at all stand for no bytes in every codec.
  /// - Throws: ``CodecError``; ``CodecError/limitExceeded(_:byteCount:limit:)`` before memory is
  ///   taken for a size that is over `limits`.
  public mutating func decompress(
    _ input: RawSpan, uncompressedByteCount: Int, limits: DecodeLimits = .standard
  ) throws(CodecError) -> Buffer {
    var output = MutableBuffer()
    try decompress(
      input, uncompressedByteCount: uncompressedByteCount, into: &output, limits: limits)
    return output.freeze()
  }

  /// Appends what `input` holds, which must be `uncompressedByteCount` bytes, to `output`.
  ///
  /// - Throws: as ``decompress(_:uncompressedByteCount:limits:)``.
  public mutating func decompress(
    _ input: RawSpan, uncompressedByteCount: Int, into output: inout MutableBuffer,
    limits: DecodeLimits = .standard
  ) throws(CodecError) {
    try limits.check(uncompressedByteCount, of: input.byteCount, codec)
    let start = output.count
    output.resize(to: start + uncompressedByteCount)
    var target = output.mutableBytes
    do throws(CodecError) {
      try fill(input, &target, from: start)
    } catch {
      output.resize(to: start)
      throw error
    }
  }

  /// Fills `output` with what `input` holds, which must be as many bytes. After a throw, what is in
  /// `output` is unspecified.
  public mutating func decompress(
    _ input: RawSpan, into output: inout MutableRawSpan
  ) throws(CodecError) {
    try fill(input, &output, from: 0)
  }

  /// Appends what `input` holds to `output`: for blocks whose size nothing around them tells.
  ///
  /// Uncompressed bytes and ``Codec/lz4Raw`` do not tell it either: a block that was cut off between
  /// two of its sequences passes for a whole one.
  ///
  /// - Returns: how many bytes that is.
  /// - Throws: ``CodecError``; ``CodecError/limitExceeded(_:byteCount:limit:)`` where the output
  ///   reaches what `limits` allow a block of this size.
  @discardableResult
  public mutating func decompress(
    _ input: RawSpan, into output: inout MutableBuffer, limits: DecodeLimits = .standard
  ) throws(CodecError) -> Int {
    let start = output.count
    do throws(CodecError) {
      try append(input, to: &output, limits)
    } catch {
      output.resize(to: start)
      throw error
    }
    return output.count - start
  }

  private mutating func fill(
    _ input: RawSpan, _ output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    if input.isEmpty, start == output.byteCount { return }
    switch codec {
    case .uncompressed:
      guard input.byteCount == output.byteCount - start else {
        throw .sizeMismatch(
          codec, declared: output.byteCount - start, found: input.byteCount)
      }
      output.replace(at: start, with: input)
    case .snappy: try Snappy.decompress(input, into: &output, from: start)
    case .lz4Raw: try LZ4.decompressRaw(input, into: &output, from: start, codec: codec)
    case .lz4Hadoop: try LZ4Hadoop.decompress(input, into: &output, from: start)
    case .lz4Frame: try LZ4Frame.decompress(input, into: &output, from: start, codec: codec)
    case .zstd:
      if zstd == nil { zstd = try ZstdDecoder() }
      try zstd?.decompress(input, into: &output, from: start)
    case .deflate:
      if blockInflater == nil { blockInflater = BlockInflater() }
      try blockInflater?.fill(input, into: &output, from: start)
    case .gzip:
      if inflater == nil { inflater = try Inflater(codec) }
      try inflater?.fill(input, into: &output, from: start)
    }
  }

  private mutating func append(
    _ input: RawSpan, to output: inout MutableBuffer, _ limits: DecodeLimits
  ) throws(CodecError) {
    guard !input.isEmpty else { return }
    let limit = limits.inflatedByteCount(of: input.byteCount)
    switch codec {
    case .uncompressed:
      try limits.check(input.byteCount, of: input.byteCount, codec)
      output.append(input)
    case .snappy:
      let size = try Snappy.preamble(of: input).uncompressedByteCount
      try decompress(input, uncompressedByteCount: size, into: &output, limits: limits)
    case .lz4Raw: try LZ4.decompressRaw(input, into: &output, limit: limit, codec: codec)
    case .lz4Hadoop: try LZ4Hadoop.decompress(input, into: &output, limit: limit)
    case .lz4Frame: try LZ4Frame.decompress(input, into: &output, limit: limit, codec: codec)
    case .zstd:
      if zstd == nil { zstd = try ZstdDecoder() }
      try zstd?.decompress(input, into: &output, limit: limit)
    case .deflate:
      if blockInflater == nil { blockInflater = BlockInflater() }
      try blockInflater?.decompress(input, into: &output, limit: limit)
    case .gzip:
      if inflater == nil { inflater = try Inflater(codec) }
      try inflater?.decompress(input, into: &output, limit: limit)
    }
  }
}

extension DecodeLimits {
  fileprivate func check(
    _ inflated: Int, of compressed: Int, _ codec: Codec
  ) throws(CodecError) {
    let limit = inflatedByteCount(of: compressed)
    guard inflated >= 0 else { throw .sizeMismatch(codec, declared: inflated, found: nil) }
    guard inflated <= limit else {
      throw .limitExceeded(codec, byteCount: Int64(inflated), limit: Int64(limit))
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs

/// Decompresses the pages of a column chunk, with working memory kept from page to page.
struct PageDecompressor: ~Copyable {
  private var decompressor: Decompressor?

  /// - Throws: ``ParquetError/unsupported(_:in:)`` for a codec Lake does not have.
  init(_ codec: CompressionCodec, part: ParquetPart) throws(ParquetError) {
    switch codec {
    case .uncompressed: decompressor = nil
    case .snappy: decompressor = Decompressor(.snappy)
    case .gzip: decompressor = Decompressor(.gzip)
    case .lz4: decompressor = Decompressor(.lz4Hadoop)
    case .lz4Raw: decompressor = Decompressor(.lz4Raw)
    case .zstd: decompressor = Decompressor(.zstd)
    default: throw .unsupported(.codec(codec), in: part)
    }
  }

  /// What `body` holds, which must be `byteCount` bytes; without a copy if it is not compressed.
  mutating func decompress(
    _ body: Buffer, byteCount: Int, limits: DecodeLimits, part: ParquetPart
  ) throws(ParquetError) -> Buffer {
    guard decompressor != nil else {
      guard body.count == byteCount else {
        throw .inconsistent(
          part, what: "uncompressed size", expected: Int64(body.count), found: Int64(byteCount))
      }
      return body
    }
    do throws(CodecError) {
      return try decompressor?.decompress(
        body.bytes, uncompressedByteCount: byteCount, limits: limits) ?? body
    } catch {
      throw .codec(error, in: part)
    }
  }
}

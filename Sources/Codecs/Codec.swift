// SPDX-License-Identifier: Apache-2.0

/// A way to compress a block of bytes, named as the formats that use it name it.
public enum Codec: Hashable, Sendable, CaseIterable {
  /// The bytes as they are.
  case uncompressed
  /// Snappy's raw format: Parquet's SNAPPY, and Avro's before the checksum it adds.
  case snappy
  /// RFC 1952, one member or several; on reading, RFC 1950 (zlib) too, which some writers use.
  case gzip
  /// RFC 1951 with nothing around it: Avro's `deflate`.
  case deflate
  /// One LZ4 block with nothing around it: Parquet's LZ4_RAW.
  case lz4Raw
  /// LZ4 blocks behind big-endian sizes: what Hadoop put into Parquet's deprecated LZ4.
  case lz4Hadoop
  /// The LZ4 frame format: Puffin and Arrow bodies.
  case lz4Frame
  /// RFC 8878, one frame or several.
  case zstd
}

extension Codec: CustomStringConvertible {
  public var description: String {
    switch self {
    case .uncompressed: "uncompressed"
    case .snappy: "snappy"
    case .gzip: "gzip"
    case .deflate: "deflate"
    case .lz4Raw: "lz4_raw"
    case .lz4Hadoop: "lz4 (hadoop)"
    case .lz4Frame: "lz4 (frame)"
    case .zstd: "zstd"
    }
  }
}

/// How hard to compress: more time for fewer bytes. Codecs without levels do not look at it.
public struct CompressionLevel: Hashable, Sendable {
  /// The level in the codec's own counting; nil for what the codec takes as its standard.
  public let value: Int?

  /// zstd: 3; gzip and deflate: 6.
  public static let standard = CompressionLevel(value: nil)

  public init(_ value: Int) { self.init(value: value) }

  private init(value: Int?) { self.value = value }
}

extension Codec {
  /// The levels there are; nil for a codec that has none.
  public var levels: ClosedRange<Int>? {
    switch self {
    case .zstd: ZstdEncoder.levels
    case .gzip, .deflate: Deflater.levels
    case .uncompressed, .snappy, .lz4Raw, .lz4Hadoop, .lz4Frame: nil
    }
  }
}

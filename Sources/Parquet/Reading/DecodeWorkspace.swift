// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs

/// Working memory of decoding: decompressors, and buffers that pages inflate into.
///
/// Kept from row group to row group, it spares the cost of fresh memory, which is several times
/// that of using it. One per task; it is not `Sendable`. It keeps as many buffers as there were
/// pages open at a time, each as large as the largest page it held.
public final class DecodeWorkspace {
  private var snappy = Decompressor(.snappy)
  private var gzip = Decompressor(.gzip)
  private var lz4 = Decompressor(.lz4Hadoop)
  private var lz4Raw = Decompressor(.lz4Raw)
  private var zstd = Decompressor(.zstd)
  /// Buffers nobody uses at the moment.
  private var pool: [Buffer] = []
  /// For codes that are looked up as soon as they are decoded.
  private var codes = Buffer.empty

  private static let mostPooled = 64

  public init() {}

  /// True if there is a decompressor for `codec`.
  static func supports(_ codec: CompressionCodec) -> Bool {
    switch codec {
    case .uncompressed, .snappy, .gzip, .lz4, .lz4Raw, .zstd: true
    default: false
    }
  }

  /// What `body` holds, which must be `byteCount` bytes; without a copy if it is not compressed.
  ///
  /// Requires: ``supports(_:)``.
  func inflate(
    _ body: Buffer, _ codec: CompressionCodec, byteCount: Int, limits: DecodeLimits,
    part: ParquetPart
  ) throws(ParquetError) -> Buffer {
    if codec == .uncompressed {
      guard body.count == byteCount else {
        throw .inconsistent(
          part, what: "uncompressed size", expected: Int64(body.count), found: Int64(byteCount))
      }
      return body
    }
    var output = takeBuffer(byteCount)
    do throws(CodecError) {
      switch codec {
      case .snappy: try snappy.inflate(body, byteCount, &output, limits)
      case .gzip: try gzip.inflate(body, byteCount, &output, limits)
      case .lz4: try lz4.inflate(body, byteCount, &output, limits)
      case .lz4Raw: try lz4Raw.inflate(body, byteCount, &output, limits)
      default: try zstd.inflate(body, byteCount, &output, limits)
      }
    } catch {
      throw .codec(error, in: part)
    }
    return output.freeze()
  }

  /// An empty buffer; one that has room for `byteCount` bytes if there is one.
  private func takeBuffer(_ byteCount: Int) -> MutableBuffer {
    let fitting = pool.lastIndex { $0.retainedByteCount >= byteCount } ?? pool.indices.last
    guard let fitting else { return MutableBuffer() }
    var taken = pool.remove(at: fitting)
    return MutableBuffer.reclaim(&taken) ?? MutableBuffer()
  }

  /// Takes back a buffer that ``inflate(_:_:byteCount:limits:part:)`` gave and that is done with.
  func giveBack(_ buffer: inout Buffer) {
    let done = exchange(&buffer, with: .empty)
    if pool.count < Self.mostPooled, done.retainedByteCount > 0 { pool.append(done) }
  }

  /// Room for codes, to be given back with ``giveBack(codes:)``.
  func takeCodes() -> MutableBuffer { MutableBuffer.reclaim(&codes) ?? MutableBuffer() }

  func giveBack(codes buffer: consuming MutableBuffer) { codes = buffer.freeze() }
}

extension Decompressor {
  fileprivate mutating func inflate(
    _ body: Buffer, _ byteCount: Int, _ output: inout MutableBuffer, _ limits: DecodeLimits
  ) throws(CodecError) {
    try decompress(
      body.bytes, uncompressedByteCount: byteCount, into: &output, limits: limits)
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Decompresses a file that arrives in chunks: gzip members or zstd frames, one after the other.
///
/// Cost: a window of the codec's (32 KiB for gzip, at most 128 MiB for zstd) beside the output.
public struct StreamDecompressor: ~Copyable, Sendable {
  /// What can be read in chunks.
  public enum Format: Hashable, Sendable, CaseIterable {
    case gzip, zstd

    /// How many bytes tell the format.
    public static let signatureByteCount = 4

    /// The format that a file with these first bytes (four tell) is in; nil for neither.
    public init?(startOf bytes: RawSpan) {
      guard bytes.byteCount >= Self.signatureByteCount else { return nil }
      let word = bytes.loadLE(at: 0, as: UInt32.self)
      if word & 0xffff == 0x8b1f {
        self = .gzip
      } else if word == 0xfd2f_b528 || word & 0xffff_fff0 == 0x184d_2a50 {
        self = .zstd
      } else {
        return nil
      }
    }
  }

  public let format: Format
  private var progress = MemberProgress()
  private var inflater: Inflater?
  private var zstd: ZstdDecoder?

  /// - Throws: ``CodecError/outOfMemory(_:)``.
  public init(_ format: Format) throws(CodecError) {
    self.format = format
    switch format {
    case .gzip: inflater = try Inflater(.gzip)
    case .zstd: zstd = try ZstdDecoder()
    }
  }

  /// Decompresses `chunk`, the next bytes of the file, and appends at most `limit` bytes to
  /// `output`: a small chunk may hold very much.
  ///
  /// - Returns: how many bytes of `chunk` were read. If `limit` bytes were appended there may be
  ///   more: call again with the rest of the chunk, even if nothing is left of it.
  /// - Throws: ``CodecError``; the stream is of no use afterwards, and `output` is as it was.
  @discardableResult
  public mutating func feed(
    _ chunk: RawSpan, into output: inout MutableBuffer, limit: Int = .max
  ) throws(CodecError) -> Int {
    var position = 0
    // At least a page, so that small chunks do not grow the output byte by byte.
    let expecting = max(min(chunk.byteCount, 1 << 40) * 2, 1 << 12)
    let room = min(limit, Int.max - output.count)
    switch format {
    case .gzip:
      try inflater?.append(
        chunk, &position, to: &output, limit: room, expecting: expecting, &progress)
    case .zstd:
      try zstd?.append(
        chunk, &position, to: &output, limit: room, expecting: expecting, &progress)
    }
    return position
  }

  /// Says that the file is at its end.
  ///
  /// - Throws: ``CodecError/truncated(_:)`` if its last member is not, or there was none.
  public consuming func finish() throws(CodecError) {
    try progress.finish(format == .gzip ? .gzip : .zstd)
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// LZ4 blocks as Hadoop writes them.
///
///     data  := frame*
///     frame := size of what it holds (4 bytes, big-endian), chunk* until that is reached
///     chunk := size of the block (4 bytes, big-endian), block
///
/// Parquet's LZ4 never said which wrapping it means, so writers differ: what does not follow this
/// grammar is read as an LZ4 frame if it starts like one, else as a block alone, as Arrow does.
/// Source: parquet-format Compression.md, "LZ4".
enum LZ4Hadoop {
  /// Fills `output` from byte `start` on.
  static func decompress(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    if decodeFrames(input, into: &output, from: start) { return }
    if LZ4Frame.isFrame(input) {
      try LZ4Frame.decompress(input, into: &output, from: start, codec: .lz4Hadoop)
    } else {
      try LZ4.decompressRaw(input, into: &output, from: start, codec: .lz4Hadoop)
    }
  }

  /// Appends what `input` holds, at most `limit` bytes.
  static func decompress(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int
  ) throws(CodecError) {
    let start = output.count
    let overrun: CodecError?
    switch decodeFrames(input, into: &output, limit: limit) {
    case .decoded: return
    case .notFrames: overrun = nil
    case .tooMany(let byteCount):
      overrun = .limitExceeded(.lz4Hadoop, byteCount: Int64(byteCount), limit: Int64(limit))
    }
    output.resize(to: start)
    do throws(CodecError) {
      if LZ4Frame.isFrame(input) {
        try LZ4Frame.decompress(input, into: &output, limit: limit, codec: .lz4Hadoop)
      } else {
        try LZ4.decompressRaw(input, into: &output, limit: limit, codec: .lz4Hadoop)
      }
    } catch {
      throw overrun ?? error
    }
  }

  /// Appends one frame of one chunk; nothing for no bytes.
  static func compress(
    _ input: RawSpan, into output: inout MutableBuffer, table: inout [UInt32]
  ) throws(CodecError) {
    guard input.byteCount > 0 else { return }
    let start = output.count
    output.resize(to: start + 8)
    try LZ4.encodeBlock(input, into: &output, table: &table, codec: .lz4Hadoop)
    var header = ByteWriter(capacity: 8)
    header.writeBE(UInt32(input.byteCount))
    header.writeBE(UInt32(output.count - start - 8))
    output.replace(at: start, with: header.bytes)
  }

  /// False if `input` does not follow the grammar, or does not fill `output` from `start` on.
  private static func decodeFrames(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) -> Bool {
    var reader = ByteReader(input)
    var filled = start
    while !reader.isAtEnd {
      guard let size = try? Int(reader.readUInt32BE()), size <= output.byteCount - filled,
        decodeChunks(&reader, into: &output, filled..<filled + size)
      else { return false }
      filled += size
    }
    return filled == output.byteCount
  }

  private enum FramesOutcome {
    case decoded, notFrames
    /// This many bytes are more than there may be.
    case tooMany(Int)
  }

  /// Appends what the frames hold, at most `limit` bytes.
  private static func decodeFrames(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int
  ) -> FramesOutcome {
    var reader = ByteReader(input)
    let start = output.count
    while !reader.isAtEnd {
      let filled = output.count
      // No block holds more than 255 times its bytes: no memory is taken for what cannot be.
      guard let size = try? Int(reader.readUInt32BE()), size / 255 <= reader.remaining else {
        return .notFrames
      }
      guard size <= limit - (filled - start) else { return .tooMany(filled - start + size) }
      output.resize(to: filled + size)
      var target = output.mutableBytes
      guard decodeChunks(&reader, into: &target, filled..<filled + size) else { return .notFrames }
    }
    return .decoded
  }

  /// Decodes chunks that fill `range` exactly; false if they do not.
  private static func decodeChunks(
    _ reader: inout ByteReader, into output: inout MutableRawSpan, _ range: Range<Int>
  ) -> Bool {
    var filled = range.lowerBound
    while filled < range.upperBound {
      guard let size = try? Int(reader.readUInt32BE()), let block = try? reader.readBytes(size)
      else { return false }
      let outcome = LZ4.decodeBlock(
        block, into: &output, window: filled, from: filled, to: range.upperBound)
      guard case .decoded(let count) = outcome, count > 0 else { return false }
      filled += count
    }
    return true
  }
}

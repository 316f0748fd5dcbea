// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The LZ4 block, and its two wrappings that are no frame: none at all, and Hadoop's.
///
/// Source: lz4, lz4_Block_format.md; parquet-format Compression.md, "LZ4" and "LZ4_RAW".
enum LZ4 {
  /// Decodes one block to `output` from byte `start` on; its matches reach back to `window`.
  static func decodeBlock(
    _ input: RawSpan, into output: inout MutableRawSpan, window: Int, from start: Int, to end: Int
  ) -> BlockOutcome {
    unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe LZ4DecodeKernel.decode(
          source, into: .init(rebasing: target[window..<end]), history: start - window)
      }
    }
  }

  /// Appends one block for `input` to `output`.
  static func encodeBlock(
    _ input: RawSpan, into output: inout MutableBuffer, table: inout [UInt32], codec: Codec
  ) throws(CodecError) {
    guard input.byteCount <= LZ4EncodeKernel.inputLimit else {
      throw .inputTooLarge(codec, byteCount: input.byteCount, limit: LZ4EncodeKernel.inputLimit)
    }
    if table.isEmpty { table = [UInt32](repeating: 0, count: LZ4EncodeKernel.tableCount) }
    let start = output.count
    output.resize(to: start + LZ4EncodeKernel.bound(input.byteCount))
    var target = output.mutableBytes
    let written = unsafe input.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe table.withUnsafeMutableBufferPointer { table in
          unsafe LZ4EncodeKernel.encode(
            source, into: .init(rebasing: target[start...]), table: table)
        }
      }
    }
    output.resize(to: start + written)
  }

  /// Fills `output` from byte `start` on with the one block that `input` is.
  static func decompressRaw(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int, codec: Codec
  ) throws(CodecError) {
    let room = output.byteCount - start
    let outcome = decodeBlock(
      input, into: &output, window: start, from: start, to: output.byteCount)
    switch outcome {
    case .decoded(room): return
    case .decoded(let count): throw .sizeMismatch(codec, declared: room, found: count)
    case .roomTooSmall: throw .sizeMismatch(codec, declared: room, found: nil)
    case .truncated: throw .truncated(codec)
    case .corrupt(let offset): throw .corrupt(codec, offset: offset)
    }
  }

  /// Appends the one block that `input` is, whose size nothing tells: tries rooms that double.
  ///
  /// Cost: decodes the block again for each doubling over four times its size.
  static func decompressRaw(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int, codec: Codec
  ) throws(CodecError) {
    let start = output.count
    var room = min(limit, max(4 * min(input.byteCount, limit), 1 << 12))
    while true {
      output.resize(to: start + room)
      var target = output.mutableBytes
      switch decodeBlock(
        input, into: &target, window: start, from: start, to: target.byteCount)
      {
      case .decoded(let count): return output.resize(to: start + count)
      case .truncated: throw .truncated(codec)
      case .corrupt(let offset): throw .corrupt(codec, offset: offset)
      case .roomTooSmall:
        guard room < limit else {
          throw .limitExceeded(codec, byteCount: Int64(room) + 1, limit: Int64(limit))
        }
        room = room > limit / 2 ? limit : room * 2
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The LZ4 frame format, whole frames in memory.
///
/// Source: lz4, lz4_Frame_format.md.
enum LZ4Frame {
  static let magic: UInt32 = 0x184D_2204
  /// Flags of what is written: version 1, independent blocks, content size and checksum present.
  private static let writtenFlags: UInt8 = 0b0110_1100
  /// The block size of what is written: 4 MiB.
  private static let writtenBlockCode: UInt8 = 7
  static let writtenBlockByteCount = 1 << 22

  /// True if `input` starts as a frame does.
  static func isFrame(_ input: RawSpan) -> Bool {
    input.byteCount >= 4 && input.loadLE(at: 0, as: UInt32.self) == magic
  }

  /// Fills `output` from byte `start` on.
  static func decompress(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int, codec: Codec
  ) throws(CodecError) {
    let room = output.byteCount - start
    var decoder = LZ4FrameDecoder(
      input, filled: start, codec: codec,
      overrun: .sizeMismatch(codec, declared: room, found: nil))
    while try decoder.step(into: &output) {}
    guard decoder.filled == output.byteCount else {
      throw .sizeMismatch(codec, declared: room, found: decoder.filled - start)
    }
  }

  /// Appends what the frames in `input` hold, at most `limit` bytes.
  static func decompress(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int, codec: Codec
  ) throws(CodecError) {
    let start = output.count
    var decoder = LZ4FrameDecoder(
      input, filled: start, codec: codec,
      overrun: .limitExceeded(codec, byteCount: Int64(limit) + 1, limit: Int64(limit)))
    var isDone = false
    while !isDone {
      let room = min(decoder.nextByteCount, limit - (decoder.filled - start))
      output.resize(to: decoder.filled + room)
      var target = output.mutableBytes
      isDone = try !decoder.step(into: &target)
    }
    output.resize(to: decoder.filled)
  }

  /// Appends one frame for `input` to `output`.
  static func compress(
    _ input: RawSpan, into output: inout MutableBuffer, table: inout [UInt32]
  ) throws(CodecError) {
    var header = ByteWriter(capacity: 16)
    header.writeLE(magic)
    header.write(writtenFlags)
    header.write(writtenBlockCode << 4)
    header.writeLE(UInt64(input.byteCount))
    header.write(headerChecksum(header.bytes.extracting(4..<header.count)))
    output.append(header.bytes)
    var at = 0
    while at < input.byteCount {
      let count = min(writtenBlockByteCount, input.byteCount - at)
      try compressBlock(input.extracting(at..<at + count), into: &output, table: &table)
      at += count
    }
    output.append(value: UInt32(0))
    output.append(value: XXHash32.hash(input).littleEndian)
  }

  /// A block behind its size; as it is, with the highest bit set, if it does not get smaller.
  private static func compressBlock(
    _ input: RawSpan, into output: inout MutableBuffer, table: inout [UInt32]
  ) throws(CodecError) {
    let start = output.count
    output.append(value: UInt32(0))
    try LZ4.encodeBlock(input, into: &output, table: &table, codec: .lz4Frame)
    var size = UInt32(output.count - start - 4)
    if size >= input.byteCount {
      output.resize(to: start + 4)
      output.append(input)
      size = UInt32(input.byteCount) | 0x8000_0000
    }
    var header = ByteWriter(capacity: 4)
    header.writeLE(size)
    output.replace(at: start, with: header.bytes)
  }

  /// The second byte of the hash of the frame's descriptor.
  static func headerChecksum(_ descriptor: RawSpan) -> UInt8 {
    UInt8(truncatingIfNeeded: XXHash32.hash(descriptor) >> 8)
  }
}

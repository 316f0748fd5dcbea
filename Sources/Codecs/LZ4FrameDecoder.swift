// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Decodes LZ4 frames a header, a block or a trailer at a step, so that its caller can make room.
///
///     frame   := magic, flags, block code << 4, content size?, dictionary id?, checksum, block*,
///                4 zero bytes, content checksum?
///     block   := size (highest bit: not compressed), bytes, checksum?
///     skipped := 0x184D2A50 ... 5F, size, bytes
///
/// Source: lz4, lz4_Frame_format.md.
struct LZ4FrameDecoder: ~Escapable {
  /// What the header of the frame being read says.
  private struct Header {
    var flags: UInt8
    var blockByteCount: Int
    var contentByteCount: UInt64?
    /// Where the frame's content starts in the output: how far its matches may reach back.
    var start: Int

    var hasLinkedBlocks: Bool { flags & 0x20 == 0 }
    var hasBlockChecksums: Bool { flags & 0x10 != 0 }
    var hasContentSize: Bool { flags & 0x08 != 0 }
    var hasContentChecksum: Bool { flags & 0x04 != 0 }
    var hasDictionary: Bool { flags & 0x01 != 0 }
  }

  private var reader: ByteReader
  private var header: Header?
  private var frameCount = 0
  private let codec: Codec
  private let overrun: CodecError
  /// The end of what was decoded, in the output.
  private(set) var filled: Int

  /// - Parameter overrun: what to throw if a step does not have the room it needs.
  @_lifetime(copy input)
  init(_ input: RawSpan, filled: Int, codec: Codec, overrun: CodecError) {
    reader = ByteReader(input)
    header = nil
    self.filled = filled
    self.codec = codec
    self.overrun = overrun
  }

  /// The most bytes that the next step adds.
  var nextByteCount: Int {
    guard let header else { return 0 }
    guard let content = header.contentByteCount else { return header.blockByteCount }
    let left = content - min(content, UInt64(filled - header.start))
    return Int(min(left, UInt64(header.blockByteCount)))
  }

  /// Reads on, and adds what it decodes to `output`; false at the end of the last frame.
  mutating func step(into output: inout MutableRawSpan) throws(CodecError) -> Bool {
    guard let header else {
      if reader.isAtEnd, frameCount > 0 { return false }
      try begin()
      return true
    }
    let size = try readUInt32()
    if size == 0 {
      try end(header, output.bytes)
    } else {
      try addBlock(size, header, &output)
    }
    return true
  }

  /// Reads the header of a frame, or skips a frame that is to be skipped.
  private mutating func begin() throws(CodecError) {
    let magic = try readUInt32()
    if magic & 0xFFFF_FFF0 == 0x184D_2A50 {
      _ = try readBytes(Int(try readUInt32()))
      return
    }
    guard magic == LZ4Frame.magic else { throw .corrupt(codec, offset: reader.offset - 4) }
    let start = reader
    let fixed = try readBytes(2)
    let flags = fixed[0]
    let blockCode = fixed[1] >> 4
    guard flags >> 6 == 1, flags & 2 == 0, fixed[1] & 0x8F == 0, blockCode >= 4 else {
      throw .corrupt(codec, offset: reader.offset - 2)
    }
    var header = Header(
      flags: flags, blockByteCount: 1 << (8 + 2 * Int(blockCode)), contentByteCount: nil,
      start: filled)
    if header.hasContentSize {
      header.contentByteCount = try readBytes(8).loadLE(at: 0, as: UInt64.self)
    }
    guard !header.hasDictionary else { throw .dictionaryNeeded(codec) }
    var descriptor = start
    let count = reader.offset - start.offset
    let checksum = try readBytes(1)[0]
    guard let bytes = try? descriptor.readBytes(count), LZ4Frame.headerChecksum(bytes) == checksum
    else { throw .checksumMismatch(codec) }
    self.header = header
    frameCount += 1
  }

  private mutating func addBlock(
    _ size: UInt32, _ header: Header, _ output: inout MutableRawSpan
  ) throws(CodecError) {
    let offset = reader.offset
    let block = try readBytes(Int(size & 0x7FFF_FFFF))
    if header.hasBlockChecksums, try readUInt32() != XXHash32.hash(block) {
      throw .checksumMismatch(codec)
    }
    let wanted = nextByteCount
    let end = min(filled + wanted, output.byteCount)
    if size >> 31 == 1 {
      guard block.byteCount <= wanted else { throw .corrupt(codec, offset: offset) }
      guard block.byteCount <= end - filled else { throw overrun }
      output.replace(at: filled, with: block)
      filled += block.byteCount
      return
    }
    let window = header.hasLinkedBlocks ? header.start : filled
    switch LZ4.decodeBlock(block, into: &output, window: window, from: filled, to: end) {
    case .decoded(let count): filled += count
    case .roomTooSmall where end == filled + wanted: throw .corrupt(codec, offset: offset)
    case .roomTooSmall: throw overrun
    case .truncated: throw .corrupt(codec, offset: reader.offset)
    case .corrupt(let at): throw .corrupt(codec, offset: offset + at)
    }
  }

  /// Checks what the frame says of its content against the content.
  private mutating func end(_ header: Header, _ output: RawSpan) throws(CodecError) {
    let count = filled - header.start
    if let declared = header.contentByteCount, declared != UInt64(count) {
      throw .sizeMismatch(codec, declared: Int(clamping: declared), found: count)
    }
    if header.hasContentChecksum {
      let content = output.extracting(header.start..<filled)
      guard try readUInt32() == XXHash32.hash(content) else { throw .checksumMismatch(codec) }
    }
    self.header = nil
  }

  /// All that the reader can be asked here is too much.
  private mutating func readUInt32() throws(CodecError) -> UInt32 {
    do { return try reader.readUInt32LE() } catch { throw .truncated(codec) }
  }

  @_lifetime(copy self)
  private mutating func readBytes(_ count: Int) throws(CodecError) -> RawSpan {
    do { return try reader.readBytes(count) } catch { throw .truncated(codec) }
  }
}

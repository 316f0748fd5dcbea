// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import CZstd

/// A zstd compression context, used again for each block.
@safe
struct ZstdEncoder: ~Copyable, Sendable {
  /// The library's object. Only the one owner of this struct calls it, one call at a time.
  nonisolated(unsafe) private let context: OpaquePointer

  static var levels: ClosedRange<Int> { Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel()) }
  static let standardLevel = 3

  init(level: Int) throws(CodecError) {
    guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory(.zstd) }
    let set = unsafe ZSTD_CCtx_setParameter(
      context, ZSTD_c_compressionLevel, Int32(clamping: level))
    guard ZSTD_isError(set) == 0 else {
      _ = unsafe ZSTD_freeCCtx(context)
      throw Zstd.error(set)
    }
    unsafe self.context = context
  }

  deinit { _ = unsafe ZSTD_freeCCtx(context) }

  /// Appends one frame for `input`, which says its size, to `output`.
  mutating func compress(
    _ input: RawSpan, into output: inout MutableBuffer
  ) throws(CodecError) {
    let start = output.count
    output.resize(to: start + ZSTD_compressBound(input.byteCount))
    var target = output.mutableBytes
    let written = unsafe input.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...])
        return unsafe ZSTD_compress2(
          context, room.baseAddress, room.count, source.baseAddress, source.count)
      }
    }
    guard ZSTD_isError(written) == 0 else {
      output.resize(to: start)
      throw Zstd.error(written)
    }
    output.resize(to: start + written)
  }
}

/// A zstd decompression context, used again for each block.
@safe
struct ZstdDecoder: ~Copyable, Sendable, MemberDecoder {
  /// The library's object. Only the one owner of this struct calls it, one call at a time.
  nonisolated(unsafe) private let context: OpaquePointer

  var codec: Codec { .zstd }

  init() throws(CodecError) {
    guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory(.zstd) }
    let set = unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, Int32(Zstd.windowLogLimit))
    guard ZSTD_isError(set) == 0 else {
      _ = unsafe ZSTD_freeDCtx(context)
      throw Zstd.error(set)
    }
    unsafe self.context = context
  }

  deinit { _ = unsafe ZSTD_freeDCtx(context) }

  /// Fills `output` from byte `start` on with what all frames of `input` hold.
  mutating func decompress(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    let room = output.byteCount - start
    let result = unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...])
        return unsafe ZSTD_decompressDCtx(
          context, room.baseAddress, room.count, source.baseAddress, source.count)
      }
    }
    if ZSTD_isError(result) != 0 {
      guard ZSTD_getErrorCode(result) != ZSTD_error_dstSize_tooSmall else {
        throw .sizeMismatch(.zstd, declared: room, found: nil)
      }
      throw Zstd.error(result)
    }
    guard input.byteCount > 0 else { throw .truncated(.zstd) }
    guard result == room else { throw .sizeMismatch(.zstd, declared: room, found: result) }
  }

  mutating func beginMember() throws(CodecError) {
    try Zstd.check(unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only))
  }

  mutating func step(
    _ input: RawSpan, _ position: inout Int, _ output: inout MutableRawSpan, _ filled: inout Int
  ) throws(CodecError) -> Bool {
    var read = position
    var written = filled
    let result = unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: read)
        var to = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: written)
        let result = unsafe ZSTD_decompressStream(context, &to, &from)
        unsafe read = from.pos
        unsafe written = to.pos
        return result
      }
    }
    position = read
    filled = written
    try Zstd.check(result)
    return result == 0
  }
}

/// What both directions share.
enum Zstd {
  /// The largest window a frame may ask for, as a power of two: 128 MiB, as the `zstd` tool has it.
  static let windowLogLimit = 27

  static func check(_ result: Int) throws(CodecError) {
    guard ZSTD_isError(result) == 0 else { throw error(result) }
  }

  static func error(_ result: Int) -> CodecError {
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_srcSize_wrong: .truncated(.zstd)
    case ZSTD_error_checksum_wrong: .checksumMismatch(.zstd)
    case ZSTD_error_frameParameter_windowTooLarge:
      .windowTooLarge(.zstd, limit: 1 << windowLogLimit)
    case ZSTD_error_dictionary_wrong, ZSTD_error_dictionary_corrupted: .dictionaryNeeded(.zstd)
    case ZSTD_error_memory_allocation: .outOfMemory(.zstd)
    default: .corrupt(.zstd, offset: nil)
    }
  }
}

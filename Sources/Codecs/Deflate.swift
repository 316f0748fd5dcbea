// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import CZlib

/// zlib's compressor for gzip members or raw deflate, used again for each block.
@safe
struct Deflater: ~Copyable, Sendable {
  private let codec: Codec
  /// zlib keeps a pointer back to its stream, which therefore must not move. Only the one owner of
  /// this struct uses it, one call at a time.
  nonisolated(unsafe) private let stream: UnsafeMutablePointer<z_stream>

  static let levels = 0...9
  static let standardLevel = 6

  init(_ codec: Codec, level: Int) throws(CodecError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let windowBits: Int32 = codec == .deflate ? -15 : 15 + 16
    let result = unsafe deflateInit2_(
      stream, Int32(clamping: level), Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else {
      unsafe stream.deallocate()
      throw .outOfMemory(codec)
    }
    self.codec = codec
    unsafe self.stream = unsafe stream
  }

  deinit {
    _ = unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Appends one member (or raw stream) for `input` to `output`.
  mutating func compress(
    _ input: RawSpan, into output: inout MutableBuffer
  ) throws(CodecError) {
    let start = output.count
    guard unsafe deflateReset(stream) == Z_OK else { throw .outOfMemory(codec) }
    output.resize(to: start + Int(unsafe deflateBound(stream, UInt(input.byteCount))))
    var read = 0
    var filled = start
    while true {
      var target = output.mutableBytes
      if step(input, &read, &target, &filled) { break }
      // The bound makes this rare: only the pieces of more than a call's worth come here.
      if filled == output.count { output.resize(to: output.count + output.count / 2 + 64) }
    }
    output.resize(to: filled)
  }

  /// Compresses on; true when all is done.
  private func step(
    _ input: RawSpan, _ position: inout Int, _ output: inout MutableRawSpan, _ filled: inout Int
  ) -> Bool {
    let isLast = input.byteCount - position <= ZlibCall.byteCountLimit
    let result = unsafe ZlibCall.run(stream, input, &position, &output, &filled) { stream in
      unsafe deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
    }
    precondition(result >= Z_OK || result == Z_BUF_ERROR, "zlib was called in a way it refuses")
    return result == Z_STREAM_END
  }
}

/// zlib's decompressor for gzip members or raw deflate, used again for each block.
@safe
struct Inflater: ~Copyable, Sendable, MemberDecoder {
  let codec: Codec
  /// As in ``Deflater``.
  nonisolated(unsafe) private let stream: UnsafeMutablePointer<z_stream>

  init(_ codec: Codec) throws(CodecError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 32 more: gzip and zlib are told apart by how they begin.
    let windowBits: Int32 = codec == .deflate ? -15 : 15 + 32
    let result = unsafe inflateInit2_(
      stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else {
      unsafe stream.deallocate()
      throw .outOfMemory(codec)
    }
    self.codec = codec
    unsafe self.stream = unsafe stream
  }

  deinit {
    _ = unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  mutating func beginMember() throws(CodecError) {
    guard unsafe inflateReset(stream) == Z_OK else { throw .outOfMemory(codec) }
  }

  mutating func step(
    _ input: RawSpan, _ position: inout Int, _ output: inout MutableRawSpan, _ filled: inout Int
  ) throws(CodecError) -> Bool {
    let result = unsafe ZlibCall.run(stream, input, &position, &output, &filled) { stream in
      unsafe inflate(stream, Z_NO_FLUSH)
    }
    switch result {
    case Z_STREAM_END: return true
    case Z_OK, Z_BUF_ERROR: return false
    case Z_NEED_DICT: throw .dictionaryNeeded(codec)
    case Z_MEM_ERROR: throw .outOfMemory(codec)
    default: throw .corrupt(codec, offset: position)
    }
  }
}

/// One call into zlib over parts of two spans.
enum ZlibCall {
  /// zlib counts in 32 bits: longer input or output is handed over in pieces.
  static let byteCountLimit = 1 << 30

  /// Hands `input` from `position` on and `output` from `filled` on to `call`, and moves both on.
  static func run(
    _ stream: UnsafeMutablePointer<z_stream>, _ input: RawSpan, _ position: inout Int,
    _ output: inout MutableRawSpan, _ filled: inout Int,
    _ call: (UnsafeMutablePointer<z_stream>) -> Int32
  ) -> Int32 {
    let available = min(input.byteCount - position, byteCountLimit)
    let room = min(output.byteCount - filled, byteCountLimit)
    let from = position
    let to = filled
    // zlib refuses a null pointer even where it may not use it.
    let nowhere = unsafe UnsafeMutableRawPointer(stream).assumingMemoryBound(to: UInt8.self)
    let result = unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        let start = unsafe source.baseAddress.map {
          unsafe UnsafeMutablePointer(mutating: ($0 + from).assumingMemoryBound(to: UInt8.self))
        }
        let end = unsafe target.baseAddress.map {
          unsafe ($0 + to).assumingMemoryBound(to: UInt8.self)
        }
        unsafe stream.pointee.next_in = start ?? nowhere
        unsafe stream.pointee.avail_in = UInt32(available)
        unsafe stream.pointee.next_out = end ?? nowhere
        unsafe stream.pointee.avail_out = UInt32(room)
        return unsafe call(stream)
      }
    }
    position += available - Int(unsafe stream.pointee.avail_in)
    filled += room - Int(unsafe stream.pointee.avail_out)
    return result
  }
}

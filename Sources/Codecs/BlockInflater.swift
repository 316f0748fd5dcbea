// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Inflates raw deflate streams whose bytes are all there, one after the other.
struct BlockInflater: ~Copyable, Sendable {
  private var kernel = InflateKernel()

  /// Some Avro writers cut the stream out of zlib's format, and leave (part of) its checksum there.
  private static let trailerLimit = 4

  /// Appends what `input` holds to `output`, up to `limit` bytes.
  mutating func decompress(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int
  ) throws(CodecError) {
    let start = output.count
    var filled = start
    var room = min(limit, max(64, min(input.byteCount, 1 << 40) * 4))
    kernel.reset()
    while true {
      output.resize(to: start + room)
      var target = output.mutableBytes
      let outcome = run(input, &target, start, &filled)
      if outcome == .full, room < limit {
        room = room > limit / 2 ? limit : room * 2
        continue
      }
      if outcome == .full {
        throw .limitExceeded(.deflate, byteCount: Int64(limit), limit: Int64(limit))
      }
      try check(outcome, input)
      output.resize(to: filled)
      return
    }
  }

  /// Fills `output` from byte `start` on with what `input` holds.
  mutating func fill(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    let room = output.byteCount - start
    var filled = start
    kernel.reset()
    let outcome = run(input, &output, start, &filled)
    if outcome == .full { throw .sizeMismatch(.deflate, declared: room, found: nil) }
    try check(outcome, input)
    guard filled == output.byteCount else {
      throw .sizeMismatch(.deflate, declared: room, found: filled - start)
    }
  }

  private mutating func run(
    _ input: RawSpan, _ output: inout MutableRawSpan, _ start: Int, _ filled: inout Int
  ) -> InflateKernel.Outcome {
    unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe kernel.run(source, target, from: start, &filled)
      }
    }
  }

  private func check(
    _ outcome: InflateKernel.Outcome, _ input: RawSpan
  ) throws(CodecError) {
    switch outcome {
    case .done: break
    case .truncated, .full: throw .truncated(.deflate)
    case .corrupt: throw .corrupt(.deflate, offset: kernel.position)
    }
    guard input.byteCount - kernel.position <= Self.trailerLimit else {
      throw .corrupt(.deflate, offset: kernel.position)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A decoder of formats that are a row of members, each with a beginning and an end of its own:
/// gzip members, zstd frames, one raw deflate stream.
protocol MemberDecoder: ~Copyable {
  var codec: Codec { get }

  /// Forgets what came before; called where a member begins.
  mutating func beginMember() throws(CodecError)

  /// Decodes as much as input and room allow, and moves both positions on. True where the member
  /// ends; nothing of what follows is read then.
  mutating func step(
    _ input: RawSpan, _ position: inout Int, _ output: inout MutableRawSpan, _ filled: inout Int
  ) throws(CodecError) -> Bool
}

/// Where a row of members is being read, over any split of input and output.
struct MemberProgress: Sendable {
  private(set) var isInMember = false
  private(set) var memberCount = 0
  /// True if the last step filled its room, and so may have kept output back.
  private var mayHaveOutput = false

  /// Raw deflate is one stream; up to four bytes behind it are passed over, as some Avro writers
  /// cut them out of zlib's format and leave (part of) its checksum there.
  private static let deflateTrailerLimit = 4

  /// Decodes until `input` is used up or `output` is full.
  mutating func run<Decoder: MemberDecoder & ~Copyable>(
    _ decoder: inout Decoder, _ input: RawSpan, _ position: inout Int,
    _ output: inout MutableRawSpan, _ filled: inout Int
  ) throws(CodecError) {
    while true {
      if !isInMember {
        try skipTrailer(decoder.codec, input, &position)
        guard position < input.byteCount else { return }
        try decoder.beginMember()
        isInMember = true
      } else if position == input.byteCount, !mayHaveOutput {
        return  // zstd takes too many calls without any progress for an error
      }
      if try decoder.step(input, &position, &output, &filled) {
        isInMember = false
        memberCount += 1
        mayHaveOutput = false
        continue
      }
      mayHaveOutput = filled == output.byteCount
      if mayHaveOutput || position == input.byteCount {
        return
      }
    }
  }

  /// Passes over what may stand behind a member: zero bytes that pad a gzip file to a block.
  private func skipTrailer(
    _ codec: Codec, _ input: RawSpan, _ position: inout Int
  ) throws(CodecError) {
    guard memberCount > 0 else { return }
    if codec == .deflate {
      guard input.byteCount - position <= Self.deflateTrailerLimit else {
        throw .corrupt(codec, offset: position)
      }
      position = input.byteCount
    }
    guard codec == .gzip else { return }
    while position < input.byteCount, input[position] == 0 { position += 1 }
  }

  /// - Throws: ``CodecError/truncated(_:)`` if a member is not at its end, or there was none.
  func finish(_ codec: Codec) throws(CodecError) {
    guard !isInMember, memberCount > 0 else { throw .truncated(codec) }
  }
}

extension MemberDecoder where Self: ~Copyable {
  /// Decodes `input` from `position` on, appending at most `limit` bytes to `output`, which gets
  /// room for `expecting` of them at first and more as it is needed.
  mutating func append(
    _ input: RawSpan, _ position: inout Int, to output: inout MutableBuffer, limit: Int,
    expecting: Int, _ progress: inout MemberProgress
  ) throws(CodecError) {
    let start = output.count
    var filled = start
    var room = min(limit, expecting)
    while true {
      output.resize(to: start + room)
      var target = output.mutableBytes
      do throws(CodecError) {
        try progress.run(&self, input, &position, &target, &filled)
      } catch {
        output.resize(to: start)
        throw error
      }
      guard filled == output.count, room < limit else { break }
      room = room > limit / 2 ? limit : max(room * 2, 1 << 12)
    }
    output.resize(to: filled)
  }

  /// Appends what all members of `input` hold to `output`, up to `limit` bytes.
  mutating func decompress(
    _ input: RawSpan, into output: inout MutableBuffer, limit: Int
  ) throws(CodecError) {
    let start = output.count
    var progress = MemberProgress()
    var position = 0
    // A byte more than may be tells what is too long from what just fits.
    let (roof, overflow) = limit.addingReportingOverflow(1)
    let expecting = min(input.byteCount, 1 << 40) * 4
    try append(
      input, &position, to: &output, limit: overflow ? limit : roof, expecting: expecting,
      &progress)
    guard output.count - start <= limit else {
      throw .limitExceeded(codec, byteCount: Int64(output.count - start), limit: Int64(limit))
    }
    try progress.finish(codec)
  }

  /// Fills `output` from byte `start` on with what all members of `input` hold.
  mutating func fill(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    var progress = MemberProgress()
    var position = 0
    var filled = start
    let room = output.byteCount - start
    try progress.run(&self, input, &position, &output, &filled)
    if progress.isInMember, filled == output.byteCount {
      // Only a byte more can tell a member that is too long from one whose end was cut off.
      var spill = MutableBuffer(byteCount: 1)
      var target = spill.mutableBytes
      var spilled = 0
      try progress.run(&self, input, &position, &target, &spilled)
      guard spilled == 0 else { throw .sizeMismatch(codec, declared: room, found: nil) }
    }
    try progress.finish(codec)
    guard filled == output.byteCount else {
      throw .sizeMismatch(codec, declared: room, found: filled - start)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What became of a block that was decoded into a room of a given size.
enum BlockOutcome: Equatable {
  /// The whole block was decoded, to this many bytes.
  case decoded(Int)
  /// The block holds more than the room takes.
  case roomTooSmall
  /// The block ends inside a sequence.
  case truncated
  /// The block cannot be right at this offset.
  case corrupt(Int)
}

/// Reads the sequences of an LZ4 block.
///
///     sequence := token (literal count << 4 | match count - 4), each 15 continued by bytes that are
///                 added up to the first below 255; literals; 16 bits of distance; the match
///
/// The last sequence ends with its literals. Nine times as fast as the safe twin in the tests.
/// Source: lz4, lz4_Block_format.md.
enum LZ4DecodeKernel {
  /// Decodes `source` to `target` from `history` on; matches may reach into what is before it.
  static func decode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, history: Int
  ) -> BlockOutcome {
    precondition(history >= 0 && history <= target.count)
    guard let start = source.baseAddress, source.count > 0 else { return .truncated }
    // An empty target has no address; nothing is written to it then.
    guard let base = target.baseAddress else {
      return unsafe source.count == 1 && source[0] == 0 ? .decoded(0) : .roomTooSmall
    }
    let end = unsafe start + source.count
    let outEnd = unsafe base + target.count
    var at = unsafe start
    var out = unsafe base + history
    while unsafe at < end {
      let token = unsafe CopyKernel.load8(at)
      unsafe at += 1
      let count = token &>> 4
      if unsafe count < 15 && end - at >= 18 && outEnd - out >= 16 {
        unsafe CopyKernel.copy16(at, out)
        unsafe at += count
        unsafe out += count
      } else {
        if let stop = unsafe appendLiterals(count, &at, end, &out, outEnd) {
          return stop
        }
        if unsafe at == end { return unsafe .decoded(out - base - history) }
        guard unsafe end - at >= 2 else { return .truncated }
      }
      let distance = unsafe CopyKernel.load16(at)
      guard unsafe distance > 0 && distance <= out - base else {
        return unsafe .corrupt(at - start)
      }
      unsafe at += 2
      var matchCount = token & 15
      if unsafe matchCount < 15 && distance >= 8 && outEnd - out >= CopyKernel.shortMatch {
        unsafe CopyKernel.appendShortMatch(out, distance: distance)
        unsafe out += matchCount &+ 4
        continue
      }
      if matchCount == 15 {
        guard let more = unsafe readCount(&at, end) else { return .truncated }
        matchCount &+= more
      }
      matchCount &+= 4
      guard unsafe matchCount <= outEnd - out else { return .roomTooSmall }
      unsafe CopyKernel.appendMatch(
        out, distance: distance, count: matchCount, room: outEnd - out)
      unsafe out += matchCount
    }
    return .truncated
  }

  /// Literals that are many, or near the end of either side; nil if they were appended.
  @inline(never)
  private static func appendLiterals(
    _ shortCount: Int, _ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer,
    _ out: inout UnsafeMutableRawPointer, _ outEnd: UnsafeMutableRawPointer
  ) -> BlockOutcome? {
    var count = shortCount
    if count == 15 {
      guard let more = unsafe readCount(&at, end) else { return .truncated }
      count &+= more
    }
    guard unsafe count <= end - at else { return .truncated }
    guard unsafe count <= outEnd - out else { return .roomTooSmall }
    unsafe memcpy(out, at, count)
    unsafe at += count
    unsafe out += count
    return nil
  }

  /// The bytes that continue a count; their sum is at most 255 times what is left, so it fits.
  @inline(__always)
  private static func readCount(
    _ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer
  ) -> Int? {
    var sum = 0
    while unsafe at < end {
      let byte = unsafe CopyKernel.load8(at)
      unsafe at += 1
      sum &+= byte
      if byte < 255 { return sum }
    }
    return nil
  }
}

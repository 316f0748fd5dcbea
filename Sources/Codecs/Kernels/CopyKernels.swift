// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The copies that Snappy and LZ4 are made of. Callers have proven the ranges.
///
/// Gain: what decoding of both gains over the safe twins in the tests is gained here, five times and
/// more.
enum CopyKernel {
  /// How many bytes behind those it was asked to copy a wild copy may read or write.
  static let wildness = 32

  @inline(__always)
  static func copy16(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
    let value = unsafe source.loadUnaligned(as: SIMD2<UInt64>.self)
    unsafe target.storeBytes(of: value, as: SIMD2<UInt64>.self)
  }

  /// Copies `count` bytes, and up to 15 more, that do not overlap or lie 16 or more apart.
  @inline(__always)
  static func wildCopy(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, count: Int
  ) {
    var done = 0
    repeat {
      unsafe copy16(source + done, target + done)
      done &+= 16
    } while done < count
  }

  /// How many bytes ``appendShortMatch(_:distance:)`` writes: most matches, all that LZ4 counts in
  /// a token. No loop, and so no branch that cannot be predicted: a quarter of the time of a block.
  static let shortMatch = 18

  /// Appends at `target` the ``shortMatch`` bytes that lie `distance`, 8 or more, before it.
  @inline(__always)
  static func appendShortMatch(_ target: UnsafeMutableRawPointer, distance: Int) {
    let source = unsafe UnsafeRawPointer(target - distance)
    unsafe target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
    let second = unsafe (source + 8).loadUnaligned(as: UInt64.self)
    unsafe target.storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
    let third = unsafe (source + 16).loadUnaligned(as: UInt16.self)
    unsafe target.storeBytes(of: third, toByteOffset: 16, as: UInt16.self)
  }

  /// Appends at `target` the `count` bytes that lie `distance` before it, which may reach into what
  /// is being appended. `room` bytes may be written from `target` on, `count` of them at least.
  @inline(__always)
  static func appendMatch(
    _ target: UnsafeMutableRawPointer, distance: Int, count: Int, room: Int
  ) {
    if count <= shortMatch, distance >= 8, room >= shortMatch {
      unsafe appendShortMatch(target, distance: distance)
    } else if distance >= 16, count <= room &- wildness {
      unsafe wildCopy(UnsafeRawPointer(target - distance), target, count: count)
    } else if distance == 1 {
      unsafe memset(target, Int32((target - 1).load(as: UInt8.self)), count)
    } else {
      unsafe appendNear(target, distance: distance, count: count, safe: room &- wildness)
    }
  }

  /// The match that overlaps itself closely, or ends near the end of the room.
  @inline(never)
  private static func appendNear(
    _ target: UnsafeMutableRawPointer, distance: Int, count: Int, safe: Int
  ) {
    @inline(__always) func copyBytes(_ range: Range<Int>) {
      for i in range {
        let byte = unsafe (target + i - distance).load(as: UInt8.self)
        unsafe target.storeBytes(of: byte, toByteOffset: i, as: UInt8.self)
      }
    }
    var done = distance < 8 ? 8 : 0
    copyBytes(0..<min(count, done))
    // From here on the bytes before repeat every `distance`, so the first multiple of it that is at
    // least a word serves as well. It is at most `distance + 7`: what it reaches is there.
    let period = (distance &+ 7) / distance &* distance
    while done < min(count, safe) {
      let word = unsafe (target + done - period).loadUnaligned(as: UInt64.self)
      unsafe target.storeBytes(of: word, toByteOffset: done, as: UInt64.self)
      done &+= 8
    }
    if done < count { copyBytes(done..<count) }
  }

  /// How many bytes at `a` and `b` are the same, looking no further than `b` reaching `end`.
  @inline(__always)
  static func commonPrefix(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, end: UnsafeRawPointer
  ) -> Int {
    var count = 0
    let most = unsafe end - b
    while count &+ 8 <= most {
      let x = unsafe load64(a + count) ^ load64(b + count)
      if x != 0 { return count &+ x.trailingZeroBitCount &>> 3 }
      count &+= 8
    }
    while count < most, unsafe (a + count).load(as: UInt8.self) == (b + count).load(as: UInt8.self)
    {
      count &+= 1
    }
    return count
  }

  @inline(__always)
  static func load64(_ at: UnsafeRawPointer) -> UInt64 {
    unsafe UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  static func load32(_ at: UnsafeRawPointer) -> UInt32 {
    unsafe UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))
  }

  @inline(__always)
  static func load16(_ at: UnsafeRawPointer) -> Int {
    unsafe Int(UInt16(littleEndian: at.loadUnaligned(as: UInt16.self)))
  }

  @inline(__always)
  static func load8(_ at: UnsafeRawPointer) -> Int { unsafe Int(at.load(as: UInt8.self)) }
}

extension MutableRawSpan {
  /// Writes `bytes` over the ones from `offset` on.
  mutating func replace(at offset: Int, with bytes: RawSpan) {
    precondition(offset >= 0 && bytes.byteCount <= byteCount - offset, "a write outside the span")
    unsafe withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        guard let start = source.baseAddress, let base = target.baseAddress else { return }
        unsafe memcpy(base + offset, start, source.count)
      }
    }
  }
}

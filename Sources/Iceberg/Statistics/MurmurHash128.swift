// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// MurmurHash3 of 128 bits (the x64 variant), of which sketches keep the first half.
///
/// Source: MurmurHash3, `MurmurHash3_x64_128`.
enum MurmurHash128 {
  /// The first half of the hash of `bytes`.
  static func hash(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
    var first = seed
    var second = seed
    var at = 0
    while at <= bytes.byteCount &- 16 {
      first =
        (rotate(first ^ low(bytes.loadLE(at: at, as: UInt64.self)), 27) &+ second) &* 5
        &+ 0x52DC_E729
      second =
        (rotate(second ^ high(bytes.loadLE(at: at &+ 8, as: UInt64.self)), 31) &+ first)
        &* 5 &+ 0x3849_5AB5
      at &+= 16
    }
    let left = bytes.byteCount &- at
    let tail = word(bytes, at, byteCount: min(left, 8))
    let rest = word(bytes, at &+ 8, byteCount: left &- 8)
    return finish(first ^ low(tail), second ^ high(rest), byteCount: bytes.byteCount)
  }

  /// The `byteCount` bytes at `start`, at most 8 and none if it is negative, as the lowest of a word.
  @inline(__always)
  private static func word(_ bytes: RawSpan, _ start: Int, byteCount: Int) -> UInt64 {
    if byteCount >= 8 { return bytes.loadLE(at: start, as: UInt64.self) }
    if byteCount >= 4 {
      // The two halves overlap where they hold the same bytes.
      let low = UInt64(bytes.loadLE(at: start, as: UInt32.self))
      let high = UInt64(bytes.loadLE(at: start &+ byteCount &- 4, as: UInt32.self))
      return low | high &<< UInt64(truncatingIfNeeded: (byteCount &- 4) &* 8)
    }
    var word: UInt64 = 0
    var index = 0
    while index < byteCount {
      word |= UInt64(bytes[start &+ index]) &<< UInt64(truncatingIfNeeded: index &* 8)
      index &+= 1
    }
    return word
  }

  /// The first half of the hash of `byteCount` bytes, fewer than 16, which are the lowest ones of
  /// `low` and then of `high`; those above are zero.
  @inline(__always)
  static func hash(low first: UInt64, high second: UInt64 = 0, byteCount: Int, seed: UInt64)
    -> UInt64
  {
    finish(seed ^ low(first), seed ^ high(second), byteCount: byteCount)
  }

  @inline(__always)
  private static func low(_ word: UInt64) -> UInt64 {
    rotate(word &* 0x87C3_7B91_1142_53D5, 31) &* 0x4CF5_AD43_2745_937F
  }

  @inline(__always)
  private static func high(_ word: UInt64) -> UInt64 {
    rotate(word &* 0x4CF5_AD43_2745_937F, 33) &* 0x87C3_7B91_1142_53D5
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }

  @inline(__always)
  private static func finish(_ first: UInt64, _ second: UInt64, byteCount: Int) -> UInt64 {
    let first = first ^ UInt64(truncatingIfNeeded: byteCount)
    let second = second ^ UInt64(truncatingIfNeeded: byteCount)
    let sum = first &+ second
    return mix(sum) &+ mix(second &+ sum)
  }

  @inline(__always)
  private static func mix(_ word: UInt64) -> UInt64 {
    var word = (word ^ word &>> 33) &* 0xFF51_AFD7_ED55_8CCD
    word = (word ^ word &>> 33) &* 0xC4CE_B9FE_1A85_EC53
    return word ^ word &>> 33
  }
}

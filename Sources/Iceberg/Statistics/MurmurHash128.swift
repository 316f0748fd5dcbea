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
    var tail: (UInt64, UInt64) = (0, 0)
    var shift: UInt64 = 0
    while at < bytes.byteCount {
      let byte = UInt64(bytes[at])
      if shift < 64 { tail.0 |= byte &<< shift } else { tail.1 |= byte &<< (shift &- 64) }
      shift &+= 8
      at &+= 1
    }
    return finish(first ^ low(tail.0), second ^ high(tail.1), byteCount: bytes.byteCount)
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

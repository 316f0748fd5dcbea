// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// xxHash of 32 bits, the checksum of LZ4 frames.
///
/// Source: xxHash fast digest algorithm, version 0.1.1, "XXH32 Algorithm Description".
enum XXHash32 {
  private static let prime1: UInt32 = 0x9E37_79B1
  private static let prime2: UInt32 = 0x85EB_CA77
  private static let prime3: UInt32 = 0xC2B2_AE3D
  private static let prime4: UInt32 = 0x27D4_EB2F
  private static let prime5: UInt32 = 0x1656_67B1

  /// The hash of `bytes`, with seed 0.
  static func hash(_ bytes: RawSpan) -> UInt32 {
    var at = 0
    var hash = prime5
    if bytes.byteCount >= 16 { hash = stripes(of: bytes, at: &at) }
    hash = hash &+ UInt32(truncatingIfNeeded: bytes.byteCount)
    while at <= bytes.byteCount &- 4 {
      hash = rotate(hash &+ bytes.loadLE(at: at, as: UInt32.self) &* prime3, 17) &* prime4
      at &+= 4
    }
    while at < bytes.byteCount {
      hash = rotate(hash &+ UInt32(bytes[at]) &* prime5, 11) &* prime1
      at &+= 1
    }
    hash = (hash ^ hash &>> 15) &* prime2
    hash = (hash ^ hash &>> 13) &* prime3
    return hash ^ hash &>> 16
  }

  /// The whole 16-byte stripes, in four lanes folded into one; leaves `at` behind the last.
  private static func stripes(of bytes: RawSpan, at: inout Int) -> UInt32 {
    var a = prime1 &+ prime2
    var b = prime2
    var c: UInt32 = 0
    var d = 0 &- prime1
    while at <= bytes.byteCount &- 16 {
      a = round(a, bytes.loadLE(at: at, as: UInt32.self))
      b = round(b, bytes.loadLE(at: at &+ 4, as: UInt32.self))
      c = round(c, bytes.loadLE(at: at &+ 8, as: UInt32.self))
      d = round(d, bytes.loadLE(at: at &+ 12, as: UInt32.self))
      at &+= 16
    }
    return rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
  }

  @inline(__always)
  private static func round(_ lane: UInt32, _ word: UInt32) -> UInt32 {
    rotate(lane &+ word &* prime2, 13) &* prime1
  }

  @inline(__always)
  private static func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
    value &<< bits | value &>> (32 &- bits)
  }
}

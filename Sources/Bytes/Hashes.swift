// SPDX-License-Identifier: Apache-2.0

/// xxHash of 64 bits, which Parquet's Bloom filters are made of.
///
/// Source: xxHash fast digest algorithm, version 0.1.1, "XXH64 Algorithm Description".
public enum XXHash64 {
  @usableFromInline static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  @usableFromInline static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  @usableFromInline static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  @usableFromInline static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  @usableFromInline static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The hash of `bytes`.
  public static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    var at = 0
    var hash = seed &+ prime5
    if bytes.byteCount >= 32 { hash = stripes(of: bytes, at: &at, seed: seed) }
    hash = hash &+ UInt64(bytes.byteCount)
    while at <= bytes.byteCount &- 8 {
      hash = mix(hash, eight: bytes.loadLE(at: at, as: UInt64.self))
      at &+= 8
    }
    if at <= bytes.byteCount &- 4 {
      hash = mix(hash, four: bytes.loadLE(at: at, as: UInt32.self))
      at &+= 4
    }
    while at < bytes.byteCount {
      hash = rotate(hash ^ UInt64(bytes[at]) &* prime5, 11) &* prime1
      at &+= 1
    }
    return avalanche(hash)
  }

  /// The hash of the eight little-endian bytes of `value`.
  @inlinable
  public static func hash(_ value: UInt64, seed: UInt64 = 0) -> UInt64 {
    avalanche(mix(seed &+ prime5 &+ 8, eight: value))
  }

  /// The hash of the four little-endian bytes of `value`.
  @inlinable
  public static func hash(_ value: UInt32, seed: UInt64 = 0) -> UInt64 {
    avalanche(mix(seed &+ prime5 &+ 4, four: value))
  }

  /// The whole 32-byte stripes, in four lanes folded into one; leaves `at` behind the last.
  private static func stripes(of bytes: RawSpan, at: inout Int, seed: UInt64) -> UInt64 {
    var a = seed &+ prime1 &+ prime2
    var b = seed &+ prime2
    var c = seed
    var d = seed &- prime1
    while at <= bytes.byteCount &- 32 {
      a = round(a, bytes.loadLE(at: at, as: UInt64.self))
      b = round(b, bytes.loadLE(at: at &+ 8, as: UInt64.self))
      c = round(c, bytes.loadLE(at: at &+ 16, as: UInt64.self))
      d = round(d, bytes.loadLE(at: at &+ 24, as: UInt64.self))
      at &+= 32
    }
    let hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
    return merge(merge(merge(merge(hash, a), b), c), d)
  }

  @inline(__always)
  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  @inlinable @inline(__always)
  static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }

  @inlinable @inline(__always)
  static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inlinable @inline(__always)
  static func mix(_ hash: UInt64, eight word: UInt64) -> UInt64 {
    rotate(hash ^ round(0, word), 27) &* prime1 &+ prime4
  }

  @inlinable @inline(__always)
  static func mix(_ hash: UInt64, four word: UInt32) -> UInt64 {
    rotate(hash ^ UInt64(word) &* prime1, 23) &* prime2 &+ prime3
  }

  @inlinable @inline(__always)
  static func avalanche(_ hash: UInt64) -> UInt64 {
    var hash = (hash ^ hash &>> 33) &* prime2
    hash = (hash ^ hash &>> 29) &* prime3
    return hash ^ hash &>> 32
  }
}

/// MurmurHash3 of 32 bits (the x86 variant), which Iceberg's `bucket` transform is made of.
///
/// Source: Iceberg spec, "Appendix B: 32-bit Hash Requirements".
public enum Murmur3 {
  /// The hash of `bytes`.
  public static func hash32(_ bytes: RawSpan, seed: UInt32 = 0) -> Int32 {
    var hash = seed
    var at = 0
    while at <= bytes.byteCount &- 4 {
      hash = mix(hash, bytes.loadLE(at: at, as: UInt32.self))
      at &+= 4
    }
    var tail: UInt32 = 0
    var shift: UInt32 = 0
    while at < bytes.byteCount {
      tail |= UInt32(bytes[at]) &<< shift
      shift &+= 8
      at &+= 1
    }
    if shift > 0 { hash ^= scramble(tail) }
    return finish(hash, byteCount: bytes.byteCount)
  }

  /// The hash of the eight little-endian bytes of `value`, which is how Iceberg hashes integers.
  @inlinable
  public static func hash32(_ value: Int64) -> Int32 {
    let low = UInt32(truncatingIfNeeded: value)
    let high = UInt32(truncatingIfNeeded: value &>> 32)
    return finish(mix(mix(0, low), high), byteCount: 8)
  }

  @inlinable @inline(__always)
  static func scramble(_ word: UInt32) -> UInt32 {
    let word = word &* 0xCC9E_2D51
    return (word &<< 15 | word &>> 17) &* 0x1B87_3593
  }

  @inlinable @inline(__always)
  static func mix(_ hash: UInt32, _ word: UInt32) -> UInt32 {
    let hash = hash ^ scramble(word)
    return (hash &<< 13 | hash &>> 19) &* 5 &+ 0xE654_6B64
  }

  @inlinable @inline(__always)
  static func finish(_ hash: UInt32, byteCount: Int) -> Int32 {
    var hash = hash ^ UInt32(truncatingIfNeeded: byteCount)
    hash = (hash ^ hash &>> 16) &* 0x85EB_CA6B
    hash = (hash ^ hash &>> 13) &* 0xC2B2_AE35
    return Int32(bitPattern: hash ^ hash &>> 16)
  }
}

// SPDX-License-Identifier: Apache-2.0

extension CRC32C {
  /// The checksum of bytes with checksum `first` followed by `count` bytes with checksum `second`.
  ///
  /// So the checksum of a long part that does not change is taken once.
  ///
  /// Cost: O(log count), about a microsecond.
  public static func combining(_ first: UInt32, _ second: UInt32, ofByteCount count: Int) -> UInt32
  {
    precondition(count >= 0, "a negative count")
    return product(power(ofBitCount: UInt64(count) &<< 3), first) ^ second
  }

  /// A polynomial over GF(2), reflected: the highest bit is the coefficient of x^0.
  private static let polynomial: UInt32 = 0x82f6_3b78

  /// The product of two polynomials, modulo the checksum's.
  private static func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
    var (rest, shifted, result) = (a, b, 0 as UInt32)
    while rest != 0 {
      if rest & 0x8000_0000 != 0 { result ^= shifted }
      rest &<<= 1
      shifted = shifted & 1 == 1 ? (shifted &>> 1) ^ polynomial : shifted &>> 1
    }
    return result
  }

  /// x to the power of `count`, modulo the checksum's polynomial: what `count` more bits do.
  private static func power(ofBitCount count: UInt64) -> UInt32 {
    var (rest, square, result) = (count, 0x4000_0000 as UInt32, 0x8000_0000 as UInt32)
    while rest != 0 {
      if rest & 1 == 1 { result = product(square, result) }
      square = product(square, square)
      rest &>>= 1
    }
    return result
  }
}

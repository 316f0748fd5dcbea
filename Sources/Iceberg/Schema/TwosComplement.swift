// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Signed integers of any length as big-endian bytes: how decimals are stored.
package enum TwosComplement {
  /// How few bytes hold `value`: 1 of -128, 2 of 128.
  package static func byteCount(_ value: Int128) -> Int {
    let magnitude = value < 0 ? ~value : value
    return (128 - magnitude.leadingZeroBitCount) / 8 + 1
  }

  /// All 16 bytes of `value`.
  package static func bytes(_ value: Int128) -> [16 of UInt8] {
    var bytes: [16 of UInt8] = .init(repeating: 0)
    for i in 0..<16 { bytes[i] = UInt8(truncatingIfNeeded: value &>> Int128(8 &* (15 &- i))) }
    return bytes
  }

  /// The fewest bytes that hold `value`.
  package static func minimalBytes(_ value: Int128) -> [UInt8] {
    let all = bytes(value)
    var result: [UInt8] = []
    let count = byteCount(value)
    result.reserveCapacity(count)
    for i in (16 - count)..<16 { result.append(all[i]) }
    return result
  }

  /// `value` as exactly `byteCount` bytes; nil if it needs more.
  package static func bytes(_ value: Int128, byteCount: Int) -> [UInt8]? {
    let minimal = minimalBytes(value)
    guard minimal.count <= byteCount else { return nil }
    let filling = [UInt8](repeating: value < 0 ? 0xff : 0, count: byteCount - minimal.count)
    return filling + minimal
  }

  /// The number that `bytes` are, of any length; nil if they are none or do not fit 128 bits.
  package static func value(_ bytes: RawSpan) -> Int128? {
    guard bytes.byteCount > 0 else { return nil }
    let isNegative = bytes[0] & 0x80 != 0
    var start = 0
    while bytes.byteCount - start > 16 {
      guard bytes[start] == (isNegative ? 0xff : 0) else { return nil }
      start += 1
    }
    var value: Int128 = isNegative ? -1 : 0
    for i in start..<bytes.byteCount { value = value &<< 8 | Int128(bytes[i]) }
    guard (value < 0) == isNegative else { return nil }
    return value
  }

  /// How many bytes a fixed-length decimal of `precision` digits takes.
  ///
  /// Source: Iceberg spec, "Appendix A", "Avro" and "Parquet".
  package static func byteCount(precision: Int) -> Int {
    byteCount(DecimalNumber.highest(precision: precision))
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Finds the least and the greatest of byte strings.
struct ByteBounds {
  private let isSigned: Bool

  init(_ kind: LeafKind) {
    if case .wideDecimal = kind { isSigned = true } else { isSigned = false }
  }

  /// Of the strings `bytes[offsets[i]..<offsets[i + 1]]` — of those, where given, whose byte in
  /// `marks` is 1.
  ///
  /// Compares eight bytes at a time, and the rest of two strings only if these are equal.
  func bounds(
    _ offsets: Span<Int32>, _ bytes: RawSpan, where marks: RawSpan? = nil
  ) -> ValueBounds? {
    var least = -1
    var greatest = -1
    var leastPrefix: UInt64 = 0
    var greatestPrefix: UInt64 = 0
    for i in 0..<max(0, offsets.count - 1) {
      if let marks, marks[i] == 0 { continue }
      let prefix = prefix(bytes, Int(offsets[i]), Int(offsets[i &+ 1]))
      if least < 0 {
        (least, greatest, leastPrefix, greatestPrefix) = (i, i, prefix, prefix)
        continue
      }
      if prefix < leastPrefix || (prefix == leastPrefix && compare(bytes, offsets, i, least) < 0) {
        (least, leastPrefix) = (i, prefix)
      }
      if prefix > greatestPrefix
        || (prefix == greatestPrefix && compare(bytes, offsets, i, greatest) > 0)
      {
        (greatest, greatestPrefix) = (i, prefix)
      }
    }
    if least < 0 { return nil }
    return ValueBounds(
      least: value(bytes, offsets, least), greatest: value(bytes, offsets, greatest))
  }

  /// The first eight bytes as a number that compares as they do; missing ones are zero.
  @inline(__always)
  private func prefix(_ bytes: RawSpan, _ start: Int, _ end: Int) -> UInt64 {
    let count = end &- start
    var word: UInt64 = 0
    if start <= bytes.byteCount &- 8 {
      word = bytes.loadLE(at: start, as: UInt64.self).byteSwapped
      if count < 8 { word = count == 0 ? 0 : word & ~(UInt64.max &>> UInt64(8 &* count)) }
    } else {
      for i in start..<min(end, start &+ 8) {
        word |= UInt64(bytes[i]) &<< UInt64(56 &- 8 &* (i &- start))
      }
    }
    return isSigned ? word ^ 1 &<< 63 : word
  }

  private func compare(_ bytes: RawSpan, _ offsets: Span<Int32>, _ a: Int, _ b: Int) -> Int {
    bytes.extracting(Int(offsets[a])..<Int(offsets[a + 1]))
      .compare(with: bytes.extracting(Int(offsets[b])..<Int(offsets[b + 1])))
  }

  private func value(_ bytes: RawSpan, _ offsets: Span<Int32>, _ i: Int) -> BoundValue {
    let value = bytes.extracting(Int(offsets[i])..<Int(offsets[i + 1])).array()
    guard isSigned else { return .bytes(value) }
    var wide = Int128(Int8(bitPattern: value.first ?? 0))
    for byte in value.dropFirst() { wide = wide << 8 | Int128(byte) }
    return .wide(wide)
  }
}

// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Reads the elements of a Snappy block, which follow its preamble.
///
///     element := literal | copy
///     literal := tag (count - 1) << 2 | 0, or 60...63 << 2 and 1...4 bytes of count - 1; the bytes
///     copy    := tag with kind 1: count 4...11, 11 bits of distance
///                tag with kind 2, 3: count 1...64, 16 or 32 bits of distance
///
/// Source: snappy, format_description.txt.
enum SnappyDecodeKernel {
  /// Fills `target` from the elements in `source`.
  ///
  /// Returns nil if all of `source` made exactly all of `target`, else where it went wrong.
  static func decode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard let start = source.baseAddress, let base = target.baseAddress else {
      return source.count == 0 && target.count == 0 ? nil : 0
    }
    let end = unsafe start + source.count
    let outEnd = unsafe base + target.count
    var at = unsafe start
    var out = unsafe base
    while unsafe at < end {
      let tag = unsafe CopyKernel.load8(at)
      unsafe at += 1
      if tag & 3 == 0 {
        let count = tag &>> 2 &+ 1
        if unsafe count <= 16 && end - at >= 16 && outEnd - out >= 16 {
          unsafe CopyKernel.copy16(at, out)
          unsafe at += count
          unsafe out += count
        } else if unsafe !appendLiteral(count, &at, end, &out, outEnd) {
          return unsafe at - start
        }
      } else {
        guard unsafe end - at >= trailerCount(tag) else { return unsafe at - start }
        let (distance, count) = unsafe copyElement(tag, at)
        guard unsafe distance > 0 && distance <= out - base && count <= outEnd - out else {
          return unsafe at - start
        }
        unsafe CopyKernel.appendMatch(out, distance: distance, count: count, room: outEnd - out)
        unsafe at += trailerCount(tag)
        unsafe out += count
      }
    }
    return unsafe out == outEnd ? nil : source.count
  }

  /// A literal that is long, or near the end of either side; false if it does not fit.
  @inline(never)
  private static func appendLiteral(
    _ shortCount: Int, _ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer,
    _ out: inout UnsafeMutableRawPointer, _ outEnd: UnsafeMutableRawPointer
  ) -> Bool {
    var count = shortCount
    if count > 60 {
      let sizeBytes = count &- 60
      guard unsafe end - at >= sizeBytes else { return false }
      count = 0
      for i in 0..<sizeBytes { count |= unsafe CopyKernel.load8(at + i) &<< (8 &* i) }
      count &+= 1
      unsafe at += sizeBytes
    }
    guard unsafe count <= end - at && count <= outEnd - out else { return false }
    unsafe memcpy(out, at, count)
    unsafe at += count
    unsafe out += count
    return true
  }

  /// How many bytes follow the tag of a copy: 1, 2 or 4.
  @inline(__always)
  private static func trailerCount(_ tag: Int) -> Int { 1 &<< ((tag & 3) &- 1) }

  @inline(__always)
  private static func copyElement(
    _ tag: Int, _ at: UnsafeRawPointer
  ) -> (distance: Int, count: Int) {
    switch tag & 3 {
    case 1: (unsafe (tag &>> 5) &<< 8 | CopyKernel.load8(at), 4 &+ (tag &>> 2) & 7)
    case 2: (unsafe CopyKernel.load16(at), 1 &+ tag &>> 2)
    default: (unsafe Int(CopyKernel.load32(at)), 1 &+ tag &>> 2)
    }
  }
}

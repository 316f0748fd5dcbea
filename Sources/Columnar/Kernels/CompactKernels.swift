// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Values whose bit in a mask is 1, where most are: each is written, and stays if it counts, so that
/// no branch depends on the mask and no row numbers are made.
enum Compact {
  /// The `count` values of `width` bytes that `mask` keeps; nil if there is no loop for the width.
  ///
  /// Gain over gathering at the positions of the 1 bits, at 90 %: 3 × (0.8
  /// against 2.3 ns a row).
  static func fixed(_ source: Buffer, width: Int, mask: Bitmap, count: Int) -> Buffer? {
    switch width {
    case 4: words(source, mask, count, as: UInt32.self)
    case 8: words(source, mask, count, as: UInt64.self)
    case 16: words(source, mask, count, as: WideInteger.self)
    default: nil
    }
  }

  @inline(__always)
  private static func words<T: BitwiseCopyable>(
    _ source: Buffer, _ mask: Bitmap, _ count: Int, as type: T.Type
  ) -> Buffer {
    let stride = MemoryLayout<T>.stride
    precondition(source.count == mask.count * stride, "a bit for each row")
    let aligned = source.aligned(to: MemoryLayout<T>.alignment)
    // One more, as a value that does not count is written behind the last one.
    var target = MutableBuffer(byteCount: (count + 1) * stride)
    var values = target.mutableValues(as: T.self)
    unsafe aligned.values(as: T.self).withUnsafeBufferPointer { old in
      unsafe values.withUnsafeMutableBufferPointer { new in
        var next = 0
        for w in 0..<mask.wordCount {
          var word = mask.word(w)
          precondition(next + word.nonzeroBitCount <= count, "more bits than counted")
          let first = w &* 64
          for i in first..<min(first &+ 64, old.count) {
            unsafe new[next] = unsafe old[i]
            next &+= Int(truncatingIfNeeded: word & 1)
            word >>= 1
          }
        }
        precondition(next == count, "fewer bits than counted")
      }
    }
    target.resize(to: count * stride)
    return target.freeze()
  }

  /// The bits that `mask` keeps.
  static func bits(_ source: Bitmap, mask: Bitmap) -> Bitmap {
    precondition(source.count == mask.count, "a bit for each row")
    var builder = BitmapBuilder(capacity: mask.count)
    for w in 0..<mask.wordCount {
      let kept = mask.word(w)
      let bits = source.word(w)
      let count = kept.nonzeroBitCount
      let word =
        switch bits & kept {
        case kept: UInt64.max  // as with most validities
        case bits where count == 64: bits
        default: compress(bits, kept)
        }
      builder.append(word: word, count: count)
    }
    return builder.finish()
  }

  /// The bits of `bits` where `mask` is 1, moved together towards the least significant.
  ///
  /// Each bit is to move by the number of 0s of the mask below it; in step i those move by 2^i whose
  /// number has bit i, which is a parity: the running exclusive or of what is still to be passed.
  @inline(__always)
  private static func compress(_ bits: UInt64, _ mask: UInt64) -> UInt64 {
    var bits = bits & mask
    var mask = mask
    var passed = ~mask << 1
    for step in 0..<6 {
      var parity = passed
      for distance in 0..<6 { parity ^= parity << (1 << UInt64(distance)) }
      let moving = parity & mask
      let shift: UInt64 = 1 << UInt64(step)
      mask = (mask ^ moving) | (moving >> shift)
      let moved = bits & moving
      bits = (bits ^ moved) | (moved >> shift)
      passed &= ~parity
    }
    return bits
  }
}

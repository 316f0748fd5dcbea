// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Bitmap {
  /// The position of the first 1 bit; nil if there is none.
  var first: Int? {
    for i in 0..<wordCount where word(i) != 0 { return i &* 64 &+ word(i).trailingZeroBitCount }
    return nil
  }

  /// How many runs of 1 bits there are.
  var countOfRuns: Int {
    var runs = 0
    var carry: UInt64 = 0
    for i in 0..<wordCount {
      let word = self.word(i)
      runs &+= (word & ~(word << 1 | carry)).nonzeroBitCount
      carry = word >> 63
    }
    return runs
  }

  /// The positions of the 1 bits, of which there are `ones`, ascending, as Int32.
  ///
  /// Where most bits are 1 every position is written, and stays if it counts.
  func positions(ones: Int) -> Buffer {
    var buffer = MutableBuffer(byteCount: (ones + 1) * 4)
    var positions = buffer.mutableValues(as: Int32.self)
    var next = 0
    for i in 0..<wordCount {
      var rest = word(i)
      var position = Int32(truncatingIfNeeded: i &* 64)
      if rest.nonzeroBitCount > 32 {
        while rest != 0 {
          positions[next] = position
          next &+= Int(rest & 1)
          position &+= 1
          rest >>= 1
        }
      } else {
        while rest != 0 {
          positions[next] = position &+ Int32(truncatingIfNeeded: rest.trailingZeroBitCount)
          next &+= 1
          rest &= rest &- 1
        }
      }
    }
    precondition(next == ones, "a bitmap of other bits than counted")
    buffer.resize(to: ones * 4)
    return buffer.freeze()
  }

  /// The bits at `rows`, in that order; all rows must be inside.
  ///
  /// Gain over one checked subscript a row: 5 × (1.1 against 5.7 ns a row).
  func gather(_ rows: Span<Int32>) -> Bitmap {
    checkRows(rows, below: count)
    var builder = BitmapBuilder(capacity: rows.count)
    unsafe buffer.bytes.withUnsafeBytes { bytes in
      unsafe rows.withUnsafeBufferPointer { rows in
        var next = 0
        while next < rows.count {
          let length = Swift.min(64, rows.count &- next)
          var word: UInt64 = 0
          for k in 0..<length {
            let bit = unsafe offset &+ Int(rows[next &+ k])
            let byte = unsafe UInt64(bytes[bit >> 3])
            word = word >> 1 | (byte >> UInt64(bit & 7)) << 63
          }
          builder.append(word: word >> UInt64(64 &- length), count: length)
          next &+= length
        }
      }
    }
    return builder.finish()
  }
}

/// Stops unless all of `rows` are in `0..<count`.
///
/// Without a branch, so that four are checked at a time: a row below 0 or past the last one leaves
/// a sign bit.
func checkRows(_ rows: Span<Int32>, below count: Int) {
  if rows.isEmpty { return }
  precondition(count > 0, "rows of an empty column")
  let last = Int32(clamping: count - 1)
  var signs: Int32 = 0
  for i in rows.indices { signs |= rows[i] | (last &- rows[i]) }
  precondition(signs >= 0, "a row outside the column")
}

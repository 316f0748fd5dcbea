// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Bitmap {
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
  /// Gain over appending to an array: 2.5 ×.
  func positions(ones: Int) -> Buffer {
    var buffer = MutableBuffer(byteCount: ones * 4)
    var positions = buffer.mutableValues(as: Int32.self)
    unsafe positions.withUnsafeMutableBufferPointer { out in
      var next = 0
      for i in 0..<wordCount {
        var rest = word(i)
        let base = Int32(truncatingIfNeeded: i &* 64)
        precondition(next + rest.nonzeroBitCount <= ones, "a bitmap of more bits than counted")
        while rest != 0 {
          unsafe out[next] = base &+ Int32(truncatingIfNeeded: rest.trailingZeroBitCount)
          next &+= 1
          rest &= rest &- 1
        }
      }
      precondition(next == ones, "a bitmap of fewer bits than counted")
    }
    return buffer.freeze()
  }

  /// The bits at `rows`, in that order; all rows must be inside.
  ///
  /// Gain over one checked subscript a row: 4 ×.
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
            let byte = unsafe bytes[bit >> 3]
            word |= UInt64(byte >> UInt8(bit & 7) & 1) << UInt64(k)
          }
          builder.append(word: word, count: length)
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

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Runs of rows of one buffer after another, copied whole.
struct BufferRuns {
  let buffer: Buffer
  let ranges: [Range<Int>]

  var rowCount: Int { ranges.reduce(0) { $0 + $1.count } }
}

enum Assemble {
  /// The values of `width` bytes of all runs.
  ///
  /// Gain over appending to a growing buffer, for runs of 50 rows: 2 ×.
  static func fixed(_ parts: [BufferRuns], width: Int) -> Buffer {
    let total = parts.reduce(0) { $0 + $1.rowCount }
    var target = MutableBuffer(byteCount: total * width)
    var values = target.mutableBytes
    unsafe values.withUnsafeMutableBytes { out in
      guard let to = out.baseAddress else { return }
      var place = 0
      for part in parts {
        unsafe part.buffer.bytes.withUnsafeBytes { bytes in
          guard let from = bytes.baseAddress else { return }
          for range in part.ranges {
            let start = range.lowerBound &* width
            let length = range.count &* width
            precondition(start >= 0 && length <= bytes.count - start, "rows outside the column")
            unsafe memcpy(to + place, from + start, length)
            place &+= length
          }
        }
      }
    }
    return target.freeze()
  }

  /// Offsets, from 0 on, of all runs of `parts`, whose buffers are offsets; and where the bytes or
  /// elements of each run are.
  static func offsets(_ parts: [BufferRuns]) -> (offsets: Buffer, runs: [[Range<Int>]]) {
    let total = parts.reduce(0) { $0 + $1.rowCount }
    var target = MutableBuffer(byteCount: (total + 1) * 4)
    var new = target.mutableValues(as: Int32.self)
    new[0] = 0
    var next = 1
    var end: Int32 = 0
    var runs: [[Range<Int>]] = []
    for part in parts {
      let old = part.buffer.values(as: Int32.self)
      var partRuns: [Range<Int>] = []
      partRuns.reserveCapacity(part.ranges.count)
      for range in part.ranges {
        let rebased = old.extracting(range.lowerBound..<range.upperBound + 1)
        let first = rebased[0]
        let last = rebased[range.count]
        let (sum, overflow) = end.addingReportingOverflow(last &- first)
        precondition(first >= 0 && last >= first && !overflow, "offsets that don't ascend")
        let shift = end &- first
        for i in 0..<range.count { new[next &+ i] = unsafe rebased[unchecked: i &+ 1] &+ shift }
        partRuns.append(Int(first)..<Int(last))
        next &+= range.count
        end = sum
      }
      runs.append(partRuns)
    }
    return (target.freeze(), runs)
  }
}

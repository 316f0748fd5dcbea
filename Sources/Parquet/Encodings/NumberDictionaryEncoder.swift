// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The distinct 32- or 64-bit values of a column chunk, in order of appearance, each with its code.
///
/// Values are told apart by their bits: 0.0 and -0.0 are two entries, as is each NaN. A small
/// open-addressing table of codes; the values themselves are kept once, as the dictionary page
/// will have them.
/// Cost: 1 to 3 ns a value while the table stays in the cache.
struct NumberDictionaryEncoder<Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>:
  ~Copyable
{
  /// One more than a code; 0 for a free slot. A power of two of them.
  private var slots: MutableBuffer
  private var shift: UInt64
  /// The distinct values.
  private(set) var entries: MutableBuffer
  private(set) var count = 0

  init() {
    slots = MutableBuffer(zeroed: 1024 * 4)
    shift = 64 - 10
    entries = MutableBuffer(capacity: 512 * MemoryLayout<Bits>.size)
  }

  private var slotCount: Int { slots.count / 4 }

  /// How many bytes the dictionary page takes before compression.
  var byteCount: Int { entries.count }

  /// Appends the code of each value to `codes`.
  mutating func encode(_ values: Span<Bits>, into codes: inout MutableBuffer) {
    var done = 0
    while done < values.count {
      // So many new values fit before the table must grow, if all are new.
      let room = slotCount / 2 - count
      if room < 256 { grow() }
      let part = done..<min(values.count, done + max(room, 256))
      encodeWithoutGrowing(values.extracting(part), into: &codes)
      done = part.upperBound
    }
  }

  private mutating func encodeWithoutGrowing(
    _ values: Span<Bits>, into codes: inout MutableBuffer
  ) {
    let start = codes.count / 4
    codes.resize(to: (start + values.count) * 4)
    entries.resize(to: (count + values.count) * MemoryLayout<Bits>.size)
    var target = codes.mutableValues(as: UInt32.self)
    count = Self.encode(values, &target, at: start, &slots, shift, &entries, used: count)
    entries.resize(to: count * MemoryLayout<Bits>.size)
  }

  /// Writes the code of each value to `codes` from `start` on; returns how many entries there are.
  private static func encode(
    _ values: Span<Bits>, _ codes: inout MutableSpan<UInt32>, at start: Int,
    _ slots: inout MutableBuffer, _ shift: UInt64, _ entries: inout MutableBuffer, used: Int
  ) -> Int {
    var table = slots.mutableValues(as: UInt32.self)
    var known = entries.mutableValues(as: Bits.self)
    let mask = table.count &- 1
    var used = used
    for i in values.indices {
      let value = values[i]
      var slot = Int(truncatingIfNeeded: hash(value) &>> shift)
      var code: UInt32
      while true {
        code = table[slot]
        if code == 0 {
          known[used] = value
          used &+= 1
          code = UInt32(truncatingIfNeeded: used)
          table[slot] = code
          break
        }
        if known[Int(code &- 1)] == value { break }
        slot = (slot &+ 1) & mask
      }
      codes[start &+ i] = code &- 1
    }
    return used
  }

  /// Fibonacci hashing: the high bits depend on all bits of the value.
  @inline(__always)
  private static func hash(_ value: Bits) -> UInt64 {
    let word = UInt64(truncatingIfNeeded: value)
    return (word ^ word &>> 32) &* 0x9E37_79B9_7F4A_7C15
  }

  private mutating func grow() {
    let larger = slotCount * 4
    shift = UInt64(64 - larger.trailingZeroBitCount)
    var fresh = MutableBuffer(zeroed: larger * 4)
    Self.fill(&fresh, with: entries.values(as: Bits.self), count, shift)
    slots = fresh
  }

  private static func fill(
    _ slots: inout MutableBuffer, with known: Span<Bits>, _ count: Int, _ shift: UInt64
  ) {
    var table = slots.mutableValues(as: UInt32.self)
    let mask = table.count &- 1
    for i in 0..<count {
      var slot = Int(truncatingIfNeeded: hash(known[i]) &>> shift)
      while table[slot] != 0 { slot = (slot &+ 1) & mask }
      table[slot] = UInt32(truncatingIfNeeded: i &+ 1)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The distinct byte strings of a column chunk, in order of appearance, each with its code.
///
/// An open-addressing table of hash and code; the bytes themselves are kept once, back to back.
/// Cost: 2 to 3 ns for a string of up to 16 bytes that came before, 10 to 20 for a longer one.
struct BytesDictionaryEncoder: ~Copyable {
  /// The high half of the hash and one more than the code (0: free), a power of two of them.
  private var slots: MutableBuffer
  /// Entry i is bytes `offsets[i]..<offsets[i + 1]` of ``bytes``.
  private(set) var offsets: MutableBuffer
  private(set) var bytes: MutableBuffer
  private(set) var count = 0
  private var recent = RecentStrings()

  init() {
    slots = MutableBuffer(zeroed: 1024 * 8)
    offsets = MutableBuffer(capacity: 512 * 4)
    offsets.append(value: Int32(0))
    bytes = MutableBuffer(capacity: 8192)
  }

  /// Appends the code of each value `bytes[offsets[i]..<offsets[i + 1]]` to `codes`.
  mutating func encode(
    _ valueOffsets: Span<Int32>, _ valueBytes: RawSpan, into codes: inout MutableBuffer
  ) {
    let valueCount = max(0, valueOffsets.count - 1)
    let start = codes.count / 4
    codes.resize(to: (start + valueCount) * 4)
    var done = 0
    while true {
      done = recent.encode(valueOffsets, valueBytes, from: done, into: &codes, at: start)
      guard done < valueCount else { return }
      let range = Int(valueOffsets[done])..<Int(valueOffsets[done &+ 1])
      let code = code(of: valueBytes, range)
      recent.note(code, for: valueBytes, range)
      codes.replace(at: (start + done) * 4, withValue: code)
      done &+= 1
    }
  }

  /// The code of one value, which is added if it is new.
  mutating func code(of source: RawSpan, _ range: Range<Int>) -> UInt32 {
    if count &* 2 >= slots.count / 8 { grow() }
    let hash = Self.hash(source, range)
    let found = find(source, range, hash)
    if found.code >= 0 { return UInt32(truncatingIfNeeded: found.code) }
    return insert(source, range, tag: hash & Self.tagMask, slot: found.slot)
  }

  private static let tagMask: UInt64 = 0xFFFF_FFFF_0000_0000

  /// The code of a value, or -1 and the slot it belongs in.
  @inline(__always)
  private func find(
    _ source: RawSpan, _ range: Range<Int>, _ hash: UInt64
  ) -> (code: Int, slot: Int) {
    let table = slots.values(as: UInt64.self)
    let known = offsets.values(as: Int32.self)
    let mask = table.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = table[slot]
      if entry == 0 { return (-1, slot) }
      if entry & Self.tagMask == hash & Self.tagMask {
        let code = Int(entry & ~Self.tagMask) &- 1
        let place = Int(known[code])..<Int(known[code &+ 1])
        if Self.areEqual(bytes.bytes, place, source, range) { return (code, slot) }
      }
      slot = (slot &+ 1) & mask
    }
  }

  private mutating func insert(
    _ source: RawSpan, _ range: Range<Int>, tag: UInt64, slot: Int
  ) -> UInt32 {
    bytes.append(source.extracting(range))
    offsets.append(value: Int32(truncatingIfNeeded: bytes.count))
    count += 1
    Self.store(tag | UInt64(count), in: &slots, at: slot)
    return UInt32(truncatingIfNeeded: count - 1)
  }

  private static func store(_ entry: UInt64, in slots: inout MutableBuffer, at slot: Int) {
    var table = slots.mutableValues(as: UInt64.self)
    table[slot] = entry
  }

  private mutating func grow() {
    let larger = slots.count / 8 * 4
    var fresh = MutableBuffer(zeroed: larger * 8)
    do {
      let known = offsets.values(as: Int32.self)
      var table = fresh.mutableValues(as: UInt64.self)
      let source = bytes.bytes
      for i in 0..<count {
        let hash = Self.hash(source, Int(known[i])..<Int(known[i &+ 1]))
        var slot = Int(truncatingIfNeeded: hash) & (larger - 1)
        while table[slot] != 0 { slot = (slot &+ 1) & (larger - 1) }
        table[slot] = hash & Self.tagMask | UInt64(i + 1)
      }
    }
    slots = fresh
  }

  /// Up to 16 bytes are two loads that may overlap; longer ones are mixed in steps of 16.
  @inline(__always)
  private static func hash(_ source: RawSpan, _ range: Range<Int>) -> UInt64 {
    let start = range.lowerBound
    let count = range.count
    var low: UInt64 = 0
    var high: UInt64 = 0
    var state = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    if count >= 8 {
      var at = start
      while at &+ 16 < range.upperBound {
        state = mix(
          state ^ source.loadLE(at: at, as: UInt64.self),
          source.loadLE(at: at &+ 8, as: UInt64.self) ^ 0xA076_1D64_78BD_642F)
        at &+= 16
      }
      low = source.loadLE(at: count > 16 ? range.upperBound &- 16 : start, as: UInt64.self)
      high = source.loadLE(at: range.upperBound &- 8, as: UInt64.self)
    } else if count >= 4 {
      low = UInt64(source.loadLE(at: start, as: UInt32.self))
      high = UInt64(source.loadLE(at: range.upperBound &- 4, as: UInt32.self))
    } else if count > 0 {
      low = UInt64(source[start]) | UInt64(source[start &+ count / 2]) << 8
      high = UInt64(source[range.upperBound &- 1])
    }
    return mix(state ^ low ^ 0xE703_7ED1_A0B4_28DB, high ^ 0x8EBC_6AF0_9C88_C6E3)
  }

  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always)
  private static func areEqual(
    _ a: RawSpan, _ first: Range<Int>, _ b: RawSpan, _ second: Range<Int>
  ) -> Bool {
    let count = first.count
    if count != second.count { return false }
    if count < 8 {
      var difference: UInt8 = 0
      for i in 0..<count {
        difference |= a[first.lowerBound &+ i] ^ b[second.lowerBound &+ i]
      }
      return difference == 0
    }
    var at = 0
    while at &+ 8 < count {
      let x = a.loadLE(at: first.lowerBound &+ at, as: UInt64.self)
      if x != b.loadLE(at: second.lowerBound &+ at, as: UInt64.self) { return false }
      at &+= 8
    }
    return a.loadLE(at: first.upperBound &- 8, as: UInt64.self)
      == b.loadLE(at: second.upperBound &- 8, as: UInt64.self)
  }
}

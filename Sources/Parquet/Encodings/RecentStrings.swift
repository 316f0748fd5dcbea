// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The codes of short strings that came lately, found without looking into the dictionary.
///
/// A string of up to 16 bytes is two numbers and a length. Each has one place here, where it stays
/// until another one takes it. Columns of few values, and only those get dictionaries, are nearly
/// always found.
struct RecentStrings: ~Copyable {
  private var entries = MutableBuffer(zeroed: RecentStrings.count * MemoryLayout<Entry>.stride)

  private static let count = 512

  private struct Entry: BitwiseCopyable {
    var low: UInt64
    var high: UInt64
    /// One more than the length, or 0 for no string.
    var mark: UInt32
    var code: UInt32
  }

  private struct Key {
    var low: UInt64
    var high: UInt64
    var mark: UInt32

    var place: Int {
      let mixed = (low ^ high &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(mark)) &* 0xC2B2_AE3D_27D4_EB4F
      return Int(truncatingIfNeeded: mixed &>> 55)
    }
  }

  /// Nil for strings that are too long, or too near to the end of the bytes to be loaded at once.
  @inline(__always)
  private static func key(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Key? {
    let count = end &- start
    guard count <= 16, start <= bytes.byteCount &- 16 else { return nil }
    let low = bytes.loadLE(at: start, as: UInt64.self)
    let high = bytes.loadLE(at: start &+ 8, as: UInt64.self)
    return Key(
      low: low & mask(count), high: high & mask(count &- 8),
      mark: UInt32(truncatingIfNeeded: count &+ 1))
  }

  /// Ones in the lowest `count` bytes: none for less than one, all for more than eight.
  @inline(__always)
  private static func mask(_ count: Int) -> UInt64 {
    count >= 8 ? .max : count <= 0 ? 0 : UInt64.max &>> UInt64(64 &- 8 &* count)
  }

  /// Writes codes of strings `from`, `from + 1`, … to `codes`, behind `start` others, up to one
  /// that is not known, or all; returns where it stopped.
  func encode(
    _ offsets: Span<Int32>, _ bytes: RawSpan, from: Int, into codes: inout MutableBuffer,
    at start: Int
  ) -> Int {
    let known = entries.values(as: Entry.self)
    var target = codes.mutableValues(as: UInt32.self)
    var i = from
    while i < offsets.count &- 1 {
      guard let key = Self.key(bytes, Int(offsets[i]), Int(offsets[i &+ 1])) else { return i }
      let entry = known[key.place]
      guard entry.low == key.low, entry.high == key.high, entry.mark == key.mark else { return i }
      target[start &+ i] = entry.code
      i &+= 1
    }
    return i
  }

  /// Remembers the code of a string, if it is short enough.
  mutating func note(_ code: UInt32, for bytes: RawSpan, _ range: Range<Int>) {
    guard let key = Self.key(bytes, range.lowerBound, range.upperBound) else { return }
    var known = entries.mutableValues(as: Entry.self)
    known[key.place] = Entry(low: key.low, high: key.high, mark: key.mark, code: code)
  }
}

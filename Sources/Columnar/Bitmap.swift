// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A run of bits, least significant first in each byte; in a validity bitmap, 1 is a value.
///
/// May start inside a byte, so that it is sliced without a copy. Worked on a 64-bit word at a time.
public struct Bitmap: Sendable {
  public let buffer: Buffer
  /// The first bit, counted from the first bit of `buffer`.
  public let offset: Int
  /// How many bits.
  public let count: Int

  /// `count` bits of `buffer` from bit `offset` on, all of which must lie inside.
  public init(_ buffer: Buffer, offset: Int = 0, count: Int) {
    precondition(offset >= 0 && count >= 0 && (offset + count + 7) / 8 <= buffer.count)
    self.buffer = buffer
    self.offset = offset
    self.count = count
  }

  /// `count` bits, all of them `value`.
  public init(repeating value: Bool, count: Int) {
    var bits = MutableBuffer(byteCount: (count + 63) / 64 * 8)
    var words = bits.mutableValues(as: UInt64.self)
    for i in words.indices { words[i] = value ? .max : 0 }
    self.init(bits.freeze(), count: count)
  }

  public init(_ bits: [Bool]) {
    var builder = BitmapBuilder(capacity: bits.count)
    for bit in bits { builder.append(bit) }
    self = builder.finish()
  }

  public subscript(_ index: Int) -> Bool {
    precondition(index >= 0 && index < count, "a bit outside the bitmap")
    let bit = offset + index
    return buffer.bytes.loadLE(at: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 == 1
  }

  /// How many 64-bit words hold the bits.
  public var wordCount: Int { (count + 63) / 64 }

  /// Bits 64 × `index` … 64 × `index` + 63; those past the end are 0.
  public func word(_ index: Int) -> UInt64 {
    let first = index * 64
    precondition(index >= 0 && first < count, "a word outside the bitmap")
    let wanted = Swift.min(64, count - first)
    let start = offset + first
    let bytes = buffer.bytes
    let byte = start >> 3
    let shift = UInt64(start & 7)
    var word: UInt64
    if byte + 8 <= bytes.byteCount {
      word = bytes.loadLE(at: byte, as: UInt64.self) >> shift
    } else {
      word = 0
      for i in 0..<(bytes.byteCount - byte) {
        word |= UInt64(bytes.loadLE(at: byte + i, as: UInt8.self)) << UInt64(8 * i)
      }
      word >>= shift
    }
    if shift > 0, Int(shift) + wanted > 64 {
      word |= UInt64(bytes.loadLE(at: byte + 8, as: UInt8.self)) << (64 - shift)
    }
    return wanted == 64 ? word : word & (1 << UInt64(wanted) &- 1)
  }

  /// How many bits are 1. Cost: O(count / 64).
  public var countOfOnes: Int {
    var total = 0
    for i in 0..<wordCount { total &+= word(i).nonzeroBitCount }
    return total
  }

  /// The bits in `range`, without a copy.
  public func slice(_ range: Range<Int>) -> Bitmap {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a slice outside the bitmap")
    return Bitmap(buffer, offset: offset + range.lowerBound, count: range.count)
  }

  /// A bitmap made word by word of this one and `other`, which is as long.
  private func combined(with other: Bitmap, _ op: (UInt64, UInt64) -> UInt64) -> Bitmap {
    precondition(count == other.count, "bitmaps of different lengths")
    var bits = MutableBuffer(byteCount: wordCount * 8)
    var words = bits.mutableValues(as: UInt64.self)
    for i in words.indices { words[i] = op(word(i), other.word(i)) }
    return Bitmap(bits.freeze(), count: count)
  }

  public func and(_ other: Bitmap) -> Bitmap { combined(with: other) { $0 & $1 } }
  public func or(_ other: Bitmap) -> Bitmap { combined(with: other) { $0 | $1 } }
  public func andNot(_ other: Bitmap) -> Bitmap { combined(with: other) { $0 & ~$1 } }
  public func inverted() -> Bitmap { combined(with: self) { a, _ in ~a } }

  /// The positions of the 1 bits, ascending.
  public func positionsOfOnes() -> [Int32] {
    var positions: [Int32] = []
    positions.reserveCapacity(countOfOnes)
    for i in 0..<wordCount {
      var rest = word(i)
      while rest != 0 {
        positions.append(Int32(truncatingIfNeeded: i * 64 &+ rest.trailingZeroBitCount))
        rest &= rest &- 1
      }
    }
    return positions
  }
}

/// Appends bits one by one, in words or in runs.
public struct BitmapBuilder: ~Copyable {
  private var bits: MutableBuffer
  private var pending: UInt64 = 0
  /// How many bits were appended.
  public private(set) var count = 0
  /// How many of them are 0.
  public private(set) var countOfZeros = 0

  public init(capacity: Int = 0) { bits = MutableBuffer(capacity: (capacity + 63) / 64 * 8) }

  public mutating func append(_ bit: Bool) {
    if bit { pending |= 1 << UInt64(count & 63) } else { countOfZeros &+= 1 }
    count &+= 1
    if count & 63 == 0 {
      bits.append(value: pending)
      pending = 0
    }
  }

  /// Appends the low `extra` bits (0…64) of `word`; the others are ignored.
  public mutating func append(word: UInt64, count extra: Int) {
    precondition(extra >= 0 && extra <= 64, "a word has 64 bits")
    if extra == 0 { return }
    let fresh = extra == 64 ? word : word & (1 << UInt64(extra) &- 1)
    countOfZeros &+= extra &- fresh.nonzeroBitCount
    let used = count & 63
    pending |= fresh << UInt64(used)
    count &+= extra
    if used &+ extra >= 64 {
      bits.append(value: pending)
      pending = used == 0 ? 0 : fresh >> UInt64(64 &- used)
    }
  }

  /// Appends `bit` `extra` times. Cost: O(extra / 64).
  public mutating func append(repeating bit: Bool, count extra: Int) {
    precondition(extra >= 0, "a negative number of bits")
    let word: UInt64 = bit ? .max : 0
    var left = extra
    while left > 64 {
      append(word: word, count: 64)
      left &-= 64
    }
    append(word: word, count: left)
  }

  /// Appends all bits of `other`. Cost: O(count / 64), whatever the offsets.
  public mutating func append(_ other: Bitmap) {
    bits.reserve(other.wordCount * 8 + 8)
    for i in 0..<other.wordCount {
      append(word: other.word(i), count: Swift.min(64, other.count &- i &* 64))
    }
  }

  /// Takes back what was appended after the first `kept` bits. Cost: O(bits taken back).
  package mutating func truncate(to kept: Int) {
    precondition(kept >= 0 && kept <= count, "more bits than there are")
    while count > kept {
      if count & 63 == 0 {
        pending = bits.bytes.loadLE(at: bits.count &- 8, as: UInt64.self)
        bits.resize(to: bits.count &- 8)
      }
      count &-= 1
      let bit: UInt64 = 1 << UInt64(count & 63)
      if pending & bit == 0 { countOfZeros &-= 1 }
      pending &= ~bit
    }
  }

  public consuming func finish() -> Bitmap {
    let total = count
    if total & 63 != 0 { bits.append(value: pending) }
    return Bitmap(bits.freeze(), count: total)
  }
}

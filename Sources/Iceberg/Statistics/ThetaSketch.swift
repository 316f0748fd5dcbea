// SPDX-License-Identifier: Apache-2.0

/// How many distinct values there are, of as many as there may be, in bounded memory.
///
/// Of the values' hashes, numbers that are as good as evenly spread, the smallest are kept: all of
/// them as long as there are no more than ``entryLimit``, else that many, and the count is told by
/// how far apart they lie.
///
///     nothing kept … entryLimit kept ┊ theta …                 2^63
///
/// Laws: what a sketch is depends on the set of values alone, not on their order, on how often each
/// came, or on how they were split among sketches that were then united. Up to ``entryLimit`` values
/// the count is exact (but for collisions of 63 bits); above, its relative standard error is
/// 1 / √(entryLimit - 1), 1.6 %. The value of no bytes is not counted, as in the reference library.
/// Cost: up to 128 KB.
///
/// Source: Puffin spec, "apache-datasketches-theta-v1 blob type"; Apache DataSketches, "Theta Sketch
/// Framework".
public struct ThetaSketch: Sendable {
  /// How many hashes are kept.
  public static let entryLimit = 4096
  static let seed: UInt64 = 9001
  /// Above all hashes, which have 63 bits.
  static let everything = UInt64(Int64.max)

  /// All kept hashes are below it.
  private(set) var theta = ThetaSketch.everything
  /// Hashes at the place they tell, or the next free one; 0 is free. A power of two.
  private var slots: [UInt64]
  private var count = 0

  private static let firstSlotCount = 256
  /// With these many hashes the larger half is let go.
  private static let trimCount = 2 * entryLimit

  /// A sketch of no values.
  public init() { slots = Array(repeating: 0, count: Self.firstSlotCount) }

  /// True as long as all hashes are there: the count is that of the values then.
  public var isExact: Bool { theta == Self.everything && count <= Self.entryLimit }

  /// About how many distinct values there are.
  public var estimate: Double {
    let (entries, theta) = compact
    guard theta < Self.everything else { return Double(entries.count) }
    return Double(entries.count) / (Double(theta) / Double(Self.everything))
  }

  /// ``estimate``, cut to a whole number.
  public var distinctCount: Int64 { Int64(estimate) }

  /// The smallest hashes in ascending order, and what all of them are below.
  var compact: (entries: [UInt64], theta: UInt64) {
    let sorted = slots.filter { $0 != 0 }.sorted()
    guard sorted.count > Self.entryLimit else { return (sorted, theta) }
    return (Array(sorted.prefix(Self.entryLimit)), sorted[Self.entryLimit])
  }

  // MARK: Values

  /// Takes the value with these bytes (single-value serialization) into account.
  public mutating func insert(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    insert(hash: MurmurHash128.hash(bytes, seed: Self.seed))
  }

  /// Takes values of four bytes into account: ints, dates.
  public mutating func insert(_ values: Span<Int32>) {
    for i in values.indices {
      let word = UInt64(UInt32(bitPattern: values[i]))
      insert(hash: MurmurHash128.hash(low: word, byteCount: 4, seed: Self.seed))
    }
  }

  /// Takes values of eight bytes into account: longs, moments.
  public mutating func insert(_ values: Span<Int64>) {
    for i in values.indices {
      let word = UInt64(bitPattern: values[i])
      insert(hash: MurmurHash128.hash(low: word, byteCount: 8, seed: Self.seed))
    }
  }

  /// Takes floats into account; every NaN is the same value.
  public mutating func insert(_ values: Span<Float>) {
    for i in values.indices {
      let value = values[i].isNaN ? Float.nan : values[i]
      insert(
        hash: MurmurHash128.hash(
          low: UInt64(value.bitPattern), byteCount: 4, seed: Self.seed))
    }
  }

  /// Takes doubles into account; every NaN is the same value.
  public mutating func insert(_ values: Span<Double>) {
    for i in values.indices {
      let value = values[i].isNaN ? Double.nan : values[i]
      insert(hash: MurmurHash128.hash(low: value.bitPattern, byteCount: 8, seed: Self.seed))
    }
  }

  /// Takes a decimal's unscaled value into account.
  public mutating func insert(unscaled value: Int128) {
    let spare = (value < 0 ? ~value : value).leadingZeroBitCount - 1
    let byteCount = 16 - spare / 8
    guard byteCount < 16 else {
      let words = [value.bigEndian]
      return insert(unsafe words.span.bytes)
    }
    // The first of its bytes, big-endian, becomes the lowest.
    let bytes = UInt128(bitPattern: value &<< Int128((16 - byteCount) * 8)).byteSwapped
    insert(
      hash: MurmurHash128.hash(
        low: UInt64(truncatingIfNeeded: bytes), high: UInt64(truncatingIfNeeded: bytes &>> 64),
        byteCount: byteCount, seed: Self.seed))
  }

  /// Takes texts into account: `offsets` are where in `bytes` each starts, and the last one ends.
  public mutating func insert(_ bytes: RawSpan, offsets: Span<Int32>) {
    guard offsets.count > 1 else { return }
    for i in 0..<offsets.count - 1 {
      insert(bytes.extracting(Int(offsets[i])..<Int(offsets[i + 1])))
    }
  }

  // MARK: Hashes

  /// Takes all values of `other` into account.
  public mutating func formUnion(_ other: ThetaSketch) {
    if other.theta < theta {
      theta = other.theta
      rebuild(slots.filter { $0 != 0 && $0 < theta })
    }
    for hash in other.slots where hash != 0 && hash < theta { keep(hash) }
  }

  @inline(__always)
  private mutating func insert(hash: UInt64) {
    let hash = hash &>> 1
    if hash < theta, hash != 0 { keep(hash) }
  }

  private mutating func keep(_ hash: UInt64) {
    let mask = slots.count &- 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place] != 0 {
      if slots[place] == hash { return }
      place = (place &+ 1) & mask
    }
    slots[place] = hash
    count &+= 1
    if count >= Self.trimCount {
      let (entries, bound) = compact
      theta = bound
      rebuild(entries)
    } else if count &* 2 > slots.count {
      rebuild(slots.filter { $0 != 0 })
    }
  }

  /// Puts `entries`, which are distinct, in the place of all hashes.
  private mutating func rebuild(_ entries: [UInt64]) {
    var size = Self.firstSlotCount
    while size < entries.count * 4 { size *= 2 }
    slots = Array(repeating: 0, count: size)
    count = entries.count
    let mask = size - 1
    for hash in entries {
      var place = Int(truncatingIfNeeded: hash) & mask
      while slots[place] != 0 { place = (place &+ 1) & mask }
      slots[place] = hash
    }
  }

  /// The sketch that keeps `entries`, which are distinct and below `theta`, or the smallest of them.
  init(entries: [UInt64], theta: UInt64) {
    slots = entries
    self.theta = theta
    // Numbers of others could be made to fall on one place: no more of them than are needed.
    let (smallest, bound) = compact
    self.theta = bound
    rebuild(smallest)
  }
}

extension ThetaSketch: Equatable {
  public static func == (a: ThetaSketch, b: ThetaSketch) -> Bool {
    let (first, second) = (a.compact, b.compact)
    return first.entries == second.entries && first.theta == second.theta
  }
}

// SPDX-License-Identifier: Apache-2.0
package import Bytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A split-block Bloom filter: tells values that are certainly not in a column chunk.
///
///     filter := block*, a power of two of them as Lake writes it
///     block  := 8 words of 32 bits, little-endian; a value sets one bit in each
///
/// Values are hashed by xxHash64 over their PLAIN encoding, byte arrays without the length.
/// Source: parquet-format BloomFilter.md.
package struct BloomFilter: Hashable, Sendable {
  private var words: [UInt32]

  private static let salts: [8 of UInt32] = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d,
    0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]

  /// A filter over values with these hashes, sized for how many different ones there are.
  ///
  /// Cost: O(hashes).
  package init(hashes: [UInt64], options: BloomFilterOptions) {
    let distinct = Self.distinctCount(hashes)
    let rate = min(max(options.falsePositiveRate, 1e-6), 0.5)
    let bits = -8 * Double(distinct) / log(1 - pow(rate, 1.0 / 8))
    let limit = max(32, min(options.maxByteCount, 128 << 20))
    var byteCount = 32
    while Double(byteCount * 8) < bits, byteCount * 2 <= limit { byteCount *= 2 }
    words = [UInt32](repeating: 0, count: byteCount / 4)
    for hash in hashes { insert(hash) }
  }

  /// The filter whose blocks are `bytes`.
  ///
  /// - Throws: ``ByteError/outOfRange(offset:what:value:)`` if these are not whole blocks.
  package init(_ bytes: RawSpan) throws(ByteError) {
    guard bytes.byteCount > 0, bytes.byteCount % 32 == 0 else {
      throw .outOfRange(offset: 0, what: "Bloom filter size", value: Int64(bytes.byteCount))
    }
    words = (0..<bytes.byteCount / 4).map { bytes.loadLE(at: $0 * 4, as: UInt32.self) }
  }

  /// Linear counting: how many bits of a map that hashes fall into stay free.
  private static func distinctCount(_ hashes: [UInt64]) -> Int {
    var bitCount = 1024
    while bitCount < hashes.count * 4 { bitCount *= 2 }
    var map = [UInt64](repeating: 0, count: bitCount / 64)
    for hash in hashes {
      let bit = Int(truncatingIfNeeded: hash) & (bitCount - 1)
      map[bit >> 6] |= 1 << UInt64(bit & 63)
    }
    let free = bitCount - map.reduce(0) { $0 + $1.nonzeroBitCount }
    guard free > 0 else { return hashes.count }
    let estimate = -Double(bitCount) * log(Double(free) / Double(bitCount))
    return min(hashes.count, Int(estimate.rounded(.up)))
  }

  /// The first word of the block for `hash`.
  private func block(of hash: UInt64) -> Int {
    let blockCount = UInt64(words.count / 8)
    return Int(((hash >> 32) &* blockCount) >> 32) * 8
  }

  private mutating func insert(_ hash: UInt64) {
    let start = block(of: hash)
    let key = UInt32(truncatingIfNeeded: hash)
    for i in Self.salts.indices { words[start + i] |= Self.bit(key, i) }
  }

  /// False if no value with this hash is in the column chunk.
  package func mayContain(_ hash: UInt64) -> Bool {
    let start = block(of: hash)
    let key = UInt32(truncatingIfNeeded: hash)
    for i in Self.salts.indices where words[start + i] & Self.bit(key, i) == 0 { return false }
    return true
  }

  /// The bit that a value sets in word `lane` of its block.
  private static func bit(_ key: UInt32, _ lane: Int) -> UInt32 {
    1 &<< ((key &* salts[lane]) &>> 27)
  }

  /// Header and blocks, as they are in the file.
  package func encode() -> Buffer {
    var header = ThriftWriter()
    BloomFilterHeader(byteCount: Int32(words.count * 4)).encode(into: &header)
    var bits = ByteWriter(capacity: words.count * 4)
    for word in words { bits.writeLE(word) }
    let blocks = bits.finish()
    var output = ByteWriter(capacity: blocks.count + 64)
    output.write(StructureChecksum.seal(header.finish(), followedBy: blocks))
    output.write(blocks)
    return output.finish()
  }
}

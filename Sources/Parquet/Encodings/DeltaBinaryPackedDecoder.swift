// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Decodes integers stored as bit-packed differences.
///
///     stream := block size, miniblocks a block, value count (varints), first value (zig-zag), block*
///     block  := least difference (zig-zag), a bit width for each miniblock (bytes), miniblocks
///
/// Goes on where it stopped. Sums wrap around, as the format has it. Memory is taken for 32
/// differences, whatever the header says.
/// Source: parquet-format Encodings.md, "Delta Encoding (DELTA_BINARY_PACKED = 5)".
package struct DeltaBinaryPackedDecoder {
  private let bytes: Buffer
  private var position: Int
  private let miniblockCount: Int
  private let valuesPerMiniblock: Int
  /// Values not yet decoded; the first of all is not a difference.
  package private(set) var remaining: Int
  private var value: Int64
  private var isAtFirst = true
  private var leastDelta: Int64 = 0
  /// Where the widths of the block at hand are.
  private var widths = 0
  private var miniblock: Int
  /// Differences of the miniblock that are not yet unpacked.
  private var leftInMiniblock = 0
  /// Differences unpacked and not yet used: the last `pendingCount` of them.
  private var pending = InlineArray<32, UInt64>(repeating: 0)
  private var pendingCount = 0

  /// How many differences are unpacked at a time; a miniblock has a multiple of as many.
  private static let unit = 32

  package init(_ bytes: Buffer, at offset: Int = 0) throws(ByteError) {
    let buffer = bytes
    let span = buffer.bytes
    var reader = ByteReader(span.extracting(offset..<span.byteCount))
    let blockSize = try reader.readULEB128(maxBytes: 5)
    let miniblocks = try reader.readULEB128(maxBytes: 5)
    let count = try reader.readULEB128(maxBytes: 5)
    value = try reader.readZigZag()
    guard blockSize > 0, blockSize % 128 == 0, blockSize < 1 << 31 else {
      throw .outOfRange(offset: offset, what: "block size", value: Int64(blockSize))
    }
    guard miniblocks > 0, blockSize % miniblocks == 0,
      blockSize / miniblocks % UInt64(Self.unit) == 0
    else { throw .outOfRange(offset: offset, what: "miniblocks", value: Int64(miniblocks)) }
    guard count < 1 << 31 else {
      throw .outOfRange(offset: offset, what: "value count", value: Int64(count))
    }
    self.bytes = bytes
    position = offset + reader.offset
    miniblockCount = Int(miniblocks)
    valuesPerMiniblock = Int(blockSize / miniblocks)
    remaining = Int(count)
    miniblock = miniblockCount
  }

  package mutating func decode(
    into output: inout MutableSpan<Int64>, _ range: Range<Int>
  ) throws(ByteError) {
    try check(range.count)
    var filled = range.lowerBound
    while filled < range.upperBound {
      let count = try prepare(atMost: range.upperBound - filled)
      var sum = value
      let from = Self.unit - pendingCount
      for i in 0..<count {
        sum = sum &+ Int64(bitPattern: pending[from + i])
        output[filled + i] = sum
      }
      take(count, sum)
      filled += count
    }
  }

  package mutating func decode(
    into output: inout MutableSpan<Int32>, _ range: Range<Int>
  ) throws(ByteError) {
    try check(range.count)
    var filled = range.lowerBound
    while filled < range.upperBound {
      let count = try prepare(atMost: range.upperBound - filled)
      var sum = value
      let from = Self.unit - pendingCount
      for i in 0..<count {
        sum = sum &+ Int64(bitPattern: pending[from + i])
        output[filled + i] = Int32(truncatingIfNeeded: sum)
      }
      take(count, sum)
      filled += count
    }
  }

  package mutating func skip(_ count: Int) throws(ByteError) {
    try check(count)
    var left = count
    while left > 0 {
      let next = try prepare(atMost: left)
      var sum = value
      let from = Self.unit - pendingCount
      for i in 0..<next { sum = sum &+ Int64(bitPattern: pending[from + i]) }
      take(next, sum)
      left -= next
    }
  }

  private func check(_ count: Int) throws(ByteError) {
    guard count <= remaining else {
      throw .truncated(offset: position, needed: count, available: remaining)
    }
  }

  private mutating func take(_ count: Int, _ sum: Int64) {
    value = sum
    pendingCount -= count
    remaining -= count
  }

  /// Makes sure that there are differences, the first value counting as one of 0, and answers how
  /// many of `wanted` can be taken.
  private mutating func prepare(atMost wanted: Int) throws(ByteError) -> Int {
    if pendingCount == 0 {
      if isAtFirst {
        isAtFirst = false
        pending[Self.unit - 1] = 0
        pendingCount = 1
      } else {
        try unpack()
      }
    }
    return min(wanted, pendingCount)
  }

  /// Unpacks the next differences of the miniblock at hand, or of the one after it.
  private mutating func unpack() throws(ByteError) {
    if leftInMiniblock == 0 { try enterMiniblock() }
    let buffer = bytes
    let span = buffer.bytes
    let width = Int(span.loadLE(at: widths + miniblock, as: UInt8.self))
    let least = UInt64(bitPattern: leastDelta)
    let start = position
    var output = pending.mutableSpan
    try BitPacking.unpack(span, at: start, width: width, into: &output)
    for i in output.indices { output[i] = output[i] &+ least }
    position += BitPacking.byteCount(of: Self.unit, width: width)
    leftInMiniblock -= Self.unit
    pendingCount = Self.unit
  }

  private mutating func enterMiniblock() throws(ByteError) {
    miniblock += 1
    if miniblock >= miniblockCount {
      try readBlockHeader()
      miniblock = 0
    }
    leftInMiniblock = valuesPerMiniblock
  }

  private mutating func readBlockHeader() throws(ByteError) {
    let buffer = bytes
    let span = buffer.bytes
    var reader = ByteReader(span.extracting(position..<span.byteCount))
    leastDelta = try reader.readZigZag()
    widths = position + reader.offset
    try reader.skip(miniblockCount)
    position += reader.offset
  }

  /// Where the stream ends: behind the last miniblock that holds values. The decoder stays where
  /// it is, which must be the beginning. Cost: O(miniblocks), each of which takes a byte.
  package func end() throws(ByteError) -> Int {
    var cursor = self
    guard isAtFirst else { return position }
    var left = remaining - 1
    let buffer = bytes
    let span = buffer.bytes
    while left > 0 {
      try cursor.enterMiniblock()
      let width = Int(span.loadLE(at: cursor.widths + cursor.miniblock, as: UInt8.self))
      guard width <= 64 else {
        throw .outOfRange(offset: cursor.widths, what: "bit width", value: Int64(width))
      }
      let size = BitPacking.byteCount(of: valuesPerMiniblock, width: width)
      guard size <= span.byteCount - cursor.position else {
        throw .truncated(
          offset: cursor.position, needed: size, available: span.byteCount - cursor.position)
      }
      cursor.position += size
      left -= valuesPerMiniblock
    }
    return cursor.position
  }
}

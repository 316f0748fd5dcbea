// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Which rows of one data file are deleted, by their positions: ordinals from 0 over all its rows.
///
/// What a v3 deletion vector holds, and what v2's position delete files come to for one file.
///
/// Cost: a lookup is O(log n); a hundred million positions in runs take as little as a few KiB, at
/// random some two bytes each.
///
/// Source: Puffin spec, "deletion-vector-v1 blob type".
public struct DeletionVector: Hashable, Sendable {
  /// The high halves of the positions, ascending, and the low ones; no bitmap is empty.
  private var parts: [Part] = []

  private struct Part: Hashable, Sendable {
    var key: UInt32
    var bitmap: RoaringBitmap
  }

  /// The highest position there can be: its highest bits are the ones the reference
  /// implementation takes.
  public static let highestPosition: Int64 = (Int64(Int32.max) - 1) << 32 | 0xffff_ffff

  /// No row is deleted.
  public init() {}

  /// The rows at `positions`, in any order, any number of times.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if one is negative or above
  ///   ``highestPosition``.
  public init(_ positions: some Sequence<Int64>) throws(IcebergError) {
    for position in positions {
      try DeletionVector.check(position)
      insert(position)
    }
  }

  /// - Throws: ``IcebergError/invalid(_:reason:)`` if `position` is none a row can have: what a
  ///   position delete file says must be checked so.
  public static func check(_ position: Int64) throws(IcebergError) {
    guard position >= 0, position <= highestPosition else {
      throw .invalid("delete position \(position)", reason: "no row can have it")
    }
  }

  public var isEmpty: Bool { parts.isEmpty }
  /// How many rows are deleted.
  public var count: Int { parts.reduce(0) { $0 + $1.bitmap.count } }

  public func contains(_ position: Int64) -> Bool {
    guard position >= 0 else { return false }
    let index = index(of: UInt32(truncatingIfNeeded: position >> 32))
    return index < parts.count && Int64(parts[index].key) == position >> 32
      && parts[index].bitmap.contains(UInt32(truncatingIfNeeded: position))
  }

  /// Deletes the row at `position`; false if it was deleted.
  ///
  /// Requires: `position` is one that ``check(_:)`` lets pass.
  @discardableResult
  public mutating func insert(_ position: Int64) -> Bool {
    precondition(position >= 0 && position <= DeletionVector.highestPosition, "no row's position")
    let key = UInt32(truncatingIfNeeded: position >> 32)
    let index = index(of: key)
    if index == parts.count || parts[index].key != key {
      parts.insert(Part(key: key, bitmap: RoaringBitmap()), at: index)
    }
    return parts[index].bitmap.insert(UInt32(truncatingIfNeeded: position))
  }

  /// Deletes the rows of `range`.
  ///
  /// Requires: all of it are positions that ``check(_:)`` lets pass.
  public mutating func insert(_ range: Range<Int64>) {
    guard !range.isEmpty else { return }
    precondition(
      range.lowerBound >= 0 && range.upperBound - 1 <= DeletionVector.highestPosition,
      "no row's position")
    // To make a bitmap and unite the two takes as long as some rows.
    guard range.count > 16 else {
      for position in range { insert(position) }
      return
    }
    var other = DeletionVector()
    forEachKey(of: range) { key, part in
      var bitmap = RoaringBitmap()
      bitmap.insert(part)
      other.parts.append(Part(key: key, bitmap: bitmap))
    }
    formUnion(other)
  }

  /// Deletes the rows at `positions`, in any order, any number of times.
  ///
  /// Cost: a nanosecond or two for each where many of a block of 65536 come together, as they do in
  /// the order of position delete files.
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if one is none a row can have.
  public mutating func insert(contentsOf positions: Span<Int64>) throws(IcebergError) {
    var words: [UInt64] = []
    var next = 0
    while next < positions.count {
      let block = positions[next] >> 16
      var end = next &+ 1
      while end < positions.count, positions[end] >> 16 == block { end &+= 1 }
      // The highest position is the last of its block, so one tells for all.
      try DeletionVector.check(positions[next])
      if end - next < 64 {
        for i in next..<end { insert(positions[i]) }
      } else {
        words = [UInt64](repeating: 0, count: RoaringContainer.wordCount)
        for i in next..<end {
          let low = Int(truncatingIfNeeded: positions[i] & 0xffff)
          words[low >> 6] |= 1 << UInt64(low & 63)
        }
        let key = UInt32(truncatingIfNeeded: block >> 16)
        let index = index(of: key)
        if index == parts.count || parts[index].key != key {
          parts.insert(Part(key: key, bitmap: RoaringBitmap()), at: index)
        }
        parts[index].bitmap.formUnion(
          block: UInt16(truncatingIfNeeded: block), words: words)
      }
      next = end
    }
  }

  /// About how many bytes the vector takes.
  public var byteCount: Int { parts.reduce(0) { $0 + $1.bitmap.byteCount } }

  /// Deletes what `other` deletes too.
  public mutating func formUnion(_ other: DeletionVector) {
    for part in other.parts {
      let index = index(of: part.key)
      if index < parts.count, parts[index].key == part.key {
        parts[index].bitmap.formUnion(part.bitmap)
      } else {
        parts.insert(part, at: index)
      }
    }
  }

  public func union(_ other: DeletionVector) -> DeletionVector {
    var result = self
    result.formUnion(other)
    return result
  }

  /// The deleted rows within `range`, as ascending ranges that do not touch.
  public func deletedRanges(in range: Range<Int64>) -> [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    forEachPart(of: range) { part, base, low in
      part.bitmap.forEachRun(in: low) { run in
        let start = base + Int64(run.lowerBound)
        let end = base + Int64(run.upperBound) + 1
        if let last = ranges.last, last.upperBound == start {
          ranges[ranges.count - 1] = last.lowerBound..<end
        } else {
          ranges.append(start..<end)
        }
      }
    }
    return ranges
  }

  /// The rows below `count` that are not in it, as ascending ranges that do not touch.
  package func otherRanges(below count: Int64) -> [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    var next: Int64 = 0
    for range in deletedRanges(in: 0..<max(0, count)) {
      if next < range.lowerBound { ranges.append(next..<range.lowerBound) }
      next = range.upperBound
    }
    if next < count { ranges.append(next..<count) }
    return ranges
  }

  /// Sets a bit of `words` for each deleted row of `range`: bit 0 for its first row.
  ///
  /// Requires: `words` has a bit for each row. Cost: what the vector has there, not the rows.
  package func mark(_ range: Range<Int64>, in words: inout MutableSpan<UInt64>) {
    precondition(words.count >= (range.count + 63) / 64, "a bit for each row")
    let start = max(range.lowerBound, 0)
    guard start < range.upperBound else { return }
    let last = range.upperBound - 1
    for part in parts {
      let base = Int64(part.key) << 32
      guard base <= last, base + 0xffff_ffff >= start else { continue }
      let first = max(start, base)
      let low = UInt32(truncatingIfNeeded: first - base)
      let high = UInt32(truncatingIfNeeded: min(last - base, 0xffff_ffff))
      part.bitmap.mark(low...high, at: Int(first - range.lowerBound), in: &words)
    }
  }

  /// How many rows of `range` are deleted. Cost: O(log n) and less than 64 KiB looked at per 65536
  /// rows.
  public func count(in range: Range<Int64>) -> Int {
    var total = 0
    forEachPart(of: range) { part, _, low in total += part.bitmap.count(in: low) }
    return total
  }

  /// The positions that `other` does not have, ascending. Cost: that of both vectors' blocks.
  public func positions(notIn other: DeletionVector) -> [Int64] {
    var result: [Int64] = []
    for part in parts {
      let index = other.index(of: part.key)
      let isShared = index < other.parts.count && other.parts[index].key == part.key
      let base = Int64(part.key) << 32
      part.bitmap.forEach(notIn: isShared ? other.parts[index].bitmap : RoaringBitmap()) {
        result.append(base | Int64($0))
      }
    }
    return result
  }

  /// All positions, ascending. Cost: 8 bytes for each.
  public var positions: [Int64] {
    var result: [Int64] = []
    result.reserveCapacity(count)
    for range in deletedRanges(in: 0..<Int64.max) { result.append(contentsOf: range) }
    return result
  }

  /// The index of the first part whose key is not below `key`.
  private func index(of key: UInt32) -> Int {
    var low = 0
    var high = parts.count
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func forEachPart(
    of range: Range<Int64>, _ body: (Part, _ base: Int64, ClosedRange<UInt32>) -> Void
  ) {
    let start = max(range.lowerBound, 0)
    guard start < range.upperBound else { return }
    let last = range.upperBound - 1
    for part in parts {
      let base = Int64(part.key) << 32
      guard base <= last, base + 0xffff_ffff >= start else { continue }
      let low = UInt32(truncatingIfNeeded: max(start - base, 0))
      let high = UInt32(truncatingIfNeeded: min(last - base, 0xffff_ffff))
      body(part, base, low...high)
    }
  }

  /// The parts of `range`, which is not empty and has positions only, under each key.
  private func forEachKey(
    of range: Range<Int64>, _ body: (UInt32, ClosedRange<UInt32>) -> Void
  ) {
    let last = range.upperBound - 1
    for key in (range.lowerBound >> 32)...(last >> 32) {
      let low = key == range.lowerBound >> 32 ? range.lowerBound & 0xffff_ffff : 0
      let high = key == last >> 32 ? last & 0xffff_ffff : 0xffff_ffff
      body(
        UInt32(truncatingIfNeeded: key),
        UInt32(truncatingIfNeeded: low)...UInt32(truncatingIfNeeded: high))
    }
  }
}

// MARK: - As bytes

extension DeletionVector {
  private static let magic: [UInt8] = [0xd1, 0xd3, 0x39, 0x64]
  private static let document = "deletion vector"

  /// The blob of this vector:
  ///
  ///     blob   := length of magic and vector (4 bytes, big-endian), magic, vector,
  ///               CRC-32 of magic and vector (4 bytes, big-endian)
  ///     vector := number of bitmaps (8 bytes), then for each its key (4 bytes) and the bitmap
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if it would have more than 2 GiB.
  public func encoded() throws(IcebergError) -> Buffer {
    var writer = ByteWriter(capacity: 256)
    writer.writeBE(UInt32(0))
    writer.write(DeletionVector.magic)
    encodeVector(to: &writer)
    let length = writer.count - 4
    guard let size = UInt32(exactly: length), length <= Int(Int32.max) else {
      throw .invalid("a deletion vector of \(length) bytes", reason: "the format ends at 2 GiB")
    }
    var prefix = ByteWriter(capacity: 4)
    prefix.writeBE(size)
    writer.overwrite(at: 0, with: prefix.bytes)
    writer.writeBE(CRC32.checksum(writer.bytes.extracting(4..<writer.count)))
    return writer.finish()
  }

  /// Writes the bitmaps, and what is between them.
  package func encodeVector(to writer: inout ByteWriter) {
    writer.writeLE(UInt64(parts.count))
    for part in parts {
      writer.writeLE(part.key)
      part.bitmap.encode(to: &writer)
    }
  }

  /// The vector that `blob` is.
  ///
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if it is none, to the last byte;
  ///   ``IcebergError/checksumMismatch(_:recorded:computed:)``.
  public init(decoding blob: RawSpan) throws(IcebergError) {
    do throws(ByteError) {
      self = try DeletionVector.decode(blob)
    } catch {
      throw .malformed(
        DeletionVector.document, at: "it", expected: "a deletion vector", found: "\(error)")
    }
    let body = blob.extracting(4..<blob.byteCount - 4)
    let computed = CRC32.checksum(body)
    let recorded = blob.loadLE(at: blob.byteCount - 4, as: UInt32.self).byteSwapped
    guard computed == recorded else {
      throw .checksumMismatch(DeletionVector.document, recorded: recorded, computed: computed)
    }
  }

  /// All but the checksum, which is known to be there.
  private static func decode(_ blob: RawSpan) throws(ByteError) -> DeletionVector {
    var reader = ByteReader(blob)
    let length = Int64(try reader.readUInt32BE())
    guard length == Int64(blob.byteCount) - 8 else {
      throw .outOfRange(offset: 0, what: "length of magic and vector", value: length)
    }
    try reader.expect(magic, as: "a deletion vector's magic")
    let vector = try DeletionVector(decodingVector: &reader)
    guard reader.remaining == 4 else {
      throw .unexpected(
        offset: reader.offset, expected: "the checksum", found: "\(reader.remaining) bytes")
    }
    return vector
  }

  /// Reads the bitmaps, and what is between them.
  package init(decodingVector reader: inout ByteReader) throws(ByteError) {
    let start = reader.offset
    let declared = try reader.readUInt64LE()
    // A key and an empty bitmap take 12 bytes.
    guard declared <= UInt64(reader.remaining / 12) else {
      throw .outOfRange(
        offset: start, what: "number of bitmaps", value: Int64(clamping: declared))
    }
    var last: UInt32?
    for _ in 0..<declared {
      let offset = reader.offset
      let key = try reader.readUInt32LE()
      guard last.map({ $0 < key }) ?? true, key < UInt32(Int32.max) else {
        throw .outOfRange(offset: offset, what: "key of a bitmap", value: Int64(key))
      }
      last = key
      let bitmap = try RoaringBitmap(decoding: &reader)
      // The reference implementation writes empty ones where keys are left out.
      if !bitmap.isEmpty { parts.append(Part(key: key, bitmap: bitmap)) }
    }
  }
}

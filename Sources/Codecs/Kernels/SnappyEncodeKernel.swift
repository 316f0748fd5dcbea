// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Writes the elements of a Snappy block: greedy matches found through a hash of four bytes.
///
/// Fragments of 64 KiB are compressed on their own, so that positions fit 16 bits and the table
/// stays in the first-level cache.
///
/// Gain: little in time, 0.45 GB/s of text against 0.48 of a loop through spans that writes copies in
/// their long form alone and so a quarter more bytes. The twin in the tests reads what it writes.
enum SnappyEncodeKernel {
  static let fragmentByteCount = 1 << 16
  static let tableCount = 1 << 14

  /// The most bytes that `count` bytes become, and what the kernel overwrites behind them.
  static func bound(_ count: Int) -> Int { 32 &+ count &+ count / 6 &+ CopyKernel.wildness }

  /// Writes the elements for `source` to `target`, and returns how many bytes they are.
  ///
  /// Requires: `target` has ``bound(_:)`` bytes, `table` has ``tableCount`` entries.
  static func encode(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    table: UnsafeMutableBufferPointer<UInt16>
  ) -> Int {
    precondition(target.count >= bound(source.count) && table.count == tableCount)
    guard let start = source.baseAddress, let base = target.baseAddress,
      let table = table.baseAddress
    else { return 0 }
    var out = unsafe base
    var done = 0
    while done < source.count {
      let count = min(source.count &- done, fragmentByteCount)
      unsafe encodeFragment(start + done, count, &out, table)
      done &+= count
    }
    return unsafe out - base
  }

  private static func encodeFragment(
    _ start: UnsafeRawPointer, _ count: Int, _ out: inout UnsafeMutableRawPointer,
    _ table: UnsafeMutablePointer<UInt16>
  ) {
    let end = unsafe start + count
    var unwritten = unsafe start
    if count >= 16 {
      // A smaller table for a small fragment costs less to clear.
      let bits = max(8, min(14, Int.bitWidth &- (count &- 1).leadingZeroBitCount))
      unsafe table.update(repeating: 0, count: 1 &<< bits)
      let shift = UInt32(32 &- bits)
      let limit = unsafe end - 15
      var at = unsafe start + 1
      while let found = unsafe findMatch(start, &at, limit, table, shift) {
        unsafe writeLiteral(unwritten, at - unwritten, &out)
        unsafe at = writeMatches(start, found, at, limit, end, &out, table, shift)
        unsafe unwritten = unsafe at
        if unsafe at >= limit { break }
        unsafe at += 1
      }
    }
    if unsafe unwritten < end { unsafe writeRest(unwritten, end - unwritten, &out) }
  }

  /// Moves `at` on to the next four bytes that were seen before, and returns where; nil if there
  /// are none before `limit`. Steps grow where nothing is found: 32 bytes by one, 32 by two.
  @inline(__always)
  private static func findMatch(
    _ start: UnsafeRawPointer, _ at: inout UnsafeRawPointer, _ limit: UnsafeRawPointer,
    _ table: UnsafeMutablePointer<UInt16>, _ shift: UInt32
  ) -> UnsafeRawPointer? {
    var skip = 32
    while unsafe at <= limit {
      let word = unsafe CopyKernel.load32(at)
      let slot = hash(word, shift)
      let candidate = unsafe start + Int(table[slot])
      unsafe table[slot] = unsafe UInt16(truncatingIfNeeded: at - start)
      if unsafe CopyKernel.load32(candidate) == word { return unsafe candidate }
      unsafe at += skip &>> 5
      skip &+= skip &>> 5
    }
    return nil
  }

  /// Writes the match at `at` with what is at `found`, and those that follow it with no literal
  /// between; returns where they end.
  @inline(__always)
  private static func writeMatches(
    _ start: UnsafeRawPointer, _ found: UnsafeRawPointer, _ at: UnsafeRawPointer,
    _ limit: UnsafeRawPointer, _ end: UnsafeRawPointer, _ out: inout UnsafeMutableRawPointer,
    _ table: UnsafeMutablePointer<UInt16>, _ shift: UInt32
  ) -> UnsafeRawPointer {
    var found = unsafe found
    var at = unsafe at
    while true {
      let count = unsafe 4 &+ CopyKernel.commonPrefix(found + 4, at + 4, end: end)
      unsafe writeCopy(distance: at - found, count: count, &out)
      unsafe at += count
      guard unsafe at < limit else { return unsafe at }
      let words = unsafe CopyKernel.load64(at - 1)
      let previous = hash(UInt32(truncatingIfNeeded: words), shift)
      unsafe table[previous] = unsafe UInt16(truncatingIfNeeded: at - start &- 1)
      let word = UInt32(truncatingIfNeeded: words &>> 8)
      let slot = hash(word, shift)
      unsafe found = unsafe start + Int(table[slot])
      unsafe table[slot] = unsafe UInt16(truncatingIfNeeded: at - start)
      guard unsafe CopyKernel.load32(found) == word else { return unsafe at }
    }
  }

  @inline(__always)
  private static func hash(_ word: UInt32, _ shift: UInt32) -> Int {
    Int((word &* 0x1E35_A7BD) &>> shift)
  }

  /// A literal that at least 16 bytes can be read of, as any before the last of a fragment.
  @inline(__always)
  private static func writeLiteral(
    _ source: UnsafeRawPointer, _ count: Int, _ out: inout UnsafeMutableRawPointer
  ) {
    guard count <= 16 else { return unsafe writeRest(source, count, &out) }
    unsafe out.storeBytes(of: UInt8(truncatingIfNeeded: (count &- 1) &<< 2), as: UInt8.self)
    unsafe CopyKernel.copy16(source, out + 1)
    unsafe out += count &+ 1
  }

  /// A literal of any size; nothing is read behind it.
  @inline(never)
  private static func writeRest(
    _ source: UnsafeRawPointer, _ count: Int, _ out: inout UnsafeMutableRawPointer
  ) {
    let coded = count &- 1
    if coded < 60 {
      unsafe out.storeBytes(of: UInt8(truncatingIfNeeded: coded &<< 2), as: UInt8.self)
      unsafe out += 1
    } else {
      let sizeBytes = coded < 256 ? 1 : 2
      let tag = UInt8(truncatingIfNeeded: (59 &+ sizeBytes) &<< 2)
      unsafe out.storeBytes(of: tag, as: UInt8.self)
      let size = UInt16(truncatingIfNeeded: coded).littleEndian
      unsafe out.storeBytes(of: size, toByteOffset: 1, as: UInt16.self)
      unsafe out += 1 &+ sizeBytes
    }
    unsafe memcpy(out, source, count)
    unsafe out += count
  }

  /// Copies of at most 64 bytes each, the last of at least 4; distances are below 64 KiB.
  @inline(__always)
  private static func writeCopy(
    distance: Int, count: Int, _ out: inout UnsafeMutableRawPointer
  ) {
    var count = count
    while count >= 68 {
      unsafe writeFarCopy(distance, 64, &out)
      count &-= 64
    }
    if count > 64 {
      unsafe writeFarCopy(distance, 60, &out)
      count &-= 60
    }
    if count < 12, distance < 2048 {
      let tag = (distance &>> 8) &<< 5 | (count &- 4) &<< 2 | 1
      let element = UInt16(truncatingIfNeeded: (distance & 0xff) &<< 8 | tag)
      unsafe out.storeBytes(of: element.littleEndian, as: UInt16.self)
      unsafe out += 2
    } else {
      unsafe writeFarCopy(distance, count, &out)
    }
  }

  @inline(__always)
  private static func writeFarCopy(
    _ distance: Int, _ count: Int, _ out: inout UnsafeMutableRawPointer
  ) {
    let element = UInt32(truncatingIfNeeded: distance &<< 8 | (count &- 1) &<< 2 | 2)
    unsafe out.storeBytes(of: element.littleEndian, as: UInt32.self)
    unsafe out += 3
  }
}

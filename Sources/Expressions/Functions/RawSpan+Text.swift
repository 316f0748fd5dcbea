// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// UTF-8, counted in code points and picked in ranges of bytes.
extension RawSpan {
  /// Where the code point that starts at `offset`, which is inside, ends.
  @inline(__always)
  func codePointEnd(_ offset: Int) -> Int {
    var end = offset + 1
    while end < byteCount, loadLE(at: end, as: UInt8.self) & 0xc0 == 0x80 { end += 1 }
    return end
  }

  /// How many code points there are.
  var codePointCount: Int {
    var count = 0
    for offset in 0..<byteCount where loadLE(at: offset, as: UInt8.self) & 0xc0 != 0x80 {
      count += 1
    }
    return count
  }

  var isASCII: Bool {
    var all: UInt8 = 0
    for offset in 0..<byteCount { all |= loadLE(at: offset, as: UInt8.self) }
    return all < 0x80
  }

  /// Where the code point after the first `count` starts; the end if there are no more.
  func offset(afterCodePoints count: Int) -> Int {
    var at = 0
    var left = count
    while left > 0, at < byteCount {
      at = codePointEnd(at)
      left -= 1
    }
    return at
  }

  /// The first `count` code points; if that is negative, all but so many at the end.
  func first(codePoints count: Int) -> Range<Int> {
    let wanted = count >= 0 ? count : Swift.max(0, codePointCount &+ Swift.max(count, -byteCount))
    return 0..<offset(afterCodePoints: wanted)
  }

  /// The last `count` code points; if that is negative, all but so many at the start.
  func last(codePoints count: Int) -> Range<Int> {
    let skipped =
      count < 0
      ? Swift.min(byteCount, -Swift.max(count, -byteCount)) : Swift.max(0, codePointCount - count)
    return offset(afterCodePoints: skipped)..<byteCount
  }

  /// `count` code points from the one in place `start` on, places counting from 1, or from the end
  /// if it is negative. A window that starts before the text is cut.
  func codePoints(from start: Int, count: Int) -> Range<Int> {
    var first = start < 0 ? codePointCount + start + 1 : start
    var count = count
    if first < 1 {
      count = Swift.max(count, 0) + Swift.max(first - 1, -Swift.max(count, 0))
      first = 1
    }
    if count <= 0 { return 0..<0 }
    let lower = offset(afterCodePoints: first - 1)
    return lower..<lower + extracting(lower..<byteCount).offset(afterCodePoints: count)
  }

  /// True if the bytes of `other` are there from `offset` on.
  @inline(__always)
  func matches(_ other: RawSpan, at offset: Int) -> Bool {
    guard offset >= 0, other.byteCount <= byteCount - offset else { return false }
    for index in 0..<other.byteCount
    where loadLE(at: offset + index, as: UInt8.self) != other.loadLE(at: index, as: UInt8.self) {
      return false
    }
    return true
  }

  /// Where `other` is first, at `start` or after.
  func firstOffset(of other: RawSpan, from start: Int) -> Int? {
    var offset = start
    while offset + other.byteCount <= byteCount {
      if matches(other, at: offset) { return offset }
      offset += 1
    }
    return nil
  }

  /// Part `number` of the text between the places where `separator` is, from 1 on, or from the end
  /// if it is negative; nothing if there are fewer, or it is 0.
  func part(_ number: Int, between separator: RawSpan) -> Range<Int> {
    if separator.byteCount == 0 { return number == 1 || number == -1 ? 0..<byteCount : 0..<0 }
    var wanted = number
    if number < 0 {
      var parts = 1
      var start = 0
      while let found = firstOffset(of: separator, from: start) {
        parts += 1
        start = found + separator.byteCount
      }
      wanted = Swift.max(number, -parts - 1) + parts + 1
    }
    guard wanted > 0 else { return 0..<0 }
    var start = 0
    while let found = firstOffset(of: separator, from: start) {
      if wanted == 1 { return start..<found }
      wanted -= 1
      start = found + separator.byteCount
    }
    return wanted == 1 ? start..<byteCount : 0..<0
  }

  /// What is left without those code points at the ends that are in `characters`.
  func trimmed(of characters: RawSpan, atStart: Bool, atEnd: Bool) -> Range<Int> {
    var start = 0
    var end = byteCount
    while atStart, start < end {
      let next = codePointEnd(start)
      guard characters.hasCodePoint(extracting(start..<next)) else { break }
      start = next
    }
    while atEnd, start < end {
      var last = end - 1
      while last > start, loadLE(at: last, as: UInt8.self) & 0xc0 == 0x80 { last -= 1 }
      guard characters.hasCodePoint(extracting(last..<end)) else { break }
      end = last
    }
    return start..<end
  }

  private func hasCodePoint(_ wanted: RawSpan) -> Bool {
    var at = 0
    while at < byteCount {
      let end = codePointEnd(at)
      if end - at == wanted.byteCount, matches(wanted, at: at) { return true }
      at = end
    }
    return false
  }
}

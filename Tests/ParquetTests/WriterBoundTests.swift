// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Parquet

/// Conformance rules 19, 20, 23, 24, 26 and 27.
@Suite("Bounds the writer keeps")
struct WriterBoundTests {
  private func upper(_ text: String, _ limit: Int) -> String? {
    BoundTruncation.upper(Array(text.utf8), to: limit, isText: true)
      .flatMap { String(validating: $0, as: UTF8.self) }
  }

  @Test func `a value within the limit is not changed`() {
    #expect(upper("iceberg", 7) == "iceberg")
    #expect(BoundTruncation.upper([255, 255], to: 2, isText: false) == [255, 255])
    #expect(BoundTruncation.lower([1, 2], to: 2, isText: false) == [1, 2])
  }

  @Test func `a cut upper bound of text grows at its last code point`() {
    #expect(upper("iceberg", 3) == "icf")
    #expect(upper("a\u{D7FF}b", 4) == "a\u{E000}")
    #expect(upper("a\u{10FFFF}b", 5) == "b")
    #expect(upper("\u{10FFFF}\u{10FFFF}", 4) == nil)
  }

  @Test func `text is never cut inside a code point`() {
    #expect(BoundTruncation.lower(Array("aé".utf8), to: 2, isText: true) == Array("a".utf8))
    #expect(upper("aéz", 2) == "b")
    // U+007F is followed by a longer code point, which the limit has no room for.
    #expect(upper("a\u{7F}\u{7F}", 2) == "b")
  }

  @Test func `a cut upper bound of bytes grows at its last byte that can`() {
    #expect(BoundTruncation.upper([1, 2, 3], to: 2, isText: false) == [1, 3])
    #expect(BoundTruncation.upper([1, 255, 3], to: 2, isText: false) == [2])
    #expect(BoundTruncation.upper([255, 255, 3], to: 2, isText: false) == nil)
  }

  @Test func `cut bounds stay below and above every value`() {
    var random = Seeded(9)
    for _ in 0..<2000 {
      let value = (0..<random.below(12)).map { _ in random.pick([0, 1, 97, 254, 255] as [UInt8]) }
      let lower = BoundTruncation.lower(value, to: 4, isText: false)
      #expect(!value.lexicographicallyPrecedes(lower) && lower.count <= 4)
      if let upper = BoundTruncation.upper(value, to: 4, isText: false) {
        #expect(!upper.lexicographicallyPrecedes(value) && upper.count <= 4)
      }
    }
  }

  @Test func `single values are serialized as the table format says`() {
    #expect(BoundValue.integer(34).singleValue(.int32, isDecimal: false) == [34, 0, 0, 0])
    #expect(
      BoundValue.integer(-2).singleValue(.int64, isDecimal: false)
        == [254, 255, 255, 255, 255, 255, 255, 255])
    #expect(BoundValue.integer(1).singleValue(.boolean, isDecimal: false) == [1])
    #expect(BoundValue.floating(1).singleValue(.float, isDecimal: false) == [0, 0, 0x80, 0x3F])
  }

  @Test(
    arguments: [
      (0, [0]), (-128, [0x80]), (127, [0x7F]), (128, [0, 0x80]), (-129, [0xFF, 0x7F]),
      (1420, [5, 0x8C]), (-256, [0xFF, 0]),
    ] as [(Int64, [UInt8])])
  func `decimals take the fewest bytes`(unscaled: Int64, bytes: [UInt8]) {
    #expect(BoundValue.integer(unscaled).singleValue(.int64, isDecimal: true) == bytes)
    let wide = BoundValue.wide(Int128(unscaled))
    #expect(wide.singleValue(.wideDecimal(byteCount: 16), isDecimal: true) == bytes)
  }

  @Test func `zeros widen to the one that is further out`() {
    let positive = ValueBounds.floating(least: 0.0, greatest: 0.0)
    let negative = ValueBounds.floating(least: -0.0, greatest: -0.0)
    for bounds in [positive, negative] {
      #expect(bounds.least.plain(.double) == [0, 0, 0, 0, 0, 0, 0, 0x80])
      #expect(bounds.greatest.plain(.double) == [0, 0, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test func `bounds of numbers leave NaN out and count it`() {
    let found = wide([.nan, 2, -1, -.nan, .infinity])
    #expect(found.nanCount == 2 && found.bounds == [-1, .infinity])
    #expect(wide([.nan]).bounds == nil)
    #expect(narrow([.nan, .nan]).bounds == nil)
    #expect(narrow([-.infinity]).bounds == [-.infinity, -.infinity])
  }

  private func wide(_ values: [Double]) -> (bounds: [Double]?, nanCount: Int) {
    let bits = values.map(\.bitPattern)
    let found = UInt64.floatingBounds(bits.span)
    return (found.bounds.map { [$0.least, $0.greatest] }, found.nanCount)
  }

  private func narrow(_ values: [Float]) -> (bounds: [Double]?, nanCount: Int) {
    let bits = values.map(\.bitPattern)
    let found = UInt32.floatingBounds(bits.span)
    return (found.bounds.map { [$0.least, $0.greatest] }, found.nanCount)
  }

  @Test func `bounds of byte strings are those of a plain comparison`() {
    var random = Seeded(12)
    for _ in 0..<500 {
      let values = (0..<random.below(8) + 1).map { _ in
        (0..<random.below(20)).map { _ in random.pick([0, 1, 255] as [UInt8]) }
      }
      var offsets: [Int32] = [0]
      for value in values { offsets.append(offsets.last! + Int32(value.count)) }
      let joined = values.flatMap { $0 }
      let bytes = Buffer(joined)
      let found = ByteBounds(.byteArray(isText: false)).bounds(offsets.span, bytes.bytes)
      let sorted = values.sorted { $0.lexicographicallyPrecedes($1) }
      #expect(found?.least == .bytes(sorted[0]))
      #expect(found?.greatest == .bytes(sorted[sorted.count - 1]))
    }
  }
}

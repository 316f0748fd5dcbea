// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

/// Value `index` of those packed in `bytes`, a bit at a time: the definition.
private func naiveValue(_ index: Int, width: Int, in bytes: [UInt8]) -> UInt64 {
  var value: UInt64 = 0
  for k in 0..<width {
    let bit = index * width + k
    value |= UInt64(bytes[bit / 8] >> UInt8(bit % 8) & 1) << UInt64(k)
  }
  return value
}

private func unpack32(
  _ bytes: Buffer, at offset: Int = 0, width: Int, count: Int
) throws(ByteError) -> [UInt32] {
  var values = [UInt32](repeating: 0xdead_beef, count: count)
  var span = values.mutableSpan
  try BitPacking.unpack(bytes.bytes, at: offset, width: width, into: &span)
  return values
}

private func unpack64(
  _ bytes: Buffer, at offset: Int = 0, width: Int, count: Int
) throws(ByteError) -> [UInt64] {
  var values = [UInt64](repeating: 0xdead_beef, count: count)
  var span = values.mutableSpan
  try BitPacking.unpack(bytes.bytes, at: offset, width: width, into: &span)
  return values
}

/// Counts around the kernel's seams: groups of eight, and the copy it makes near the end.
private let counts = [0, 1, 7, 8, 9, 15, 16, 17, 31, 64, 100, 129, 1000]

@Suite("Bit packing")
struct BitPackingTests {
  @Test func `the example of the Parquet specification holds`() throws {
    let bytes = Buffer([0b1000_1000, 0b1100_0110, 0b1111_1010])
    #expect(try unpack32(bytes, width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
    let values: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7]
    var packed = MutableBuffer()
    BitPacking.pack(values.span, width: 3, into: &packed)
    #expect(packed.freeze() == bytes)
  }

  @Test(arguments: 0...32)
  func `unpacking 32-bit values agrees with a bit at a time`(width: Int) throws {
    var random = Seeded(UInt64(width) + 1)
    for count in counts {
      for (offset, extra) in [(0, 0), (3, 0), (1, 5), (0, 40)] {
        let raw = random.bytes(offset + BitPacking.byteCount(of: count, width: width) + extra)
        let values = try unpack32(Buffer(raw), at: offset, width: width, count: count)
        let body = Array(raw[offset...])
        let expected = (0..<count).map { UInt32(naiveValue($0, width: width, in: body)) }
        #expect(values == expected, "count \(count), offset \(offset), extra \(extra)")
        // From an array, behind which an address sanitizer sees any read.
        var tight = [UInt32](repeating: 0, count: count)
        var span = tight.mutableSpan
        try BitPacking.unpack(raw.span.bytes, at: offset, width: width, into: &span)
        #expect(tight == expected, "count \(count), offset \(offset), extra \(extra)")
      }
    }
  }

  @Test(arguments: 0...64)
  func `unpacking 64-bit values agrees with a bit at a time`(width: Int) throws {
    var random = Seeded(UInt64(width) + 100)
    for count in counts {
      for (offset, extra) in [(0, 0), (3, 0), (1, 5), (0, 40)] {
        let raw = random.bytes(offset + BitPacking.byteCount(of: count, width: width) + extra)
        let values = try unpack64(Buffer(raw), at: offset, width: width, count: count)
        let body = Array(raw[offset...])
        let expected = (0..<count).map { naiveValue($0, width: width, in: body) }
        #expect(values == expected, "count \(count), offset \(offset), extra \(extra)")
      }
    }
  }

  @Test(arguments: 0...64)
  func `packing agrees with a bit at a time and keeps what was there`(width: Int) throws {
    var random = Seeded(UInt64(width) + 200)
    let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
    for count in counts {
      // Bits above the width are there too, and must not reach the neighbours.
      let values = (0..<count).map { _ in random.next() }
      let head = random.bytes(5)
      var packed = MutableBuffer()
      packed.append(Buffer(head).bytes)
      BitPacking.pack(values.span, width: width, into: &packed)
      let bytes = packed.freeze().array()
      let needed = BitPacking.byteCount(of: count, width: width)
      #expect(bytes.count == 5 + needed && bytes.starts(with: head))
      let body = Array(bytes.dropFirst(5))
      for i in 0..<count where naiveValue(i, width: width, in: body) != values[i] & mask {
        Issue.record("value \(i) of \(count)")
      }
      if let last = body.last, count * width % 8 != 0 {
        #expect(last >> UInt8(count * width % 8) == 0, "unused bits, count \(count)")
      }
      if width <= 32 {
        let low = values.map { UInt32(truncatingIfNeeded: $0) }
        var narrow = MutableBuffer()
        BitPacking.pack(low.span, width: width, into: &narrow)
        let narrowBody = narrow.freeze().array()
        #expect(narrowBody == body, "32-bit values, count \(count)")
        var writer = ByteWriter()
        BitPacking.pack(low.span, width: width, into: &writer)
        BitPacking.pack(values.span, width: width, into: &writer)
        let written = writer.finish().array()
        #expect(written == body + body, "through a writer, count \(count)")
      }
    }
  }

  @Test func `a range of the output is filled and nothing beside it`() throws {
    let bytes = Buffer([UInt8](repeating: 0xff, count: 64))
    for range in [0..<0, 0..<3, 5..<5, 5..<30, 31..<40, 0..<40, 40..<40] {
      for width in [0, 1, 9] {
        var narrow = [UInt32](repeating: 77, count: 40)
        var span = narrow.mutableSpan
        try BitPacking.unpack(bytes.bytes, width: width, into: &span, range: range)
        var wide = [UInt64](repeating: 77, count: 40)
        var wideSpan = wide.mutableSpan
        try BitPacking.unpack(bytes.bytes, width: width, into: &wideSpan, range: range)
        let inside = UInt64(1) << UInt64(width) - 1
        let expected = (0..<40).map { range.contains($0) ? inside : 77 }
        #expect(narrow.map(UInt64.init) == expected && wide == expected, "\(range), \(width) bits")
      }
    }
  }

  @Test func `every truncation throws`() {
    for width in 1...32 {
      let needed = BitPacking.byteCount(of: 21, width: width)
      for count in 0..<needed {
        let bytes = Buffer([UInt8](repeating: 1, count: count + 2))
        let error = ByteError.truncated(offset: 2, needed: needed, available: count)
        #expect(throws: error) { try unpack32(bytes, at: 2, width: width, count: 21) }
        #expect(throws: error) { try unpack64(bytes, at: 2, width: width, count: 21) }
      }
    }
  }

  @Test func `a width or an offset that cannot be throws`() {
    let bytes = Buffer([UInt8](repeating: 0, count: 1000))
    for width in [-1, 33, 255, .min, .max] {
      #expect(throws: ByteError.self) { try unpack32(bytes, width: width, count: 1) }
    }
    for width in [-1, 65, 255] {
      #expect(throws: ByteError.self) { try unpack64(bytes, width: width, count: 1) }
    }
    for offset in [-1, 1001, .min, .max] {
      #expect(throws: ByteError.self) { try unpack32(bytes, at: offset, width: 3, count: 1) }
      #expect(throws: ByteError.self) { try unpack64(bytes, at: offset, width: 3, count: 0) }
    }
  }
}

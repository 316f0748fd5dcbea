// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

@Suite("RLE / bit-packed hybrid decoder")
struct RLEBitPackedDecoderTests {
  private func decode(
    _ bytes: [UInt8], width: Int, count: Int, splits: [Int] = []
  ) throws(ByteError) -> [UInt32] {
    var decoder = try RLEBitPackedDecoder(Buffer(bytes), bitWidth: width)
    var output = [UInt32](repeating: 99, count: count)
    var span = output.mutableSpan
    var start = 0
    for end in splits + [count] {
      try decoder.decode(into: &span, start..<end)
      start = end
    }
    return output
  }

  private func error(_ bytes: [UInt8], width: Int, count: Int) -> ByteError? {
    do throws(ByteError) {
      _ = try decode(bytes, width: width, count: count)
      return nil
    } catch {
      return error
    }
  }

  @Test func `the specification's example unpacks as it shows`() throws {
    let bytes: [UInt8] = [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]
    #expect(try decode(bytes, width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
  }

  @Test func `it goes on where it stopped`() throws {
    var random = Seeded(100)
    for width in 0...32 {
      let mask = width == 32 ? UInt32.max : 1 << UInt32(width) - 1
      var values: [UInt32] = []
      while values.count < 300 {
        let value = UInt32(truncatingIfNeeded: random.next()) & mask
        let isRun = random.chance(50)
        for i in 0..<1 + random.below(40) {
          values.append(isRun ? value : (value &+ UInt32(i)) & mask)
        }
      }
      var encoded = MutableBuffer()
      RLEBitPackedEncoder.encode(values.span, bitWidth: width, into: &encoded)
      let bytes = encoded.freeze().array()
      for _ in 0..<10 {
        let splits = (0..<random.below(9)).map { _ in random.below(values.count) }.sorted()
        let found = try decode(bytes, width: width, count: values.count, splits: splits)
        #expect(found == values, "width \(width), split at \(splits)")
        var decoder = try RLEBitPackedDecoder(Buffer(bytes), bitWidth: width)
        let skipped = random.below(values.count)
        try decoder.skip(skipped)
        var rest = [UInt32](repeating: 0, count: values.count - skipped)
        var span = rest.mutableSpan
        try decoder.decode(into: &span, 0..<values.count - skipped)
        #expect(rest == Array(values[skipped...]), "width \(width), \(skipped) skipped")
      }
    }
  }

  @Test func `bits come as one by one`() throws {
    var random = Seeded(101)
    for _ in 0..<30 {
      let values = (0..<500).map { i in UInt32(random.chance(i < 250 ? 50 : 2) ? 1 : 0) }
      var encoded = MutableBuffer()
      RLEBitPackedEncoder.encode(values.span, bitWidth: 1, into: &encoded)
      var decoder = try RLEBitPackedDecoder(encoded.freeze(), bitWidth: 1)
      var bits = BitmapBuilder()
      while bits.count < values.count {
        try decoder.decode(min(1 + random.below(70), values.count - bits.count), into: &bits)
      }
      let bitmap = bits.finish()
      #expect(values.indices.map { bitmap[$0] ? 1 : 0 } == values)
    }
  }

  @Test func `what was cut off behind the last value is not missed`() throws {
    // Two groups of eight values of five bits, of which nine are wanted: 45 bits of 80.
    let bytes: [UInt8] = [5, 0x21, 0x84, 0x10, 0x42, 0x08, 0x1f]
    let found = try decode(bytes, width: 5, count: 9)
    #expect(found == [1, 1, 1, 1, 1, 1, 1, 1, 31])
    #expect(error(bytes, width: 5, count: 10) != nil)
  }

  @Test func `widths and runs that can't be throw`() {
    #expect(error([2, 0], width: 33, count: 1) != nil)
    #expect(error([2, 0], width: 254, count: 1) != nil)
    #expect(error([0, 0], width: 1, count: 1) != nil)  // a run of none
    #expect(error([1, 0], width: 1, count: 1) != nil)  // no groups
    #expect(error([2, 4], width: 2, count: 1) != nil)  // 4 does not fit two bits
    #expect(error([], width: 1, count: 1) != nil)
    #expect(error([2, 1], width: 1, count: 2) != nil)  // one value, two wanted
    #expect(error([0xff, 0xff, 0xff, 0xff, 0xff, 0x01], width: 1, count: 1) != nil)
  }

  @Test func `a width of no bits needs no bytes`() throws {
    #expect(try decode([], width: 0, count: 3) == [0, 0, 0])
  }

  @Test func `a run longer than memory is decoded as far as is asked for`() throws {
    let bytes: [UInt8] = [0xfe, 0xff, 0xff, 0xff, 0x0f, 1]
    #expect(try decode(bytes, width: 1, count: 5, splits: [2]) == [1, 1, 1, 1, 1])
  }
}

@Suite("Delta decoders")
struct DeltaDecoderTests {
  private func varint(_ value: UInt64) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeULEB128(value)
    return writer.finish().array()
  }

  private func zigZag(_ value: Int64) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeZigZag(value)
    return writer.finish().array()
  }

  private func error(_ bytes: [UInt8], count: Int) -> ByteError? {
    do throws(ByteError) {
      var decoder = try DeltaBinaryPackedDecoder(Buffer(bytes))
      _ = try decoder.end()
      var output = [Int64](repeating: 0, count: count)
      var span = output.mutableSpan
      try decoder.decode(into: &span, 0..<count)
      return nil
    } catch {
      return error
    }
  }

  @Test func `integers go on where decoding stopped`() throws {
    var random = Seeded(110)
    for round in 0..<60 {
      let count = random.pick([0, 1, 2, 32, 33, 128, 129, 1000])
      let shift = Int64(random.below(64))
      let values = (0..<count).map { _ in Int64(bitPattern: random.next()) >> shift }
      var encoded = MutableBuffer()
      DeltaBinaryPackedEncoder.encode(values.span, into: &encoded)
      encoded.append(Buffer([1, 2, 3] as [UInt8]).bytes)
      let bytes = encoded.freeze()
      var decoder = try DeltaBinaryPackedDecoder(bytes)
      let end = try decoder.end()
      #expect(end == bytes.count - 3, "round \(round)")
      var found: [Int64] = []
      while found.count < count {
        let part = min(count - found.count, 1 + random.below(70))
        if random.chance(20) {
          try decoder.skip(part)
          found += values[found.count..<found.count + part]
          continue
        }
        var output = [Int64](repeating: 0, count: part)
        var span = output.mutableSpan
        try decoder.decode(into: &span, 0..<part)
        found += output
      }
      #expect(found == values, "round \(round)")
      #expect(decoder.remaining == 0)
    }
  }

  @Test func `headers that can't be throw and take no memory`() {
    for (block, miniblocks, count): (UInt64, UInt64, UInt64) in [
      (0, 4, 5), (8, 1, 5), (100, 4, 5), (128, 0, 5), (128, 3, 5), (128, 8, 5), (1 << 31, 1, 5),
      (128, 4, 1 << 31), (518, 1, 3),
    ] {
      let bytes = varint(block) + varint(miniblocks) + varint(count) + zigZag(0)
      #expect(error(bytes + [UInt8](repeating: 0, count: 100), count: 1) != nil, "\(block)")
    }
    // A block of 2^31 - 128 values, all of them differences of no bits: the values asked for only.
    let huge = varint((1 << 31) - 128) + varint(1) + varint((1 << 31) - 128) + zigZag(7)
    #expect(error(huge + zigZag(1) + [0], count: 1000) == nil)
  }

  @Test func `widths over 64 bits and missing bytes throw`() {
    let header = varint(128) + varint(4) + varint(100) + zigZag(0) + zigZag(0)
    #expect(error(header + [65, 0, 0, 0] + [UInt8](repeating: 0, count: 2000), count: 100) != nil)
    #expect(error(header + [64, 0, 0, 0] + [UInt8](repeating: 0, count: 255), count: 100) != nil)
    #expect(error(header + [64, 0, 0], count: 2) != nil)
    #expect(error(header, count: 101) != nil)
  }

  private func strings(_ lengths: [Int32], _ rest: [UInt8]) -> Buffer {
    var encoded = MutableBuffer()
    DeltaBinaryPackedEncoder.encode(lengths.span, into: &encoded)
    encoded.append(Buffer(rest).bytes)
    return encoded.freeze()
  }

  private func decodeLengths(_ bytes: Buffer, _ count: Int) -> [UInt8]? {
    do throws(ByteError) {
      var decoder = try DeltaLengthByteArrayDecoder(bytes)
      var ends = MutableBuffer()
      ends.append(value: Int32(0))
      var output = MutableBuffer()
      try decoder.decode(count, ends: &ends, into: &output, limit: 1 << 20)
      return output.bytes.array()
    } catch {
      return nil
    }
  }

  @Test func `lengths that are negative or more than there is throw`() {
    #expect(decodeLengths(strings([1, 2], [7, 8, 9]), 2) == [7, 8, 9])
    #expect(decodeLengths(strings([1, 3], [7, 8, 9]), 2) == nil)
    #expect(decodeLengths(strings([-1, 2], [7, 8, 9]), 2) == nil)
    #expect(decodeLengths(strings([.max, .max], [7, 8, 9]), 2) == nil)
    #expect(decodeLengths(strings([1, 2], [7, 8, 9]), 3) == nil)
  }

  @Test func `beginnings that are shared over and over stop at the limit`() {
    // A string of 1000 bytes, then 5000 times the same one: 5 MB from 1 KB.
    let prefixes = [0] + [Int32](repeating: 1000, count: 5000)
    let suffixes = [1000] + [Int32](repeating: 0, count: 5000)
    var encoded = MutableBuffer()
    DeltaBinaryPackedEncoder.encode(prefixes.span, into: &encoded)
    DeltaBinaryPackedEncoder.encode(suffixes.span, into: &encoded)
    encoded.append(Buffer([UInt8](repeating: 1, count: 1000)).bytes)
    var error: ByteError?
    do throws(ByteError) {
      var decoder = try DeltaByteArrayDecoder(encoded.freeze())
      var ends = MutableBuffer()
      ends.append(value: Int32(0))
      var output = MutableBuffer()
      try decoder.decode(5001, ends: &ends, into: &output, limit: 1 << 20)
    } catch let thrown {
      error = thrown
    }
    #expect(error != nil)
  }
}

@Suite("Bit-packed levels and conversions")
struct LevelAndConversionTests {
  @Test func `levels are packed from the highest bit on`() throws {
    let bytes = Buffer([0b0000_0101, 0b0011_1001, 0b0111_0111])
    var decoder = BitPackedLevelDecoder(bytes, bitWidth: 3)
    var output = [UInt32](repeating: 0, count: 8)
    var span = output.mutableSpan
    try decoder.decode(into: &span, 0..<3)
    try decoder.decode(into: &span, 3..<8)
    #expect(output == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(throws: ByteError.self) { try decoder.skip(1) }
  }

  @Test func `half floats are what they stand for`() {
    for (half, expected) in [
      (0x0000, 0), (0x8000, -0.0), (0x3c00, 1), (0xc000, -2), (0x7bff, 65504), (0x0001, 0x1p-24),
      (0x0400, 0x1p-14), (0x7c00, .infinity), (0xfc00, -.infinity), (0x3555, 0.33325195),
    ] as [(UInt16, Float)] {
      #expect(ParquetLeaf.float(half: half).bitPattern == expected.bitPattern, "\(half)")
    }
    #expect(ParquetLeaf.float(half: 0x7e00).isNaN)
  }

  @Test func `strings are UTF-8 each by itself`() {
    func defect(_ bytes: [UInt8], _ ends: [Int32]) -> Int? {
      UTF8Check.firstDefect(Buffer(bytes).bytes, ends: ends.span)
    }
    let text = [UInt8]("aé€😀".utf8)
    #expect(defect(text, [0, Int32(text.count)]) == nil)
    #expect(defect([], [0, 0]) == nil)
    // Cut inside each character.
    for end in [2, 4, 5, 7, 8, 9] {
      #expect(defect(text, [0, Int32(end), Int32(text.count)]) != nil, "\(end)")
    }
    for end in [1, 3, 6] {
      #expect(defect(text, [0, Int32(end), Int32(text.count)]) == nil, "\(end)")
    }
    for bad: [UInt8] in [
      [0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82],
    ] {
      #expect(defect(bad, [0, Int32(bad.count)]) != nil, "\(bad)")
      let later = [UInt8](repeating: 65, count: 100) + bad
      #expect(defect(later, [0, Int32(later.count)]) != nil, "\(bad)")
    }
  }
}

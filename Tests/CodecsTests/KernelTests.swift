// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import SeededNumbers
import Testing

@Suite("Snappy and LZ4 against their safe twins")
struct KernelTests {
  @Test func `random Snappy blocks of every kind of element decode as the twin does`() throws {
    var random = Seeded(1)
    for round in 0..<2000 {
      let block = SnappyTwin.randomBlock(elements: 1 + round % 40, &random)
      let expected = try #require(SnappyTwin.decompress(block))
      let found = try Codec.snappy.decompress(Buffer(block), to: expected.count)
      #expect(found.array() == expected, "round \(round)")
      let tight = try Codec.snappy.decompressTightly(block, to: expected.count)
      #expect(tight == expected, "round \(round)")
    }
  }

  @Test func `random LZ4 blocks decode as the twin does`() throws {
    var random = Seeded(2)
    for round in 0..<2000 {
      let block = LZ4Twin.randomBlock(sequences: round % 40, &random)
      let expected = try #require(LZ4Twin.decompress(block))
      let found = try Codec.lz4Raw.decompress(Buffer(block), to: expected.count)
      #expect(found.array() == expected, "round \(round)")
      let tight = try Codec.lz4Raw.decompressTightly(block, to: expected.count)
      #expect(tight == expected, "round \(round)")
      #expect(try Codec.lz4Raw.decompress(Buffer(block)).array() == expected, "round \(round)")
    }
  }

  @Test func `a broken block is one for the kernels and for the twins`() {
    var random = Seeded(3)
    for round in 0..<20_000 {
      var snappy = SnappyTwin.randomBlock(elements: 1 + round % 12, &random)
      mutate(&snappy, &random)
      #expect(
        (try? Codec.snappy.decompress(Buffer(snappy)).array()) == SnappyTwin.decompress(snappy),
        "round \(round)")
      var lz4 = LZ4Twin.randomBlock(sequences: round % 12, &random)
      mutate(&lz4, &random)
      let expected = lz4.isEmpty ? [] : LZ4Twin.decompress(lz4)
      #expect(
        (try? Codec.lz4Raw.decompress(Buffer(lz4)).array()) == expected, "round \(round)")
    }
  }

  @Test(arguments: RoundTripTests.Content.allCases)
  func `the twins read what we compress`(content: RoundTripTests.Content) throws {
    var random = Seeded(4)
    for size in [0, 1, 4, 12, 13, 14, 15, 16, 17, 20, 40, 63, 64, 65, 300, 5000, 65536, 70_000] {
      let bytes = content.bytes(size, &random)
      let snappy = try Codec.snappy.compress(bytes).array()
      #expect(SnappyTwin.decompress(snappy) == bytes.array(), "\(size) bytes")
      let lz4 = try Codec.lz4Raw.compress(bytes).array()
      #expect(LZ4Twin.decompress(lz4) == bytes.array(), "\(size) bytes")
      // From an array, with nothing behind it that could be read.
      let array = bytes.array()
      for (codec, expected) in [(Codec.snappy, snappy), (.lz4Raw, lz4)] {
        var compressor = try Compressor(codec)
        let tight = try compressor.compress(array.span.bytes).array()
        #expect(tight == expected, "\(size) bytes")
      }
    }
  }

  /// LZ4's own decoder may rely on these: a last match 12 bytes or more before the end, and the
  /// last five bytes being literals.
  @Test func `an LZ4 block keeps the rules for its end`() throws {
    for size in 1...200 {
      let block = try Codec.lz4Raw.compress(Buffer([UInt8](repeating: 9, count: size))).array()
      if size < 13 {
        #expect(block == [UInt8(size << 4)] + [UInt8](repeating: 9, count: size))
      } else {
        // Token and first byte, a match of all but six, and the last five.
        let last = [5 << 4, 9, 9, 9, 9, 9] as [UInt8]
        #expect(block.starts(with: [1 << 4 | UInt8(min(size - 10, 15)), 9, 1, 0]), "\(size)")
        #expect(block.suffix(6) == last, "\(size) bytes")
      }
    }
  }

  private func mutate(_ block: inout [UInt8], _ random: inout Seeded) {
    switch random.next() % 3 {
    case 0: block.removeLast(Int(random.next() % UInt64(block.count)))
    default:
      for _ in 0...random.next() % 3 {
        block[Int(random.next() % UInt64(block.count))] = UInt8(random.next() % 256)
      }
    }
  }
}

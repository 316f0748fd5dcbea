// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Iceberg
import SeededNumbers
import Testing

@Suite("Roaring bitmaps")
struct RoaringBitmapTests {
  static func decode(_ bytes: [UInt8]) throws -> RoaringBitmap {
    let buffer = Buffer(bytes)
    var reader = ByteReader(buffer.bytes)
    let bitmap = try RoaringBitmap(decoding: &reader)
    let isWhole = reader.isAtEnd
    #expect(isWhole)
    return bitmap
  }

  static func encode(_ bitmap: RoaringBitmap) -> [UInt8] {
    var writer = ByteWriter()
    bitmap.encode(to: &writer)
    return writer.finish().array()
  }

  static func values(_ bitmap: RoaringBitmap) -> [UInt32] {
    var values: [UInt32] = []
    bitmap.forEachRun(in: 0...UInt32.max) { values.append(contentsOf: $0) }
    return values
  }

  /// What the corpus' README says its files hold.
  static let specified: [UInt32] = {
    var values = Array(stride(from: 0 as UInt32, to: 100_000, by: 1000))
    values += stride(from: 300_000 as UInt32, to: 600_000, by: 3)
    return values + (700_000 as UInt32..<800_000)
  }()

  @Test func `rule 83: the format's own samples are read, and written as small`() throws {
    guard let folder = Corpus.folder("corpora/roaring/testdata") else { return }
    #expect(
      try Corpus.names(in: folder) == ["README.md", "bitmapwithoutruns.bin", "bitmapwithruns.bin"])
    for name in ["bitmapwithoutruns.bin", "bitmapwithruns.bin"] {
      let bytes = try Corpus.bytes(name, in: folder)
      let bitmap = try Self.decode(bytes)
      #expect(Self.values(bitmap) == Self.specified, "\(name)")
      #expect(try Self.encode(bitmap) == Corpus.bytes("bitmapwithruns.bin", in: folder))
    }
  }

  @Test func `rule 83: the empty bitmap has the cookie without runs`() throws {
    #expect(Self.encode(RoaringBitmap()) == [0x3a, 0x30, 0, 0, 0, 0, 0, 0])
    #expect(try Self.decode([0x3a, 0x30, 0, 0, 0, 0, 0, 0]).isEmpty)
  }

  @Test func `rule 83: offsets stand with runs only from four blocks on`() throws {
    for blocks in 1...5 {
      var bitmap = RoaringBitmap()
      for block in 0..<UInt32(blocks) { bitmap.insert(block << 16...block << 16 + 99) }
      let bytes = Self.encode(bitmap)
      let offsets = blocks >= 4 ? 4 * blocks : 0
      #expect(bytes.count == 4 + 1 + 4 * blocks + offsets + 6 * blocks)
      #expect(try Self.decode(bytes) == bitmap)
    }
  }

  /// Sets of every shape: sparse, dense, in runs, full, across blocks.
  static func randomSet(_ random: inout Seeded) -> Set<UInt32> {
    var set: Set<UInt32> = []
    let bases: [UInt32] = [0, 65_500, 131_072, 0xffff_0000 - 500, 0xffff_f000]
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let base = random.pick(bases)
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        for _ in 0..<50 { set.insert(base &+ UInt32.random(in: 0..<500, using: &random)) }
      case 1:
        let length = UInt32.random(in: 1...400, using: &random)
        for i in 0..<length { set.insert(base &+ i) }
      case 2:
        for i in 0..<5000 as Range<UInt32> where random.chance(90) { set.insert(base &+ i &* 2) }
      default: set.insert(UInt32.random(in: 0...UInt32.max, using: &random))
      }
    }
    return set
  }

  @Test func `a bitmap is the set it was made of, and its bytes are too`() throws {
    var random = Seeded(printing: "roaring sets")
    for _ in 0..<60 {
      let set = Self.randomSet(&random)
      let sorted = set.sorted()
      var bitmap = RoaringBitmap()
      for value in sorted.shuffled(using: &random) { law(bitmap.insert(value), "new \(value)") }
      for value in sorted.prefix(20) { law(!bitmap.insert(value), "old \(value)") }
      #expect(bitmap.count == set.count, "seed \(random.seed)")
      #expect(Self.values(bitmap) == sorted, "seed \(random.seed)")
      let again = try Self.decode(Self.encode(bitmap))
      #expect(again == bitmap, "seed \(random.seed)")
      #expect(Self.encode(again) == Self.encode(bitmap))
      let probes: [UInt32] = [0, 65_499, 65_500, 70_000, .max, .max - 7, 131_072]
      for probe in sorted.prefix(100) + probes {
        law(again.contains(probe) == set.contains(probe), "\(probe), seed \(random.seed)")
      }
    }
  }

  @Test func `unions, ranges and counts agree with sets`() throws {
    var random = Seeded(printing: "roaring unions")
    for _ in 0..<40 {
      let a = Self.randomSet(&random)
      let b = Self.randomSet(&random)
      var left = RoaringBitmap()
      for value in a { left.insert(value) }
      var right = RoaringBitmap()
      for value in b { right.insert(value) }
      // In runs, as it comes from bytes, on either side.
      if random.chance(50) { left = try Self.decode(Self.encode(left)) }
      if random.chance(50) { right = try Self.decode(Self.encode(right)) }
      var union = left
      union.formUnion(right)
      let expected = a.union(b).sorted()
      #expect(Self.values(union) == expected, "seed \(random.seed)")
      #expect(union.count == expected.count)
      let low: UInt32 = random.pick([0, 65_510, 65_536, 131_100, 0xffff_0000])
      let high = low + UInt32.random(in: 0...60_000, using: &random) % (UInt32.max - low)
      let within = expected.filter { $0 >= low && $0 <= high }
      #expect(union.count(in: low...high) == within.count, "\(low)...\(high), \(random.seed)")
      var found: [UInt32] = []
      union.forEachRun(in: low...high) { found.append(contentsOf: $0) }
      #expect(found == within, "\(low)...\(high), seed \(random.seed)")
      let marked = Int.random(in: 0...130, using: &random)
      var words = [UInt64](repeating: 0, count: (Int(high - low) + 64 + marked) / 64)
      var span = words.mutableSpan
      union.mark(low...high, at: marked, in: &span)
      var bits: [UInt32] = []
      for (i, word) in words.enumerated() {
        for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
          bits.append(low + UInt32(i * 64 + bit - marked))
        }
      }
      #expect(bits == within, "\(low)...\(high) at \(marked), seed \(random.seed)")
      var filled = union
      filled.insert(low...high)
      #expect(filled.count == union.count + Int(high - low) + 1 - within.count)
    }
  }

  @Test func `every truncation throws, and no changed byte traps`() throws {
    var bitmap = RoaringBitmap()
    for value in stride(from: 0 as UInt32, to: 20_000, by: 2) { bitmap.insert(value) }
    bitmap.insert(70_000...75_000)
    for value in [140_000, 140_007, 200_000] as [UInt32] { bitmap.insert(value) }
    let bytes = Self.encode(bitmap)
    for count in 0..<bytes.count where count < 200 || count % 97 == 0 || count > bytes.count - 50 {
      law((try? Self.decode(Array(bytes[..<count]))) == nil, "cut to \(count)")
    }
    var random = Seeded(printing: "roaring bytes")
    for _ in 0..<3000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place =
          random.chance(80)
          ? Int.random(in: 0..<60, using: &random) : Int.random(in: 0..<bytes.count, using: &random)
        changed[place] = UInt8.random(in: 0...255, using: &random)
      }
      if let other = try? Self.decode(changed) {
        law(Self.values(other).count == other.count, "count, seed \(random.seed)")
      }
    }
  }

  static let hostile: [(String, [UInt8])] = [
    ("another cookie", [0x39, 0x30, 0, 0, 0, 0, 0, 0]),
    ("too many blocks", [0x3a, 0x30, 0, 0, 1, 0, 1, 0]),
    (
      "keys that fall",
      [0x3a, 0x30, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 26, 0, 0, 0, 1, 0, 1, 0]
    ),
    (
      "a key twice",
      [0x3a, 0x30, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 24, 0, 0, 0, 26, 0, 0, 0, 1, 0, 1, 0]
    ),
    ("an offset elsewhere", [0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 1, 0]),
    ("numbers that fall", [0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 2, 0, 1, 0]),
    ("a number twice", [0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 2, 0, 2, 0]),
    ("runs that overlap", [0x3b, 0x30, 0, 0, 1, 0, 0, 5, 0, 2, 0, 0, 0, 3, 0, 2, 0, 1, 0]),
    ("a run past the end", [0x3b, 0x30, 0, 0, 1, 0, 0, 1, 0, 1, 0, 255, 255, 1, 0]),
    ("another cardinality", [0x3b, 0x30, 0, 0, 1, 0, 0, 5, 0, 1, 0, 0, 0, 3, 0]),
    ("no runs", [0x3b, 0x30, 0, 0, 1, 0, 0, 5, 0, 0, 0]),
  ]

  @Test(arguments: hostile.indices)
  func `rule 83: what does not ascend or add up is refused`(index: Int) throws {
    let (what, bytes) = Self.hostile[index]
    #expect(throws: ByteError.self, "\(what)") { try Self.decode(bytes) }
  }
}

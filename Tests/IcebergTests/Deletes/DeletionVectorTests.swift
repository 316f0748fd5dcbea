// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Iceberg
import SeededNumbers
import Testing

@Suite("Deletion vectors")
struct DeletionVectorTests {
  static func decode(_ blob: [UInt8]) throws -> DeletionVector {
    try DeletionVector(decoding: Buffer(blob).bytes)
  }

  /// Of the reference implementation, each with what its tests put in.
  static let samples: [(String, [Int64])] = [
    ("empty-position-index.bin", []),
    ("small-alternating-values-position-index.bin", [1, 3, 5, 7, 9]),
    (
      "small-and-large-values-position-index.bin",
      [100, 101, Int64(Int32.max) + 100, Int64(Int32.max) + 101]
    ),
    ("all-container-types-position-index.bin", containerTypes),
  ]

  /// Arrays and runs under two keys.
  static let containerTypes: [Int64] = {
    let block: Int64 = 1 << 16
    let key: Int64 = 1 << 32
    var positions: [Int64] = [5, 7]
    positions += block + 1..<block + 1000
    positions += 2 * block + 1..<3 * block - 1
    positions += [key + 10, key + 20]
    positions += key + block + 10..<key + block + 500
    positions += key + 2 * block + 1..<key + 3 * block - 1
    return positions
  }()

  @Test func `rules 81 and 82: the reference implementation's vectors are read and written alike`()
    throws
  {
    guard let folder = Corpus.folder("corpora/iceberg/deletes") else { return }
    for (name, positions) in Self.samples {
      let bytes = try Corpus.bytes(name, in: folder)
      let vector = try Self.decode(bytes)
      law(vector.positions == positions, "\(name)")
      #expect(try vector.encoded().array() == bytes, "\(name)")
    }
  }

  @Test func `the other 64-bit bitmaps of the corpus are read`() throws {
    guard let folder = Corpus.folder("corpora/iceberg/deletes") else { return }
    let known = Set(Self.samples.map(\.0))
    let others = try Corpus.names(in: folder).filter { !known.contains($0) }
    #expect(
      others == [
        "64map32bitvals.bin", "64mapempty.bin", "64maphighvals.bin", "64mapspreadvals.bin",
      ])
    func vector(_ name: String, of folder: URL) throws -> DeletionVector {
      let buffer = Buffer(try Corpus.bytes(name, in: folder))
      var reader = ByteReader(buffer.bytes)
      let vector = try DeletionVector(decodingVector: &reader)
      let isWhole = reader.isAtEnd
      #expect(isWhole)
      return vector
    }
    #expect(try vector("64mapempty.bin", of: folder).isEmpty)
    #expect(try vector("64map32bitvals.bin", of: folder).positions == Array(0..<10))
    let spread = try vector("64mapspreadvals.bin", of: folder)
    #expect(
      spread.positions == (0..<10 as Range<Int64>).flatMap { i in (0..<10).map { i << 32 + $0 } })
    // Its keys are beyond what any row has.
    #expect(throws: ByteError.self) { try vector("64maphighvals.bin", of: folder) }
    guard let roaring = Corpus.folder("corpora/roaring/testdata64") else { return }
    let first = try vector("bitmap64.bin", of: roaring)
    #expect(first.count == 32_768 + 1_000_000 + 1)
    let dense: Range<Int64> = 1 << 32..<(1 << 32) + 1_000_000
    #expect(first.deletedRanges(in: 65_536..<1 << 40) == [dense])
    #expect(first.contains(1 << 48))
    let second = try vector("portable_bitmap64.bin", of: roaring)
    #expect(second.count == 2 * (0x9001 + 0x6001 + 2 + 0x8000))
  }

  @Test func `rule 81: the blob is as the format lays it out`() throws {
    let blob = try DeletionVector([1, 3, 5, 7, 9]).encoded().array()
    #expect(Array(blob[0..<4]) == [0, 0, 0, UInt8(blob.count - 8)])
    #expect(Array(blob[4..<8]) == [0xd1, 0xd3, 0x39, 0x64])
    let magic = Buffer(Array(blob[4..<8])).bytes.loadLE(at: 0, as: UInt32.self)
    #expect(magic == 1_681_511_377)
    #expect(Array(blob[8..<16]) == [1, 0, 0, 0, 0, 0, 0, 0])
    let crc = CRC32.checksum(Buffer(Array(blob[4..<blob.count - 4])).bytes)
    #expect(
      Array(blob.suffix(4)) == (0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) })
  }

  @Test func `every change of a blob is noticed`() throws {
    let blob = try DeletionVector([1, 3, 5, 1 << 33, 1 << 33 + 1]).encoded().array()
    for place in blob.indices {
      for bit in 0..<8 {
        var changed = blob
        changed[place] ^= 1 << UInt8(bit)
        law((try? Self.decode(changed)) == nil, "bit \(bit) of byte \(place)")
      }
    }
    for count in 0..<blob.count {
      law((try? Self.decode(Array(blob[..<count]))) == nil, "\(count)")
    }
    #expect(throws: IcebergError.self) { try Self.decode(blob + [0]) }
    // Trailing bytes inside, with a length and a checksum that agree.
    var longer = Array(blob.dropLast(4)) + [0]
    longer[3] += 1
    let crc = CRC32.checksum(Buffer(Array(longer[4...])).bytes)
    longer += (0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) }
    #expect(throws: IcebergError.self) { try Self.decode(longer) }
    var wrong = blob
    wrong[blob.count - 1] ^= 1
    let error = #expect(throws: IcebergError.self) { try Self.decode(wrong) }
    guard case .checksumMismatch = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `rule 82: positions that no row has are refused`() throws {
    for position in [-1, Int64.min, DeletionVector.highestPosition + 1, .max] {
      #expect(throws: IcebergError.self) { try DeletionVector([position]) }
      #expect(throws: IcebergError.self) { try DeletionVector.check(position) }
    }
    let highest = try DeletionVector([DeletionVector.highestPosition])
    #expect(try Self.decode(highest.encoded().array()) == highest)
    #expect(!highest.contains(-1))
  }

  @Test func `rule 82: empty bitmaps between keys are passed over`() throws {
    let one = try DeletionVector([1 << 33]).encoded().array()
    // One bitmap under key 2, with empty ones under 0 and 1 before it.
    let empty: [UInt8] = [0x3a, 0x30, 0, 0, 0, 0, 0, 0]
    var body: [UInt8] = [0xd1, 0xd3, 0x39, 0x64, 3, 0, 0, 0, 0, 0, 0, 0]
    body += [0, 0, 0, 0] + empty + [1, 0, 0, 0] + empty + one[16..<one.count - 4]
    let crc = CRC32.checksum(Buffer(body).bytes)
    let blob =
      [0, 0, 0, UInt8(body.count)] + body
      + (0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) }
    #expect(try Self.decode(blob).positions == [1 << 33])
  }

  @Test func `what one vector has and another has not is what sets tell`() throws {
    var random = Seeded(printing: "differences of deletion vectors")
    for _ in 0..<30 {
      var sets: [Set<Int64>] = []
      var vectors: [DeletionVector] = []
      for _ in 0..<2 {
        var set: Set<Int64> = []
        var vector = DeletionVector()
        for base: Int64 in [0, 65_536, 200_000, 1 << 32, 3 << 33] {
          // None, few, runs, or so many that they are bits.
          switch Int.random(in: 0..<4, using: &random) {
          case 0: break
          case 1: for _ in 0..<50 { set.insert(base + Int64.random(in: 0..<300, using: &random)) }
          case 2:
            let start = base + Int64.random(in: 0..<2000, using: &random)
            set.formUnion(start..<start + Int64.random(in: 1..<9000, using: &random))
          default: set.formUnion(stride(from: base, to: base + 30_000, by: 3))
          }
        }
        for position in set { vector.insert(position) }
        sets.append(set)
        vectors.append(random.chance(50) ? try Self.decode(vector.encoded().array()) : vector)
      }
      let expected = sets[0].subtracting(sets[1]).sorted()
      #expect(vectors[0].positions(notIn: vectors[1]) == expected, "seed \(random.seed)")
    }
  }

  @Test func `a vector agrees with a set of positions`() throws {
    var random = Seeded(printing: "deletion vectors")
    for _ in 0..<40 {
      var set: Set<Int64> = []
      var vector = DeletionVector()
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let base: Int64 = random.pick([0, 65_530, (1 << 32) - 10, 1 << 32, 3 << 33])
        let start = base + Int64.random(in: 0..<100, using: &random)
        if random.chance(50) {
          let range = start..<start + Int64.random(in: 0..<300, using: &random)
          vector.insert(range)
          set.formUnion(range)
        } else {
          law(vector.insert(start) == set.insert(start).inserted, "insert \(start)")
        }
      }
      let sorted = set.sorted()
      #expect(vector.positions == sorted, "seed \(random.seed)")
      #expect(vector.count == set.count)
      #expect(try Self.decode(vector.encoded().array()) == vector)
      let low: Int64 = random.pick([0, 65_500, (1 << 32) - 20, 3 << 33])
      let range = low..<low + Int64.random(in: 0..<400, using: &random)
      let within = sorted.filter(range.contains)
      #expect(vector.count(in: range) == within.count, "\(range), seed \(random.seed)")
      let ranges = vector.deletedRanges(in: range)
      #expect(ranges.flatMap { Array($0) } == within, "\(range), seed \(random.seed)")
      for (a, b) in zip(ranges, ranges.dropFirst()) {
        law(a.upperBound < b.lowerBound, "\(ranges)")
      }
      var words = [UInt64](repeating: 0, count: (range.count + 63) / 64)
      var span = words.mutableSpan
      vector.mark(range, in: &span)
      let marked = range.filter {
        let bit = Int($0 - low)
        return words[bit / 64] >> UInt64(bit % 64) & 1 == 1
      }
      #expect(marked == within, "\(range), seed \(random.seed)")
      let half = try DeletionVector(sorted.filter { $0 % 2 == 0 })
      let rest = try DeletionVector(sorted.filter { $0 % 2 == 1 })
      #expect(half.union(rest) == vector, "seed \(random.seed)")
      #expect(half.union(rest).hashValue == vector.hashValue)
    }
  }
}

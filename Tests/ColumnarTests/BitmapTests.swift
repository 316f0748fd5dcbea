// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@Suite("Bitmap")
struct BitmapTests {
  private func randomBits(_ count: Int, using random: inout Seeded) -> [Bool] {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: (0..<count).map { _ in Bool.random(using: &random) }
    case 1: [Bool](repeating: true, count: count)
    case 2: [Bool](repeating: false, count: count)
    default: (0..<count).map { ($0 / 37) & 1 == 0 }
    }
  }

  @Test func `a slice reads as the bits it was cut from`() {
    var random = Seeded(1)
    for _ in 0..<300 {
      let bits = randomBits(Int.random(in: 0...300, using: &random), using: &random)
      let low = Int.random(in: 0...bits.count, using: &random)
      let high = Int.random(in: low...bits.count, using: &random)
      let slice = Bitmap(bits).slice(low..<high)
      let expected = Array(bits[low..<high])
      #expect((0..<slice.count).map { slice[$0] } == expected, "seed \(random.seed)")
      #expect(slice.countOfOnes == expected.count { $0 })
      #expect(slice.positionsOfOnes() == expected.indices.filter { expected[$0] }.map { Int32($0) })
      for word in 0..<slice.wordCount {
        var naive: UInt64 = 0
        for bit in 0..<64 where word * 64 + bit < expected.count && expected[word * 64 + bit] {
          naive |= 1 << UInt64(bit)
        }
        #expect(slice.word(word) == naive)
      }
    }
  }

  @Test func `a bitmap that ends with its buffer is read to the last bit`() {
    for count in 1...200 {
      for offset in 0..<9 {
        let bytes = [UInt8](repeating: 0xff, count: (offset + count + 7) / 8)
        let bitmap = Bitmap(Buffer(bytes), offset: offset, count: count)
        #expect(bitmap.countOfOnes == count)
      }
    }
  }

  @Test func `the operations are those of their bits`() {
    var random = Seeded(2)
    for _ in 0..<200 {
      let count = Int.random(in: 0...200, using: &random)
      let shift = Int.random(in: 0...9, using: &random)
      let a = randomBits(count + shift, using: &random)
      let b = randomBits(count, using: &random)
      let left = Bitmap(a).slice(shift..<shift + count)
      let right = Bitmap(b)
      for (result, op) in [
        (left.and(right), { (x: Bool, y: Bool) in x && y }), (left.or(right), { x, y in x || y }),
        (left.andNot(right), { x, y in x && !y }), (left.inverted(), { x, _ in !x }),
      ] {
        #expect((0..<count).map { result[$0] } == (0..<count).map { op(a[$0 + shift], b[$0]) })
      }
    }
  }

  @Test func `bits, words, runs and bitmaps are appended in any order`() {
    var random = Seeded(3)
    for _ in 0..<300 {
      var builder = BitmapBuilder()
      var expected: [Bool] = []
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let count = Int.random(in: 0...150, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          let bit = Bool.random(using: &random)
          builder.append(bit)
          expected.append(bit)
        case 1:
          let bit = Bool.random(using: &random)
          builder.append(repeating: bit, count: count)
          expected += [Bool](repeating: bit, count: count)
        case 2:
          let word = random.next()
          builder.append(word: word, count: min(count, 64))
          expected += (0..<min(count, 64)).map { word >> UInt64($0) & 1 == 1 }
        default:
          let bits = randomBits(count, using: &random)
          let low = Int.random(in: 0...count, using: &random)
          builder.append(Bitmap(bits).slice(low..<count))
          expected += bits[low...]
        }
      }
      #expect(builder.count == expected.count)
      #expect(builder.countOfZeros == expected.count { !$0 }, "seed \(random.seed)")
      let bitmap = builder.finish()
      #expect((0..<bitmap.count).map { bitmap[$0] } == expected, "seed \(random.seed)")
    }
  }
}

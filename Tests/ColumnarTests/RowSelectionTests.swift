// SPDX-License-Identifier: Apache-2.0
import Columnar
import SeededNumbers
import Testing

@Suite("RowSelection")
struct RowSelectionTests {
  private func randomBits(_ count: Int, using random: inout Seeded) -> [Bool] {
    var bits: [Bool] = []
    let longest = [1, 3, 90].randomElement(using: &random)!
    while bits.count < count {
      let length = Int.random(in: 1...longest, using: &random)
      bits += [Bool](repeating: .random(using: &random), count: length)
    }
    return Array(bits.prefix(count))
  }

  private func bits(_ selection: RowSelection) -> [Bool] {
    var bits = [Bool](repeating: false, count: selection.rowCount)
    for range in selection.ranges { for row in range { bits[row] = true } }
    return bits
  }

  private func checkLaws(_ selection: RowSelection) {
    var end = -1
    for range in selection.ranges {
      #expect(!range.isEmpty && range.lowerBound > end, "\(selection)")
      end = range.upperBound
    }
    #expect(end <= selection.rowCount)
    #expect(selection.count == selection.ranges.reduce(0) { $0 + $1.count })
  }

  @Test func `bitmap and selection say the same`() {
    var random = Seeded(11)
    for _ in 0..<300 {
      let expected = randomBits(Int.random(in: 0...400, using: &random), using: &random)
      let low = Int.random(in: 0...expected.count, using: &random)
      let selection = RowSelection(Bitmap(expected).slice(low..<expected.count))
      checkLaws(selection)
      #expect(bits(selection) == Array(expected[low...]), "seed \(random.seed)")
      let back = selection.bitmap
      #expect((0..<back.count).map { back[$0] } == Array(expected[low...]))
      #expect(selection.isAll == expected[low...].allSatisfy { $0 })
      #expect(selection.isEmpty == !expected[low...].contains(true))
    }
  }

  @Test func `the operations are those of the rows`() {
    var random = Seeded(12)
    for _ in 0..<300 {
      let count = Int.random(in: 0...300, using: &random)
      let a = randomBits(count, using: &random)
      let b = randomBits(count, using: &random)
      let left = RowSelection(Bitmap(a))
      let right = RowSelection(Bitmap(b))
      let both = left.intersection(right)
      let either = left.union(right)
      let rest = left.subtracting(right)
      for selection in [both, either, rest, left.complement()] { checkLaws(selection) }
      #expect(bits(both) == zip(a, b).map { $0 && $1 }, "seed \(random.seed)")
      #expect(bits(either) == zip(a, b).map { $0 || $1 }, "seed \(random.seed)")
      #expect(bits(rest) == zip(a, b).map { $0 && !$1 }, "seed \(random.seed)")
      #expect(bits(left.complement()) == a.map { !$0 })
      #expect(left == RowSelection(left.bitmap))
      #expect(left.complement().complement() == left)
      for row in 0..<count { #expect(left.contains(row) == a[row]) }
    }
  }

  @Test func `a slice counts its rows from 0`() {
    var random = Seeded(13)
    for _ in 0..<300 {
      let expected = randomBits(Int.random(in: 0...300, using: &random), using: &random)
      let low = Int.random(in: 0...expected.count, using: &random)
      let high = Int.random(in: low...expected.count, using: &random)
      let whole = RowSelection(Bitmap(expected))
      let slice = whole.slice(low..<high)
      checkLaws(slice)
      #expect(bits(slice) == Array(expected[low..<high]), "seed \(random.seed)")
      #expect(whole.overlaps(low..<high) == !slice.isEmpty)
    }
  }

  @Test func `refining keeps the selected rows whose bit is 1`() {
    var random = Seeded(14)
    for _ in 0..<300 {
      let expected = randomBits(Int.random(in: 0...300, using: &random), using: &random)
      let selection = RowSelection(Bitmap(expected))
      let mask = randomBits(selection.count, using: &random)
      let refined = selection.refined(by: Bitmap(mask))
      checkLaws(refined)
      let rows = expected.indices.filter { expected[$0] }
      let kept = zip(rows, mask).filter(\.1).map(\.0)
      #expect(refined.ranges.flatMap { Array($0) } == kept, "seed \(random.seed)")
    }
  }

  @Test func `ranges that touch or are empty leave one canonical selection`() {
    let selection = RowSelection(ranges: [0..<0, 1..<3, 3..<3, 3..<5, 9..<9], rowCount: 9)
    #expect(selection.ranges == [1..<5])
    #expect(selection == RowSelection(ranges: [1..<5], rowCount: 9))
    #expect(RowSelection.all(0).isAll && RowSelection.all(0).ranges.isEmpty)
    #expect(RowSelection.none(of: 4).complement() == .all(4))
  }

  @Test func `joining gaps adds the rows of short gaps and no others`() {
    var random = Seeded(15)
    for _ in 0..<300 {
      let expected = randomBits(Int.random(in: 0...300, using: &random), using: &random)
      let selection = RowSelection(Bitmap(expected))
      let limit = Int.random(in: 0...40, using: &random)
      let wider = selection.joiningGaps(shorterThan: limit)
      checkLaws(wider)
      let gaps = RowSelection(ranges: wider.subtracting(selection).ranges, rowCount: expected.count)
      #expect(gaps.ranges.allSatisfy { $0.count < limit }, "seed \(random.seed)")
      #expect(wider.intersection(selection) == selection)
      for (a, b) in zip(wider.ranges, wider.ranges.dropFirst()) {
        #expect(b.lowerBound - a.upperBound >= limit)
      }
      let mask = selection.bitmap(within: wider)
      #expect(wider.refined(by: mask) == selection, "seed \(random.seed)")
    }
  }

  @Test func `windows follow each other and hold as many selected rows as told`() {
    var random = Seeded(16)
    for _ in 0..<300 {
      let expected = randomBits(Int.random(in: 1...300, using: &random), using: &random)
      let selection = RowSelection(Bitmap(expected))
      let most = Int.random(in: 1...60, using: &random)
      var start = 0
      while start < expected.count {
        let window = selection.window(from: start, holding: most)
        let held = selection.slice(window).count
        #expect(window.lowerBound == start && !window.isEmpty, "seed \(random.seed)")
        #expect(held == most || (held < most && window.upperBound == expected.count))
        start = window.upperBound
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

@Suite("Range coalescing")
struct RangeCoalescingTests {
  func requests(
    _ ranges: [Range<Int64>], gapLimit: Int64 = 10, byteCountLimit: Int64 = 100
  ) -> [Range<Int64>] {
    RangeCoalescing(ranges, gapLimit: gapLimit, byteCountLimit: byteCountLimit).requests
  }

  @Test func `near ranges are asked for at once, far ones are not`() {
    #expect(requests([]) == [])
    #expect(requests([5..<5, 7..<7]) == [])
    #expect(requests([0..<10, 20..<30]) == [0..<30])
    #expect(requests([0..<10, 21..<30]) == [0..<10, 21..<30])
    #expect(requests([20..<30, 0..<10]) == [0..<30])
    #expect(requests([0..<10, 10..<20], gapLimit: 0) == [0..<20])
    #expect(requests([0..<10, 11..<20], gapLimit: 0) == [0..<10, 11..<20])
    #expect(requests([0..<50, 10..<20]) == [0..<50])
    #expect(requests([3..<9, 3..<9]) == [3..<9])
  }

  @Test func `no request grows over the limit but by one range or by overlaps`() {
    #expect(requests([0..<60, 60..<120]) == [0..<60, 60..<120])
    #expect(requests([0..<500]) == [0..<500])
    #expect(requests([0..<90, 80..<170]) == [0..<170])
  }

  @Test func `slices are what each range alone would give`() {
    let random = SeededRandom(printing: "range coalescing")
    for round in 0..<2000 {
      let object = Buffer(random.bytes(random.int(in: 0..<300)))
      let ranges = (0..<random.int(in: 0..<12)).map { _ -> Range<Int64> in
        let start = Int64(random.int(in: 0..<320))
        return start..<start + Int64(random.int(in: 0..<60))
      }
      let plan = RangeCoalescing(
        ranges, gapLimit: Int64(random.int(in: 0..<40)),
        byteCountLimit: Int64(random.int(in: 1..<200)))
      func get(_ range: Range<Int64>) -> Buffer {
        let found = range.clamped(to: 0..<Int64(object.count))
        return object.slice(Int(found.lowerBound)..<Int(found.upperBound))
      }
      let slices = plan.slices(of: plan.requests.map(get))
      #expect(slices == ranges.map(get), "round \(round): \(ranges)")
      for (one, next) in zip(plan.requests, plan.requests.dropFirst()) {
        #expect(one.upperBound <= next.lowerBound, "round \(round): \(plan.requests)")
      }
      #expect(plan.requests.allSatisfy { !$0.isEmpty })
    }
  }

  @Test func `ranges at the ends of what there is do not trap`() {
    let far = [Int64.max - 5..<Int64.max, Int64.min..<Int64.max, -7..<3, Int64.min..<(-1)]
    let plan = RangeCoalescing(far, gapLimit: .max, byteCountLimit: .max)
    #expect(plan.requests == [0..<Int64.max])
    let slices = plan.slices(of: [Buffer(utf8: "0123456789")])
    #expect(slices.map(\.count) == [0, 10, 3, 0])
  }
}

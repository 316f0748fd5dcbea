// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@Suite("Bitmap kernels")
struct BitmapKernelTests {
  @Test func `counting the bits of any range agrees with a bit at a time`() {
    var random = Seeded(1)
    let bytes = random.bytes(40)
    let bits = (0..<320).map { Int(bytes[$0 / 8] >> UInt8($0 % 8) & 1) }
    let bitmap = Buffer(bytes)
    for start in 0...320 {
      var expected = 0
      for end in start...320 {
        if end > start { expected += bits[end - 1] }
        let count = BitmapKernels.countOnes(inBitmap: bitmap.bytes, start..<end)
        if count != expected { Issue.record("\(start)..<\(end): \(count), not \(expected)") }
      }
    }
  }

  @Test func `a mask becomes the bitmap of its elements and is counted`() {
    var random = Seeded(2)
    for count in [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1000, 4096] {
      let mask = random.bytes(count).map { $0 & 1 }
      var bitmap = MutableBuffer(byteCount: (count + 7) / 8 + 3)
      var target = bitmap.mutableBytes
      for i in 0..<target.byteCount { target.storeBytes(of: 0xff, toByteOffset: i, as: UInt8.self) }
      BitmapKernels.pack(mask: Buffer(mask).bytes, into: &target)
      let bytes = bitmap.freeze().array()
      let expected = (0..<(count + 7) / 8).map { byte in
        (0..<8).reduce(UInt8(0)) { sum, k in
          byte * 8 + k < count ? sum | mask[byte * 8 + k] << UInt8(k) : sum
        }
      }
      #expect(bytes == expected + [0xff, 0xff, 0xff], "\(count) elements")
      let ones = mask.reduce(0) { $0 + Int($1) }
      #expect(BitmapKernels.countOnes(inMask: Buffer(mask).bytes) == ones, "\(count) elements")
    }
  }
}

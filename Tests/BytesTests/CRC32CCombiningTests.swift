// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@Suite("CRC-32C of parts")
struct CRC32CCombiningTests {
  @Test func `parts combine to the checksum of the whole`() {
    var bytes: [UInt8] = []
    var state: UInt32 = 1
    for _ in 0..<5000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24))
    }
    let whole = Buffer(bytes)
    let expected = CRC32C.checksum(whole.bytes)
    for split in [0, 1, 2, 7, 8, 9, 255, 256, 1024, 4095, 4999, 5000] {
      let first = CRC32C.checksum(whole.slice(0..<split).bytes)
      let second = CRC32C.checksum(whole.slice(split..<5000).bytes)
      #expect(
        CRC32C.combining(first, second, ofByteCount: 5000 - split) == expected, "split at \(split)")
    }
    #expect(CRC32C.checksum(Buffer(utf8: "123456789").bytes) == 0xe306_9283)
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

/// `count` bytes of a fixed pattern that the reference figures of these tests were taken over.
func pattern(_ count: Int) -> Buffer {
  Buffer((0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) })
}

/// A CRC one bit at a time: the definition.
private func bitwiseCRC(_ bytes: Buffer, polynomial: UInt32) -> UInt32 {
  var crc = ~UInt32(0)
  for byte in bytes.array() {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? polynomial : 0) }
  }
  return ~crc
}

@Suite("Checksums")
struct ChecksumTests {
  @Test func `the check values of the catalogue of CRCs hold`() {
    let digits = Buffer(utf8: "123456789")
    #expect(CRC32.checksum(digits.bytes) == 0xCBF4_3926)
    #expect(CRC32C.checksum(digits.bytes) == 0xE306_9283)
    // RFC 3720, appendix B.4
    #expect(CRC32C.checksum(Buffer([UInt8](repeating: 0, count: 32)).bytes) == 0x8A91_36AA)
    #expect(CRC32C.checksum(Buffer([UInt8](repeating: 0xff, count: 32)).bytes) == 0x62A8_AB43)
    #expect(CRC32C.checksum(Buffer([UInt8](0..<32)).bytes) == 0x46DD_794E)
  }

  /// From zlib's `crc32` and the crc32c package, of ``pattern(_:)``.
  @Test(arguments: [
    (0, 0x0000_0000, 0x0000_0000), (1, 0xd202_ef8d, 0x527d_5351), (2, 0xdfbd_875c, 0x25ab_1339),
    (3, 0x57b8_62d2, 0xb671_d518), (4, 0xd755_00fc, 0xede3_6e57), (7, 0x28b0_12a9, 0xf16a_dce7),
    (8, 0x2cfe_44e9, 0xa7fe_3fce), (15, 0xc356_fbb9, 0x788b_a8bc), (16, 0x5412_6ba2, 0xb427_2d4e),
    (17, 0xba8b_4e1e, 0xce52_82ea), (31, 0xf483_7cb8, 0x8461_59a7), (32, 0xe843_3d3f, 0x8f19_d922),
    (33, 0xc486_63f5, 0x7044_1cbb), (63, 0xfd39_5ff8, 0xb942_3f55), (64, 0xd324_a7d4, 0xfcb7_76a4),
    (100, 0x821d_3e85, 0xd8aa_eaf3), (1000, 0x5a2e_0a71, 0xb2d1_d635),
    (4097, 0xae38_76b3, 0x9891_bc82),
  ])
  func `both agree with the reference libraries`(count: Int, crc32: UInt32, crc32c: UInt32) {
    #expect(CRC32.checksum(pattern(count).bytes) == crc32)
    #expect(CRC32C.checksum(pattern(count).bytes) == crc32c)
  }

  @Test func `every length and start agrees with the bit-at-a-time definition`() {
    let bytes = pattern(260)
    for start in 0..<9 {
      for end in start...bytes.count {
        let slice = bytes.slice(start..<end)
        #expect(
          CRC32.checksum(slice.bytes) == bitwiseCRC(slice, polynomial: 0xEDB8_8320),
          "\(start)..<\(end)")
        #expect(
          CRC32C.checksum(slice.bytes) == bitwiseCRC(slice, polynomial: 0x82F6_3B78),
          "\(start)..<\(end)")
      }
    }
  }

  @Test func `a checksum continues over any split`() {
    let bytes = pattern(300)
    for split in 0...bytes.count {
      let head = CRC32.checksum(bytes.slice(0..<split).bytes)
      let whole = CRC32.checksum(bytes.slice(split..<bytes.count).bytes, continuing: head)
      #expect(whole == CRC32.checksum(bytes.bytes), "split at \(split)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@Suite("Hashes")
struct HashTests {
  /// The table of the Iceberg spec, "Appendix B: 32-bit Hash Requirements".
  @Test func `Murmur3 gives the values of the Iceberg spec`() {
    #expect(Murmur3.hash32(34) == 2_017_239_379)  // int, long
    #expect(Murmur3.hash32(Buffer([0x05, 0x8C]).bytes) == -500_754_589)  // decimal 14.20
    #expect(Murmur3.hash32(17_486) == -653_330_422)  // date 2017-11-16
    #expect(Murmur3.hash32(81_068_000_000) == -662_762_989)  // time 22:31:08
    #expect(Murmur3.hash32(1_510_871_468_000_000) == -2_047_944_441)  // timestamp
    #expect(Murmur3.hash32(1_510_871_468_000_001) == -1_207_196_810)
    #expect(Murmur3.hash32(Buffer(utf8: "iceberg").bytes) == 1_210_000_089)
    #expect(Murmur3.hash32(Buffer([0, 1, 2, 3]).bytes) == -188_683_207)
    let uuid: [UInt8] = [
      0xf7, 0x9c, 0x3e, 0x09, 0x67, 0x7c, 0x4b, 0xbd, 0xa4, 0x79, 0x3f, 0x34, 0x9c, 0xb7, 0x85,
      0xe7,
    ]
    #expect(Murmur3.hash32(Buffer(uuid).bytes) == 1_488_055_340)
  }

  /// From the xxhash and mmh3 packages, of ``pattern(_:)``.
  @Test(
    arguments: [
      (0, 0xef46_db37_51d8_e999, 0xc434_9fc9_3c01_0000, 0, 142_593_372),
      (1, 0xe934_a84a_db05_2768, 0x126b_b57a_1236_4aa5, 1_364_076_727, -582_727_230),
      (2, 0x2c1b_c603_fe31_338c, 0x8a32_618f_c43a_0101, 1_240_364_601, 1_836_328_795),
      (3, 0x9ff7_0a63_5a62_09ab, 0xd169_d7c1_cb5e_443f, -39_007_976, 1_356_258_030),
      (4, 0xae5a_cdc0_0a55_ac41, 0xaeec_91bd_fd4f_8a43, 566_459_091, -1_025_477_137),
      (7, 0xd734_a6b2_6f3d_a63e, 0x60bf_31ab_f53f_85dd, 1_365_126_826, -17_924_935),
      (8, 0x8711_6b33_65b9_24eb, 0xcfcf_d09b_165b_3edb, 1_152_668_008, -2_066_266_481),
      (15, 0x02c5_3ab1_e360_882f, 0x778b_ed27_9107_df97, 310_536_678, -1_219_904_689),
      (16, 0xed1d_d2fa_c0a3_1fbc, 0xd446_4228_f8b0_e4fe, -669_303_590, 1_771_940_717),
      (17, 0x7584_09c5_7cd5_d0a2, 0x2918_ea6d_c26b_e77c, 837_125_198, 581_028_882),
      (31, 0x0f18_7c62_b1e7_22b7, 0x74a5_c408_b232_704d, -465_536_047, -201_564_612),
      (32, 0x91b0_cb09_31a8_c629, 0xffed_706a_1999_bb4f, 1_905_895_941, 1_631_307_926),
      (33, 0x931b_043c_f8d6_5b94, 0x5d32_68a3_0eb7_55d3, 842_612_010, 867_943_304),
      (63, 0x2191_10bf_13e2_fa26, 0x3d33_bc4b_fd4d_217f, 1_577_152_865, 951_770_218),
      (64, 0xbf30_52e3_4457_75d0, 0x767e_0fa4_d0ba_92ef, -1_374_136_963, 771_964_981),
      (100, 0x8e22_72c0_8247_d5db, 0x7834_47aa_4f00_d046, -235_366_556, 1_560_373_143),
      (1000, 0x73e5_1810_f1f7_7450, 0x774e_e115_f86d_0732, 636_797_387, 1_720_366_322),
      (4097, 0x2beb_a13a_553e_6931, 0xe42f_846a_f982_f614, 346_688_388, -1_715_717_109),
    ] as [(Int, UInt64, UInt64, Int32, Int32)])
  func `both agree with the reference libraries`(
    count: Int, xxh64: UInt64, seeded: UInt64, murmur: Int32, seed42: Int32
  ) {
    let bytes = pattern(count).bytes
    #expect(XXHash64.hash(bytes) == xxh64)
    #expect(XXHash64.hash(bytes, seed: 0x9E37_79B9_7F4A_7C15) == seeded)
    #expect(Murmur3.hash32(bytes) == murmur)
    #expect(Murmur3.hash32(bytes, seed: 42) == seed42)
  }

  @Test(arguments: [0, 1, 34, -1, .max, .min, 1_234_567_890_123] as [Int64])
  func `the hash of an integer is that of its little-endian bytes`(value: Int64) {
    var writer = ByteWriter()
    writer.writeLE(value)
    let bytes = writer.finish()
    let low = bytes.slice(0..<4)
    let pattern = UInt64(bitPattern: value)
    #expect(XXHash64.hash(pattern) == XXHash64.hash(bytes.bytes))
    #expect(XXHash64.hash(pattern, seed: 7) == XXHash64.hash(bytes.bytes, seed: 7))
    let word = UInt32(truncatingIfNeeded: value)
    #expect(XXHash64.hash(word, seed: 7) == XXHash64.hash(low.bytes, seed: 7))
    #expect(Murmur3.hash32(value) == Murmur3.hash32(bytes.bytes))
  }

  @Test func `known hashes of integers hold`() {
    #expect(XXHash64.hash(34 as UInt64) == 0xd498_8bad_a746_0695)
    #expect(XXHash64.hash(34 as UInt64, seed: 7) == 0x5578_73fe_00d8_727a)
    #expect(XXHash64.hash(34 as UInt32) == 0xce2e_f427_a255_a1dc)
    #expect(XXHash64.hash(34 as UInt32, seed: 7) == 0xeefd_8652_5ab4_05e2)
    #expect(Murmur3.hash32(.min) == 1_366_273_829)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Packs `groups` times eight values into `W` bits each.
///
/// As ``BitUnpacker``, with constant shifts: 0.25-0.33 ns for a 32-bit value against 0.9-3 ns for
/// a loop over a running word.
enum BitPacker<let W: Int> {
  /// Writes up to ``BitPackKernel/overwrite`` bytes behind the `groups * W` that are packed.
  @inline(__always)
  static func run<V: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafePointer<V>, _ target: UnsafeMutableRawPointer, groups: Int
  ) {
    var source = unsafe source
    var target = unsafe target
    for _ in 0..<groups {
      var word: UInt64 = 0
      unsafe put(0, of: source, &word, target)
      unsafe put(1, of: source, &word, target)
      unsafe put(2, of: source, &word, target)
      unsafe put(3, of: source, &word, target)
      unsafe put(4, of: source, &word, target)
      unsafe put(5, of: source, &word, target)
      unsafe put(6, of: source, &word, target)
      unsafe put(7, of: source, &word, target)
      if (8 &* W) & 63 != 0 { unsafe store(word, to: target, at: W &>> 3) }
      unsafe source += 8
      unsafe target += W
    }
  }

  /// Adds a value above the bits that `word` has from those before it, and stores full words.
  @inline(__always)
  private static func put<V: FixedWidthInteger & UnsignedInteger>(
    _ index: Int, of group: UnsafePointer<V>, _ word: inout UInt64,
    _ target: UnsafeMutableRawPointer
  ) {
    let value =
      unsafe UInt64(truncatingIfNeeded: group[index]) & (UInt64.max &>> UInt64(64 &- W))
    let used = (index &* W) & 63
    word |= value &<< UInt64(used)
    if used &+ W >= 64 {
      unsafe store(word, to: target, at: (index &* W) &>> 6)
      word = used == 0 ? 0 : value &>> UInt64(64 &- used)
    }
  }

  @inline(__always)
  private static func store(_ word: UInt64, to target: UnsafeMutableRawPointer, at index: Int) {
    unsafe target.storeBytes(
      of: word.littleEndian, toByteOffset: index &* 8, as: UInt64.self)
  }
}

enum BitPackKernel {
  /// How far behind the last byte of a group its last store may reach.
  static let overwrite = 8

  /// Writes `values` from byte `offset` of `output` on, which must have ``overwrite`` bytes more there
  /// than the whole groups of eight take; those are left in an unspecified state.
  static func pack<V: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: Span<V>, width: Int, into output: inout MutableRawSpan, at offset: Int
  ) {
    precondition(width > 0 && width <= V.bitWidth)
    let groups = (values.count &+ 7) &>> 3
    precondition(offset >= 0 && output.byteCount - offset >= groups * width + overwrite)
    unsafe values.withUnsafeBufferPointer { source in
      unsafe output.withUnsafeMutableBytes { target in
        guard let source = source.baseAddress, let base = target.baseAddress else { return }
        let target = unsafe base + offset
        let whole = values.count &>> 3
        unsafe packGroups(source, target, groups: whole, width: width)
        guard whole < groups else { return }
        unsafe withUnsafeTemporaryAllocation(of: V.self, capacity: 8) { last in
          guard let padded = last.baseAddress else { return }
          unsafe padded.initialize(repeating: 0, count: 8)
          unsafe padded.update(from: source + whole &* 8, count: values.count & 7)
          unsafe packGroups(padded, target + whole &* width, groups: 1, width: width)
        }
      }
    }
  }

  private static func packGroups<V: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafePointer<V>, _ target: UnsafeMutableRawPointer, groups: Int, width: Int
  ) {
    switch width {
    case 1: unsafe BitPacker<1>.run(source, target, groups: groups)
    case 2: unsafe BitPacker<2>.run(source, target, groups: groups)
    case 3: unsafe BitPacker<3>.run(source, target, groups: groups)
    case 4: unsafe BitPacker<4>.run(source, target, groups: groups)
    case 5: unsafe BitPacker<5>.run(source, target, groups: groups)
    case 6: unsafe BitPacker<6>.run(source, target, groups: groups)
    case 7: unsafe BitPacker<7>.run(source, target, groups: groups)
    case 8: unsafe BitPacker<8>.run(source, target, groups: groups)
    case 9: unsafe BitPacker<9>.run(source, target, groups: groups)
    case 10: unsafe BitPacker<10>.run(source, target, groups: groups)
    case 11: unsafe BitPacker<11>.run(source, target, groups: groups)
    case 12: unsafe BitPacker<12>.run(source, target, groups: groups)
    case 13: unsafe BitPacker<13>.run(source, target, groups: groups)
    case 14: unsafe BitPacker<14>.run(source, target, groups: groups)
    case 15: unsafe BitPacker<15>.run(source, target, groups: groups)
    case 16: unsafe BitPacker<16>.run(source, target, groups: groups)
    case 17: unsafe BitPacker<17>.run(source, target, groups: groups)
    case 18: unsafe BitPacker<18>.run(source, target, groups: groups)
    case 19: unsafe BitPacker<19>.run(source, target, groups: groups)
    case 20: unsafe BitPacker<20>.run(source, target, groups: groups)
    case 21: unsafe BitPacker<21>.run(source, target, groups: groups)
    case 22: unsafe BitPacker<22>.run(source, target, groups: groups)
    case 23: unsafe BitPacker<23>.run(source, target, groups: groups)
    case 24: unsafe BitPacker<24>.run(source, target, groups: groups)
    case 25: unsafe BitPacker<25>.run(source, target, groups: groups)
    case 26: unsafe BitPacker<26>.run(source, target, groups: groups)
    case 27: unsafe BitPacker<27>.run(source, target, groups: groups)
    case 28: unsafe BitPacker<28>.run(source, target, groups: groups)
    case 29: unsafe BitPacker<29>.run(source, target, groups: groups)
    case 30: unsafe BitPacker<30>.run(source, target, groups: groups)
    case 31: unsafe BitPacker<31>.run(source, target, groups: groups)
    case 32: unsafe BitPacker<32>.run(source, target, groups: groups)
    case 33: unsafe BitPacker<33>.run(source, target, groups: groups)
    case 34: unsafe BitPacker<34>.run(source, target, groups: groups)
    case 35: unsafe BitPacker<35>.run(source, target, groups: groups)
    case 36: unsafe BitPacker<36>.run(source, target, groups: groups)
    case 37: unsafe BitPacker<37>.run(source, target, groups: groups)
    case 38: unsafe BitPacker<38>.run(source, target, groups: groups)
    case 39: unsafe BitPacker<39>.run(source, target, groups: groups)
    case 40: unsafe BitPacker<40>.run(source, target, groups: groups)
    case 41: unsafe BitPacker<41>.run(source, target, groups: groups)
    case 42: unsafe BitPacker<42>.run(source, target, groups: groups)
    case 43: unsafe BitPacker<43>.run(source, target, groups: groups)
    case 44: unsafe BitPacker<44>.run(source, target, groups: groups)
    case 45: unsafe BitPacker<45>.run(source, target, groups: groups)
    case 46: unsafe BitPacker<46>.run(source, target, groups: groups)
    case 47: unsafe BitPacker<47>.run(source, target, groups: groups)
    case 48: unsafe BitPacker<48>.run(source, target, groups: groups)
    case 49: unsafe BitPacker<49>.run(source, target, groups: groups)
    case 50: unsafe BitPacker<50>.run(source, target, groups: groups)
    case 51: unsafe BitPacker<51>.run(source, target, groups: groups)
    case 52: unsafe BitPacker<52>.run(source, target, groups: groups)
    case 53: unsafe BitPacker<53>.run(source, target, groups: groups)
    case 54: unsafe BitPacker<54>.run(source, target, groups: groups)
    case 55: unsafe BitPacker<55>.run(source, target, groups: groups)
    case 56: unsafe BitPacker<56>.run(source, target, groups: groups)
    case 57: unsafe BitPacker<57>.run(source, target, groups: groups)
    case 58: unsafe BitPacker<58>.run(source, target, groups: groups)
    case 59: unsafe BitPacker<59>.run(source, target, groups: groups)
    case 60: unsafe BitPacker<60>.run(source, target, groups: groups)
    case 61: unsafe BitPacker<61>.run(source, target, groups: groups)
    case 62: unsafe BitPacker<62>.run(source, target, groups: groups)
    case 63: unsafe BitPacker<63>.run(source, target, groups: groups)
    default: unsafe BitPacker<64>.run(source, target, groups: groups)
    }
  }
}

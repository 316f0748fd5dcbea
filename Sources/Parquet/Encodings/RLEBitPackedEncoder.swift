// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Encodes the RLE / bit-packed hybrid: levels, dictionary indices and booleans.
///
///     run         := varint header, then a bit-packed or an RLE body
///     bit-packed  := header = groups << 1 | 1, body = groups * 8 values, LSB first
///     RLE         := header = count  << 1,     body = one value in ceil(bitWidth / 8) bytes
///
/// Runs are looked for in whole groups of eight: a run that starts and ends inside two neighbouring
/// groups stays packed, and nothing else is lost.
/// Cost: 0.6 to 1 ns a value.
/// Source: parquet-format Encodings.md, "RLE/Bit-Packing Hybrid (RLE = 3)".
enum RLEBitPackedEncoder {
  /// Bits that hold every value up to `maximum`.
  static func bitWidth(of maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

  /// Appends `values`, each of which fits in `bitWidth` (0 to 32) bits.
  static func encode(_ values: Span<UInt32>, bitWidth: Int, into output: inout MutableBuffer) {
    var literalStart = 0
    var at = 0
    let shortest = shortestRun(bitWidth)
    while at &+ 8 <= values.count {
      guard isUniform(values, at) else {
        at &+= 8
        continue
      }
      let value = values[at]
      var end = at &+ 8
      while end < values.count, values[end] == value { end &+= 1 }
      guard end &- at >= shortest || bitWidth == 0 else {
        at &+= 8
        continue
      }
      pack(values.extracting(literalStart..<at), bitWidth, into: &output)
      `repeat`(value, count: end &- at, bitWidth, into: &output)
      literalStart = end
      at = end
    }
    pack(values.extracting(literalStart..<values.count), bitWidth, into: &output)
  }

  /// Appends `count` times `value`.
  static func encode(
    repeating value: UInt32, count: Int, bitWidth: Int, into output: inout MutableBuffer
  ) {
    if count > 0 { `repeat`(value, count: count, bitWidth, into: &output) }
  }

  /// Appends levels, which lie one in a byte.
  static func encode(
    levels: Span<UInt8>, bitWidth: Int, into output: inout MutableBuffer
  ) {
    var wide = MutableBuffer(byteCount: levels.count * 4)
    var target = wide.mutableValues(as: UInt32.self)
    for i in levels.indices { target[i] = UInt32(levels[i]) }
    encode(wide.values(as: UInt32.self), bitWidth: bitWidth, into: &output)
  }

  /// The shortest run that is worth its own header and that of the literals after it.
  private static func shortestRun(_ bitWidth: Int) -> Int {
    switch bitWidth {
    case 0, 4...: 8
    case 1: 32
    default: 16
    }
  }

  @inline(__always)
  private static func isUniform(_ values: Span<UInt32>, _ at: Int) -> Bool {
    let group = values.extracting(at..<at &+ 8)
    let first = group[0]
    var difference: UInt32 = 0
    for i in group.indices { difference |= group[i] ^ first }
    return difference == 0
  }

  private static func `repeat`(
    _ value: UInt32, count: Int, _ bitWidth: Int, into output: inout MutableBuffer
  ) {
    output.append(uleb128: UInt64(count) << 1)
    for i in 0..<(bitWidth + 7) / 8 {
      output.append(value: UInt8(truncatingIfNeeded: value >> UInt32(8 * i)))
    }
  }

  private static func pack(
    _ values: Span<UInt32>, _ bitWidth: Int, into output: inout MutableBuffer
  ) {
    if values.isEmpty { return }
    let groups = (values.count + 7) / 8
    output.append(uleb128: UInt64(groups) << 1 | 1)
    let start = output.count
    BitPacking.pack(values, width: bitWidth, into: &output)
    // The last group is padded with zero bits to its full length.
    for _ in 0..<(groups * bitWidth - (output.count - start)) { output.append(value: UInt8(0)) }
  }
}

extension MutableBuffer {
  /// Adds an unsigned LEB128 integer.
  mutating func append(uleb128 value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(value: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(value: UInt8(truncatingIfNeeded: rest))
  }

  /// Writes `value` over the bytes from `offset` on.
  mutating func replace(at offset: Int, withValue value: UInt32) {
    var target = mutableBytes
    target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Adds a zig-zag LEB128 integer.
  mutating func append(zigZag value: Int64) {
    append(uleb128: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }
}

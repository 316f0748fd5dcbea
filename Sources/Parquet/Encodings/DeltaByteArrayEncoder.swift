// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Encodes DELTA_LENGTH_BYTE_ARRAY: all lengths as DELTA_BINARY_PACKED, then all bytes.
///
/// Source: parquet-format Encodings.md, "Delta-length byte array (DELTA_LENGTH_BYTE_ARRAY = 6)".
enum DeltaLengthByteArrayEncoder {
  /// Appends the page of the values `bytes[offsets[i]..<offsets[i + 1]]`, which lie back to back.
  static func encode(_ offsets: Span<Int32>, _ bytes: RawSpan, into output: inout MutableBuffer) {
    let count = max(0, offsets.count - 1)
    var lengths = MutableBuffer(byteCount: count * 4)
    var target = lengths.mutableValues(as: Int32.self)
    for i in target.indices { target[i] = offsets[i &+ 1] &- offsets[i] }
    DeltaBinaryPackedEncoder.encode(lengths.values(as: Int32.self), into: &output)
    if count > 0 { output.append(bytes.extracting(Int(offsets[0])..<Int(offsets[count]))) }
  }
}

/// Encodes DELTA_BYTE_ARRAY: how long a prefix each value shares with the one before it, as
/// DELTA_BINARY_PACKED, then the rests as DELTA_LENGTH_BYTE_ARRAY.
///
/// Source: parquet-format Encodings.md, "Delta Strings (DELTA_BYTE_ARRAY = 7)".
enum DeltaByteArrayEncoder {
  /// Appends the page of the values `bytes[offsets[i]..<offsets[i + 1]]`.
  static func encode(_ offsets: Span<Int32>, _ bytes: RawSpan, into output: inout MutableBuffer) {
    let count = max(0, offsets.count - 1)
    var prefixes = MutableBuffer(byteCount: count * 4)
    var suffixEnds = MutableBuffer(byteCount: (count + 1) * 4)
    var suffixes = MutableBuffer(capacity: bytes.byteCount)
    var prefixLengths = prefixes.mutableValues(as: Int32.self)
    var ends = suffixEnds.mutableValues(as: Int32.self)
    ends[0] = 0
    var previous = 0..<0
    for i in 0..<count {
      let value = Int(offsets[i])..<Int(offsets[i &+ 1])
      let shared = commonPrefix(bytes, previous, value)
      prefixLengths[i] = Int32(truncatingIfNeeded: shared)
      suffixes.append(bytes.extracting(value.lowerBound + shared..<value.upperBound))
      ends[i &+ 1] = Int32(truncatingIfNeeded: suffixes.count)
      previous = value
    }
    DeltaBinaryPackedEncoder.encode(prefixes.values(as: Int32.self), into: &output)
    DeltaLengthByteArrayEncoder.encode(
      suffixEnds.values(as: Int32.self), suffixes.bytes, into: &output)
  }

  private static func commonPrefix(_ bytes: RawSpan, _ a: Range<Int>, _ b: Range<Int>) -> Int {
    let limit = min(a.count, b.count)
    var length = 0
    while length &+ 8 <= limit {
      let x = bytes.loadLE(at: a.lowerBound &+ length, as: UInt64.self)
      let y = bytes.loadLE(at: b.lowerBound &+ length, as: UInt64.self)
      if x != y { return length &+ (x ^ y).trailingZeroBitCount / 8 }
      length &+= 8
    }
    while length < limit, bytes[a.lowerBound &+ length] == bytes[b.lowerBound &+ length] {
      length &+= 1
    }
    return length
  }
}

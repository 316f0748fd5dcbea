// SPDX-License-Identifier: Apache-2.0
package import Bytes
internal import Columnar

/// Decodes byte strings whose lengths come first, then all of their bytes.
///
///     stream := lengths (DELTA_BINARY_PACKED), bytes
///
/// Source: parquet-format Encodings.md, "Delta-length byte array".
package struct DeltaLengthByteArrayDecoder {
  private let bytes: Buffer
  private var lengths: DeltaBinaryPackedDecoder
  private var position: Int

  package init(_ bytes: Buffer, at offset: Int = 0) throws(ByteError) {
    self.bytes = bytes
    lengths = try DeltaBinaryPackedDecoder(bytes, at: offset)
    position = try lengths.end()
  }

  /// Sets `found` to the next `count` lengths; answers what they sum up to, which is there.
  private mutating func nextLengths(
    _ count: Int, _ found: inout MutableBuffer
  ) throws(ByteError) -> Int {
    found.resize(to: count * 4)
    var span = found.mutableValues(as: Int32.self)
    try lengths.decode(into: &span, 0..<count)
    var total = 0
    for i in span.indices {
      let length = Int(span[i])
      guard length >= 0, length <= bytes.count - position - total else {
        throw .outOfRange(offset: position, what: "length", value: Int64(length))
      }
      total += length
    }
    return total
  }

  /// Appends the next `count` strings: where each ends to `ends`, and themselves to `output`.
  package mutating func decode(
    _ count: Int, ends: inout MutableBuffer, into output: inout MutableBuffer, limit: Int
  ) throws(ByteError) {
    var lengths = MutableBuffer()
    let total = try nextLengths(count, &lengths)
    guard output.count + total <= limit else {
      throw .limitExceeded(
        what: "byte strings", value: Int64(output.count) + Int64(total), limit: Int64(limit))
    }
    var end = Int32(truncatingIfNeeded: output.count)
    let first = ends.count / 4
    ends.resize(to: (first + count) * 4)
    var target = ends.mutableValues(as: Int32.self)
    let span = lengths.values(as: Int32.self)
    for i in span.indices {
      end &+= span[i]
      target[first + i] = end
    }
    output.append(bytes.bytes.extracting(position..<position + total))
    position += total
  }

  package mutating func skip(_ count: Int) throws(ByteError) {
    var left = count
    var lengths = MutableBuffer()
    while left > 0 {
      let part = min(left, 4096)
      position += try nextLengths(part, &lengths)
      left -= part
    }
  }
}

/// Decodes byte strings that share their beginnings with the one before.
///
///     stream := prefix lengths (DELTA_BINARY_PACKED), suffixes (DELTA_LENGTH_BYTE_ARRAY)
///
/// Source: parquet-format Encodings.md, "Delta Strings".
package struct DeltaByteArrayDecoder {
  private let bytes: Buffer
  private var prefixes: DeltaBinaryPackedDecoder
  private var suffixes: DeltaBinaryPackedDecoder
  private var position: Int
  private var previous: [UInt8] = []

  package init(_ bytes: Buffer, at offset: Int = 0) throws(ByteError) {
    self.bytes = bytes
    prefixes = try DeltaBinaryPackedDecoder(bytes, at: offset)
    suffixes = try DeltaBinaryPackedDecoder(bytes, at: try prefixes.end())
    position = try suffixes.end()
  }

  /// Appends the next `count` strings: where each ends to `ends`, and themselves to `output`.
  package mutating func decode(
    _ count: Int, ends: inout MutableBuffer, into output: inout MutableBuffer, limit: Int
  ) throws(ByteError) {
    guard count > 0 else { return }
    var lengths = MutableBuffer(byteCount: count * 8)
    var span = lengths.mutableValues(as: Int32.self)
    try prefixes.decode(into: &span, 0..<count)
    try suffixes.decode(into: &span, count..<2 * count)
    let both = lengths.values(as: Int32.self)
    let after = unsafe DecodeKernels.appendPrefixed(
      previous: previous.span.bytes, prefixes: both.extracting(0..<count),
      suffixes: both.extracting(count..<2 * count), of: bytes.bytes, at: position, ends: &ends,
      into: &output, limit: limit)
    guard let after else {
      throw .outOfRange(
        offset: position, what: "length of a shared beginning or of its rest",
        value: Int64(count))
    }
    position = after
    let endSpan = ends.values(as: Int32.self)
    let last = endSpan.count - 1
    previous = output.bytes.extracting(Int(endSpan[last - 1])..<Int(endSpan[last])).array()
  }

  package mutating func skip(_ count: Int, limit: Int) throws(ByteError) {
    var left = count
    while left > 0 {
      let part = min(left, 4096)
      var ends = MutableBuffer()
      ends.append(value: Int32(0))
      var output = MutableBuffer()
      try decode(part, ends: &ends, into: &output, limit: limit)
      left -= part
    }
  }
}

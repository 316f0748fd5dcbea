// SPDX-License-Identifier: Apache-2.0
package import Bytes
package import Columnar

/// Decodes the RLE / bit-packed hybrid: levels, dictionary indices and booleans.
///
///     run         := varint header, then a bit-packed or an RLE body
///     bit-packed  := header = groups << 1 | 1, body = groups * 8 values, LSB first
///     RLE         := header = count  << 1,     body = one value in ceil(bitWidth / 8) bytes
///
/// Goes on where it stopped, also inside a run. A run may promise more values than are asked for
/// (the last group is padded), and the bytes of the last bit-packed run may be cut off after the
/// values that are needed, as old writers do; never are there fewer values.
/// Source: parquet-format Encodings.md, "RLE/Bit-Packing Hybrid (RLE = 3)".
package struct RLEBitPackedDecoder {
  private let bytes: Buffer
  private var position: Int
  private let bitWidth: Int
  private var run = Run.ended

  private enum Run {
    case ended
    case repeated(UInt32, left: Int)
    /// Values `next..<count` of the groups that start at byte `start` are left.
    case packed(start: Int, next: Int, count: Int)
  }

  /// Part of a run.
  private enum Piece {
    case repeated(UInt32, count: Int)
    case packed(start: Int, values: Range<Int>)
  }

  /// - Throws: ``ByteError/outOfRange(offset:what:value:)`` if `bitWidth` is over 32.
  package init(_ bytes: Buffer, at offset: Int = 0, bitWidth: Int) throws(ByteError) {
    guard bitWidth >= 0, bitWidth <= 32 else {
      throw .outOfRange(offset: offset, what: "bit width", value: Int64(bitWidth))
    }
    self.bytes = bytes
    self.bitWidth = bitWidth
    position = offset
    // Where there is but one value, nothing needs to be stored, and some writers store nothing.
    if bitWidth == 0 { run = .repeated(0, left: .max) }
  }

  /// Decodes `range.count` values to `range` of `output`.
  package mutating func decode(
    into output: inout MutableSpan<UInt32>, _ range: Range<Int>
  ) throws(ByteError) {
    var filled = range.lowerBound
    while filled < range.upperBound {
      switch try nextPiece(atMost: range.upperBound - filled) {
      case .repeated(let value, let count):
        for i in filled..<filled + count { output[i] = value }
        filled += count
      case .packed(let start, let values):
        try unpack(start, values, into: &output, at: filled)
        filled += values.count
      }
    }
  }

  /// Appends the next `count` values, of a width of one bit, to `bits`.
  package mutating func decode(_ count: Int, into bits: inout BitmapBuilder) throws(ByteError) {
    var left = count
    while left > 0 {
      switch try nextPiece(atMost: left) {
      case .repeated(let value, let count):
        bits.append(repeating: value != 0, count: count)
        left -= count
      case .packed(let start, let values):
        bits.append(Bitmap(bytes, offset: start * 8 + values.lowerBound, count: values.count))
        left -= values.count
      }
    }
  }

  /// Decodes `output.count` levels, of which none is above `maximum` (at most 255).
  package mutating func decode(
    levels output: inout MutableSpan<UInt8>, maximum: Int
  ) throws(ByteError) {
    var scratch = InlineArray<256, UInt32>(repeating: 0)
    var words = scratch.mutableSpan
    var filled = 0
    while filled < output.count {
      // No more than fits the scratch, as runs of values that differ go by way of it.
      switch try nextPiece(atMost: min(output.count - filled, isRepeating ? .max : words.count)) {
      case .repeated(let value, let count):
        guard value <= UInt32(clamping: maximum) else { throw tooHigh(value) }
        let level = UInt8(truncatingIfNeeded: value)
        for i in filled..<filled + count { output[i] = level }
        filled += count
      case .packed(let start, let values):
        try unpack(start, values, into: &words, at: 0)
        var greatest: UInt32 = 0
        for i in 0..<values.count {
          greatest = max(greatest, words[i])
          output[filled &+ i] = UInt8(truncatingIfNeeded: words[i])
        }
        guard greatest <= UInt32(clamping: maximum) else { throw tooHigh(greatest) }
        filled += values.count
      }
    }
  }

  /// True if what comes next is known to be a run of one value.
  private var isRepeating: Bool {
    if case .repeated = run { true } else { false }
  }

  private func tooHigh(_ level: UInt32) -> ByteError {
    .outOfRange(offset: position, what: "level", value: Int64(level))
  }

  package mutating func skip(_ count: Int) throws(ByteError) {
    var left = count
    while left > 0 {
      switch try nextPiece(atMost: left) {
      case .repeated(_, let count): left -= count
      case .packed(_, let values): left -= values.count
      }
    }
  }

  /// The next values of the run at hand, or of the one after it: at least one.
  private mutating func nextPiece(atMost wanted: Int) throws(ByteError) -> Piece {
    if case .ended = run { try readHeader() }
    switch run {
    case .ended: throw .truncated(offset: position, needed: 1, available: 0)
    case .repeated(let value, let left):
      let count = min(left, wanted)
      if bitWidth > 0 {
        run = count == left ? .ended : .repeated(value, left: left - count)
      }
      return .repeated(value, count: count)
    case .packed(let start, let next, let count):
      let end = min(count, next + wanted)
      run = end == count ? .ended : .packed(start: start, next: end, count: count)
      return .packed(start: start, values: next..<end)
    }
  }

  private mutating func readHeader() throws(ByteError) {
    let buffer = bytes
    let span = buffer.bytes
    var reader = ByteReader(span.extracting(position..<span.byteCount))
    let header = try reader.readULEB128(maxBytes: 5)
    guard header > 1 else {
      throw .outOfRange(offset: position, what: "length of a run", value: 0)
    }
    let body = position + reader.offset
    if header & 1 == 0 {
      let value = try readValue(&reader)
      position += reader.offset
      run = .repeated(value, left: Int(header >> 1))
    } else {
      let (groups, available) = (Int(header >> 1), span.byteCount - body)
      let count = min(groups * 8, available * 8 / bitWidth)
      guard count > 0 else { throw .truncated(offset: body, needed: 1, available: available) }
      run = .packed(start: body, next: 0, count: count)
      position = min(body + groups * bitWidth, span.byteCount)
    }
  }

  private func readValue(_ reader: inout ByteReader) throws(ByteError) -> UInt32 {
    var value: UInt32 = 0
    for i in 0..<(bitWidth + 7) / 8 { value |= UInt32(try reader.readUInt8()) << UInt32(8 * i) }
    if bitWidth < 32, value >> UInt32(bitWidth) != 0 {
      throw .outOfRange(offset: position, what: "repeated value", value: Int64(value))
    }
    return value
  }

  /// Unpacks `values` of the groups at byte `start`; those before a whole group of eight go by way
  /// of a group of their own.
  private func unpack(
    _ start: Int, _ values: Range<Int>, into output: inout MutableSpan<UInt32>, at first: Int
  ) throws(ByteError) {
    var next = values.lowerBound
    var target = first
    if next & 7 != 0 {
      let group = next & ~7
      let end = min(values.upperBound, group + 8)
      var eight = InlineArray<8, UInt32>(repeating: 0)
      var span = eight.mutableSpan
      try BitPacking.unpack(
        bytes.bytes, at: start + group / 8 * bitWidth, width: bitWidth, into: &span,
        range: 0..<end - group)
      for i in next - group..<end - group {
        output[target] = eight[i]
        target += 1
      }
      next = end
    }
    guard next < values.upperBound else { return }
    try BitPacking.unpack(
      bytes.bytes, at: start + next / 8 * bitWidth, width: bitWidth, into: &output,
      range: target..<target + values.upperBound - next)
  }
}

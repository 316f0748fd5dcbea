// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The definition or repetition levels of one page.
enum LevelDecoder {
  /// All levels are 0, as none can be higher: nothing is stored.
  case zeros
  case hybrid(RLEBitPackedDecoder)
  case bitPacked(BitPackedLevelDecoder)

  /// The bits that levels up to `maximum` are stored in.
  static func bitWidth(maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

  /// Levels without a length before them, that fill `bytes`: those of pages of version 2.
  init(filling bytes: Buffer, maximum: Int) throws(ByteError) {
    guard maximum > 0 else {
      self = .zeros
      return
    }
    self = .hybrid(try RLEBitPackedDecoder(bytes, bitWidth: Self.bitWidth(maximum: maximum)))
  }

  /// Levels of a page of version 1, which begin at `offset` of `bytes`; moves that behind them.
  init(
    _ encoding: Encoding, in bytes: Buffer, at offset: inout Int, count: Int, maximum: Int
  ) throws(ByteError) {
    guard maximum > 0 else {
      self = .zeros
      return
    }
    let width = Self.bitWidth(maximum: maximum)
    let span = bytes.bytes
    var reader = ByteReader(span.extracting(offset..<span.byteCount))
    switch encoding {
    case .rle:
      let length = Int(try reader.readUInt32LE())
      try reader.skip(length)
      let start = offset + 4
      offset = start + length
      self = .hybrid(try RLEBitPackedDecoder(bytes.slice(0..<offset), at: start, bitWidth: width))
    case .bitPacked:
      let start = offset
      try reader.skip((count * width + 7) / 8)
      offset += reader.offset
      self = .bitPacked(
        BitPackedLevelDecoder(bytes.slice(0..<offset), at: start, bitWidth: width))
    default:
      throw .outOfRange(offset: offset, what: "encoding of levels", value: Int64(encoding.rawValue))
    }
  }

  /// Appends a bit for each of the next `count` levels, of which none is above 1.
  mutating func decode(_ count: Int, into bits: inout BitmapBuilder) throws(ByteError) {
    switch self {
    case .zeros: bits.append(repeating: false, count: count)
    case .hybrid(var decoder):
      try decoder.decode(count, into: &bits)
      self = .hybrid(decoder)
    case .bitPacked(var decoder):
      var scratch = MutableBuffer(byteCount: count * 4)
      var span = scratch.mutableValues(as: UInt32.self)
      try decoder.decode(into: &span, 0..<count)
      for i in span.indices { bits.append(span[i] != 0) }
      self = .bitPacked(decoder)
    }
  }

  /// Fills `levels` with the next levels, none of them above `maximum`.
  mutating func decode(
    into levels: inout MutableSpan<UInt8>, maximum: Int
  ) throws(ByteError) {
    switch self {
    case .zeros: for i in levels.indices { levels[i] = 0 }
    case .hybrid(var decoder):
      try decoder.decode(levels: &levels, maximum: maximum)
      self = .hybrid(decoder)
    case .bitPacked(var decoder):
      var scratch = MutableBuffer(byteCount: levels.count * 4)
      var span = scratch.mutableValues(as: UInt32.self)
      try decoder.decode(into: &span, 0..<levels.count)
      for i in levels.indices {
        guard span[i] <= UInt32(clamping: maximum) else {
          throw .outOfRange(offset: 0, what: "level", value: Int64(span[i]))
        }
        levels[i] = UInt8(truncatingIfNeeded: span[i])
      }
      self = .bitPacked(decoder)
    }
  }
}

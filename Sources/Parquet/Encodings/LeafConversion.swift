// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Values as stored to values of the column: see ``LeafConversion``.
extension ParquetLeaf {
  /// Converts `count` values of fixed width and appends them to `output`.
  func convert(_ values: Buffer, _ count: Int, into output: inout DenseValues) throws(ByteError) {
    try convert(values.bytes, count, into: &output)
  }

  /// Converts `count` values of fixed width and appends them to `output`.
  func convert(_ values: RawSpan, _ count: Int, into output: inout DenseValues) throws(ByteError) {
    guard case .fixed(let width) = output.layout else { return }
    let start = try output.grow(count, width: width)
    var target = output.bytes.mutableBytes
    switch conversion {
    case .none, .discard: break
    case .widenSigned:
      for i in 0..<count {
        target.store(Int64(values.loadLE(at: i &* 4, as: Int32.self)), at: start &+ i &* 8)
      }
    case .widenUnsigned:
      for i in 0..<count {
        target.store(Int64(values.loadLE(at: i &* 4, as: UInt32.self)), at: start &+ i &* 8)
      }
    case .millisToMicros: try scale(values, count, &target, start)
    case .narrowMillisToMicros:
      for i in 0..<count {
        let millis = Int64(values.loadLE(at: i &* 4, as: Int32.self))
        target.store(millis &* 1000, at: start &+ i &* 8)
      }
    case .widenToDecimal: widen(values, count, &target, start)
    case .widenUnsignedToDecimal:
      for i in 0..<count {
        target.store(Int128(values.loadLE(at: i &* 8, as: UInt64.self)), at: start &+ i &* 16)
      }
    case .bigEndianDecimal where width == 8 && typeLength <= 8:
      convertShortDecimals(values, count, &target, start)
    case .bigEndianDecimal:
      for i in 0..<count {
        let bytes = values.extracting(i &* typeLength..<(i &+ 1) &* typeLength)
        try storeDecimal(bytes, &target, at: start &+ i &* width, width: width)
      }
    case .int96ToMicros: convertInt96(values, count, &target, start)
    case .halfToFloat:
      for i in 0..<count {
        let half = values.loadLE(at: i &* 2, as: UInt16.self)
        target.store(Self.float(half: half).bitPattern, at: start &+ i &* 4)
      }
    }
  }

  /// Converts byte strings, which end where `ends` say and begin at the first of them.
  func convert(
    _ ends: Span<Int32>, of bytes: RawSpan, into output: inout DenseValues
  ) throws(ByteError) {
    guard case .fixed(let width) = output.layout else { return }
    let count = ends.count - 1
    let start = try output.grow(count, width: width)
    var target = output.bytes.mutableBytes
    for i in 0..<count {
      let value = bytes.extracting(Int(ends[i])..<Int(ends[i + 1]))
      try storeDecimal(value, &target, at: start + i * width, width: width)
    }
  }

  private func scale(
    _ values: RawSpan, _ count: Int, _ target: inout MutableRawSpan, _ start: Int
  ) throws(ByteError) {
    for i in 0..<count {
      let millis = values.loadLE(at: i &* 8, as: Int64.self)
      let (micros, overflow) = millis.multipliedReportingOverflow(by: 1000)
      if overflow { throw .outOfRange(offset: i * 8, what: "milliseconds", value: millis) }
      target.store(micros, at: start &+ i &* 8)
    }
  }

  private func widen(
    _ values: RawSpan, _ count: Int, _ target: inout MutableRawSpan, _ start: Int
  ) {
    for i in 0..<count {
      let value =
        type == .int32
        ? Int64(values.loadLE(at: i &* 4, as: Int32.self))
        : values.loadLE(at: i &* 8, as: Int64.self)
      target.store(Int128(value), at: start &+ i &* 16)
    }
  }

  /// Big-endian numbers of up to 8 bytes: the 8 bytes from each one's start on, shifted down.
  private func convertShortDecimals(
    _ values: RawSpan, _ count: Int, _ target: inout MutableRawSpan, _ start: Int
  ) {
    let shift = Int64(64 - 8 * typeLength)
    // The last ones have fewer than 8 bytes from their start on.
    let whole = values.byteCount < 8 ? 0 : min(count, (values.byteCount - 8) / typeLength + 1)
    for i in 0..<whole {
      let word = values.loadLE(at: i &* typeLength, as: Int64.self).byteSwapped
      target.store(word &>> shift, at: start &+ i &* 8)
    }
    for i in whole..<count {
      var word: Int64 = 0
      for k in 0..<typeLength {
        let byte = values.loadLE(at: i &* typeLength &+ k, as: UInt8.self)
        word |= Int64(truncatingIfNeeded: UInt64(byte) &<< UInt64(56 &- 8 &* k))
      }
      target.store(word &>> shift, at: start &+ i &* 8)
    }
  }

  /// Stores the number that `bytes` are in big-endian two's complement.
  private func storeDecimal(
    _ bytes: RawSpan, _ target: inout MutableRawSpan, at offset: Int, width: Int
  ) throws(ByteError) {
    var value: Int128 = 0
    let count = bytes.byteCount
    for i in 0..<count {
      let byte = bytes.loadLE(at: i, as: UInt8.self)
      if i == 0 {
        value = Int128(Int8(bitPattern: byte))
      } else {
        value = value << 8 | Int128(byte)
      }
      // Bytes in front that only repeat the sign are fine; any other would be lost.
      if count - i > 16, value != 0, value != -1 {
        throw .outOfRange(offset: offset, what: "bytes of a decimal", value: Int64(count))
      }
    }
    if width == 16 { return target.store(value, at: offset) }
    guard let narrow = Int64(exactly: value) else {
      throw .outOfRange(offset: offset, what: "bytes of a decimal", value: Int64(count))
    }
    target.store(narrow, at: offset)
  }

  /// Nanoseconds of the day, then the Julian day, to microseconds since 1970.
  ///
  /// Sums wrap around: Spark writes days so far off that they do, and so comes back to them.
  /// Evidence: parquet-testing, int96_from_spark.parquet.
  private func convertInt96(
    _ values: RawSpan, _ count: Int, _ target: inout MutableRawSpan, _ start: Int
  ) {
    for i in 0..<count {
      let nanos = values.loadLE(at: i &* 12, as: Int64.self)
      let day = Int64(values.loadLE(at: i &* 12 &+ 8, as: Int32.self)) &- 2_440_588
      // Rounds towards the past, as the nanoseconds of an instant before 1970 count forwards, too.
      let (quotient, rest) = nanos.quotientAndRemainder(dividingBy: 1000)
      let micros = rest < 0 ? quotient &- 1 : quotient
      target.store(day &* 86_400_000_000 &+ micros, at: start &+ i &* 8)
    }
  }

  /// The number that a half-precision pattern stands for.
  static func float(half: UInt16) -> Float {
    let sign = UInt32(half >> 15) << 31
    let exponent = UInt32(half >> 10 & 0x1f)
    let fraction = UInt32(half & 0x3ff)
    switch exponent {
    case 0:  // zero and subnormal: the fraction counts units of 2^-24
      let value = Float(fraction) * 0x1p-24
      return sign == 0 ? value : -value
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

extension MutableRawSpan {
  /// Stores `value` at byte `offset`; the whole of it must lie inside.
  @_lifetime(self: copy self)
  fileprivate mutating func store<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at offset: Int
  ) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}

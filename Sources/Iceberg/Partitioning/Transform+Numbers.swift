// SPDX-License-Identifier: Apache-2.0
internal import Bytes

// Transforms on raw numbers and bytes, for whoever holds columns: one concrete function per
// physical type, and whole-column forms of the integer ones. Nulls are the caller's: what a function
// makes of the number beneath a null means nothing.

/// Buckets: a 32-bit Murmur3 hash without its sign bit, modulo the number of buckets.
///
/// In all of these `count` is 1 or more.
/// Source: Iceberg spec, "Bucket Transform Details" and "Appendix B: 32-bit Hash Requirements".
package enum BucketTransform {
  /// The bucket of a hash.
  @inline(__always)
  package static func bucket(ofHash hash: Int32, count: Int32) -> Int32 {
    (hash & Int32.max) % count
  }

  /// Of an int, long, date, time, or timestamp in microseconds.
  package static func hash(_ value: Int64) -> Int32 { Murmur3.hash32(value) }

  /// Of a timestamp in nanoseconds: as if it had been rounded down to microseconds.
  package static func hash(nanoseconds value: Int64) -> Int32 {
    Murmur3.hash32(CivilTime.floorDivide(value, 1000))
  }

  /// Of the UTF-8 of a string, or of a UUID (16 bytes, big-endian), fixed or binary.
  package static func hash(_ bytes: RawSpan) -> Int32 { Murmur3.hash32(bytes) }

  /// Of a decimal's unscaled value; its scale counts for nothing.
  package static func hash(unscaled value: Int128) -> Int32 {
    // The 16 big-endian bytes lie in two words; the hash is of the last `count` of them.
    let count = TwosComplement.byteCount(value)
    let bytes: [16 of UInt8] = TwosComplement.bytes(value)
    return unsafe Murmur3.hash32(bytes.span.bytes.extracting(last: count))
  }

  /// Of a boolean, which tables can't be bucketed by: defined for whoever needs a hash.
  package static func hash(_ value: Bool) -> Int32 { Murmur3.hash32(value ? 1 : 0) }

  /// Of a double, or of a float as one; not for bucketing either. NaNs are alike, and so are zeros.
  package static func hash(_ value: Double) -> Int32 {
    let bits = value == 0 ? 0 : value.canonicalBits
    return Murmur3.hash32(Int64(bitPattern: bits))
  }

  /// The buckets of longs, times, or timestamps in microseconds. `output` is as long as `values`.
  package static func apply(
    _ values: Span<Int64>, count: Int32, into output: inout MutableSpan<Int32>
  ) {
    precondition(values.count == output.count && count > 0, "a bucket for each value")
    for i in values.indices { output[i] = bucket(ofHash: Murmur3.hash32(values[i]), count: count) }
  }

  /// The buckets of ints or dates. `output` is as long as `values`.
  package static func apply(
    _ values: Span<Int32>, count: Int32, into output: inout MutableSpan<Int32>
  ) {
    precondition(values.count == output.count && count > 0, "a bucket for each value")
    for i in values.indices {
      output[i] = bucket(ofHash: Murmur3.hash32(Int64(values[i])), count: count)
    }
  }

  /// The buckets of timestamps in nanoseconds. `output` is as long as `values`.
  package static func apply(
    nanoseconds values: Span<Int64>, count: Int32, into output: inout MutableSpan<Int32>
  ) {
    precondition(values.count == output.count && count > 0, "a bucket for each value")
    for i in values.indices {
      let microseconds = CivilTime.floorDivide(values[i], 1000)
      output[i] = bucket(ofHash: Murmur3.hash32(microseconds), count: count)
    }
  }
}

/// Values cut to a width.
///
/// In all of these `width` is 1 or more.
/// Source: Iceberg spec, "Truncate Transform Details".
package enum TruncateTransform {
  /// The multiple of `width` at or below `value`. Where that is below the lowest number it wraps,
  /// as it does in the reference implementation.
  @inline(__always)
  package static func truncate(_ value: Int32, width: Int32) -> Int32 {
    let remainder = value % width
    return value &- (remainder < 0 ? remainder &+ width : remainder)
  }

  @inline(__always)
  package static func truncate(_ value: Int64, width: Int64) -> Int64 {
    let remainder = value % width
    return value &- (remainder < 0 ? remainder &+ width : remainder)
  }

  /// Of a decimal's unscaled value.
  package static func truncate(unscaled value: Int128, width: Int128) -> Int128 {
    let remainder = value % width
    return value &- (remainder < 0 ? remainder &+ width : remainder)
  }

  /// How many of the bytes of `text`, which is UTF-8, its first `length` code points take.
  package static func prefixByteCount(utf8 text: RawSpan, length: Int) -> Int {
    if text.byteCount <= length { return text.byteCount }
    var points = 0
    for i in 0..<text.byteCount where text[i] & 0xc0 != 0x80 {
      if points == length { return i }
      points &+= 1
    }
    return text.byteCount
  }

  /// Of ints. `output` is as long as `values`.
  package static func apply(
    _ values: Span<Int32>, width: Int32, into output: inout MutableSpan<Int32>
  ) {
    precondition(values.count == output.count && width > 0, "a place for each value")
    for i in values.indices { output[i] = truncate(values[i], width: width) }
  }

  /// Of longs. `output` is as long as `values`.
  package static func apply(
    _ values: Span<Int64>, width: Int64, into output: inout MutableSpan<Int64>
  ) {
    precondition(values.count == output.count && width > 0, "a place for each value")
    for i in values.indices { output[i] = truncate(values[i], width: width) }
  }
}

/// Years, months, days and hours since 1970-01-01T00:00, rounded down: before it they are negative.
///
/// Source: Iceberg spec, "Partition Transforms".
package enum TimeTransform {
  /// What the number that is transformed counts.
  package enum Unit: Sendable {
    case days, microseconds, nanoseconds
    @inline(__always) var perHour: Int64 {
      switch self {
      case .days: 0
      case .microseconds: 3_600_000_000
      case .nanoseconds: 3_600_000_000_000
      }
    }
    @inline(__always) var perDay: Int64 { self == .days ? 1 : perHour &* 24 }
  }

  /// What the result counts.
  package enum Granularity: Sendable { case year, month, day, hour }

  /// The year, month, day or hour of `value`. Hours of days are not asked for: they are those of
  /// midnight. Results beyond 32 bits, 245,000 years away, wrap.
  @inline(__always)
  package static func apply(_ value: Int64, _ unit: Unit, _ granularity: Granularity) -> Int32 {
    switch granularity {
    case .hour:
      let hours =
        unit == .days ? value &* 24 : CivilTime.floorDivide(value, unit.perHour)
      return Int32(truncatingIfNeeded: hours)
    case .day: return Int32(truncatingIfNeeded: CivilTime.floorDivide(value, unit.perDay))
    case .month:
      let date = CivilTime.date(CivilTime.floorDivide(value, unit.perDay))
      return Int32(truncatingIfNeeded: (date.year &- 1970) &* 12 &+ date.month &- 1)
    case .year:
      let date = CivilTime.date(CivilTime.floorDivide(value, unit.perDay))
      return Int32(truncatingIfNeeded: date.year &- 1970)
    }
  }

  /// Of timestamps. `output` is as long as `values`.
  ///
  /// Each pair has a loop of its own, in which the divisors are constants.
  package static func apply(
    _ values: Span<Int64>, _ unit: Unit, _ granularity: Granularity,
    into output: inout MutableSpan<Int32>
  ) {
    precondition(values.count == output.count, "a place for each value")
    switch (unit, granularity) {
    case (.days, _):
      for i in values.indices { output[i] = apply(values[i], .days, granularity) }
    case (.microseconds, .hour): loop(values, .microseconds, .hour, &output)
    case (.microseconds, .day): loop(values, .microseconds, .day, &output)
    case (.microseconds, .month): loop(values, .microseconds, .month, &output)
    case (.microseconds, .year): loop(values, .microseconds, .year, &output)
    case (.nanoseconds, .hour): loop(values, .nanoseconds, .hour, &output)
    case (.nanoseconds, .day): loop(values, .nanoseconds, .day, &output)
    case (.nanoseconds, .month): loop(values, .nanoseconds, .month, &output)
    case (.nanoseconds, .year): loop(values, .nanoseconds, .year, &output)
    }
  }

  @inline(__always)
  private static func loop(
    _ values: Span<Int64>, _ unit: Unit, _ granularity: Granularity,
    _ output: inout MutableSpan<Int32>
  ) {
    for i in values.indices { output[i] = apply(values[i], unit, granularity) }
  }

  /// Of dates. `output` is as long as `days`.
  package static func apply(
    days: Span<Int32>, _ granularity: Granularity, into output: inout MutableSpan<Int32>
  ) {
    precondition(days.count == output.count, "a place for each value")
    switch granularity {
    case .month: for i in days.indices { output[i] = apply(Int64(days[i]), .days, .month) }
    case .year: for i in days.indices { output[i] = apply(Int64(days[i]), .days, .year) }
    case .day, .hour:
      for i in days.indices { output[i] = apply(Int64(days[i]), .days, granularity) }
    }
  }
}

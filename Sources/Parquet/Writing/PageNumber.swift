// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Numbers of 32 or 64 bits, as the bits they are: what ``NumberPages`` can be made for.
protocol PageNumber: FixedWidthInteger, UnsignedInteger, BitwiseCopyable {
  /// Appends the DELTA_BINARY_PACKED page of the values in `values`.
  static func encodeDeltas(_ values: borrowing MutableBuffer, into output: inout MutableBuffer)
  /// Least and greatest as signed integers; nil of no values.
  static func signedBounds(_ values: Span<Self>) -> (Int64, Int64)?
  /// Least and greatest as floating-point numbers, NaNs left out and counted.
  static func floatingBounds(
    _ values: Span<Self>
  ) -> (bounds: (least: Double, greatest: Double)?, nanCount: Int)
  /// What a Bloom filter takes.
  static func bloomHash(_ value: Self) -> UInt64
}

extension UInt32: PageNumber {
  static func encodeDeltas(_ values: borrowing MutableBuffer, into output: inout MutableBuffer) {
    DeltaBinaryPackedEncoder.encode(values.values(as: Int32.self), into: &output)
  }

  static func signedBounds(_ values: Span<UInt32>) -> (Int64, Int64)? {
    if values.isEmpty { return nil }
    var least = Int32.max
    var greatest = Int32.min
    for i in values.indices {
      let value = Int32(bitPattern: values[i])
      least = Swift.min(least, value)
      greatest = Swift.max(greatest, value)
    }
    return (Int64(least), Int64(greatest))
  }

  static func floatingBounds(
    _ values: Span<UInt32>
  ) -> (bounds: (least: Double, greatest: Double)?, nanCount: Int) {
    var least = Float.infinity
    var greatest = -Float.infinity
    var nanCount = 0
    for i in values.indices {
      let value = Float(bitPattern: values[i])
      // Comparisons with NaN are false: neither bound takes one.
      if value < least { least = value }
      if value > greatest { greatest = value }
      nanCount &+= value.isNaN ? 1 : 0
    }
    if nanCount == values.count { return (nil, nanCount) }
    return ((Double(least), Double(greatest)), nanCount)
  }

  static func bloomHash(_ value: UInt32) -> UInt64 { XXHash64.hash(value) }
}

extension UInt64: PageNumber {
  static func encodeDeltas(_ values: borrowing MutableBuffer, into output: inout MutableBuffer) {
    DeltaBinaryPackedEncoder.encode(values.values(as: Int64.self), into: &output)
  }

  static func signedBounds(_ values: Span<UInt64>) -> (Int64, Int64)? {
    if values.isEmpty { return nil }
    var least = Int64.max
    var greatest = Int64.min
    for i in values.indices {
      let value = Int64(bitPattern: values[i])
      least = Swift.min(least, value)
      greatest = Swift.max(greatest, value)
    }
    return (least, greatest)
  }

  static func floatingBounds(
    _ values: Span<UInt64>
  ) -> (bounds: (least: Double, greatest: Double)?, nanCount: Int) {
    var least = Double.infinity
    var greatest = -Double.infinity
    var nanCount = 0
    for i in values.indices {
      let value = Double(bitPattern: values[i])
      if value < least { least = value }
      if value > greatest { greatest = value }
      nanCount &+= value.isNaN ? 1 : 0
    }
    if nanCount == values.count { return (nil, nanCount) }
    return ((least, greatest), nanCount)
  }

  static func bloomHash(_ value: UInt64) -> UInt64 { XXHash64.hash(value) }
}

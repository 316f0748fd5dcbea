// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Single values as bytes: bounds of files and manifests, and what sketches are fed with.
///
/// Source: Iceberg spec, "Appendix D: Single-value serialization", "Binary".
extension Value {
  /// The bytes of this value, one of `type`; nil of what has no such form (structures, lists, maps,
  /// and a value of another type).
  public func encoded(as type: PrimitiveType) -> [UInt8]? {
    switch (self, type) {
    case (.boolean(let value), .boolean): [value ? 1 : 0]
    case (.int(let value), .int), (.int(let value), .date): value.littleEndianBytes
    case (.int(let value), .long): Int64(value).littleEndianBytes
    case (.long(let value), .long), (.long(let value), .time): value.littleEndianBytes
    case (.long(let value), _) where type.isTimestamp: value.littleEndianBytes
    case (.float(let value), .float): value.bitPattern.littleEndianBytes
    case (.float(let value), .double): Double(value).bitPattern.littleEndianBytes
    case (.double(let value), .double): value.bitPattern.littleEndianBytes
    case (.decimal(let value), .decimal): TwosComplement.minimalBytes(value)
    case (.string(let text), .string): Array(text.utf8)
    case (.bytes(let bytes), .uuid): bytes.count == 16 ? bytes : nil
    case (.bytes(let bytes), .fixed), (.bytes(let bytes), .binary): bytes
    case (.bytes(let bytes), .geometry), (.bytes(let bytes), .geography),
      (.bytes(let bytes), .variant):
      bytes
    default: nil
    }
  }

  /// The value of `type` that `bytes` are.
  ///
  /// Bytes of a narrower type that `type` was promoted from are taken as well, told by their length:
  /// 4 of an int for a long, of a float for a double, of a date for a timestamp.
  ///
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if they are none.
  public init(encoded bytes: [UInt8], as type: PrimitiveType) throws(IcebergError) {
    guard let value = Value(bytes, type) else {
      throw .malformed(
        "value", at: "it", expected: "the bytes of a \(type)", found: "\(bytes.count) bytes")
    }
    self = value
  }

  /// The bound of values of `type` that `bytes` are; nil, unknown, if they are none or are NaN.
  ///
  /// Old writers put NaN into bounds, where it bounds nothing.
  public init?(bound bytes: [UInt8]?, as type: PrimitiveType) {
    guard let bytes, let value = Value(bytes, type), !value.isNaN else { return nil }
    self = value
  }

  private init?(_ bytes: [UInt8], _ type: PrimitiveType) {
    let buffer = unsafe bytes.span.bytes
    switch type {
    case .boolean where bytes.count == 1: self = .boolean(bytes[0] != 0)
    case .int where bytes.count == 4, .date where bytes.count == 4:
      self = .int(buffer.loadLE(at: 0, as: Int32.self))
    case .long, .time, .timestamp, .timestamptz, .timestampNs, .timestamptzNs:
      guard let value = Value.wide(buffer, type) else { return nil }
      self = .long(value)
    case .float where bytes.count == 4:
      self = .float(Float(bitPattern: buffer.loadLE(at: 0, as: UInt32.self)))
    case .double where bytes.count == 4:
      self = .double(Double(Float(bitPattern: buffer.loadLE(at: 0, as: UInt32.self))))
    case .double where bytes.count == 8:
      self = .double(Double(bitPattern: buffer.loadLE(at: 0, as: UInt64.self)))
    case .decimal:
      guard let value = TwosComplement.value(buffer) else { return nil }
      self = .decimal(value)
    case .string:
      guard let text = String(validatingUTF8: buffer) else { return nil }
      self = .string(text)
    case .uuid where bytes.count == 16, .fixed, .binary, .variant, .geometry, .geography:
      self = .bytes(bytes)
    default: return nil
    }
  }

  /// 8 bytes, or 4 of the type it was promoted from.
  private static func wide(_ bytes: RawSpan, _ type: PrimitiveType) -> Int64? {
    if bytes.byteCount == 8 { return bytes.loadLE(at: 0, as: Int64.self) }
    guard bytes.byteCount == 4 else { return nil }
    let narrow = Int64(bytes.loadLE(at: 0, as: Int32.self))
    switch type {
    case .long: return narrow
    case .timestamp, .timestampNs: return CivilTime.midnight(narrow, type)
    default: return nil
    }
  }

  var isNaN: Bool {
    switch self {
    case .float(let value): value.isNaN
    case .double(let value): value.isNaN
    default: false
    }
  }

  /// This value of `type` as one of `newType`, which `type` may be promoted to; nil if it is out of
  /// that type's range or the promotion is none.
  package func promoted(from type: PrimitiveType, to newType: PrimitiveType) -> Value? {
    if type == newType { return self }
    switch (self, newType) {
    case (.int(let value), .long): return .long(Int64(value))
    case (.float(let value), .double): return .double(Double(value))
    case (.decimal, .decimal): return self
    case (.int(let days), .timestamp), (.int(let days), .timestampNs):
      return CivilTime.midnight(Int64(days), newType).map { .long($0) }
    default: return nil
    }
  }
}

extension CivilTime {
  /// The start of day `days` as a timestamp of `type`; nil if that has no number for it.
  fileprivate static func midnight(_ days: Int64, _ type: PrimitiveType) -> Int64? {
    let day = type.isNanosecondTimestamp ? nanosecondsPerDay : nanosecondsPerDay / 1000
    let (value, overflow) = days.multipliedReportingOverflow(by: day)
    return overflow ? nil : value
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.bitWidth / 8)
    for i in 0..<Self.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: self >> Self(8 * i)))
    }
    return bytes
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One value of a field: a literal of a predicate, a default, a partition value, a bound.
///
/// A value does not carry its field's type where that adds nothing to it: a `date` is an `.int` of
/// days, a `timestamp` a `.long`. What it means is always told beside it.
///
///     boolean                      .boolean
///     int date                     .int      (days since 1970-01-01)
///     long time timestamp…         .long     (micro- or nanoseconds)
///     float double                 .float .double
///     decimal                      .decimal  (unscaled)
///     string                       .string
///     uuid fixed binary geo…       .bytes    (uuid: 16, big-endian)
///     struct list map              .structure .list .map (defaults only)
///
/// Equality is of representation: NaN equals NaN, and -0.0 does not equal 0.0.
public enum Value: Sendable {
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  case decimal(Int128)
  case string(String)
  case bytes([UInt8])
  case structure([FieldID: Value?])
  case list([Value?])
  case map([Entry])

  /// A key and value of a map.
  public struct Entry: Hashable, Sendable {
    public let key: Value
    public let value: Value?
    public init(key: Value, value: Value?) {
      self.key = key
      self.value = value
    }
  }
}

extension Value: Hashable {
  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.long(let a), .long(let b)): a == b
    case (.float(let a), .float(let b)): a.canonicalBits == b.canonicalBits
    case (.double(let a), .double(let b)): a.canonicalBits == b.canonicalBits
    case (.decimal(let a), .decimal(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.bytes(let a), .bytes(let b)): a == b
    case (.structure(let a), .structure(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.map(let a), .map(let b)): a == b
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .boolean(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .long(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value.canonicalBits)
    case .double(let value): hasher.combine(value.canonicalBits)
    case .decimal(let value): hasher.combine(value)
    case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
    case .bytes(let value): hasher.combine(value)
    case .structure(let value): hasher.combine(value)
    case .list(let value): hasher.combine(value)
    case .map(let value): hasher.combine(value)
    }
  }
}

extension Float {
  /// The bits, the same for every NaN.
  var canonicalBits: UInt32 { isNaN ? 0x7fc0_0000 : bitPattern }
}

extension Double {
  /// The bits, the same for every NaN.
  var canonicalBits: UInt64 { isNaN ? 0x7ff8_0000_0000_0000 : bitPattern }
}

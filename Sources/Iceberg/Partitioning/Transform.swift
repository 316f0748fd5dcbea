// SPDX-License-Identifier: Apache-2.0

/// How a partition or sort value is made of a source value.
///
/// Source: Iceberg spec, "Partition Transforms".
public enum Transform: Hashable, Sendable {
  case identity
  /// Hash of the value, modulo the number of buckets.
  case bucket(Int)
  /// The value cut to a width.
  case truncate(Int)
  case year
  case month
  case day
  case hour
  /// Always null.
  case void
  /// One this engine does not know; kept as it is spelled, and ignored when files are filtered.
  case unknown(String)
}

extension Transform: CustomStringConvertible {
  /// The transform as table metadata spells it: `bucket[16]`.
  ///
  /// Source: Iceberg spec, "Appendix C: JSON serialization", "Partition Specs".
  public var description: String {
    switch self {
    case .identity: "identity"
    case .bucket(let count): "bucket[\(count)]"
    case .truncate(let width): "truncate[\(width)]"
    case .year: "year"
    case .month: "month"
    case .day: "day"
    case .hour: "hour"
    case .void: "void"
    case .unknown(let text): text
    }
  }

  /// The transform that `text` spells; what isn't understood is kept as ``unknown(_:)``.
  public init(_ text: String) {
    self = Transform.known(text) ?? .unknown(text)
  }

  private static func known(_ text: String) -> Transform? {
    let lowered = text.lowercased()
    guard let bracket = lowered.firstIndex(of: "[") else {
      return Transform(named: lowered, width: nil)
    }
    let digits = lowered[lowered.index(after: bracket)...].dropLast()
    guard lowered.hasSuffix("]"), !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
      let width = Int(digits), (1...Int(Int32.max)).contains(width)
    else { return nil }
    return Transform(named: String(lowered[..<bracket]), width: width)
  }

  /// The transform called `name`, if there is one that takes a width just when `width` is given.
  init?(named name: String, width: Int?) {
    switch (name, width) {
    case ("identity", nil): self = .identity
    case ("bucket", let count?): self = .bucket(count)
    case ("truncate", let width?): self = .truncate(width)
    case ("year", nil), ("years", nil): self = .year
    case ("month", nil), ("months", nil): self = .month
    case ("day", nil), ("days", nil), ("date", nil): self = .day
    case ("hour", nil), ("hours", nil): self = .hour
    case ("void", nil): self = .void
    default: return nil
    }
  }

  /// What the partition field of this transform of `column` is called unless told.
  func partitionName(for column: String) -> String {
    switch self {
    case .identity: column
    case .bucket: "\(column)_bucket"
    case .truncate: "\(column)_trunc"
    case .year: "\(column)_year"
    case .month: "\(column)_month"
    case .day: "\(column)_day"
    case .hour: "\(column)_hour"
    case .void: "\(column)_null"
    case .unknown(let text): "\(column)_\(text)"
    }
  }
}

// MARK: - Types

extension Transform {
  /// True if this transform takes values of `type`.
  ///
  /// Source: Iceberg spec, "Partition Transforms".
  public func applies(to type: PrimitiveType) -> Bool {
    switch self {
    case .identity: !type.isOpaque
    case .bucket: type.isBucketable
    case .truncate: type.isTruncatable
    case .year, .month, .day: type == .date || type.isTimestamp
    case .hour: type.isTimestamp
    case .void: true
    case .unknown: false
    }
  }

  /// The type of the values this transform makes of values of `source`.
  ///
  /// `day` makes dates; who reads must take ints as well. `unknown` makes what can't be told: the
  /// source's type stands in.
  public func resultType(of source: PrimitiveType) -> PrimitiveType {
    switch self {
    case .identity, .truncate, .void, .unknown: source
    case .bucket, .year, .month, .hour: .int
    case .day: .date
    }
  }

  /// True if values are grouped in the order they have: `a <= b` makes `t(a) <= t(b)`.
  public var preservesOrder: Bool {
    switch self {
    case .identity, .truncate, .year, .month, .day, .hour: true
    case .bucket, .void, .unknown: false
    }
  }

  /// True if rows sorted by this transform of a column are sorted by `other` of it as well.
  public func satisfiesOrder(of other: Transform) -> Bool {
    if self == other { return true }
    switch (self, other) {
    case (.identity, _): return other.preservesOrder
    case (.truncate(let own), .truncate(let width)): return own >= width
    case (.hour, .day), (.hour, .month), (.hour, .year), (.day, .month), (.day, .year),
      (.month, .year):
      return true
    default: return false
    }
  }

  /// - Throws: ``IcebergError/invalid(_:reason:)`` unless this transform takes `field`'s values.
  func check(appliesTo field: Field, named name: String) throws(IcebergError) {
    guard self != .void else { return }
    guard let type = field.type.primitive else {
      throw .invalid("\(self) of '\(name)'", reason: "it is a \(field.type), not a primitive")
    }
    guard applies(to: type) else {
      throw .invalid("\(self) of '\(name)'", reason: "the transform does not take \(type)")
    }
  }
}

extension PrimitiveType {
  /// True for types whose values can't be compared: neither partitions, bounds nor keys.
  package var isOpaque: Bool {
    switch self {
    case .variant, .geometry, .geography: true
    default: false
    }
  }

  package var isTimestamp: Bool { isMicrosecondTimestamp || isNanosecondTimestamp }
  var isMicrosecondTimestamp: Bool { self == .timestamp || self == .timestamptz }
  package var isNanosecondTimestamp: Bool { self == .timestampNs || self == .timestamptzNs }
  /// True for a timestamp that is a point in time, not a reading of a clock.
  package var hasZone: Bool { self == .timestamptz || self == .timestamptzNs }
  package var isFloatingPoint: Bool { self == .float || self == .double }

  fileprivate var isBucketable: Bool {
    switch self {
    case .int, .long, .decimal, .date, .time, .timestamp, .timestamptz, .timestampNs,
      .timestamptzNs, .string, .uuid, .fixed, .binary:
      true
    default: false
    }
  }

  fileprivate var isTruncatable: Bool {
    switch self {
    case .int, .long, .decimal, .string, .binary: true
    default: false
    }
  }
}

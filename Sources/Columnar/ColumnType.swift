// SPDX-License-Identifier: Apache-2.0

/// What the values of a column mean, and with that how they lie in memory.
///
///     null                      nothing: every row is null
///     boolean                   one bit, least significant first
///     int32 date float          4 bytes
///     int64 double time         8 bytes; time counts microseconds since midnight
///     timestamp                 8 bytes; micro- or nanoseconds since 1970-01-01T00:00:00 (UTC if zoned)
///     decimal                   unscaled value: 8 bytes up to 18 digits, else 16 (two's complement)
///     uuid fixed                16 bytes, `byteCount` bytes, as they are written
///     string binary             Int32 offsets (count + 1 of them) into bytes
///     list map                  Int32 offsets (count + 1 of them) into elements; a map's are
///                               structures of key and value
///     structure                 one column a field
///
/// All numbers are little-endian. The layout is Arrow's, but for short decimals, which are widened
/// to 16 bytes where batches are handed to other programs.
public indirect enum ColumnType: Hashable, Sendable {
  case null
  case boolean
  case int32
  case int64
  case float
  case double
  /// Up to 38 digits, `scale` of them after the point.
  case decimal(precision: Int, scale: Int)
  /// Days since 1970-01-01.
  case date
  case time
  /// `zoned` ones are instants (UTC); the others are what a wall clock shows, no zone known.
  case timestamp(TimestampUnit, zoned: Bool)
  case string
  case binary
  case fixed(byteCount: Int)
  case uuid
  case structure([ColumnField])
  case list(ColumnField)
  case map(key: ColumnField, value: ColumnField)
}

public enum TimestampUnit: Hashable, Sendable {
  case microseconds
  case nanoseconds
}

/// How the values of a column lie in memory.
public enum ColumnLayout: Hashable, Sendable {
  case null
  case bits
  /// `width` bytes a value.
  case fixed(width: Int)
  case variable
  case structure
  case list
}

extension ColumnType {
  public var layout: ColumnLayout {
    switch self {
    case .null: .null
    case .boolean: .bits
    case .int32, .date, .float: .fixed(width: 4)
    case .int64, .double, .time, .timestamp: .fixed(width: 8)
    case .decimal(let precision, _): .fixed(width: precision <= 18 ? 8 : 16)
    case .uuid: .fixed(width: 16)
    case .fixed(let byteCount): .fixed(width: byteCount)
    case .string, .binary: .variable
    case .structure: .structure
    case .list, .map: .list
    }
  }

  /// True for structures, lists and maps.
  public var isNested: Bool {
    switch layout {
    case .structure, .list: true
    default: false
    }
  }

  /// The fields one level down: a structure's, a list's element, a map's key and value.
  public var children: [ColumnField] {
    switch self {
    case .structure(let fields): fields
    case .list(let element): [element]
    case .map(let key, let value): [key, value]
    default: []
    }
  }
}

extension ColumnType {
  /// What the elements of a list or map are; a map's are structures of key and value.
  package var elementType: ColumnType {
    switch self {
    case .list(let element): element.type
    case .map(let key, let value): .structure([key, value])
    default: preconditionFailure("\(self) has no elements")
    }
  }
}

/// A column's name and type, and what a table format says of it.
public struct ColumnField: Hashable, Sendable {
  public var name: String
  public var type: ColumnType
  public var isNullable: Bool
  /// The id by which Iceberg and Parquet know the field; nil where a file has none.
  public var fieldID: Int32?
  /// True if the values, structures of binary `metadata` and `value`, are variants.
  public var isVariant: Bool

  public init(
    _ name: String, _ type: ColumnType, isNullable: Bool = true, fieldID: Int32? = nil,
    isVariant: Bool = false
  ) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.fieldID = fieldID
    self.isVariant = isVariant
  }
}

extension ColumnType {
  /// True if variants can lie in columns of this type: metadata first, then the value.
  public var fitsVariants: Bool {
    guard case .structure(let parts) = self else { return false }
    return parts.map(\.name) == ["metadata", "value"] && parts.allSatisfy { $0.type == .binary }
  }
}

extension ColumnType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int32: "int"
    case .int64: "long"
    case .float: "float"
    case .double: "double"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    case .date: "date"
    case .time: "time"
    case .timestamp(.microseconds, let zoned): zoned ? "timestamptz" : "timestamp"
    case .timestamp(.nanoseconds, let zoned): zoned ? "timestamptz_ns" : "timestamp_ns"
    case .string: "string"
    case .binary: "binary"
    case .fixed(let byteCount): "fixed[\(byteCount)]"
    case .uuid: "uuid"
    case .structure(let fields):
      "struct<" + fields.map { "\($0.name): \($0.type)" }.joined(separator: ", ") + ">"
    case .list(let element): "list<\(element.type)>"
    case .map(let key, let value): "map<\(key.type), \(value.type)>"
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The type of a field: a primitive, or a structure, list or map of fields.
///
/// Source: Iceberg spec, "Schemas and Data Types".
public enum FieldType: Hashable, Sendable {
  case primitive(PrimitiveType)
  case structure(StructType)
  indirect case list(ListType)
  indirect case map(MapType)
}

/// A type without parts.
///
/// Source: Iceberg spec, "Primitive Types" and "Semi-structured Types".
public enum PrimitiveType: Hashable, Sendable {
  /// v3: always null.
  case unknown
  case boolean
  case int
  case long
  case float
  case double
  /// Up to 38 digits, `scale` of them after the point.
  case decimal(precision: Int, scale: Int)
  case date
  /// Microseconds since midnight.
  case time
  /// Microseconds, no zone.
  case timestamp
  /// Microseconds, UTC.
  case timestamptz
  /// v3: nanoseconds, no zone.
  case timestampNs
  /// v3: nanoseconds, UTC.
  case timestamptzNs
  case string
  case uuid
  case fixed(Int)
  case binary
  /// v3.
  case variant
  /// v3; nil is the default, `OGC:CRS84`.
  case geometry(crs: String?)
  /// v3; nil are the defaults, `OGC:CRS84` and `spherical`.
  case geography(crs: String?, algorithm: String?)
}

/// Named fields in order.
public struct StructType: Hashable, Sendable {
  public let fields: [Field]
  public init(_ fields: [Field]) { self.fields = fields }
}

public struct ListType: Hashable, Sendable {
  public let elementID: FieldID
  public let element: FieldType
  public let isElementRequired: Bool

  public init(elementID: FieldID, element: FieldType, isElementRequired: Bool) {
    self.elementID = elementID
    self.element = element
    self.isElementRequired = isElementRequired
  }
}

public struct MapType: Hashable, Sendable {
  public let keyID: FieldID
  public let key: FieldType
  public let valueID: FieldID
  public let value: FieldType
  public let isValueRequired: Bool

  public init(
    keyID: FieldID, key: FieldType, valueID: FieldID, value: FieldType, isValueRequired: Bool
  ) {
    self.keyID = keyID
    self.key = key
    self.valueID = valueID
    self.value = value
    self.isValueRequired = isValueRequired
  }
}

/// A named, typed member of a schema or structure.
public struct Field: Hashable, Sendable {
  public let id: FieldID
  public let name: String
  public let type: FieldType
  public let isRequired: Bool
  public let doc: String?
  /// v3: what rows hold that were written before the field was added.
  public let initialDefault: Value?
  /// v3: what a writer puts where no value is given.
  public let writeDefault: Value?

  public init(
    id: FieldID, name: String, type: FieldType, isRequired: Bool, doc: String? = nil,
    initialDefault: Value? = nil, writeDefault: Value? = nil
  ) {
    self.id = id
    self.name = name
    self.type = type
    self.isRequired = isRequired
    self.doc = doc
    self.initialDefault = initialDefault
    self.writeDefault = writeDefault
  }
}

extension FieldType {
  public static let boolean = FieldType.primitive(.boolean)
  public static let int = FieldType.primitive(.int)
  public static let long = FieldType.primitive(.long)
  public static let float = FieldType.primitive(.float)
  public static let double = FieldType.primitive(.double)
  public static func decimal(_ precision: Int, _ scale: Int) -> FieldType {
    .primitive(.decimal(precision: precision, scale: scale))
  }
  public static let date = FieldType.primitive(.date)
  public static let time = FieldType.primitive(.time)
  public static let timestamp = FieldType.primitive(.timestamp)
  public static let timestamptz = FieldType.primitive(.timestamptz)
  public static let timestampNs = FieldType.primitive(.timestampNs)
  public static let timestamptzNs = FieldType.primitive(.timestamptzNs)
  public static let string = FieldType.primitive(.string)
  public static let uuid = FieldType.primitive(.uuid)
  public static func fixed(_ byteCount: Int) -> FieldType { .primitive(.fixed(byteCount)) }
  public static let binary = FieldType.primitive(.binary)
  public static let unknown = FieldType.primitive(.unknown)
  public static let variant = FieldType.primitive(.variant)

  /// The primitive this type is; nil for a nested one.
  public var primitive: PrimitiveType? {
    if case .primitive(let type) = self { type } else { nil }
  }

  var isStructure: Bool {
    if case .structure = self { true } else { false }
  }
}

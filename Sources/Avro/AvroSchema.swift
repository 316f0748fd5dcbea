// SPDX-License-Identifier: Apache-2.0
public import JSON

/// The shape of Avro data: a type, and the attributes that say what it means.
///
/// Names are resolved: wherever a named type is used, all of it stands, so no context is needed to
/// understand a part. Attributes that Avro does not define are kept as they are; those that Iceberg
/// does are told by properties such as ``elementID`` and ``AvroField/fieldID``.
///
/// Source: Avro 1.12 specification, "Schema Declaration"; Iceberg spec, "Appendix A: Avro".
public struct AvroSchema: Hashable, Sendable {
  /// The structure of a type: what its encoding follows.
  public indirect enum Kind: Hashable, Sendable {
    case null, boolean, int, long, float, double, bytes, string
    case fixed(AvroFixed)
    case enumeration(AvroEnumeration)
    case array(AvroSchema)
    case map(AvroSchema)
    case union([AvroSchema])
    case record(AvroRecord)
  }

  public var kind: Kind {
    didSet { minimumByteCount = Self.minimumByteCount(kind) }
  }
  /// The fewest bytes a value takes. Untrusted counts of values are held against it.
  public private(set) var minimumByteCount: Int
  /// All attributes the structure does not hold: `logicalType`, `precision`, `element-id`, ….
  public var attributes: [JSONMember]

  public init(_ kind: Kind, attributes: [JSONMember] = []) {
    self.kind = kind
    self.attributes = attributes
    minimumByteCount = Self.minimumByteCount(kind)
  }

  public static let null = AvroSchema(.null)
  public static let boolean = AvroSchema(.boolean)
  public static let int = AvroSchema(.int)
  public static let long = AvroSchema(.long)
  public static let float = AvroSchema(.float)
  public static let double = AvroSchema(.double)
  public static let bytes = AvroSchema(.bytes)
  public static let string = AvroSchema(.string)

  /// `type` or null, null first, so that null can be the default.
  public static func optional(_ type: AvroSchema) -> AvroSchema {
    AvroSchema(.union([.null, type]))
  }

  public static func array(_ items: AvroSchema, elementID: Int32? = nil) -> AvroSchema {
    AvroSchema(.array(items), attributes: integers(("element-id", elementID)))
  }

  public static func map(
    _ values: AvroSchema, keyID: Int32? = nil, valueID: Int32? = nil
  ) -> AvroSchema {
    AvroSchema(.map(values), attributes: integers(("key-id", keyID), ("value-id", valueID)))
  }

  public static func fixed(_ name: String, byteCount: Int) -> AvroSchema {
    AvroSchema(.fixed(AvroFixed(name: name, byteCount: byteCount)))
  }

  public static func record(_ name: String, _ fields: [AvroField]) -> AvroSchema {
    AvroSchema(.record(AvroRecord(name: name, fields: fields)))
  }

  static func integers(_ pairs: (String, Int32?)...) -> [JSONMember] {
    pairs.compactMap { name, value in value.map { JSONMember(name, .integer(Int64($0))) } }
  }
}

/// A named run of bytes of a constant count.
public struct AvroFixed: Hashable, Sendable {
  /// With its namespace, if it has one.
  public var name: String
  public var byteCount: Int
  public var aliases: [String] = []

  public init(name: String, byteCount: Int) {
    self.name = name
    self.byteCount = byteCount
  }
}

/// A named list of symbols, of which a value is one.
public struct AvroEnumeration: Hashable, Sendable {
  /// With its namespace, if it has one.
  public var name: String
  public var symbols: [String]
  /// What a reader takes for a symbol it does not know.
  public var defaultSymbol: String?
  public var aliases: [String] = []

  public init(name: String, symbols: [String], defaultSymbol: String? = nil) {
    self.name = name
    self.symbols = symbols
    self.defaultSymbol = defaultSymbol
  }
}

/// A named list of fields.
public struct AvroRecord: Hashable, Sendable {
  /// With its namespace, if it has one.
  public var name: String
  public var fields: [AvroField]
  public var aliases: [String] = []

  public init(name: String, fields: [AvroField]) {
    self.name = name
    self.fields = fields
  }
}

/// A field of a record.
public struct AvroField: Hashable, Sendable {
  public var name: String
  public var schema: AvroSchema
  /// What a reader takes if the writer did not have the field; in JSON, as the schema says.
  public var defaultValue: JSONValue?
  public var aliases: [String] = []
  /// `doc`, `order`, `field-id` and all that Avro does not know.
  public var attributes: [JSONMember]

  public init(
    _ name: String, _ schema: AvroSchema, id: Int32? = nil, default defaultValue: JSONValue? = nil,
    doc: String? = nil
  ) {
    self.name = name
    self.schema = schema
    self.defaultValue = defaultValue
    attributes = doc.map { [JSONMember("doc", .string($0))] } ?? []
    attributes += AvroSchema.integers(("field-id", id))
  }

  /// A field that may be null, and is where it was not written.
  public static func optional(
    _ name: String, _ schema: AvroSchema, id: Int32? = nil, doc: String? = nil
  ) -> AvroField {
    AvroField(name, .optional(schema), id: id, default: .null, doc: doc)
  }

  /// Iceberg's id of the field.
  public var fieldID: Int32? { attributes.integer32("field-id") }
}

// MARK: - What attributes say

/// What a type stands for beyond its encoding.
///
/// Source: Avro 1.12 specification, "Logical Types".
public enum AvroLogicalType: Hashable, Sendable {
  case decimal(precision: Int, scale: Int)
  case uuid
  case date
  case timeMillis, timeMicros
  case timestampMillis, timestampMicros, timestampNanos
  case localTimestampMillis, localTimestampMicros, localTimestampNanos
  case duration
  /// Iceberg's: an array of key and value records that is a map whose keys are no strings.
  case map
}

extension AvroSchema {
  /// The logical type; nil if none is given, or one that is unknown or does not fit the type, which
  /// a reader has to pass over.
  public var logicalType: AvroLogicalType? {
    switch (attributes.string("logicalType"), kind) {
    case ("decimal", .bytes), ("decimal", .fixed): decimal
    case ("uuid", .string): .uuid
    case ("uuid", .fixed(let fixed)) where fixed.byteCount == 16: .uuid
    case ("duration", .fixed(let fixed)) where fixed.byteCount == 12: .duration
    case ("date", .int): .date
    case ("time-millis", .int): .timeMillis
    case ("time-micros", .long): .timeMicros
    case ("timestamp-millis", .long): .timestampMillis
    case ("timestamp-micros", .long): .timestampMicros
    case ("timestamp-nanos", .long): .timestampNanos
    case ("local-timestamp-millis", .long): .localTimestampMillis
    case ("local-timestamp-micros", .long): .localTimestampMicros
    case ("local-timestamp-nanos", .long): .localTimestampNanos
    case ("map", .array): .map
    default: nil
    }
  }

  private var decimal: AvroLogicalType? {
    let scale = attributes.integer32("scale") ?? 0
    guard let precision = attributes.integer32("precision"), precision > 0, scale >= 0,
      scale <= precision
    else { return nil }
    return .decimal(precision: Int(precision), scale: Int(scale))
  }

  /// Iceberg's `adjust-to-utc` of a timestamp: true for one that is an instant.
  public var adjustsToUTC: Bool? { attributes.value("adjust-to-utc")?.boolean }
  /// Iceberg's id of an array's elements.
  public var elementID: Int32? { attributes.integer32("element-id") }
  /// Iceberg's id of a map's keys.
  public var keyID: Int32? { attributes.integer32("key-id") }
  /// Iceberg's id of a map's values.
  public var valueID: Int32? { attributes.integer32("value-id") }

  /// This type with `attribute` set to `value`.
  public func with(_ attribute: String, _ value: JSONValue) -> AvroSchema {
    var copy = self
    copy.attributes.removeAll { $0.key == attribute }
    copy.attributes.append(JSONMember(attribute, value))
    return copy
  }
}

extension [JSONMember] {
  func value(_ key: String) -> JSONValue? { first { $0.key == key }?.value }
  func string(_ key: String) -> String? { value(key)?.string }
  func integer32(_ key: String) -> Int32? { value(key)?.integer.flatMap(Int32.init(exactly:)) }
}

// MARK: - Looking inside

extension AvroSchema {
  public var record: AvroRecord? {
    guard case .record(let record) = kind else { return nil }
    return record
  }

  /// The elements' type of an array, or the values' of a map.
  public var itemSchema: AvroSchema? {
    switch kind {
    case .array(let items): items
    case .map(let values): values
    default: nil
    }
  }

  /// If this is a union of null and one other type: that type, and which branch null is.
  public var optionalType: (type: AvroSchema, nullBranch: Int)? {
    guard case .union(let branches) = kind, branches.count == 2,
      let nullBranch = branches.firstIndex(where: { $0.kind == .null })
    else { return nil }
    return (branches[1 - nullBranch], nullBranch)
  }

  /// The type as the specification spells it: `record`, `long`, ….
  public var typeName: AvroTypeName {
    switch kind {
    case .null: .null
    case .boolean: .boolean
    case .int: .int
    case .long: .long
    case .float: .float
    case .double: .double
    case .bytes: .bytes
    case .string: .string
    case .fixed: .fixed
    case .enumeration: .enumeration
    case .array: .array
    case .map: .map
    case .union: .union
    case .record: .record
    }
  }

  /// From those of the parts, which know theirs: a schema of many types is not walked again.
  private static func minimumByteCount(_ kind: Kind) -> Int {
    switch kind {
    case .null: 0
    case .float: 4
    case .double: 8
    case .fixed(let fixed): fixed.byteCount
    case .record(let record):
      record.fields.reduce(0) { min($0 &+ $1.schema.minimumByteCount, 1 << 40) }
    case .union(let branches): 1 + (branches.map(\.minimumByteCount).min() ?? 0)
    case .boolean, .int, .long, .bytes, .string, .enumeration, .array, .map: 1
    }
  }
}

/// The name of a type in the specification, without what is in it.
public enum AvroTypeName: String, Hashable, Sendable, BitwiseCopyable {
  case null, boolean, int, long, float, double, bytes, string, fixed
  case enumeration = "enum"
  case array, map, union, record
}

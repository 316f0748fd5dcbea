// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Columnar

/// How values of an Avro schema become those of a column.
///
///     boolean int long float double string bytes fixed   the column type of that name
///     enum                                                string
///     decimal uuid date time-… timestamp-…                the column type of that name; timestamps are
///                                                         instants unless Iceberg's adjust-to-utc says no
///     local-timestamp-…                                   timestamp without zone
///     record array map                                    structure list map
///     array with logicalType map, of key and value        map
///     union of null and one type                          that type, nullable
///     union of int and long, or float and double          the wider one
struct AvroShape {
  indirect enum Kind {
    case null, boolean, int, long, float, double, text, bytes
    case fixed(byteCount: Int)
    case symbol([String])
    /// Big-endian unscaled values; of `byteCount` bytes, or with a length.
    case decimal(byteCount: Int?, precision: Int)
    /// A UUID as text.
    case uuidText
    /// An integer times `factor`, for times and timestamps.
    case scaled(Int64, isInt: Bool)
    case record([AvroShape])
    case array(AvroShape)
    /// The shape of the values: keys are strings.
    case map(AvroShape)
    case union([AvroShape])
  }

  let kind: Kind
  let field: ColumnField
  /// The fewest bytes a value takes.
  let minimumByteCount: Int

  /// True if a value of few bytes may take much memory: nulls have slots of their column's width, and
  /// some elements take no bytes at all.
  let mayOutgrowBytes: Bool
  /// How many bytes a null takes, nested slots included.
  private let slotByteCount: Int

  var type: ColumnType { field.type }

  /// - Throws: ``InputError/columnType(file:column:expected:found:)`` for a union of more than one
  ///   type that is not null, a duration, and decimals of more than 38 digits.
  init(
    _ schema: AvroSchema, _ name: String, path: String, file: String
  ) throws(InputError) {
    let (kind, type) = try Self.kind(schema, path, file)
    self.kind = kind
    var isNullable = type == .null
    if case .union(let branches) = kind { isNullable = branches.contains { $0.type == .null } }
    field = ColumnField(name, type, isNullable: isNullable)
    minimumByteCount = schema.minimumByteCount
    switch kind {
    case .fixed(let byteCount): slotByteCount = byteCount
    case .record(let shapes): slotByteCount = shapes.reduce(1) { $0 + $1.slotByteCount }
    case .union(let shapes): slotByteCount = shapes.map(\.slotByteCount).max() ?? 0
    default: slotByteCount = 8
    }
    switch kind {
    case .union(let shapes):
      mayOutgrowBytes = shapes.contains { $0.slotByteCount > 16 || $0.mayOutgrowBytes }
    case .record(let shapes):
      mayOutgrowBytes = minimumByteCount == 0 || shapes.contains { $0.mayOutgrowBytes }
    case .array(let shape), .map(let shape):
      mayOutgrowBytes = shape.minimumByteCount == 0 || shape.mayOutgrowBytes
    default: mayOutgrowBytes = false
    }
  }

  /// The widest values that are read: each null takes as much memory.
  private static let fixedByteLimit = 1 << 20

  private static func kind(
    _ schema: AvroSchema, _ path: String, _ file: String
  ) throws(InputError) -> (Kind, ColumnType) {
    if let logical = schema.logicalType,
      let found = try self.logical(logical, schema, path, file)
    {
      return found
    }
    switch schema.kind {
    case .null: return (.null, .null)
    case .boolean: return (.boolean, .boolean)
    case .int: return (.int, .int32)
    case .long: return (.long, .int64)
    case .float: return (.float, .float)
    case .double: return (.double, .double)
    case .string: return (.text, .string)
    case .bytes: return (.bytes, .binary)
    case .fixed(let fixed):
      guard fixed.byteCount <= fixedByteLimit else {
        throw .columnType(
          file: file, column: path, expected: "at most \(fixedByteLimit) bytes",
          found: "fixed[\(fixed.byteCount)]")
      }
      return (.fixed(byteCount: fixed.byteCount), .fixed(byteCount: fixed.byteCount))
    case .enumeration(let type): return (.symbol(type.symbols), .string)
    case .record(let record):
      var shapes: [AvroShape] = []
      for field in record.fields {
        let path = path.isEmpty ? field.name : path + "." + field.name
        shapes.append(try AvroShape(field.schema, field.name, path: path, file: file))
      }
      return (.record(shapes), .structure(shapes.map(\.field)))
    case .array(let items):
      let shape = try AvroShape(items, "element", path: path + ".element", file: file)
      return (.array(shape), .list(shape.field))
    case .map(let values):
      let shape = try AvroShape(values, "value", path: path + ".value", file: file)
      let key = ColumnField("key", .string, isNullable: false)
      return (.map(shape), .map(key: key, value: shape.field))
    case .union(let branches): return try union(branches, path, file)
    }
  }

  private static func logical(
    _ logical: AvroLogicalType, _ schema: AvroSchema, _ path: String, _ file: String
  ) throws(InputError) -> (Kind, ColumnType)? {
    let zoned = schema.adjustsToUTC ?? true
    switch logical {
    case .decimal(let precision, let scale):
      guard precision <= 38 else {
        throw .columnType(
          file: file, column: path, expected: "decimals of up to 38 digits",
          found: "decimal(\(precision), \(scale))")
      }
      var byteCount: Int?
      if case .fixed(let fixed) = schema.kind { byteCount = fixed.byteCount }
      return (
        .decimal(byteCount: byteCount, precision: precision),
        .decimal(precision: precision, scale: scale)
      )
    case .uuid:
      if case .fixed = schema.kind { return (.fixed(byteCount: 16), .uuid) }
      return (.uuidText, .uuid)
    case .date: return (.int, .date)
    case .timeMillis: return (.scaled(1000, isInt: true), .time)
    case .timeMicros: return (.long, .time)
    case .timestampMillis:
      return (.scaled(1000, isInt: false), .timestamp(.microseconds, zoned: zoned))
    case .timestampMicros: return (.long, .timestamp(.microseconds, zoned: zoned))
    case .timestampNanos: return (.long, .timestamp(.nanoseconds, zoned: zoned))
    case .localTimestampMillis:
      return (.scaled(1000, isInt: false), .timestamp(.microseconds, zoned: false))
    case .localTimestampMicros: return (.long, .timestamp(.microseconds, zoned: false))
    case .localTimestampNanos: return (.long, .timestamp(.nanoseconds, zoned: false))
    case .duration:
      throw .columnType(
        file: file, column: path, expected: "a type that tables have", found: "duration")
    case .map: return try pairs(schema, path, file)
    }
  }

  /// Iceberg's map, an array of keys and values; nil if it is not made so.
  private static func pairs(
    _ schema: AvroSchema, _ path: String, _ file: String
  ) throws(InputError) -> (Kind, ColumnType)? {
    guard case .array(let items) = schema.kind, let record = items.record,
      record.fields.map(\.name) == ["key", "value"]
    else { return nil }
    let shape = try AvroShape(items, "entries", path: path, file: file)
    var key = shape.type.children[0]
    key.isNullable = false
    return (.array(shape), .map(key: key, value: shape.type.children[1]))
  }

  private static func union(
    _ branches: [AvroSchema], _ path: String, _ file: String
  ) throws(InputError) -> (Kind, ColumnType) {
    var shapes: [AvroShape] = []
    var type = ColumnType.null
    for branch in branches {
      let shape = try AvroShape(branch, "", path: path, file: file)
      shapes.append(shape)
      guard let wider = Self.wider(type, shape.type) else {
        let names = branches.map(\.typeName.rawValue).joined(separator: ", ")
        throw .columnType(
          file: file, column: path, expected: "one type, or null", found: "union of \(names)")
      }
      type = wider
    }
    return (.union(shapes), type)
  }

  /// The type that values of both have; nil if there is none.
  private static func wider(_ a: ColumnType, _ b: ColumnType) -> ColumnType? {
    switch (a, b) {
    case (.null, _): b
    case (_, .null): a
    case (.int32, .int64), (.int64, .int32): .int64
    case (.float, .double), (.double, .float): .double
    default: a == b ? a : nil
    }
  }
}

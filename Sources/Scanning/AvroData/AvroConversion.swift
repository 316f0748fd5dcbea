// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Iceberg
internal import JSON

/// Makes values of an Avro data file those of the table's fields, found by id.
///
/// Source: Iceberg spec, Appendix A, "Avro".
struct AvroConversion {
  let file: String

  /// `value`, written with `schema`, as `field` has it.
  func value(
    _ value: AvroValue, _ schema: AvroSchema, to field: Field
  ) throws(ScanError) -> Value? {
    if case .union(let index, let inner) = value, case .union(let branches) = schema.kind {
      return try self.value(inner, branches[index], to: field)
    }
    if case .null = value { return nil }
    switch (field.type, value, schema.kind) {
    case (.primitive(let type), _, _):
      guard let found = primitive(value, schema.logicalType, type) else {
        throw mismatch(field, schema)
      }
      return found
    case (.structure(let type), .record(let entries), .record(let record)):
      return .structure(try structure(entries, record, type))
    case (.list(let type), .array(let elements), .array(let items)):
      var values: [Value?] = []
      for element in elements {
        values.append(try self.value(element, items, to: type.elementField))
      }
      return .list(values)
    case (.map(let type), .map(let entries), .map(let values)):
      var found: [Value.Entry] = []
      for entry in entries {
        found.append(
          try pair(.string(entry.name), .string, entry.value, values, type, field, schema))
      }
      return .map(found)
    case (.map(let type), .array(let elements), .array(let items)):
      guard let record = items.record, record.fields.count == 2 else {
        throw mismatch(field, schema)
      }
      var found: [Value.Entry] = []
      for case .record(let entries) in elements {
        found.append(
          try pair(
            entries[0].value, record.fields[0].schema, entries[1].value, record.fields[1].schema,
            type, field, schema))
      }
      return .map(found)
    default: throw mismatch(field, schema)
    }
  }

  private func pair(
    _ key: AvroValue, _ keySchema: AvroSchema, _ value: AvroValue, _ valueSchema: AvroSchema,
    _ type: MapType, _ field: Field, _ schema: AvroSchema
  ) throws(ScanError) -> Value.Entry {
    guard let key = try self.value(key, keySchema, to: type.keyField) else {
      throw mismatch(field, schema)
    }
    return Value.Entry(key: key, value: try self.value(value, valueSchema, to: type.valueField))
  }

  private func structure(
    _ entries: [AvroValue.Entry], _ record: AvroRecord, _ type: StructType
  ) throws(ScanError) -> [FieldID: Value?] {
    var values: [FieldID: Value?] = [:]
    for child in type.fields {
      if let index = record.fields.firstIndex(where: { $0.fieldID == child.id.rawValue }) {
        values[child.id] = .some(
          try value(entries[index].value, record.fields[index].schema, to: child))
      } else if child.initialDefault != nil || !child.isRequired {
        values[child.id] = .some(child.initialDefault)
      } else {
        throw .schemaMismatch(
          file: file, column: child.name, expected: "a value, since the field is required",
          found: "no such field and no default")
      }
    }
    return values
  }

  private func mismatch(_ field: Field, _ schema: AvroSchema) -> ScanError {
    .schemaMismatch(
      file: file, column: field.name, expected: "\(field.type)",
      found: schema.typeName.rawValue)
  }

  /// Nil if such values are not read as `type`.
  private func primitive(
    _ value: AvroValue, _ logical: AvroLogicalType?, _ type: PrimitiveType
  ) -> Value? {
    switch (type, value) {
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.int, .int(let value)), (.date, .int(let value)): return .int(value)
    case (.long, .int(let value)): return .long(Int64(value))
    case (.long, .long(let value)): return .long(value)
    case (.float, .float(let value)): return .float(value)
    case (.double, .float(let value)): return .double(Double(value))
    case (.double, .double(let value)): return .double(value)
    case (.string, .string(let value)), (.string, .enumeration(let value)):
      return .string(value)
    case (.decimal, .bytes(let bytes)), (.decimal, .fixed(let bytes)):
      guard case .decimal(_, let scale) = logical, type.hasScale(scale) else { return nil }
      return Value(bound: bytes, as: type)
    case (.uuid, .fixed(let bytes)): return bytes.count == 16 ? .bytes(bytes) : nil
    case (.fixed(let count), .fixed(let bytes)): return bytes.count == count ? .bytes(bytes) : nil
    case (.binary, .bytes(let bytes)): return .bytes(bytes)
    default: return moment(value, logical, type)
    }
  }

  private func moment(
    _ value: AvroValue, _ logical: AvroLogicalType?, _ type: PrimitiveType
  ) -> Value? {
    let number: Int64
    switch value {
    case .int(let value): number = Int64(value)
    case .long(let value): number = value
    default: return nil
    }
    var factor: Int64
    switch logical {
    case .timeMillis, .timestampMillis, .localTimestampMillis: factor = 1000
    case .date: factor = 86_400_000_000
    default: factor = 1
    }
    switch type {
    case .time:
      if logical == .date { return nil }
    case .timestamp, .timestamptz:
      if logical == .timestampNanos || logical == .localTimestampNanos { return nil }
    case .timestampNs, .timestamptzNs:
      if logical != .timestampNanos, logical != .localTimestampNanos { factor *= 1000 }
    default: return nil
    }
    let (result, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : .long(result)
  }
}

extension PrimitiveType {
  fileprivate func hasScale(_ scale: Int) -> Bool {
    guard case .decimal(_, let own) = self else { return false }
    return own == scale
  }
}

// MARK: - Fields without ids

extension AvroRecord {
  /// True if a field, at any depth, has an id.
  var hasIDs: Bool { fields.contains { $0.fieldID != nil || $0.schema.hasIDs } }

  /// The same record with the ids that `mapping` gives its fields, which are at `path`.
  func mapped(by mapping: NameMapping, at path: [String] = []) -> AvroRecord {
    var record = self
    record.fields = fields.map { field in
      var field = field
      let place = path + [field.name]
      if let id = mapping.fieldID(at: place) {
        field.attributes.append(JSONMember("field-id", .integer(Int64(id.rawValue))))
      }
      field.schema = field.schema.mapped(by: mapping, at: place)
      return field
    }
    return record
  }
}

extension AvroSchema {
  fileprivate var hasIDs: Bool {
    switch kind {
    case .record(let record): record.hasIDs
    case .union(let branches): branches.contains { $0.hasIDs }
    case .array(let items): elementID != nil || items.hasIDs
    case .map(let values): valueID != nil || values.hasIDs
    default: false
    }
  }

  fileprivate func mapped(by mapping: NameMapping, at path: [String]) -> AvroSchema {
    switch kind {
    case .record(let record):
      AvroSchema(.record(record.mapped(by: mapping, at: path)), attributes: attributes)
    case .union(let branches):
      AvroSchema(
        .union(branches.map { $0.mapped(by: mapping, at: path) }), attributes: attributes)
    case .array(let items):
      AvroSchema(
        .array(items.mapped(by: mapping, at: logicalType == .map ? path : path + ["element"])),
        attributes: attributes)
    case .map(let values):
      AvroSchema(
        .map(values.mapped(by: mapping, at: path + ["value"])), attributes: attributes)
    default: self
    }
  }
}

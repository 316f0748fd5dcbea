// SPDX-License-Identifier: Apache-2.0
public import JSON

/// Schemas and types as table metadata has them.
///
/// Source: Iceberg spec, "Appendix C: JSON serialization", "Schemas".
extension Schema {
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `json` is no schema, and what
  ///   ``init(id:fields:identifierFieldIDs:)`` throws. A schema without an id has 0.
  public init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: "schema", at: "")
    try self.init(
      id: SchemaID(members.optionalInt32("schema-id") ?? 0),
      fields: try Field.decode(members, depth: 0),
      identifierFieldIDs: (members.optionalInt32s("identifier-field-ids") ?? [])
        .map { FieldID($0) })
  }

  /// Writes this schema as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("type")
    writer.write("struct")
    writer.writeKey("schema-id")
    writer.write(id.rawValue)
    if !identifierFieldIDs.isEmpty {
      writer.writeKey("identifier-field-ids")
      writer.beginArray()
      for id in identifierFieldIDs { writer.write(id.rawValue) }
      writer.endArray()
    }
    writer.writeKey("fields")
    writer.beginArray()
    for field in fields { field.write(to: &writer) }
    writer.endArray()
    writer.endObject()
  }
}

extension FieldType {
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `json` is no type.
  public init(json: JSONValue) throws(IcebergError) {
    self = try FieldType.decode(json, at: "type", depth: 0)
  }

  fileprivate static func decode(
    _ json: JSONValue, at path: String, depth: Int
  ) throws(IcebergError) -> FieldType {
    if let text = json.string {
      do { return .primitive(try PrimitiveType(text)) } catch {
        throw .malformed("schema", at: path, expected: "a type", found: json.brief)
      }
    }
    guard depth <= 64 else { throw .unsupported("a schema nested deeper than 64 levels") }
    let members = try JSONMembers(json, of: "schema", at: path)
    switch try members.string("type") {
    case "struct": return .structure(StructType(try Field.decode(members, depth: depth)))
    case "list":
      return .list(
        ListType(
          elementID: FieldID(try members.int32("element-id")),
          element: try decode(
            try members.required("element", "a type"), at: members.place("element"),
            depth: depth + 1),
          isElementRequired: try members.boolean("element-required")))
    case "map":
      return .map(
        MapType(
          keyID: FieldID(try members.int32("key-id")),
          key: try decode(
            try members.required("key", "a type"), at: members.place("key"), depth: depth + 1),
          valueID: FieldID(try members.int32("value-id")),
          value: try decode(
            try members.required("value", "a type"), at: members.place("value"), depth: depth + 1),
          isValueRequired: try members.boolean("value-required")))
    default:
      throw members.malformed(
        members.place("type"), "struct, list or map", members.optional("type") ?? .null)
    }
  }

  /// Writes this type: a string, or an object if it is nested.
  public func write(to writer: inout JSONWriter) {
    switch self {
    case .primitive(let type): writer.write(type.description)
    case .structure(let type):
      writer.beginObject()
      writer.writeKey("type")
      writer.write("struct")
      writer.writeKey("fields")
      writer.beginArray()
      for field in type.fields { field.write(to: &writer) }
      writer.endArray()
      writer.endObject()
    case .list(let type): type.write(to: &writer)
    case .map(let type): type.write(to: &writer)
    }
  }
}

extension ListType {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("type")
    writer.write("list")
    writer.writeKey("element-id")
    writer.write(elementID.rawValue)
    writer.writeKey("element")
    element.write(to: &writer)
    writer.writeKey("element-required")
    writer.write(isElementRequired)
    writer.endObject()
  }
}

extension MapType {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("type")
    writer.write("map")
    writer.writeKey("key-id")
    writer.write(keyID.rawValue)
    writer.writeKey("key")
    key.write(to: &writer)
    writer.writeKey("value-id")
    writer.write(valueID.rawValue)
    writer.writeKey("value")
    value.write(to: &writer)
    writer.writeKey("value-required")
    writer.write(isValueRequired)
    writer.endObject()
  }
}

extension Field {
  /// The fields of a schema or structure.
  fileprivate static func decode(
    _ structure: JSONMembers, depth: Int
  ) throws(IcebergError) -> [Field] {
    var fields: [Field] = []
    for (index, json) in try structure.array("fields").enumerated() {
      let members = try JSONMembers(
        json, of: structure.document, at: structure.place("fields[\(index)]"))
      fields.append(try Field(members, depth: depth))
    }
    return fields
  }

  private init(_ members: JSONMembers, depth: Int) throws(IcebergError) {
    let type = try FieldType.decode(
      try members.required("type", "a type"), at: members.place("type"), depth: depth + 1)
    self.init(
      id: FieldID(try members.int32("id")), name: try members.string("name"), type: type,
      isRequired: try members.boolean("required"), doc: try members.optionalString("doc"),
      initialDefault: try Field.decodeDefault("initial-default", of: members, type),
      writeDefault: try Field.decodeDefault("write-default", of: members, type))
  }

  private static func decodeDefault(
    _ key: String, of members: JSONMembers, _ type: FieldType
  ) throws(IcebergError) -> Value? {
    guard let json = members.optional(key) else { return nil }
    do { return try Value.decode(json, as: type) } catch {
      throw .malformed(
        "schema", at: members.place(key), expected: "a value of \(type)", found: json.brief)
    }
  }

  /// Writes this field as one JSON object.
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("id")
    writer.write(id.rawValue)
    writer.writeKey("name")
    writer.write(name)
    writer.writeKey("required")
    writer.write(isRequired)
    writer.writeKey("type")
    type.write(to: &writer)
    if let doc {
      writer.writeKey("doc")
      writer.write(doc)
    }
    if let initialDefault {
      writer.writeKey("initial-default")
      writer.write(initialDefault, as: type)
    }
    if let writeDefault {
      writer.writeKey("write-default")
      writer.write(writeDefault, as: type)
    }
    writer.endObject()
  }
}

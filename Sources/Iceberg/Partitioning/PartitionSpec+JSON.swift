// SPDX-License-Identifier: Apache-2.0
public import JSON

/// Partition specs as table metadata and manifests have them.
///
/// Source: Iceberg spec, "Appendix C: JSON serialization", "Partition Specs".
extension PartitionSpec {
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `json` is no partition spec.
  public init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: "partition spec", at: "")
    try self.init(
      fieldsJSON: try members.required("fields", "an array"),
      id: PartitionSpecID(try members.int32("spec-id")))
  }

  /// Of the array of fields alone, as v1 metadata and manifests have it.
  ///
  /// v1 fields have no ids: they get 1000 and on, in their order.
  ///
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `json` is no such array.
  public init(fieldsJSON json: JSONValue, id: PartitionSpecID) throws(IcebergError) {
    guard let elements = json.elements else {
      throw .malformed("partition spec", at: "fields", expected: "an array", found: json.brief)
    }
    var fields: [PartitionField] = []
    for (index, element) in elements.enumerated() {
      let members = try JSONMembers(element, of: "partition spec", at: "fields[\(index)]")
      let assigned = Int32(truncatingIfNeeded: Int(PartitionSpec.firstFieldID.rawValue) + index)
      fields.append(
        PartitionField(
          sourceIDs: try FieldID.decodeSources(members),
          fieldID: FieldID(try members.optionalInt32("field-id") ?? assigned),
          name: try members.string("name"),
          transform: Transform(try members.string("transform"))))
    }
    try self.init(id: id, fields: fields)
  }

  /// Writes this spec as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("spec-id")
    writer.write(id.rawValue)
    writer.writeKey("fields")
    writeFields(to: &writer)
    writer.endObject()
  }

  /// Writes the array of fields alone.
  public func writeFields(to writer: inout JSONWriter) {
    writer.beginArray()
    for field in fields {
      writer.beginObject()
      FieldID.write(sources: field.sourceIDs, to: &writer)
      writer.writeKey("field-id")
      writer.write(field.fieldID.rawValue)
      writer.writeKey("name")
      writer.write(field.name)
      writer.writeKey("transform")
      writer.write(field.transform.description)
      writer.endObject()
    }
    writer.endArray()
  }
}

/// Sort orders as table metadata has them.
///
/// Source: Iceberg spec, "Appendix C: JSON serialization", "Sort Orders".
extension SortOrder {
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `json` is no sort order.
  public init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: "sort order", at: "")
    var fields: [SortField] = []
    for (index, element) in try members.array("fields").enumerated() {
      fields.append(
        try SortField(try JSONMembers(element, of: "sort order", at: "fields[\(index)]")))
    }
    self.init(id: SortOrderID(try members.int32("order-id")), fields: fields)
  }

  /// Writes this order as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("order-id")
    writer.write(id.rawValue)
    writer.writeKey("fields")
    writer.beginArray()
    for field in fields {
      writer.beginObject()
      writer.writeKey("transform")
      writer.write(field.transform.description)
      FieldID.write(sources: field.sourceIDs, to: &writer)
      writer.writeKey("direction")
      writer.write(field.direction == .ascending ? "asc" : "desc")
      writer.writeKey("null-order")
      writer.write(field.nullOrder == .nullsFirst ? "nulls-first" : "nulls-last")
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }
}

extension SortField {
  fileprivate init(_ members: JSONMembers) throws(IcebergError) {
    self.init(
      sourceIDs: try FieldID.decodeSources(members),
      transform: Transform(try members.string("transform")),
      direction: try members.choice("direction", ["asc": .ascending, "desc": .descending]),
      nullOrder: try members.choice(
        "null-order", ["nulls-first": .nullsFirst, "nulls-last": .nullsLast]))
  }
}

extension JSONMembers {
  fileprivate func choice<T>(_ key: String, _ values: [String: T]) throws(IcebergError) -> T {
    let text = try string(key)
    guard let value = values[text.lowercased()] else {
      throw malformed(
        place(key), values.keys.sorted().joined(separator: " or "), .string(text))
    }
    return value
  }
}

extension FieldID {
  /// `source-ids` if it is there (v3, several arguments), else `source-id`.
  fileprivate static func decodeSources(_ members: JSONMembers) throws(IcebergError) -> [FieldID] {
    guard let ids = try members.optionalInt32s("source-ids") else {
      return [FieldID(try members.int32("source-id"))]
    }
    guard !ids.isEmpty else {
      throw .malformed(
        members.document, at: members.place("source-ids"), expected: "an id or more",
        found: "none")
    }
    return ids.map { FieldID($0) }
  }

  /// One as `source-id`, several as `source-ids`.
  fileprivate static func write(sources: [FieldID], to writer: inout JSONWriter) {
    if sources.count == 1 {
      writer.writeKey("source-id")
      writer.write(sources[0].rawValue)
      return
    }
    writer.writeKey("source-ids")
    writer.beginArray()
    for id in sources { writer.write(id.rawValue) }
    writer.endArray()
  }
}

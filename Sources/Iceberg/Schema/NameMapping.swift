// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import JSON

/// Which fields the columns of data files are that say so by name only: files that were written by
/// others and added to the table. Kept in table property `schema.name-mapping.default`.
///
/// It is for files without any field id; in one with ids, a column without is not of the table.
/// A value of this type is always well-formed: among siblings no name is there twice, and no id in
/// all of it.
///
/// Source: Iceberg spec, "Column Projection" and "Name Mapping Serialization".
public struct NameMapping: Hashable, Sendable {
  /// The names of one field, and what is below it.
  public struct Entry: Hashable, Sendable {
    /// Taken literally: a dot in it is part of the name.
    public let names: [String]
    /// Nil of a column that is in files and not in the table.
    public let fieldID: FieldID?
    /// Of a struct its fields, of a list `element`, of a map `key` and `value`.
    public let children: [Entry]

    public init(names: [String], fieldID: FieldID?, children: [Entry] = []) {
      self.names = names
      self.fieldID = fieldID
      self.children = children
    }
  }

  public let entries: [Entry]

  /// - Throws: ``IcebergError/duplicate(_:in:)`` if two siblings share a name, or two entries an id.
  public init(_ entries: [Entry]) throws(IcebergError) {
    var ids: Set<FieldID> = []
    try NameMapping.check(entries, &ids, depth: 0)
    self.entries = entries
  }

  /// Each field of `schema` by the name it has.
  public init(of schema: Schema) {
    entries = schema.fields.map { Entry(of: $0) }
  }

  private static func check(
    _ entries: [Entry], _ ids: inout Set<FieldID>, depth: Int
  ) throws(IcebergError) {
    guard depth <= 64 else { throw .unsupported("a name mapping nested deeper than 64 levels") }
    if let name = entries.flatMap(\.names).firstDuplicate() {
      throw .duplicate("name '\(name)'", in: "the name mapping")
    }
    for entry in entries {
      if let id = entry.fieldID, !ids.insert(id).inserted {
        throw .duplicate("field id \(id.rawValue)", in: "the name mapping")
      }
      try check(entry.children, &ids, depth: depth + 1)
    }
  }

  /// The field that the column at `path` is, one name a level; nil if there is none.
  ///
  /// List elements are `element`, map sides `key` and `value`, whatever the file calls them.
  public func fieldID(at path: [String]) -> FieldID? {
    var entries = self.entries
    var found: Entry?
    for name in path {
      guard let next = entries.first(where: { $0.names.contains(name) }) else { return nil }
      found = next
      entries = next.children
    }
    return found?.fieldID
  }

  /// This mapping after its table's schema became `schema`: names that fields have now are added to
  /// the ones they had, and new fields are mapped by their names.
  ///
  /// A name that another field had before is its new owner's: files written from now on mean that.
  public func updated(for schema: Schema) -> NameMapping {
    NameMapping(unchecked: NameMapping.merged(entries, schema.fields))
  }

  private init(unchecked entries: [Entry]) { self.entries = entries }

  private static func merged(_ entries: [Entry], _ fields: [Field]) -> [Entry] {
    let taken = Set(fields.map(\.name))
    var fieldsLeft = fields
    var result: [Entry] = []
    for entry in entries {
      let index = fieldsLeft.firstIndex { $0.id == entry.fieldID }
      let field = index.map { fieldsLeft.remove(at: $0) }
      var names = entry.names.filter { !taken.contains($0) || $0 == field?.name }
      if let field, !names.contains(field.name) { names.append(field.name) }
      result.append(
        Entry(
          names: names, fieldID: entry.fieldID,
          children: merged(entry.children, field?.type.children ?? [])))
    }
    return result + fieldsLeft.map { Entry(of: $0) }
  }
}

extension NameMapping.Entry {
  fileprivate init(of field: Field) {
    self.init(
      names: [field.name], fieldID: field.id,
      children: field.type.children.map { NameMapping.Entry(of: $0) })
  }
}

extension FieldType {
  /// The fields that are directly in this type: a structure's, a list's element, a map's sides.
  package var children: [Field] {
    switch self {
    case .primitive: []
    case .structure(let type): type.fields
    case .list(let type): [type.elementField]
    case .map(let type): [type.keyField, type.valueField]
    }
  }
}

// MARK: - As JSON

extension NameMapping {
  /// The table property that holds a mapping, as JSON.
  public static let propertyName = "schema.name-mapping.default"
}

extension TableMetadata {
  /// What columns of files without field ids are; nil if the table does not tell.
  ///
  /// - Throws: as ``NameMapping/init(json:)-(String)``.
  public func nameMapping() throws(IcebergError) -> NameMapping? {
    guard let text = properties[NameMapping.propertyName] else { return nil }
    return try NameMapping(json: text)
  }
}

extension NameMapping {
  /// The mapping that `text` is: the value of the table property.
  ///
  /// - Throws: ``IcebergError/json(_:in:)``, ``IcebergError/malformed(_:at:expected:found:)`` or
  ///   ``IcebergError/duplicate(_:in:)``.
  public init(json text: String) throws(IcebergError) {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue(parsing: text)
    } catch {
      throw .json(error, in: "name mapping")
    }
    try self.init(json: json)
  }

  /// - Throws: as ``init(json:)-(String)``.
  public init(json: JSONValue) throws(IcebergError) {
    try self.init(try NameMapping.entries(json, at: "name mapping"))
  }

  private static func entries(_ json: JSONValue, at path: String) throws(IcebergError) -> [Entry] {
    guard let elements = json.elements else {
      throw .malformed("name mapping", at: path, expected: "an array", found: json.brief)
    }
    var entries: [Entry] = []
    for (index, element) in elements.enumerated() {
      let members = try JSONMembers(element, of: "name mapping", at: "\(path)[\(index)]")
      let children = members.optional("fields")
      entries.append(
        Entry(
          names: try members.strings("names"),
          fieldID: try members.optionalInt32("field-id").map { FieldID($0) },
          children: try children.map { json throws(IcebergError) in
            try NameMapping.entries(json, at: members.place("fields"))
          } ?? []))
    }
    return entries
  }

  public func write(to writer: inout JSONWriter) { NameMapping.write(entries, to: &writer) }

  /// The mapping as a JSON document, as `schema.name-mapping.default` has it.
  public var jsonText: String {
    var writer = JSONWriter()
    write(to: &writer)
    return String(decoding: writer.finish().array(), as: UTF8.self)
  }

  private static func write(_ entries: [Entry], to writer: inout JSONWriter) {
    writer.beginArray()
    for entry in entries {
      writer.beginObject()
      if let id = entry.fieldID {
        writer.writeKey("field-id")
        writer.write(id.rawValue)
      }
      writer.writeKey("names")
      writer.beginArray()
      for name in entry.names { writer.write(name) }
      writer.endArray()
      if !entry.children.isEmpty {
        writer.writeKey("fields")
        write(entry.children, to: &writer)
      }
      writer.endObject()
    }
    writer.endArray()
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The fields of a table's rows at some time, with ids that never change their meaning.
///
/// A value of this type is always well-formed: all ids in it, nested ones too, are unique, as are
/// the names within each structure, and identifier fields are there and allowed as such.
///
/// Source: Iceberg spec, "Schemas and Data Types" and "Identifier Field IDs".
public struct Schema: Hashable, Sendable {
  public let id: SchemaID
  public let fields: [Field]
  /// The fields whose values identify a row; all required, none a float or double.
  public let identifierFieldIDs: [FieldID]

  private let index: SchemaIndex

  /// - Throws: ``IcebergError`` if an id or a name is there twice, or an identifier field is not
  ///   there or can't be one.
  public init(
    id: SchemaID = SchemaID(0), fields: [Field], identifierFieldIDs: [FieldID] = []
  ) throws(IcebergError) {
    self.index = try SchemaIndex(fields)
    self.id = id
    self.fields = fields
    self.identifierFieldIDs = identifierFieldIDs
    try index.checkIdentifiers(identifierFieldIDs)
  }

  /// The field with `id`, at any depth (list elements, map keys and values too); nil if none has it.
  public func field(_ id: FieldID) -> Field? { index.byID[id] }

  /// The field called `name`: nested ones by dots, list elements as `element`, map sides as `key`
  /// and `value`; nil if there is none.
  public func field(named name: String) -> Field? { index.byName[name].flatMap { index.byID[$0] } }

  /// The full dotted name of the field with `id`.
  public func name(of id: FieldID) -> String? { index.names[id] }

  /// True if the field with `id` lies in a list or map, so that a row has any number of its values.
  public func isRepeated(_ id: FieldID) -> Bool { index.repeated.contains(id) }

  /// True if a row may be without a value of the field with `id`: it or a structure around it is
  /// optional, or it lies in a list or map.
  public func isOptional(_ id: FieldID) -> Bool { index.optional.contains(id) }

  /// The field that directly holds the one with `id`; nil for a column.
  public func parent(of id: FieldID) -> FieldID? { index.parents[id] }

  /// The highest id in use, 0 if there are no fields.
  public var highestFieldID: FieldID { index.byID.keys.max() ?? FieldID(0) }

  /// All fields at any depth, in the order of the schema (a parent before its children).
  public var allFields: [Field] { index.order.compactMap { index.byID[$0] } }

  public static func == (a: Schema, b: Schema) -> Bool {
    a.id == b.id && a.fields == b.fields && a.identifierFieldIDs == b.identifierFieldIDs
  }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(fields)
    hasher.combine(identifierFieldIDs)
  }
}

/// A schema's fields by id and by full name.
struct SchemaIndex: Sendable {
  private(set) var byID: [FieldID: Field] = [:]
  private(set) var byName: [String: FieldID] = [:]
  private(set) var names: [FieldID: String] = [:]
  private(set) var order: [FieldID] = []
  private(set) var parents: [FieldID: FieldID] = [:]
  /// Fields that lie in a list or map.
  private(set) var repeated: Set<FieldID> = []
  /// Fields that may be missing from a row, for their own sake or for that of what holds them.
  private(set) var optional: Set<FieldID> = []

  init(_ fields: [Field]) throws(IcebergError) {
    try add(fields, to: nil, prefix: "", depth: 0)
  }

  private mutating func add(
    _ fields: [Field], to parent: FieldID?, prefix: String, depth: Int
  ) throws(IcebergError) {
    guard !fields.isEmpty else { return }
    guard depth <= 64 else { throw .unsupported("a schema nested deeper than 64 levels") }
    for field in fields {
      let name = prefix.isEmpty ? field.name : "\(prefix).\(field.name)"
      if byID.updateValue(field, forKey: field.id) != nil {
        throw .duplicate("field id \(field.id.rawValue)", in: "the schema")
      }
      if byName.updateValue(field.id, forKey: name) != nil {
        throw .duplicate("field name '\(name)'", in: "the schema")
      }
      names[field.id] = name
      order.append(field.id)
      if let parent {
        parents[field.id] = parent
        if repeated.contains(parent) || !(byID[parent]?.type.isStructure ?? true) {
          repeated.insert(field.id)
        }
      }
      if !field.isRequired || parent.map(optional.contains) == true || repeated.contains(field.id) {
        optional.insert(field.id)
      }
      try addChildren(of: field, name: name, depth: depth)
    }
  }

  private mutating func addChildren(
    of field: Field, name: String, depth: Int
  ) throws(IcebergError) {
    try add(field.type.children, to: field.id, prefix: name, depth: depth + 1)
  }

  func checkIdentifiers(_ ids: [FieldID]) throws(IcebergError) {
    for id in ids {
      guard let field = byID[id] else {
        throw .unknownField("\(id.rawValue)", in: "the schema's fields, as an identifier field")
      }
      let what = "identifier field '\(names[id] ?? field.name)'"
      guard field.isRequired else { throw .invalid(what, reason: "it is not required") }
      guard let type = field.type.primitive else {
        throw .invalid(what, reason: "it is not of a primitive type")
      }
      guard type != .float, type != .double else {
        throw .invalid(what, reason: "float and double can't identify rows")
      }
      guard type != .unknown, !type.isOpaque else {
        throw .invalid(what, reason: "a \(type) can't identify rows")
      }
      guard !optional.contains(id) else {
        throw .invalid(what, reason: "it lies in a list, a map or an optional structure")
      }
    }
  }
}

extension ListType {
  /// The element as a field called `element`.
  public var elementField: Field {
    Field(id: elementID, name: "element", type: element, isRequired: isElementRequired)
  }
}

extension MapType {
  /// The key as a field called `key`.
  public var keyField: Field { Field(id: keyID, name: "key", type: key, isRequired: true) }
  /// The value as a field called `value`.
  public var valueField: Field {
    Field(id: valueID, name: "value", type: value, isRequired: isValueRequired)
  }
}

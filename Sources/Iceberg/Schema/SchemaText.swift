// SPDX-License-Identifier: Apache-2.0

extension Schema {
  /// The schema that `text` describes, with fresh ids.
  ///
  ///     schema := field { ',' field }
  ///     field  := name [':'] type ['not null'] ['comment' 'text']
  ///     type   := primitive | 'list<' type '>' | 'map<' type ',' type '>' | 'struct<' schema '>'
  ///
  /// `key` names the identifier fields, which become required.
  ///
  /// - Throws: ``IcebergError/syntax(_:offset:expected:found:)`` if the text is no schema;
  ///   ``IcebergError`` as ``init(id:fields:identifierFieldIDs:)`` if it is none that may be.
  public init(_ text: String, key: [String] = [], id: SchemaID = SchemaID(0)) throws(IcebergError) {
    var parser = TypeParser(try TextLexer(text, what: "schema"))
    let fields = try parser.fields(until: .end)
    try parser.lexer.expectEnd()
    guard !fields.isEmpty else { throw parser.lexer.unexpected("a column") }
    self = try Schema(assigningIDsTo: fields, key: key, id: id)
  }

  /// A schema of `fields` with new ids from 1 on, as a table is created with: those of one
  /// structure follow each other, and come before the ones nested in them.
  ///
  /// `key` names the identifier fields, which become required.
  public init(
    assigningIDsTo fields: [Field], key: [String] = [], id: SchemaID = SchemaID(0)
  ) throws(IcebergError) {
    var assignment = IDAssignment(after: FieldID(0))
    let plain = try Schema(id: id, fields: assignment.fields(fields))
    var identifiers: [FieldID] = []
    for name in key {
      guard let field = plain.resolve(name) else {
        throw .unknownField("'\(name)'", in: "the schema, as a key")
      }
      if !identifiers.contains(field.id) { identifiers.append(field.id) }
    }
    let fields = plain.fields.map { $0.requiring(Set(identifiers)) }
    self = try Schema(id: id, fields: fields, identifierFieldIDs: identifiers)
  }

  /// The field called `name`, or, if none is, the only one called so in any case.
  public func resolve(_ name: String) -> Field? {
    if let field = field(named: name) { return field }
    let lowered = name.lowercased()
    let matches = allFields.filter { self.name(of: $0.id)?.lowercased() == lowered }
    return matches.count == 1 ? matches[0] : nil
  }
}

/// Hands out field ids, one structure at a time: first to all its fields, then below each.
struct IDAssignment {
  private(set) var last: FieldID

  init(after last: FieldID) { self.last = last }

  mutating func next() throws(IcebergError) -> FieldID {
    guard last < FieldID.highestForUsers else { throw .unsupported("a table of so many field ids") }
    last = FieldID(last.rawValue + 1)
    return last
  }

  /// `fields` with new ids, at all depths.
  mutating func fields(_ fields: [Field]) throws(IcebergError) -> [Field] {
    var ids: [FieldID] = []
    for _ in fields { ids.append(try next()) }
    var result: [Field] = []
    for (field, id) in zip(fields, ids) {
      result.append(field.with(id: id, type: try type(field.type)))
    }
    return result
  }

  /// `type` with new ids for all that is in it.
  mutating func type(_ type: FieldType) throws(IcebergError) -> FieldType {
    switch type {
    case .primitive: return type
    case .structure(let type): return .structure(StructType(try fields(type.fields)))
    case .list(let type):
      let elementID = try next()
      return .list(
        ListType(
          elementID: elementID, element: try self.type(type.element),
          isElementRequired: type.isElementRequired))
    case .map(let type):
      let keyID = try next()
      let valueID = try next()
      return .map(
        MapType(
          keyID: keyID, key: try self.type(type.key), valueID: valueID,
          value: try self.type(type.value), isValueRequired: type.isValueRequired))
    }
  }
}

extension FieldID {
  /// The highest id a table's own fields may have; those above are metadata columns.
  ///
  /// Source: Iceberg spec, "Reserved Field IDs".
  public static let highestForUsers = FieldID(2_147_483_447)
}

extension Field {
  /// This field with some of its parts exchanged.
  package func with(
    id: FieldID? = nil, name: String? = nil, type: FieldType? = nil, isRequired: Bool? = nil
  ) -> Field {
    Field(
      id: id ?? self.id, name: name ?? self.name, type: type ?? self.type,
      isRequired: isRequired ?? self.isRequired, doc: doc, initialDefault: initialDefault,
      writeDefault: writeDefault)
  }

  /// This field, required if it or a field below it is one of `ids`.
  func requiring(_ ids: Set<FieldID>) -> Field {
    guard case .structure(let type) = type else {
      return ids.contains(id) ? with(isRequired: true) : self
    }
    let children = type.fields.map { $0.requiring(ids) }
    let holdsOne = children != type.fields || children.contains { ids.contains($0.id) }
    return with(type: .structure(StructType(children)), isRequired: isRequired || holdsOne)
  }
}

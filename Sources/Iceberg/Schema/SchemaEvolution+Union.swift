// SPDX-License-Identifier: Apache-2.0

extension SchemaEvolution {
  /// Widens the schema, by names, until rows of `other` can be written: adds the fields it has and
  /// this has not, as optional ones; promotes types; makes optional what is optional there.
  ///
  /// A type that is narrower there is left as it is, and so are fields that `other` has not.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a field is of another kind there, or of a type
  ///   that this one's can't be promoted to.
  public mutating func union(byName other: Schema) throws(IcebergError) {
    var copy = self
    try copy.union(other.fields, in: nil)
    self = copy
  }

  /// As ``union(byName:)``, for rows that are to be added: columns that are there stay required, and
  /// have their type widened only where it can be. Whether the rows fit then, their writer tells.
  ///
  /// - Parameter widensTypes: false where the types of `other` are guesses, such as those of text.
  public mutating func addColumns(of other: Schema, widensTypes: Bool) throws(IcebergError) {
    var copy = self
    let fields = copy.fitted(other.fields, to: schema.fields, widensTypes: widensTypes)
    try copy.union(fields, in: nil)
    self = copy
  }

  /// `fields` made such that those of `own` can be united with them.
  private func fitted(_ fields: [Field], to own: [Field], widensTypes: Bool) -> [Field] {
    fields.map { field in
      guard let mine = own.first(where: { $0.name == field.name }) else { return field }
      return field.with(
        type: fitted(field.type, to: mine.type, widensTypes: widensTypes),
        isRequired: mine.isRequired)
    }
  }

  private func fitted(_ type: FieldType, to own: FieldType, widensTypes: Bool) -> FieldType {
    switch (type, own) {
    case (.primitive(let wide), .primitive(let narrow)):
      widensTypes && narrow.canBePromoted(to: wide, version: version) ? type : own
    case (.structure(let type), .structure(let own)):
      .structure(StructType(fitted(type.fields, to: own.fields, widensTypes: widensTypes)))
    case (.list(let type), .list(let own)):
      .list(
        ListType(
          elementID: type.elementID,
          element: fitted(type.element, to: own.element, widensTypes: widensTypes),
          isElementRequired: own.isElementRequired))
    case (.map(let type), .map(let own)):
      .map(
        MapType(
          keyID: type.keyID, key: own.key, valueID: type.valueID,
          value: fitted(type.value, to: own.value, widensTypes: widensTypes),
          isValueRequired: own.isValueRequired))
    default: own
    }
  }

  private mutating func union(_ fields: [Field], in parent: String?) throws(IcebergError) {
    for field in fields {
      let name = parent.map { "\($0).\(field.name)" } ?? field.name
      if schema.field(named: name) == nil {
        try add(field.name, type: field.type.optional, to: parent, doc: field.doc)
      } else {
        try union(field, at: name)
      }
    }
  }

  private mutating func union(_ field: Field, at name: String) throws(IcebergError) {
    let own = try self.field(name)
    if own.isRequired, !field.isRequired, !isKeyPart(own.id) { try makeOptional(name) }
    switch (own.type, field.type) {
    case (.primitive(let type), .primitive(let other)): try union(type, other, at: name)
    case (.structure, .structure(let other)): try union(other.fields, in: name)
    case (.list, .list(let other)):
      try union(other.elementField, at: "\(name).element")
    case (.map, .map(let other)):
      try union(other.keyField, at: "\(name).key")
      try union(other.valueField, at: "\(name).value")
    default:
      throw .invalid("writing a \(field.type) to '\(name)'", reason: "it is a \(own.type)")
    }
  }

  private mutating func union(
    _ type: PrimitiveType, _ other: PrimitiveType, at name: String
  ) throws(IcebergError) {
    // Values of a narrower type fit as they are, and those of an unknown one are null.
    if other == .unknown || other.canBePromoted(to: type, version: .v3) { return }
    try changeType(of: name, to: other)
  }

  /// True of what identifies rows or lies in a map's key: neither is ever made optional.
  private func isKeyPart(_ id: FieldID) -> Bool {
    var child = id
    if schema.identifierFieldIDs.contains(id) { return true }
    while let parent = schema.parent(of: child) {
      if case .map(let type) = schema.field(parent)?.type, type.keyID == child { return true }
      child = parent
    }
    return false
  }
}

extension FieldType {
  /// This type with nothing required in it but map keys.
  fileprivate var optional: FieldType {
    switch self {
    case .primitive: self
    case .structure(let type):
      .structure(
        StructType(
          type.fields.map {
            $0.with(type: $0.type.optional, isRequired: false)
              .with(initialDefault: nil, writeDefault: nil)
          }))
    case .list(let type):
      .list(
        ListType(
          elementID: type.elementID, element: type.element.optional, isElementRequired: false))
    case .map(let type):
      .map(
        MapType(
          keyID: type.keyID, key: type.key, valueID: type.valueID, value: type.value.optional,
          isValueRequired: false))
    }
  }
}

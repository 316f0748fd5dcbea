// SPDX-License-Identifier: Apache-2.0

// Rebuilding a tree of fields with one place in it changed.

extension [Field] {
  /// These fields with the one of `id`, at any depth, changed by `change`.
  func replacing(
    _ id: FieldID, _ change: (Field) throws(IcebergError) -> Field
  ) throws(IcebergError) -> [Field] {
    var result: [Field] = []
    for field in self { result.append(try field.replacing(id, change)) }
    return result
  }

  /// These fields with those directly in the structure that field `owner` is (nil: these
  /// themselves) edited by `edit`.
  func editing(
    _ owner: FieldID?, _ edit: (inout [Field]) throws(IcebergError) -> Void
  ) throws(IcebergError) -> [Field] {
    guard let owner else {
      var result = self
      try edit(&result)
      return result
    }
    return try replacing(owner) { (field: Field) throws(IcebergError) -> Field in
      guard case .structure(let type) = field.type else { return field }
      var fields = type.fields
      try edit(&fields)
      return field.with(type: .structure(StructType(fields)))
    }
  }
}

extension Field {
  fileprivate func replacing(
    _ id: FieldID, _ change: (Field) throws(IcebergError) -> Field
  ) throws(IcebergError) -> Field {
    if self.id == id { return try change(self) }
    switch type {
    case .primitive: return self
    case .structure(let type):
      return with(type: .structure(StructType(try type.fields.replacing(id, change))))
    case .list(let type):
      let element = try type.elementField.replacing(id, change)
      return with(
        type: .list(
          ListType(
            elementID: element.id, element: element.type, isElementRequired: element.isRequired)))
    case .map(let type):
      let key = try type.keyField.replacing(id, change)
      let value = try type.valueField.replacing(id, change)
      return with(
        type: .map(
          MapType(
            keyID: key.id, key: key.type, valueID: value.id, value: value.type,
            isValueRequired: value.isRequired)))
    }
  }

  /// This field with another doc.
  func with(doc: String?) -> Field {
    Field(
      id: id, name: name, type: type, isRequired: isRequired, doc: doc,
      initialDefault: initialDefault, writeDefault: writeDefault)
  }

  /// This field with other defaults.
  func with(initialDefault: Value?, writeDefault: Value?) -> Field {
    Field(
      id: id, name: name, type: type, isRequired: isRequired, doc: doc,
      initialDefault: initialDefault, writeDefault: writeDefault)
  }
}

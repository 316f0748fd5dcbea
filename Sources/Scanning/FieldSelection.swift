// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// Picks fields of a schema by name.
struct FieldSelection {
  private let schema: Schema

  init(_ schema: Schema) { self.schema = schema }

  private var ownNames: [String] {
    schema.fields.filter { MetadataColumn($0.id) == nil }.map(\.name)
  }

  /// The top-level fields that `names` name or lie in, in the order they are first named, cut down
  /// to what was named of them.
  ///
  /// - Throws: ``IcebergError/unknownField(_:in:)``.
  func fields(_ names: [String]) throws(IcebergError) -> [Field] {
    var order: [FieldID] = []
    var wanted: Set<FieldID> = []
    for name in names {
      if name == "*" {
        let own = schema.fields.map(\.id).filter { MetadataColumn($0) == nil }
        for id in own where !order.contains(id) { order.append(id) }
        wanted.formUnion(own)
        continue
      }
      guard let field = schema.resolve(name) else {
        throw .unknownField(
          "'\(name)'", in: "the table: \(ownNames.joined(separator: ", "))")
      }
      wanted.insert(field.id)
      for top in schema.fields where top.allIDs.contains(field.id) && !order.contains(top.id) {
        order.append(top.id)
      }
    }
    return order.compactMap { id in schema.field(id).flatMap { $0.pruned(to: wanted) } }
  }
}

extension Field {
  /// The ids of this field and all below it.
  var allIDs: [FieldID] { [id] + type.children.flatMap(\.allIDs) }

  /// The ids of those of them that are not made of others.
  var leafIDs: [FieldID] { type.primitive == nil ? type.children.flatMap(\.leafIDs) : [id] }

  /// This field with only those of its parts that are wanted; nil if none is.
  fileprivate func pruned(to wanted: Set<FieldID>) -> Field? {
    if wanted.contains(id) { return self }
    switch type {
    case .primitive: return nil
    case .structure(let structure):
      let kept = structure.fields.compactMap { $0.pruned(to: wanted) }
      return kept.isEmpty ? nil : replacing(type: .structure(StructType(kept)))
    case .list(let list):
      guard let element = list.elementField.pruned(to: wanted) else { return nil }
      return replacing(
        type: .list(
          ListType(
            elementID: list.elementID, element: element.type,
            isElementRequired: list.isElementRequired)))
    case .map(let map):
      if wanted.contains(map.keyID) || map.keyField.pruned(to: wanted) != nil { return self }
      guard let value = map.valueField.pruned(to: wanted) else { return nil }
      return replacing(
        type: .map(
          MapType(
            keyID: map.keyID, key: map.key, valueID: map.valueID, value: value.type,
            isValueRequired: map.isValueRequired)))
    }
  }

  private func replacing(type: FieldType) -> Field {
    Field(
      id: id, name: name, type: type, isRequired: isRequired, doc: doc,
      initialDefault: initialDefault, writeDefault: writeDefault)
  }
}

extension FieldType {
  fileprivate var children: [Field] {
    switch self {
    case .primitive: []
    case .structure(let type): type.fields
    case .list(let type): [type.elementField]
    case .map(let type): [type.keyField, type.valueField]
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

// What table metadata asks of the schemas, specs and orders it holds.

extension Schema {
  /// The same schema under another id.
  func with(id: SchemaID) throws(IcebergError) -> Schema {
    self.id == id
      ? self : try Schema(id: id, fields: fields, identifierFieldIDs: identifierFieldIDs)
  }

  /// True if the two differ in nothing but their ids.
  func hasSameFields(as other: Schema) -> Bool {
    fields == other.fields && Set(identifierFieldIDs) == Set(other.identifierFieldIDs)
  }

  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a field has a type or a default that
  ///   tables of `version` can't have.
  func check(for version: FormatVersion) throws(IcebergError) {
    for field in allFields {
      let what = "field '\(name(of: field.id) ?? field.name)'"
      if let type = field.type.primitive, type.firstVersion > version {
        throw .invalid(
          "\(what) of type \(type)",
          reason: "it needs format version \(type.firstVersion.rawValue)")
      }
      if field.initialDefault != nil, version < .v3 {
        throw .invalid("an initial default of \(what)", reason: "it needs format version 3")
      }
    }
  }
}

extension PrimitiveType {
  /// The format version that has the type first.
  var firstVersion: FormatVersion {
    switch self {
    case .unknown, .timestampNs, .timestamptzNs, .variant, .geometry, .geography: .v3
    default: .v1
    }
  }
}

extension PartitionSpec {
  /// True if both make the same partitions of the same columns under the same names.
  func isCompatible(with other: PartitionSpec) -> Bool {
    fields.count == other.fields.count
      && zip(fields, other.fields).allSatisfy {
        $0.sourceIDs == $1.sourceIDs && $0.transform == $1.transform && $0.name == $1.name
      }
  }
}

extension SortOrder {
  /// - Throws: ``IcebergError`` if a source column is not in `schema`, or its transform does not
  ///   take it.
  package func check(for schema: Schema) throws(IcebergError) {
    for field in fields where field.transform != .void {
      if case .unknown = field.transform { continue }
      for id in field.sourceIDs {
        guard let source = schema.field(id) else {
          throw .unknownField("\(id.rawValue)", in: "the schema, as source of a sort order")
        }
        try field.transform.check(appliesTo: source, named: schema.name(of: id) ?? source.name)
      }
    }
  }
}

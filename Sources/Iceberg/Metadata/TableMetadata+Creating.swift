// SPDX-License-Identifier: Apache-2.0

extension TableMetadata {
  /// The metadata of a new, empty table.
  ///
  /// Ids are given anew, whatever the parts have: fields from 1, partition fields from 1000, schema
  /// and spec 0, sort order 1 (0 if unsorted). Spec, order and identifier fields follow their
  /// columns.
  ///
  /// - Throws: ``IcebergError`` if spec or order don't fit the schema, or a type or default the
  ///   format version.
  public static func create(
    schema: Schema, partitionSpec: PartitionSpec = .unpartitioned, sortOrder: SortOrder = .unsorted,
    location: String, properties: TableProperties = [:], formatVersion: FormatVersion,
    uuid: TableUUID, at milliseconds: Int64
  ) throws(IcebergError) -> TableMetadata {
    let fresh = try FreshIDs(schema)
    try fresh.schema.check(for: formatVersion)
    let spec = try fresh.spec(partitionSpec)
    let order = try fresh.order(sortOrder)
    try spec.check(for: fresh.schema)
    try order.check(for: fresh.schema)
    var kept = properties
    for name in TableProperties.reservedNames { kept[name] = nil }
    return TableMetadata(
      formatVersion: formatVersion, uuid: uuid, location: location,
      lastUpdatedMilliseconds: milliseconds, lastColumnID: fresh.schema.highestFieldID,
      currentSchema: fresh.schema,
      lastPartitionFieldID: spec.fields.last?.fieldID ?? partitionFieldIDBase,
      defaultPartitionSpec: spec, defaultSortOrder: order, properties: kept,
      schemaDocuments: [Verbatim(fresh.schema)], partitionSpecDocuments: [Verbatim(spec)],
      sortOrderDocuments: [Verbatim(order)])
  }
}

/// A schema with new ids, and what became of the old ones.
struct FreshIDs {
  let schema: Schema
  private let newIDs: [FieldID: FieldID]

  init(_ old: Schema) throws(IcebergError) {
    let plain = try Schema(assigningIDsTo: old.fields)
    var newIDs: [FieldID: FieldID] = [:]
    // Both list the same fields in the same order.
    for (old, new) in zip(old.allFields, plain.allFields) { newIDs[old.id] = new.id }
    schema = try Schema(
      id: SchemaID(0), fields: plain.fields,
      identifierFieldIDs: old.identifierFieldIDs.compactMap { newIDs[$0] })
    self.newIDs = newIDs
  }

  func spec(_ old: PartitionSpec) throws(IcebergError) -> PartitionSpec {
    var fields: [PartitionField] = []
    for (i, field) in old.fields.enumerated() {
      guard let number = Int32(exactly: 1000 + i) else {
        throw .unsupported("a partition spec of so many fields")
      }
      fields.append(
        PartitionField(
          sourceIDs: try sources(field.sourceIDs), fieldID: FieldID(number), name: field.name,
          transform: field.transform))
    }
    return try PartitionSpec(id: PartitionSpecID(0), fields: fields)
  }

  func order(_ old: SortOrder) throws(IcebergError) -> SortOrder {
    var fields: [SortField] = []
    for field in old.fields {
      fields.append(
        SortField(
          sourceIDs: try sources(field.sourceIDs), transform: field.transform,
          direction: field.direction, nullOrder: field.nullOrder))
    }
    return SortOrder(id: SortOrderID(fields.isEmpty ? 0 : 1), fields: fields)
  }

  private func sources(_ ids: [FieldID]) throws(IcebergError) -> [FieldID] {
    var fresh: [FieldID] = []
    for id in ids {
      guard let new = newIDs[id] else { throw .unknownField("\(id.rawValue)", in: "the schema") }
      fresh.append(new)
    }
    return fresh
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A partition spec with the types of its values: what it takes to read and write partitions.
public struct PartitionLayout: Hashable, Sendable {
  public let spec: PartitionSpec
  /// One for each field, in the spec's order.
  public let types: [PrimitiveType]

  /// - Parameter olderSchemas: asked for columns that `schema` no longer has.
  /// - Throws: ``IcebergError/unknownField(_:in:)`` if a source column is in none of the schemas.
  public init(
    _ spec: PartitionSpec, for schema: Schema, olderSchemas: [Schema] = []
  ) throws(IcebergError) {
    self.spec = spec
    types = try spec.partitionType(for: schema, olderSchemas: olderSchemas).fields.compactMap {
      $0.type.primitive
    }
  }
}

extension TableMetadata {
  /// The layout of partitions of spec `id`.
  ///
  /// - Throws: ``IcebergError/unknownField(_:in:)`` if the table has no such spec, or never had a
  ///   column it needs.
  public func partitionLayout(_ id: PartitionSpecID) throws(IcebergError) -> PartitionLayout {
    guard let spec = partitionSpec(id) else {
      throw .unknownField("partition spec \(id.rawValue)", in: "the table")
    }
    return try PartitionLayout(spec, for: currentSchema, olderSchemas: schemas)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One step of a change of a table's metadata. A commit is a list of them, applied in order.
///
/// An id of -1 in a `setCurrent…` or `setDefault…` is the one that was added last before it in the
/// same list: who plans the change can't know which id it gets.
///
/// Source: Iceberg REST catalog spec, `TableUpdate`.
public enum TableUpdate: Hashable, Sendable {
  case assignUUID(TableUUID)
  case upgradeFormatVersion(FormatVersion)
  /// The schema's own id counts for nothing: an equal schema is reused, or the next id given.
  case addSchema(Schema)
  case setCurrentSchema(SchemaID)
  /// The spec's own id counts for nothing: an equal spec is reused, or the next id given.
  case addPartitionSpec(PartitionSpec)
  case setDefaultPartitionSpec(PartitionSpecID)
  /// The order's own id counts for nothing: an equal order is reused, or the next id given.
  case addSortOrder(SortOrder)
  case setDefaultSortOrder(SortOrderID)
  case addSnapshot(Snapshot)
  case setSnapshotReference(name: String, SnapshotReference)
  /// References to them go too, and their statistics; `main` must not be among these.
  case removeSnapshots([SnapshotID])
  case removeSnapshotReference(name: String)
  case setLocation(String)
  case setProperties([String: String])
  case removeProperties([String])
  case setStatistics(StatisticsFile)
  case removeStatistics(SnapshotID)
  case setPartitionStatistics(PartitionStatisticsFile)
  case removePartitionStatistics(SnapshotID)
  case removePartitionSpecs([PartitionSpecID])
  case removeSchemas([SchemaID])
  case addEncryptionKey(EncryptionKey)
  case removeEncryptionKey(id: String)
  /// Nothing in v3 tables, which always have row lineage.
  case enableRowLineage
}

extension Snapshot: Hashable {
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension SchemaID {
  /// Stands for the schema added last before it in a list of updates.
  public static let lastAdded = SchemaID(-1)
}

extension PartitionSpecID {
  /// Stands for the spec added last before it in a list of updates.
  public static let lastAdded = PartitionSpecID(-1)
}

extension SortOrderID {
  /// Stands for the sort order added last before it in a list of updates.
  public static let lastAdded = SortOrderID(-1)
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Changes a table's schema. No file is written again: what rows hold that are there already follows
/// from field ids and defaults.
///
/// A table that maps names to field ids (`schema.name-mapping.default`) has the names of new and
/// renamed columns added to the mapping, as the reference implementation does it.
public struct SchemaChange: TableChange {
  private let edit: @Sendable (inout SchemaEvolution) throws(IcebergError) -> Void

  /// - Parameter edit: what to do with the schema; called again for each attempt.
  public init(_ edit: @escaping @Sendable (inout SchemaEvolution) throws(IcebergError) -> Void) {
    self.edit = edit
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    do throws(IcebergError) { return try plan(base.metadata) } catch { throw .rejected(error) }
  }

  /// The schema that `table` would have after the change.
  public func schema(of table: Table) throws(CommitError) -> Schema {
    do throws(IcebergError) {
      for case .addSchema(let schema) in try plan(table.metadata).updates { return schema }
      return table.metadata.currentSchema
    } catch {
      throw .rejected(error)
    }
  }

  private func plan(_ metadata: TableMetadata) throws(IcebergError) -> ChangePlan {
    let old = metadata.currentSchema
    var evolution = SchemaEvolution(
      of: old, lastFieldID: metadata.lastColumnID, version: metadata.formatVersion,
      specs: metadata.partitionSpecs, defaultSpec: metadata.defaultPartitionSpec,
      sortOrder: metadata.defaultSortOrder)
    try edit(&evolution)
    let new = evolution.schema
    guard new != old else { return .nothing }
    var updates: [TableUpdate] = [.addSchema(new), .setCurrentSchema(.lastAdded)]
    if let mapping = try metadata.nameMapping()?.updated(for: new) {
      updates.append(.setProperties([NameMapping.propertyName: mapping.jsonText]))
    }
    let requirements: [TableRequirement] = [
      .currentSchema(metadata.currentSchemaID), .lastAssignedFieldID(metadata.lastColumnID),
    ]
    return ChangePlan(requirements: requirements + metadata.sameTable, updates: updates)
  }
}

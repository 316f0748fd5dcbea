// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import JSON

/// A commit as it is sent to a server, which checks only what it is told to.
struct SentCommit: Sendable {
  let identifier: TableIdentifier
  let base: Table
  let requirements: [TableRequirement]
  let updates: [TableUpdate]

  init(_ commit: TableCommit, to identifier: TableIdentifier) {
    self.identifier = identifier
    base = commit.base
    updates = commit.updates
    requirements = Self.requirements(commit)
  }

  /// What the plan states, and what its updates rely on beside.
  ///
  /// A snapshot relies on the schema and the specs it names being there: who evolves one away and
  /// removes it asserts only where the branches are at that moment. So whatever adds one asserts
  /// the current ids.
  private static func requirements(_ commit: TableCommit) -> [TableRequirement] {
    let metadata = commit.base.metadata
    var requirements = commit.requirements
    func require(_ requirement: TableRequirement) {
      if !requirements.contains(requirement) { requirements.append(requirement) }
    }
    if !requirements.contains(.notThere), let uuid = metadata.uuid { require(.tableUUID(uuid)) }
    guard !requirements.contains(.notThere) else { return [.notThere] }
    for update in commit.updates {
      switch update {
      case .addSchema:
        require(.currentSchema(metadata.currentSchemaID))
        require(.lastAssignedFieldID(metadata.lastColumnID))
        // No column went that partitions or orders the rows.
        require(.defaultPartitionSpec(metadata.defaultPartitionSpecID))
        require(.defaultSortOrder(metadata.defaultSortOrderID))
      case .setCurrentSchema: require(.currentSchema(metadata.currentSchemaID))
      case .addPartitionSpec:
        require(.lastAssignedPartitionFieldID(metadata.lastPartitionFieldID))
        require(.currentSchema(metadata.currentSchemaID))
      case .setDefaultPartitionSpec:
        require(.defaultPartitionSpec(metadata.defaultPartitionSpecID))
      case .addSortOrder:
        require(.currentSchema(metadata.currentSchemaID))
        require(.defaultSortOrder(metadata.defaultSortOrderID))
      case .setDefaultSortOrder: require(.defaultSortOrder(metadata.defaultSortOrderID))
      case .addSnapshot:
        require(.currentSchema(metadata.currentSchemaID))
        require(.defaultPartitionSpec(metadata.defaultPartitionSpecID))
        require(.defaultSortOrder(metadata.defaultSortOrderID))
      case .setSnapshotReference(let name, _), .removeSnapshotReference(let name):
        require(.referenceSnapshot(name: name, metadata.reference(name)?.snapshotID))
      case .removeSchemas, .removePartitionSpecs:
        require(.currentSchema(metadata.currentSchemaID))
        require(.defaultPartitionSpec(metadata.defaultPartitionSpecID))
        for (name, reference) in metadata.references.sorted(by: { $0.key < $1.key }) {
          require(.referenceSnapshot(name: name, reference.snapshotID))
        }
      default: break
      }
    }
    return requirements
  }

  /// Writes the members of the request.
  func write(to writer: inout JSONWriter) {
    writer.writeKey("identifier")
    identifier.write(to: &writer)
    writer.writeKey("requirements")
    writer.beginArray()
    for requirement in requirements { requirement.write(to: &writer) }
    writer.endArray()
    writer.writeKey("updates")
    writer.beginArray()
    for update in updates { update.write(to: &writer) }
    writer.endArray()
  }

  /// What a state of the table tells of a commit whose answer was lost.
  enum Standing {
    case landed
    /// It has not been done, and what it requires does not hold any more.
    case impossible
    case open
  }

  func standing(in now: TableMetadata) -> Standing {
    if requirements.contains(.notThere) {
      return now.uuid == base.metadata.uuid ? .landed : .impossible
    }
    // Another table of this name: ours may have been done before that one came.
    if let uuid = base.metadata.uuid, now.uuid != uuid { return .open }
    if let isThere = isEvident(in: now) {
      if isThere { return .landed }
      return now.check(requirements).isEmpty ? .open : .impossible
    }
    guard let again = try? now.applying(updates, at: now.lastUpdatedMilliseconds), again == now
    else { return .open }
    return .landed
  }

  /// Whether there is in `now` what this commit alone added; nil if it adds nothing of which one
  /// could tell.
  private func isEvident(in now: TableMetadata) -> Bool? {
    let old = base.metadata
    for update in updates {
      switch update {
      case .addSnapshot(let snapshot): return now.snapshot(snapshot.id) != nil
      case .addSchema(let new):
        let isOurs: (Schema) -> Bool = {
          $0.fields == new.fields && $0.identifierFieldIDs == new.identifierFieldIDs
        }
        if !old.schemas.contains(where: isOurs) { return now.schemas.contains(where: isOurs) }
      case .addPartitionSpec(let new):
        if !old.partitionSpecs.contains(where: { $0.fields == new.fields }) {
          return now.partitionSpecs.contains { $0.fields == new.fields }
        }
      case .addSortOrder(let new):
        if !old.sortOrders.contains(where: { $0.fields == new.fields }) {
          return now.sortOrders.contains { $0.fields == new.fields }
        }
      default: break
      }
    }
    return nil
  }
}

extension TableIdentifier {
  /// Writes `{"namespace": […], "name": …}`.
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeKey("namespace")
    writer.beginArray()
    for part in namespace { writer.write(part) }
    writer.endArray()
    writer.writeKey("name")
    writer.write(name)
    writer.endObject()
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What must hold of the newest state of a table for a commit to be made on it.
///
/// Source: Iceberg REST catalog spec, `TableRequirement`.
public enum TableRequirement: Hashable, Sendable {
  /// There is no such table.
  case notThere
  case tableUUID(TableUUID)
  /// The reference names this snapshot; nil: there is no such reference.
  case referenceSnapshot(name: String, SnapshotID?)
  case lastAssignedFieldID(FieldID)
  case currentSchema(SchemaID)
  case lastAssignedPartitionFieldID(FieldID)
  case defaultPartitionSpec(PartitionSpecID)
  case defaultSortOrder(SortOrderID)
}

/// A requirement that does not hold, and what holds instead.
public struct RequirementViolation: Hashable, Sendable {
  public let requirement: TableRequirement
  /// What is there in place of what was required; nil if nothing is.
  public let found: Found?

  public enum Found: Hashable, Sendable {
    case table(TableUUID?)
    case snapshot(SnapshotID)
    case number(Int32)
  }
}

extension RequirementViolation: CustomStringConvertible {
  public var description: String {
    let found: String? =
      switch self.found {
      case nil: nil
      case .table(let uuid): "table \(uuid?.rawValue ?? "without a uuid")"
      case .snapshot(let id): "snapshot \(id.rawValue)"
      case .number(let number): "\(number)"
      }
    return "required \(requirement), found \(found ?? "nothing")"
  }
}

extension TableRequirement: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notThere: "no table"
    case .tableUUID(let uuid): "table \(uuid.rawValue)"
    case .referenceSnapshot(let name, let id?): "'\(name)' at snapshot \(id.rawValue)"
    case .referenceSnapshot(let name, nil): "no reference '\(name)'"
    case .lastAssignedFieldID(let id): "last assigned field id \(id.rawValue)"
    case .currentSchema(let id): "current schema \(id.rawValue)"
    case .lastAssignedPartitionFieldID(let id): "last assigned partition field id \(id.rawValue)"
    case .defaultPartitionSpec(let id): "default partition spec \(id.rawValue)"
    case .defaultSortOrder(let id): "default sort order \(id.rawValue)"
    }
  }
}

extension TableRequirement {
  /// How this requirement fails on `metadata` (nil: there is no table); nil if it holds.
  public func violation(on metadata: TableMetadata?) -> RequirementViolation? {
    guard let metadata else {
      return self == .notThere ? nil : RequirementViolation(requirement: self, found: nil)
    }
    switch self {
    case .notThere: return fails(.table(metadata.uuid))
    case .tableUUID(let uuid):
      return metadata.uuid == uuid ? nil : fails(.table(metadata.uuid))
    case .referenceSnapshot(let name, let id):
      let found = metadata.references[name]?.snapshotID
      return found == id ? nil : fails(found.map { .snapshot($0) })
    case .lastAssignedFieldID(let id):
      return number(metadata.lastColumnID.rawValue, id.rawValue)
    case .currentSchema(let id):
      return number(metadata.currentSchemaID.rawValue, id.rawValue)
    case .lastAssignedPartitionFieldID(let id):
      return number(metadata.lastPartitionFieldID.rawValue, id.rawValue)
    case .defaultPartitionSpec(let id):
      return number(metadata.defaultPartitionSpecID.rawValue, id.rawValue)
    case .defaultSortOrder(let id):
      return number(metadata.defaultSortOrderID.rawValue, id.rawValue)
    }
  }

  private func number(_ found: Int32, _ required: Int32) -> RequirementViolation? {
    found == required ? nil : fails(.number(found))
  }

  private func fails(_ found: RequirementViolation.Found?) -> RequirementViolation {
    RequirementViolation(requirement: self, found: found)
  }
}

extension TableMetadata {
  /// Those of `requirements` that do not hold; empty if a commit under them may go on.
  public func check(_ requirements: [TableRequirement]) -> [RequirementViolation] {
    requirements.compactMap { $0.violation(on: self) }
  }
}

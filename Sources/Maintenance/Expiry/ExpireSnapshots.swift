// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Storage
public import Writing

/// Takes snapshots and references that are no longer kept out of a table's metadata, with their
/// statistics. Files stay: ``SnapshotExpiry`` deletes those that nothing needs any more.
public struct ExpireSnapshots: TableChange {
  public let policy: ExpiryPolicy

  public init(_ policy: ExpiryPolicy) { self.policy = policy }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    let expiry: Expiry
    do throws(IcebergError) {
      expiry = try policy.expiry(of: metadata, at: base.environment.now().milliseconds)
    } catch {
      throw .rejected(error)
    }
    let updates = Self.updates(expiry)
    guard !updates.isEmpty else { return ChangePlan(requirements: [], updates: []) }
    // What is kept was found out from where references are.
    var requirements = metadata.uuid.map { [TableRequirement.tableUUID($0)] } ?? []
    for (name, reference) in metadata.references.sorted(by: { $0.key < $1.key }) {
      requirements.append(.referenceSnapshot(name: name, reference.snapshotID))
    }
    return ChangePlan(requirements: requirements, updates: updates)
  }

  static func updates(_ expiry: Expiry) -> [TableUpdate] {
    var updates = expiry.references.map { TableUpdate.removeSnapshotReference(name: $0) }
    if !expiry.snapshotIDs.isEmpty { updates.append(.removeSnapshots(expiry.snapshotIDs)) }
    return updates
  }
}

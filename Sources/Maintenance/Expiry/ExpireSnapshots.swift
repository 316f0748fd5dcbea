// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import KeyIndexing
internal import Storage
public import Writing

/// Takes snapshots and references that are no longer kept out of a table's metadata, with their
/// statistics. Files stay: ``SnapshotExpiry`` deletes those that nothing needs any more. Key indexes
/// that are kept with the table stay with it.
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
    let updates = await Self.updates(expiry, of: base)
    guard !updates.isEmpty else { return ChangePlan(requirements: [], updates: []) }
    // What is kept was found out from where references are.
    var requirements = metadata.uuid.map { [TableRequirement.tableUUID($0)] } ?? []
    for (name, reference) in metadata.references.sorted(by: { $0.key < $1.key }) {
      requirements.append(.referenceSnapshot(name: name, reference.snapshotID))
    }
    return ChangePlan(requirements: requirements, updates: updates)
  }

  /// - Parameter table: the state that `expiry` was found out of.
  static func updates(_ expiry: Expiry, of table: Table) async -> [TableUpdate] {
    var updates = expiry.references.map { TableUpdate.removeSnapshotReference(name: $0) }
    if !expiry.snapshotIDs.isEmpty {
      updates += await indexMovings(expiry, table)
      updates.append(.removeSnapshots(expiry.snapshotIDs))
    }
    return updates
  }

  /// Takes the files that the newest key indexes lie in along to snapshots that stay: an index is of
  /// as much use without the snapshot it was made at, and would have to be made anew.
  private static func indexMovings(_ expiry: Expiry, _ table: Table) async -> [TableUpdate] {
    let metadata = table.metadata
    let expiring = Set(expiry.snapshotIDs)
    guard
      metadata.statistics.contains(where: {
        expiring.contains($0.snapshotID) && $0.indexed != nil
      })
    else { return [] }
    let staying = Set(
      metadata.statistics.filter { !expiring.contains($0.snapshotID) }.map(\.path))
    let needed = await KeyIndex.files(of: table)
    let targets = metadata.snapshotsWithoutStatistics {
      $0.hasIndexesOnly && !needed.contains($0.path)
    }.filter { !expiring.contains($0.id) }
    return zip(needed.subtracting(staying).sorted(), targets).flatMap {
      metadata.takingAlong($0, to: $1.id)
    }
  }
}

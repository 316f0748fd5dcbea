// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg

/// A change with a name, which a branch takes once, however often and by however many it is asked for.
///
/// The name is in the summary of the snapshot that the change made, so it is committed with it, and
/// known for as long as that snapshot is kept. A rollback takes it back with the rows.
struct Once<Change: TableChange>: TableChange {
  let name: String
  let branch: String
  /// One whose snapshot has the name in its summary, under ``SnapshotSummary/onceKey``.
  let change: Change

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    if base.metadata.snapshot(madeOnce: name, on: branch) != nil { return .nothing }
    return try await change.plan(onto: base, attempt: attempt)
  }
}

extension TableMetadata {
  /// The snapshot of the branch's history that was made under `name`.
  ///
  /// Cost: O(n) in the branch's snapshots, whose summaries are read.
  func snapshot(madeOnce name: String, on branch: String) -> Snapshot? {
    guard let head = reference(branch)?.snapshotID else { return nil }
    return ancestry(of: head).first { $0.summary[SnapshotSummary.onceKey] == name }
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// A change of rows, however it is told: data files added and removed (copy on write), delete files
/// added and replaced (merge on read), or both.
///
/// The snapshot is an `append`, `delete` or `overwrite`, by what it turns out to be. A retry checks
/// what the others did against the ``ReadSet``, and is refused where the rows would come out wrong;
/// the change has to be worked out again then.
public struct RowDelta: TableChange {
  /// Data and delete files.
  public let added: [DataFile]
  /// Data files, and delete files that added ones stand for. Deletes of a removed data file alone
  /// need not be named.
  public let removed: [DataFile]
  public let basis: ReadSet
  public let branch: String
  /// What the caller wants in the snapshot's summary beside what is counted.
  public let summary: [String: String]

  public init(
    adding added: [DataFile], removing removed: [DataFile], basis: ReadSet,
    branch: String = SnapshotReference.mainBranch, summary: [String: String] = [:]
  ) {
    self.added = added
    self.removed = removed
    self.basis = basis
    self.branch = branch
    self.summary = summary
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    try await basis.check(base, branch: branch)
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    return try await producer.produce(
      FileChange(added: added, removed: removed), properties: summary)
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Swaps files for others with the same live rows.
///
/// The new data files are as old as the newest of those they stand for, so that equality deletes
/// committed meanwhile go on to apply to their rows.
public struct RewriteFiles: TableChange {
  public let added: [DataFile]
  /// Data files, and delete files that are folded into what was added.
  public let removed: [DataFile]
  /// The age of added data files.
  public let sequenceNumber: SequenceNumber?
  public let basis: ReadSet
  public let branch: String
  public let summary: [String: String]

  /// - Parameters:
  ///   - removed: the data files that were read, with what deletes them.
  ///   - folded: delete files that nothing is left of.
  ///   - snapshot: the state they were read from; the age of what is added is its sequence number.
  public init(
    replacing removed: [ManifestEntry], folding folded: [DataFile] = [], by added: [DataFile],
    readAt snapshot: Snapshot, branch: String = SnapshotReference.mainBranch,
    summary: [String: String] = [:]
  ) {
    self.added = added
    self.removed = removed.map(\.file) + folded
    sequenceNumber = snapshot.sequenceNumber
    basis = ReadSet(
      snapshot: snapshot.id, files: removed, isolation: .snapshot, otherDeletes: .equalityApplies)
    self.branch = branch
    self.summary = summary
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    try await basis.check(base, branch: branch)
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    let age = base.metadata.formatVersion == .v1 ? nil : sequenceNumber
    return try await producer.produce(
      FileChange(added: added, sequenceNumber: age, removed: removed), operation: .replace,
      properties: summary)
  }
}

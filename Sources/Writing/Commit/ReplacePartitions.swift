// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Puts files in the place of all that is in their partitions; in a table without partitions, in the
/// place of everything.
///
/// It reads nothing, so that nothing others do is in its way: on a retry it replaces what they
/// added.
public struct ReplacePartitions: TableChange {
  public let files: [DataFile]
  public let branch: String
  public let summary: [String: String]

  public init(
    _ files: [DataFile], branch: String = SnapshotReference.mainBranch,
    summary: [String: String] = [:]
  ) {
    self.files = files
    self.branch = branch
    self.summary = summary
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var change = FileChange(added: files)
    if base.metadata.defaultPartitionSpec.isUnpartitioned {
      change.emptied = .everything
    } else {
      change.emptied = .partitions(Set(files.map(\.partition)))
    }
    var properties = summary
    properties["replace-partitions"] = "true"
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    return try await producer.produce(change, operation: .overwrite, properties: properties)
  }
}

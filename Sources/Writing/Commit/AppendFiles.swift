// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Adds data files to a branch. Always possible, whatever others commit: a retry lists the same
/// files on top of theirs.
public struct AppendFiles: TableChange {
  public let files: [DataFile]
  public let branch: String
  /// What the caller wants in the snapshot's summary beside what is counted.
  public let summary: [String: String]

  /// - Throws: ``CommitError/rejected(_:)`` if a file is there twice.
  public init(
    _ files: [DataFile], branch: String = SnapshotReference.mainBranch,
    summary: [String: String] = [:]
  ) throws(CommitError) {
    var paths: Set<String> = []
    for file in files where !paths.insert(file.path).inserted {
      throw .rejected(.duplicate("data file '\(file.path)'", in: "the append"))
    }
    self.files = files
    self.branch = branch
    self.summary = summary
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    return try await producer.produce(
      FileChange(added: files), operation: .append, properties: summary)
  }
}

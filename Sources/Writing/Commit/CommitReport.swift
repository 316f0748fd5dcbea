// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Scanning
internal import Storage

/// Is told of commits.
public protocol CommitObserver: TableObserver {
  /// Called when a commit has ended, however it did.
  func committed(_ report: CommitReport)
}

/// What became of a commit.
public struct CommitReport: Sendable {
  /// The table's name.
  public let table: String
  /// The snapshot it made; nil if it made none, or failed.
  public let snapshotID: SnapshotID?
  public let sequenceNumber: SequenceNumber?
  /// Such as `append`.
  public let operation: String?
  /// The snapshot's summary.
  public let summary: [String: String]
  public let attempts: Int
  /// Of all attempts, but not of writing the data files before them.
  public let duration: Duration
  /// Why it failed, if it did.
  public let failure: CommitError?

  /// The counts and durations by name: Iceberg's where it has one; durations in nanoseconds.
  ///
  /// Source: Iceberg REST catalog spec, `CommitReport` (metrics).
  public var metrics: [String: Int64] {
    var metrics = ["total-duration": duration.nanoseconds, "attempts": Int64(attempts)]
    for (key, name) in Self.names {
      if let value = summary[key].flatMap({ Int64($0) }) { metrics[name] = value }
    }
    return metrics
  }

  /// What metrics are called that summaries have under other names, or the same.
  private static let names = [
    "added-data-files": "added-data-files", "deleted-data-files": "removed-data-files",
    "total-data-files": "total-data-files", "added-delete-files": "added-delete-files",
    "added-equality-delete-files": "added-equality-delete-files",
    "added-position-delete-files": "added-positional-delete-files", "added-dvs": "added-dvs",
    "removed-delete-files": "removed-delete-files",
    "removed-equality-delete-files": "removed-equality-delete-files",
    "removed-position-delete-files": "removed-positional-delete-files",
    "removed-dvs": "removed-dvs", "total-delete-files": "total-delete-files",
    "added-records": "added-records", "deleted-records": "removed-records",
    "total-records": "total-records", "added-files-size": "added-files-size-bytes",
    "removed-files-size": "removed-files-size-bytes", "total-files-size": "total-files-size-bytes",
    "added-position-deletes": "added-positional-deletes",
    "removed-position-deletes": "removed-positional-deletes",
    "total-position-deletes": "total-positional-deletes",
    "added-equality-deletes": "added-equality-deletes",
    "removed-equality-deletes": "removed-equality-deletes",
    "total-equality-deletes": "total-equality-deletes",
    "manifests-created": "manifests-created", "manifests-replaced": "manifests-replaced",
    "manifests-kept": "manifests-kept",
  ]
}

extension Table {
  /// Tells the table's observer what became of a commit.
  func reportCommit(
    _ result: Result<CommitReceipt, CommitError>, attempts: Int, since start: Duration
  ) {
    guard let observer = observer as? any CommitObserver else { return }
    var failure: CommitError?
    if case .failure(let error) = result { failure = error }
    let snapshot = (try? result.get())?.snapshot
    observer.committed(
      CommitReport(
        table: name, snapshotID: snapshot?.id, sequenceNumber: snapshot?.sequenceNumber,
        operation: snapshot?.operation?.name, summary: snapshot?.summary ?? [:],
        attempts: attempts, duration: environment.uptime() - start, failure: failure))
  }
}

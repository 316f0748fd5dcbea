// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// What became of the rows that an ``UpsertWriter`` was given.
///
/// Law: `received` is the sum of `written`, `superseded`, `late` and `deleted`, over the rows of a
/// commit, and so over those of all commits.
public struct UpsertCounts: Hashable, Sendable {
  /// Rows and deletions that were given.
  public var received: Int64 = 0
  /// Rows that are in the table, or were until a later commit.
  public var written: Int64 = 0
  /// Rows and deletions that another one of the same commit came after, by order.
  public var superseded: Int64 = 0
  /// Rows and deletions of a lower order than the row the table had.
  public var late: Int64 = 0
  /// Deletions that counted, whether the table had a row of the key or not.
  public var deleted: Int64 = 0
  /// Of the `written`: those that took the place of a row the table had.
  public var replaced: Int64 = 0
  /// Of the `written`: those of a lower order than a deletion of their key that came before, as far
  /// as the writer remembers.
  public var resurrected: Int64 = 0

  public init() {}

  static func + (a: UpsertCounts, b: UpsertCounts) -> UpsertCounts {
    var sum = UpsertCounts()
    for path in UpsertCounts.names.map(\.path) {
      sum[keyPath: path] = a[keyPath: path] + b[keyPath: path]
    }
    return sum
  }
}

extension UpsertCounts {
  /// What the counts are called in the summaries of snapshots.
  private static var names: [(name: String, path: WritableKeyPath<UpsertCounts, Int64>)] {
    [
      (SnapshotSummary.upsertReceivedKey, \.received), ("lake.upsert.written", \.written),
      ("lake.upsert.superseded", \.superseded), ("lake.upsert.late", \.late),
      ("lake.upsert.deleted", \.deleted), ("lake.upsert.replaced", \.replaced),
      ("lake.upsert.resurrected", \.resurrected),
    ]
  }

  /// The counts as a snapshot's summary has them.
  public var summary: [String: String] {
    var summary: [String: String] = [:]
    for (name, path) in Self.names { summary[name] = "\(self[keyPath: path])" }
    return summary
  }

  /// The counts that `summary` has; nil if it is of no upsert.
  public init?(summary: [String: String]) {
    guard summary[SnapshotSummary.upsertReceivedKey] != nil else { return nil }
    self.init()
    for (name, path) in Self.names {
      self[keyPath: path] = summary[name].flatMap { Int64($0) } ?? 0
    }
  }
}

/// How a commit of an ``UpsertWriter`` ended well.
public struct UpsertReceipt: Sendable {
  /// The table right after the commit.
  public let table: Table
  /// The snapshot it made.
  public let snapshot: Snapshot
  public let counts: UpsertCounts
  /// How often it was planned: more than once if others committed meanwhile.
  public let attempts: Int
}

/// How far an ``UpsertWriter`` is.
public struct IngestProgress: Hashable, Sendable {
  /// Of all commits since it was opened.
  public var committed = UpsertCounts()
  /// Rows and deletions that were given since the last commit.
  public var pending: Int64 = 0
  /// About how many bytes of them are in memory.
  public var bufferedByteCount = 0
  public var commits: Int64 = 0
  /// Data and delete files.
  public var filesWritten: Int64 = 0
  public var bytesWritten: Int64 = 0
  /// Small data files that were put together.
  public var filesMerged: Int64 = 0
  /// How long the oldest row that is not committed has waited; zero if there is none.
  public var lag: Duration = .zero

  public init() {}
}

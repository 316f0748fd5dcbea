// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// Which files of a table are rewritten, and into what.
public struct CompactionOptions: Sendable {
  public enum Strategy: String, Hashable, Sendable, CaseIterable {
    /// Files that are too small, or have too many deleted rows, are put together; each new file is in
    /// the table's sort order.
    case binpack
    /// All files of a partition together, where some are not sorted or overlap: the new ones follow
    /// each other in the sort order, each row of them.
    case sort
    /// All files of a partition together, in an order that keeps rows near each other that are near
    /// in all of some columns, so that a filter of any of them reads few files.
    case zorder
  }

  public var strategy = Strategy.binpack
  /// What ``Strategy/sort`` sorts by, as `a, b desc`; nil: the table's sort order. The columns of
  /// ``Strategy/zorder``, as `a, b`. Files are sorted by it whether or not they were before.
  public var sortBy: String?
  /// How large files are to be; nil: `write.target-file-size-bytes`.
  public var targetByteCount: Int64?
  /// Only files that may have rows that match are looked at.
  public var filter = Predicate.alwaysTrue
  public var branch = SnapshotReference.mainBranch
  /// From which share of deleted rows on a file is rewritten for them alone.
  public var deletedPercent = 10
  /// How many bytes of rows are kept to be sorted; what is more waits in files.
  public var memoryLimit = 1 << 30
  /// What has been rewritten is committed when it was so many bytes: a run that is broken off loses
  /// no more.
  public var commitByteCount: Int64 = 4 << 30

  /// The columns of a key, whose files get Bloom filters on them and, where the table has no sort
  /// order, are sorted by them.
  package var key: [String] = []

  public init() {}
}

// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// What an ``UpsertWriter`` does with the rows it is given, and when.
public struct UpsertOptions: Sendable {
  /// The columns whose values make a row; nil: the table's identifier fields. Where the table has
  /// those, they must be the same ones, in any order.
  public var key: [String]?
  /// Of two rows of a key, the one with the greater value of this column counts, whenever it comes;
  /// of equal ones, the one that comes later. Nil: the one that comes later.
  public var orderBy: String?
  /// True if a null, or a column that is not given, keeps the value that the row has.
  public var isPartial = false
  /// Rows that match are deletions of their keys.
  public var deleteWhen: Predicate?
  /// A column of the rows given, none of the table's, that says `upsert` or `delete`.
  public var operationColumn: String?
  public var branch = SnapshotReference.mainBranch
  /// The name under which the table remembers how far the writer's sources were committed. Of all
  /// writers with one name, only the one opened last can commit. Nil: nothing is remembered.
  public var writer: String?
  public var flush = FlushPolicy()
  /// About how many bytes of rows are kept in memory before they are written to data files.
  public var memoryLimit = 256 << 20
  /// About how many bytes of memory the index of keys may take; what is beyond is kept with the table
  /// and read from there, which makes looking keys up slower.
  public var indexMemoryLimit = 1 << 30
  /// True if the writer puts the small data files of its commits together, now and then, in commits
  /// of their own that change no row: so what a commit and a scan cost does not grow with the commits
  /// before.
  public var mergesSmallFiles = true
  /// From how many small files of a partition on they are put together: on streams of which a few keys
  /// get most events, with ten each row is written about once more.
  package var smallFileLimit = 10
  /// How many snapshots of the branch are kept without a tag; older ones are taken out of the
  /// table's metadata as part of commits. Nil: all of them.
  public var keptSnapshots: Int? = 1_000
  /// Which snapshots are tagged, so that they are kept for longer; nil: none.
  public var keptHistory: KeptHistory?

  /// A snapshot of each span of time is tagged, and kept for some time.
  public struct KeptHistory: Hashable, Sendable {
    /// The length of the spans, at least a second.
    public var interval: Duration
    public var duration: Duration

    public init(every interval: Duration, for duration: Duration) {
      self.interval = interval
      self.duration = duration
    }
  }

  public init() {}
}

/// When an ``UpsertWriter`` says that a commit is due.
///
/// Whichever limit is reached first counts. Between the limits the writer goes for data files of the
/// table's target size: it learns from its commits how many bytes of rows make a byte of file.
public struct FlushPolicy: Hashable, Sendable {
  /// How many rows, superseded ones among them, are taken in before a commit is due; nil: any.
  public var rowLimit: Int?
  /// How many bytes of rows; nil: as many as make a data file of the table's target size.
  public var byteLimit: Int?
  /// How old the oldest row may get before a commit is due; nil: as old as it will.
  public var ageLimit: Duration?

  public init(
    rowLimit: Int? = nil, byteLimit: Int? = nil, ageLimit: Duration? = .seconds(10)
  ) {
    self.rowLimit = rowLimit
    self.byteLimit = byteLimit
    self.ageLimit = ageLimit
  }
}

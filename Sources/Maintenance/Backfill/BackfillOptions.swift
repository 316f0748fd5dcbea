// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Expressions
public import Iceberg
public import Scanning

/// What a backfill computes, of which rows, and how.
public struct BackfillOptions: Sendable {
  /// What is made of the rows of the source.
  public enum Computation: Sendable {
    /// Columns of the target, each of a row of the source.
    case selection(SelectionList)
    /// What a function makes of batches of some columns.
    ///
    /// - Parameters:
    ///   - name: says which function it is: a backfill that was broken off goes on only with one of
    ///     the same name.
    ///   - columns: those that batches have.
    ///   - compute: gives rows of the target, columns by name. For a table's own rows as many as
    ///     there were, in their order. It may be called again for the same rows.
    case batches(
      name: String, columns: [String],
      compute: @Sendable (RecordBatch) throws(MaintenanceError) -> RecordBatch)
  }

  /// What to do about a backfill that was broken off.
  public enum Start: Hashable, Sendable {
    /// Refuse to begin the same one again.
    case new
    /// Go on with it; begin one if there is none. One that is done stays so, though the source went
    /// on: its newest state is another backfill, begun without `resume` or by ``BackfillOptions/to``.
    case resume
  }

  /// Only rows that were added or changed after this snapshot; nil: all.
  public var from: SnapshotID?
  /// The state that is read; nil: the newest, or that of the backfill that is resumed.
  public var to: SnapshotSelection?
  public var filter = Predicate.alwaysTrue
  public var computation = Computation.selection(SelectionList([.all]))
  public var start = Start.new
  /// The target's branch.
  public var branch = SnapshotReference.mainBranch
  /// How many splits are worked on at a time; nil: one a processor.
  public var parallelism: Int?
  /// About how large splits are, in bytes of data files.
  public var splitByteCount: Int64 = 128 << 20
  /// What was written is committed when it was made of so many bytes, and
  public var commitByteCount: Int64 = 512 << 20
  /// at the latest so long after the last commit.
  public var commitInterval = Duration.seconds(30)

  public init() {}
}

extension BackfillOptions.Computation {
  /// Says which one it is, as the table remembers it.
  var text: String {
    switch self {
    case .selection(let list): "\(list)"
    case .batches(let name, let columns, _):
      "\(name)(\(columns.joined(separator: ", ")))"
    }
  }
}

/// How far a backfill has come.
public struct BackfillProgress: Hashable, Sendable {
  public var splits = 0
  public var splitsDone = 0
  /// Rows that were made, by this run.
  public var rows: Int64 = 0
  /// Rows of the splits that are to be done by this run, by the counts of their files.
  public var expectedRows: Int64 = 0
}

/// What a backfill would read.
public struct BackfillPlan: Sendable {
  /// Its name, as the target remembers it.
  public internal(set) var id: String
  /// The state that is read.
  public internal(set) var snapshot: SnapshotID
  public internal(set) var splits: Int
  /// Of which so many landed before.
  public internal(set) var splitsDone: Int
  /// Of the splits to be done: rows and bytes of their files.
  public internal(set) var rows: Int64
  public internal(set) var bytes: Int64
}

/// What a backfill did.
public struct BackfillReport: Hashable, Sendable {
  public internal(set) var id: String
  /// The state that was read.
  public internal(set) var snapshot: SnapshotID
  public internal(set) var splits: Int
  /// Splits that had landed before this run.
  public internal(set) var splitsBefore: Int
  /// Splits that landed by this run.
  public internal(set) var splitsLanded = 0
  /// Splits that another run landed meanwhile.
  public internal(set) var splitsOfOthers = 0
  /// Rows that landed by this run.
  public internal(set) var rows: Int64 = 0
  /// Rows that others had changed or deleted since, which were left as they are.
  public internal(set) var leftAlone: Int64 = 0
  public internal(set) var addedFiles = 0
  public internal(set) var addedBytes: Int64 = 0
  /// The snapshots it made.
  public internal(set) var snapshotIDs: [SnapshotID] = []
  /// Of all commits.
  public internal(set) var attempts = 0

  /// Of a run that has landed nothing yet.
  init(_ job: BackfillJob) {
    id = job.record.id
    snapshot = job.snapshot
    splits = job.record.splitCount
    splitsBefore = job.record.done.count
  }
}

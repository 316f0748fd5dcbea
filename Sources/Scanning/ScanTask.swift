// SPDX-License-Identifier: Apache-2.0
public import Iceberg
internal import Storage

/// A data file to be read, as planning found it.
public struct ScanTask: Sendable {
  public let file: DataFile
  /// How old its rows are.
  public let sequenceNumber: SequenceNumber
  /// The delete files that may delete rows of it: one deletion vector, or position delete files;
  /// and equality delete files.
  public let deletes: [DeleteFile]
  /// The only rows that are read; nil: all.
  var positions: RowPositions?
  /// True if ``deletes`` are all there is and all that counts, whatever the ages of files.
  var hasChosenDeletes = false

  public init(file: DataFile, sequenceNumber: SequenceNumber, deletes: [DeleteFile] = []) {
    self.file = file
    self.sequenceNumber = sequenceNumber
    self.deletes = deletes
  }

  /// The same file, of which only the rows at positions in `range` are read.
  package func reading(_ range: Range<Int64>) -> ScanTask {
    var task = self
    task.positions = RowPositions(range)
    return task
  }
}

/// What is to be read, found out from metadata alone.
public struct ScanPlan: Sendable {
  /// The state that is read; nil if the table has none yet.
  public let snapshot: Snapshot?
  /// The schema it is read with.
  public let schema: Schema
  public let tasks: [ScanTask]
  public let counts: PlanCounts
  /// Where the files are read; nil: where the table's are.
  var store: (any ObjectStore)?
}

/// How much planning looked at, and what it left out.
public struct PlanCounts: Hashable, Sendable {
  public var manifests = 0
  public var manifestsRead = 0
  public var dataFiles = 0
  public var dataFilesKept = 0
  public var deleteFiles = 0
  /// Those that a data file that is read needs.
  public var deleteFilesKept = 0
}

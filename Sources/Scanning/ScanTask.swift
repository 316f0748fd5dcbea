// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// A data file to be read, as planning found it.
public struct ScanTask: Sendable {
  public let file: DataFile
  /// How old its rows are.
  public let sequenceNumber: SequenceNumber

  public init(file: DataFile, sequenceNumber: SequenceNumber) {
    self.file = file
    self.sequenceNumber = sequenceNumber
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
}

/// How much planning looked at, and what it left out.
public struct PlanCounts: Hashable, Sendable {
  public var manifests = 0
  public var manifestsRead = 0
  public var dataFiles = 0
  public var dataFilesKept = 0
}

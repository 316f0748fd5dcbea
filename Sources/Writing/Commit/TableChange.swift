// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import Storage

/// What someone wants changed, told so that it can be planned onto any state of the table.
///
/// Law: `plan` is a function of `base` and the change alone. A retry calls it again on the fresh
/// base; of an attempt before it only files remain that no attempt changes: data files, and
/// manifests of them.
public protocol TableChange: Sendable {
  /// Works out what turns `base` into the table that is wanted, and writes the files this takes.
  ///
  /// - Throws: ``CommitError`` where the change does not fit `base`, which no retry mends.
  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan
}

/// What one attempt at a commit is given.
public struct CommitAttempt: Sendable {
  /// Finds the commit again, whatever became of its answer; the same in every attempt.
  public let commitID: String
  /// Counts from 1.
  public let number: Int
  /// Which change of a transaction it is for, and which of a transaction in that one; each counts
  /// from 0. Empty for a change by itself.
  public let part: [Int]
  /// What the attempt before left, all of it known not to be part of the table.
  let carried: Carryover

  init(commitID: String, number: Int, part: [Int] = [], carried: Carryover = Carryover()) {
    self.commitID = commitID
    self.number = number
    self.part = part
    self.carried = carried
  }

  /// The attempt, as change number `index` of a transaction is given it.
  func step(_ index: Int) -> CommitAttempt {
    CommitAttempt(commitID: commitID, number: number, part: part + [index], carried: carried)
  }

  /// What files of the attempt are named after.
  var fileName: String { ([commitID, "\(number)"] + part.map { "\($0)" }).joined(separator: "-") }

  /// The manifests that the attempt before had for this part.
  var added: AddedManifests? { carried.parts[part] }
}

/// A change worked out for one base.
///
/// To build on the plan of another change, change a copy of it: it may hold what the next attempt
/// can use again.
public struct ChangePlan: Sendable {
  public var requirements: [TableRequirement]
  public var updates: [TableUpdate]
  /// Files that this attempt wrote and no other attempt can use; deleted when, and only when, it
  /// is certain that the attempt did not happen.
  public var attemptFiles: [ObjectPath]
  /// What the next attempt can use again, if this one is certain not to have happened.
  var carryover = Carryover()

  public init(
    requirements: [TableRequirement], updates: [TableUpdate], attemptFiles: [ObjectPath] = []
  ) {
    self.requirements = requirements
    self.updates = updates
    self.attemptFiles = attemptFiles
  }
}

extension ChangePlan {
  /// Of a change that has nothing to do.
  static let nothing = ChangePlan(requirements: [], updates: [])
}

extension TableMetadata {
  /// That the table is the one that was planned on, and no other of its name.
  package var sameTable: [TableRequirement] { uuid.map { [.tableUUID($0)] } ?? [] }
}

/// How a change ended well.
public struct CommitReceipt: Sendable {
  /// The table right after the commit.
  public let table: Table
  /// The snapshot it made; nil if it made none.
  public let snapshot: Snapshot?
  public let attempts: Int
}

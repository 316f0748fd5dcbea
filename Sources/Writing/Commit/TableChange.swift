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
  /// Which change of a transaction it is for; counts from 0.
  public let part: Int

  init(commitID: String, number: Int, part: Int = 0) {
    self.commitID = commitID
    self.number = number
    self.part = part
  }

  /// What files of the attempt are named after.
  var fileName: String { part == 0 ? "\(commitID)-\(number)" : "\(commitID)-\(number)-\(part)" }
}

/// A change worked out for one base.
public struct ChangePlan: Sendable {
  public let requirements: [TableRequirement]
  public let updates: [TableUpdate]
  /// Files that this attempt wrote and no other attempt can use; deleted when, and only when, it
  /// is certain that the attempt did not happen.
  public let attemptFiles: [ObjectPath]

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
  var sameTable: [TableRequirement] { uuid.map { [.tableUUID($0)] } ?? [] }
}

/// How a change ended well.
public struct CommitReceipt: Sendable {
  /// The table right after the commit.
  public let table: Table
  /// The snapshot it made; nil if it made none.
  public let snapshot: Snapshot?
  public let attempts: Int
}

// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import Storage

/// Manifests of the files that a change adds. They are written once, and every attempt at the commit
/// lists them: sequence numbers and row ids, which depend on what the commit is made on, are
/// inherited from the list.
///
/// Law: they are deleted only when it is known that no snapshot lists them.
struct AddedManifests: Sendable {
  /// All that they were written from.
  struct Basis: Equatable, Sendable {
    /// Who adds the files.
    let snapshotID: SnapshotID
    let files: [DataFile]
    /// How old the rows of data files are, if they are older than the commit.
    let age: SequenceNumber?
    let formatVersion: FormatVersion
    /// The table's current one, which a manifest notes.
    let schema: Schema
    /// Of the specs of the files, in order.
    let layouts: [PartitionLayout]
    let targetByteCount: Int
  }

  let basis: Basis
  let manifests: [NewManifest]
  let paths: [ObjectPath]
  /// Those whose entries the attempt's snapshot has in another manifest: files of no use once it is
  /// committed, but of use to the next attempt if it is not.
  var merged: [ObjectPath] = []
}

/// What an attempt at a commit, if it is known not to have happened, leaves to the next one; by the
/// parts of a transaction.
struct Carryover: Sendable {
  private(set) var parts: [[Int]: AddedManifests] = [:]

  init() {}

  init(_ added: AddedManifests?, of part: [Int]) { parts[part] = added }

  mutating func merge(_ other: Carryover) {
    parts.merge(other.parts) { _, new in new }
  }

  var paths: [ObjectPath] { parts.values.flatMap(\.paths) }
  /// What is of no use if the attempt is committed.
  var mergedPaths: [ObjectPath] { parts.values.flatMap(\.merged) }
}

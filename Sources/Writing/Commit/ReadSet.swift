// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Iceberg
internal import Scanning

/// How much of what others do at the same time a change may overlook.
public enum IsolationLevel: String, Hashable, Sendable {
  /// The change is as if it were made at one moment between others: rows they added that it would
  /// have had to consider are a conflict.
  case serializable
  /// The change is made of the state it saw; only changes of the same rows are a conflict.
  case snapshot
}

/// What a change was worked out from: the state it read, the files whose rows it takes away, and the
/// rows it looked for. It says what others must not have done since.
///
/// Source: Iceberg spec, "Commit Conflict Resolution and Retry"; the rules are those of the reference
/// implementation, but that deletes are held against the files they touch, and not against
/// whole partitions.
public struct ReadSet: Sendable {
  /// The head of the branch that was read; nil if it had none.
  public var snapshot: SnapshotID?
  /// The data files that the change removes or deletes rows of, as they were read.
  public var files: [ManifestEntry]
  /// Rows that match were looked for; new ones matter if the change is serializable.
  public var filter: Predicate
  public var isolation: IsolationLevel
  /// Which rows that others deleted from ``files`` matter.
  public var otherDeletes: OtherDeletes

  /// What to make of deletes that others commit to the same files.
  public enum OtherDeletes: Hashable, Sendable {
    /// Any is a conflict: the change has rows in it that were read from these files.
    case conflict
    /// Those by position are; later equality deletes go on to apply, as the change's files keep the
    /// age of those they stand for.
    case equalityApplies
    /// None is: the change only deletes rows, and a row can be deleted twice. (Two deletion vectors
    /// of one file are a conflict in any case; and under snapshot isolation, deletes of a commit
    /// that also added rows, which may be the same ones, changed.)
    case allowed
  }

  public init(
    snapshot: SnapshotID?, files: [ManifestEntry], filter: Predicate = .alwaysFalse,
    isolation: IsolationLevel = .serializable, otherDeletes: OtherDeletes = .conflict
  ) {
    self.snapshot = snapshot
    self.files = files
    self.filter = filter
    self.isolation = isolation
    self.otherDeletes = otherDeletes
  }

  /// Checks that nothing that was committed to `branch` since contradicts the change.
  ///
  /// Cost: for each snapshot since, its manifest list and the manifests it added.
  /// - Throws: ``CommitError/conflict(_:)``.
  func check(_ base: Table, branch: String) async throws(CommitError) {
    let head = try base.head(of: branch)
    guard head?.id != snapshot else { return }
    let changes = try await ConcurrentChanges(of: base, since: snapshot, until: head)
    let touched = Set(files.map(\.file.path))
    for removed in changes.removedFiles where touched.contains(removed.file.path) {
      throw .conflict(.fileIsGone(removed.file.path))
    }
    for deletes in changes.addedDeletes {
      try check(deletes, isUpdate: changes.overwrites.contains(deletes.snapshotID), base)
    }
    guard isolation == .serializable else { return }
    let matcher = try FileMatcher(filter, base.metadata)
    for added in changes.addedRows where matcher.mightMatch(added.file) {
      throw .conflict(.rowsWereAdded(file: added.file.path, by: added.snapshotID))
    }
  }

  private func check(
    _ deletes: ManifestEntry, isUpdate: Bool, _ base: Table
  ) throws(CommitError) {
    let kind = DeleteKind(deletes.file)
    switch otherDeletes {
    case .conflict: break
    case .equalityApplies: if kind == .equality { return }
    case .allowed: if kind != .vector, isolation == .serializable || !isUpdate { return }
    }
    let spec = base.metadata.partitionSpec(deletes.file.partition.specID)
    let isGlobal = spec?.isUnpartitioned ?? true
    for file in files {
      do throws(IcebergError) {
        guard try deletes.mayDeleteRows(of: file, isGlobal: isGlobal) else { continue }
      } catch {
        throw .rejected(error)
      }
      if kind == .equality,
        !file.file.mayShareKeys(with: deletes.file, schema: base.metadata.currentSchema)
      {
        continue
      }
      throw .conflict(.rowsWereDeleted(file: file.file.path, by: deletes.snapshotID))
    }
  }
}

/// Tells of data files whether they may have rows that match.
struct FileMatcher {
  private let filter: BoundPredicate
  private let metadata: TableMetadata

  init(_ filter: Predicate, _ metadata: TableMetadata) throws(CommitError) {
    self.metadata = metadata
    do throws(IcebergError) {
      self.filter = try filter.bound(to: metadata.currentSchema)
    } catch {
      throw .rejected(error)
    }
  }

  /// False only if no row of `file` matches.
  func mightMatch(_ file: DataFile) -> Bool {
    guard filter != .alwaysFalse else { return false }
    guard let spec = metadata.partitionSpec(file.partition.specID) else { return true }
    return spec.inclusiveProjection(of: filter)
      .mightMatch(PartitionFacts(file.partition.values, of: spec))
      && filter.mightMatch(DataFileFacts(file: file))
  }
}

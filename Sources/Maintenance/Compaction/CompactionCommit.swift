// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage
internal import Synchronization
internal import Writing

/// Puts rewritten files in the place of those they were made of, whatever others committed meanwhile.
///
/// On each attempt, by what others committed since, or where that has expired by how the files differ:
/// - of a group of which a file is no longer there, that file's rows are deleted from the new files, as
///   they are somewhere else by now; a group that this would leave too little of is left out, and the
///   rest commits;
/// - what others deleted by position from replaced files since they were read is deleted from the new
///   files, at the positions that the rows have there, in the same snapshot;
/// - what others deleted by values goes on to apply: the new files are as old as the state that was
///   read. A group to whose new files such a delete would not apply, as they are in another
///   partition, is left out;
/// - delete files that no data file is left for go with the replaced files.
///
/// Source: Iceberg spec, "Commit Conflict Resolution and Retry".
struct CompactionCommit: TableChange {
  let groups: [RewrittenGroup]
  /// The state that was read.
  let snapshot: Snapshot
  let formatVersion: FormatVersion
  /// Its data files.
  let data: [ManifestEntry]
  /// Its delete files.
  let deletes: [ManifestEntry]
  /// The data files of that state that each of these may delete rows of.
  let users: [DataFile.Identity: [String]]
  let branch: String
  /// True if a group may be committed of which others replaced some files.
  let allowsParts: Bool
  /// What writers were asked to leave alone for it; nil: nothing.
  var claim: BranchClaim?
  /// True if there is nothing left to rewrite after it.
  var isLast = false
  /// Is asked of each state that the commit is planned on; nil: all are good.
  var isAllowed: (@Sendable (TableMetadata) async -> Bool)?
  /// Is told which groups the last attempt had, and how many rows it found deleted meanwhile.
  let outcome: Outcome

  final class Outcome: Sendable {
    struct State: Sendable {
      var groups: [Int] = []
      var movedDeletes = 0
      /// Files of the groups that others replaced meanwhile.
      var gone: Set<String> = []
    }
    private let state = Mutex(State())
    var value: State { state.withLock { $0 } }
    func note(_ value: State) { state.withLock { $0 = value } }
  }

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    if let isAllowed, await !isAllowed(base.metadata) { throw .cancelled }
    let (changes, isLinked) = try await changes(in: base)
    let gone = Set(changes.removedFiles.map(\.file.path))
    var kept: [Int] = []
    var chosen: [RewrittenGroup] = []
    // Rows that were written without ids would be given others.
    if base.metadata.formatVersion == formatVersion {
      for (number, group) in groups.enumerated() {
        guard let left = group.without(gone), allowsParts || left.isWhole,
          try keepsDeletes(left, changes, base)
        else { continue }
        if !isLinked, try await bringsBack(left, changes, base) { continue }
        kept.append(number)
        chosen.append(left)
      }
    }
    outcome.note(Outcome.State(groups: kept))
    let claimed = claim?.updates(on: base, isLast ? .release : .renewal) ?? []
    guard !kept.isEmpty else {
      return ChangePlan(requirements: base.metadata.sameTable, updates: claimed)
    }
    let (moved, count) = try await moved(chosen, changes, base)
    outcome.note(
      Outcome.State(
        groups: kept, movedDeletes: count, gone: Set(chosen.flatMap { $0.gone.map(\.file.path) })))
    var writer = try PositionDeleteWriter(
      base.metadata, store: base.store, environment: base.environment, granularity: .file)
    let written = try await writer.write(moved)
    do throws(CommitError) {
      var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
      var plan = try await producer.produce(
        FileChange(
          added: chosen.flatMap(\.added) + written,
          sequenceNumber: base.metadata.formatVersion == .v1 ? nil : snapshot.sequenceNumber,
          removed: chosen.flatMap { $0.replaced.map(\.file) } + dead(chosen, changes, base)),
        operation: .replace)
      plan.updates += claimed
      plan.attemptFiles += Set(written.map(\.path)).sorted().compactMap { try? ObjectPath($0) }
      return plan
    } catch {
      await base.store.discard(written)
      throw error
    }
  }

  /// What was committed since the state that was read. Where that is known no more, as it has expired
  /// or the branch was moved, how their files differ.
  private func changes(
    in base: Table
  ) async throws(CommitError) -> (changes: ConcurrentChanges, isLinked: Bool) {
    let head = try base.head(of: branch)
    do throws(CommitError) {
      return (try await ConcurrentChanges(of: base, since: snapshot.id, until: head), true)
    } catch .conflict(.historyIsGone) {
      return (try await ConcurrentChanges(of: base, since: data, deletes, until: head), false)
    }
  }

  /// True if rows of the group that were deleted when it was read may be live again, as after a
  /// rollback: they were not written.
  private func bringsBack(
    _ group: RewrittenGroup, _ changes: ConcurrentChanges, _ base: Table
  ) async throws(CommitError) -> Bool {
    guard !changes.removedDeletes.isEmpty else { return false }
    let removed = Set(changes.removedDeletes.map(\.file.identity))
    let current = deletes.filter { !removed.contains($0.file.identity) } + changes.addedDeletes
    let now: [DeletionVector]
    do throws(ScanError) {
      now = try await base.deletedPositions(of: group.replaced, by: current)
    } catch {
      throw .reading(error)
    }
    for (entry, deleted) in zip(group.replaced, now) {
      let written = group.map.rows(of: entry.file.path)
      for range in written.otherRanges(below: entry.file.recordCount)
      where deleted.count(in: range) < range.count { return true }
    }
    return false
  }

  /// False if a delete by values that was committed since applies to a file of the group and would not
  /// apply to what stands for it.
  private func keepsDeletes(
    _ group: RewrittenGroup, _ changes: ConcurrentChanges, _ base: Table
  ) throws(CommitError) -> Bool {
    for delete in changes.addedDeletes where DeleteKind(delete.file) == .equality {
      let isGlobal = base.isGlobal(delete)
      if isGlobal { continue }
      do throws(IcebergError) {
        var isMeant = false
        for file in group.replaced where try delete.mayDeleteRows(of: file, isGlobal: isGlobal) {
          isMeant = true
        }
        guard isMeant else { continue }
        for file in group.added where file.partition != delete.file.partition { return false }
      } catch {
        throw .rejected(error)
      }
    }
    return true
  }

  /// What was deleted from replaced files since they were read, in the new ones, and all rows of files
  /// that others replaced.
  ///
  /// - Returns: also how many rows others deleted.
  private func moved(
    _ groups: [RewrittenGroup], _ changes: ConcurrentChanges, _ base: Table
  ) async throws(CommitError) -> ([FilePositions], count: Int) {
    let gone = Set(changes.removedDeletes.map(\.file.identity))
    let added = changes.addedDeletes.filter { !gone.contains($0.file.identity) }
    var result: [FilePositions] = []
    var count = 0
    for group in groups where !added.isEmpty || !group.isWhole {
      var moved: [String: DeletionVector] = [:]
      func move(_ vector: DeletionVector, of file: ManifestEntry) {
        for (path, some) in group.map.moved(vector, of: file.file.path) {
          moved[path, default: DeletionVector()].formUnion(some)
        }
      }
      if !added.isEmpty {
        let deleted: [DeletionVector]
        do throws(ScanError) {
          deleted = try await base.deletedPositions(of: group.replaced, by: added)
        } catch {
          throw .reading(error)
        }
        for (file, vector) in zip(group.replaced, deleted) where !vector.isEmpty {
          move(vector, of: file)
        }
        count += moved.reduce(0) { $0 + $1.value.count }
      }
      for file in group.gone { move(group.map.rows(of: file.file.path), of: file) }
      for file in group.added {
        guard let vector = moved[file.path] else { continue }
        result.append(
          FilePositions(path: file.path, partition: file.partition, positions: vector))
      }
    }
    return (result, count)
  }

  /// True of deletes by position all of whose data files are among `gone`: they can be about none
  /// that came later.
  private func isUseless(_ delete: ManifestEntry, _ gone: Set<String>) -> Bool {
    guard DeleteKind(delete.file) == .positions else { return false }
    return (users[delete.file.identity] ?? []).allSatisfy(gone.contains)
  }

  /// The delete files of the state that was read which no data file is left for.
  private func dead(
    _ groups: [RewrittenGroup], _ changes: ConcurrentChanges, _ base: Table
  ) -> [DataFile] {
    guard !deletes.isEmpty else { return [] }
    var gone = Set(changes.removedFiles.map(\.file.path))
    for group in groups { gone.formUnion(group.replaced.map(\.file.path)) }
    var left = DeadDeletes()
    for entries in [data, changes.addedRows, changes.replacedRows] {
      for entry in entries where !gone.contains(entry.file.path) {
        left.keep(entry.file, entry.sequenceNumber)
      }
    }
    for file in groups.flatMap(\.added) { left.keep(file, snapshot.sequenceNumber) }
    let removed = Set(changes.removedDeletes.map(\.file.identity))
    return deletes.filter {
      !removed.contains($0.file.identity)
        && (left.isDead($0, isGlobal: base.isGlobal($0)) || isUseless($0, gone))
    }.map(\.file)
  }
}

extension RewrittenGroup {
  fileprivate var isWhole: Bool { gone.isEmpty }

  /// The group as it can still be committed where the files at `paths` are no longer there: nil where
  /// that spares readers nothing, as more rows were written in vain than not, or one file is left that
  /// had fewer dead ones.
  fileprivate func without(_ paths: Set<String>) -> RewrittenGroup? {
    guard replaced.contains(where: { paths.contains($0.file.path) }) else { return self }
    var group = self
    group.replaced = replaced.filter { !paths.contains($0.file.path) }
    group.gone = gone + replaced.filter { paths.contains($0.file.path) }
    let left = group.replaced.reduce(0) { $0 + map.rows(of: $1.file.path).count }
    let lost = group.gone.reduce(0) { $0 + map.rows(of: $1.file.path).count }
    let dead =
      group.replaced.reduce(Int64(0)) { $0.saturating(max(0, $1.file.recordCount)) }
      - Int64(left)
    return left >= lost && (group.replaced.count > 1 || dead > Int64(lost)) ? group : nil
  }
}

extension Table {
  /// True if the delete file of `entry` is of all partitions.
  fileprivate func isGlobal(_ entry: ManifestEntry) -> Bool {
    metadata.partitionSpec(entry.file.partition.specID)?.isUnpartitioned ?? true
  }
}

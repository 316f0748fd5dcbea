// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Scanning
internal import Storage
internal import Synchronization
internal import Writing

/// Puts the position deletes of each data file together, where they are told in more than one place,
/// and drops delete files that no data file is left for. Data files stay as they are.
///
/// Law: the table's rows are the same before and after. It is worked out on whatever state there is
/// when it is committed, so that writers that add deletes meanwhile lose nothing.
public struct DeleteFolding: Sendable {
  private let table: Table
  private let branch: String

  public init(_ table: Table, branch: String = SnapshotReference.mainBranch) {
    self.table = table
    self.branch = branch
  }

  /// What there is to do, in numbers. Nothing is changed.
  ///
  /// Cost: the planning of a scan.
  public func plan() async throws(MaintenanceError) -> DeleteFoldingReport {
    let newest: Table
    do throws(CatalogError) { newest = try await table.refreshed() } catch {
      throw .catalog(error)
    }
    do throws(CommitError) {
      guard let folded = try await FoldedDeletes(newest, branch) else {
        return DeleteFoldingReport()
      }
      return folded.report
    } catch {
      throw .commit(error)
    }
  }

  /// Does it, in one commit.
  ///
  /// Cost: also the delete files that are put together are read.
  @discardableResult
  public func run() async throws(MaintenanceError) -> DeleteFoldingReport {
    let newest: Table
    do throws(CatalogError) { newest = try await table.refreshed() } catch {
      throw .catalog(error)
    }
    let change = DeleteFoldingChange(branch: branch)
    do throws(CommitError) {
      let receipt = try await newest.commit(change)
      var report = receipt.snapshot == nil ? DeleteFoldingReport() : change.outcome.report
      report.snapshotID = receipt.snapshot?.id
      report.attempts = receipt.attempts
      return report
    } catch {
      throw .commit(error)
    }
  }
}

/// What became of delete files.
public struct DeleteFoldingReport: Hashable, Sendable {
  public internal(set) var snapshotID: SnapshotID?
  /// Data files whose deletes were put together.
  public internal(set) var dataFiles = 0
  /// Delete files that went, for others or for nothing.
  public internal(set) var removedFiles = 0
  /// Of which so many deleted no row that was there.
  public internal(set) var danglingFiles = 0
  public internal(set) var addedFiles = 0
  public internal(set) var attempts = 0

  /// Of a run that had nothing to do.
  public init() {}
}

/// Which delete files of a state are put together, and which go.
private struct FoldedDeletes {
  /// Data files that get one delete file each.
  let tasks: [ScanTask]
  let removed: [DataFile]
  var report = DeleteFoldingReport()

  /// Nil if there is nothing to do.
  init?(_ table: Table, _ branch: String) async throws(CommitError) {
    let plan: ScanPlan
    do throws(ScanError) {
      plan = try await table.scan().at(.reference(branch)).plan()
    } catch {
      throw .reading(error)
    }
    guard let snapshot = plan.snapshot else { return nil }
    let live: [ManifestEntry]
    do throws(CatalogError) { live = try await table.deleteEntries(of: snapshot) } catch {
      throw .catalog(error)
    }
    guard !live.isEmpty else { return nil }
    let needed = Set(plan.tasks.flatMap { $0.deletes.map(\.file.identity) })
    let dangling = live.filter { !needed.contains($0.file.identity) }.map(\.file)
    let (tasks, folded) = Self.folded(plan.tasks)
    guard !tasks.isEmpty || !dangling.isEmpty else { return nil }
    self.tasks = tasks
    removed = folded + dangling
    report.dataFiles = tasks.count
    report.danglingFiles = dangling.count
    report.removedFiles = removed.count
  }

  /// Data files with more than one place that deletes rows of them by position, and those that share
  /// one of these: a delete file goes only if all its data files have another.
  private static func folded(_ tasks: [ScanTask]) -> (tasks: [ScanTask], removed: [DataFile]) {
    var users: [DataFile.Identity: [Int]] = [:]
    for (index, task) in tasks.enumerated() {
      for delete in task.positionDeletes {
        users[delete.file.identity, default: []].append(index)
      }
    }
    var waiting = tasks.indices.filter { tasks[$0].positionDeletes.count > 1 }
    var chosen = Set(waiting)
    var removed: [DataFile.Identity: DataFile] = [:]
    while let index = waiting.popLast() {
      for delete in tasks[index].positionDeletes
      where removed.updateValue(delete.file, forKey: delete.file.identity) == nil {
        for other in users[delete.file.identity] ?? [] where chosen.insert(other).inserted {
          waiting.append(other)
        }
      }
    }
    return (
      chosen.sorted().map { tasks[$0] },
      removed.values.sorted {
        ($0.path, $0.contentRange?.offset ?? 0) < ($1.path, $1.contentRange?.offset ?? 0)
      }
    )
  }
}

/// The commit, worked out for each base.
private struct DeleteFoldingChange: TableChange {
  let branch: String
  let outcome = Outcome()

  final class Outcome: Sendable {
    private let state = Mutex(DeleteFoldingReport())
    var report: DeleteFoldingReport { state.withLock { $0 } }
    func note(_ report: DeleteFoldingReport) { state.withLock { $0 = report } }
  }

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    guard var folded = try await FoldedDeletes(base, branch) else {
      return ChangePlan(requirements: [], updates: [])
    }
    let rows: [DeletionVector]
    do throws(ScanError) { rows = try await base.deletedPositions(of: folded.tasks) } catch {
      throw .reading(error)
    }
    let positions = zip(folded.tasks, rows).map { task, rows in
      FilePositions(path: task.file.path, partition: task.file.partition, positions: rows)
    }
    var writer = try PositionDeleteWriter(
      base.metadata, store: base.store, environment: base.environment, granularity: .file)
    let written = try await writer.write(positions)
    do throws(CommitError) {
      folded.report.addedFiles = written.count
      outcome.note(folded.report)
      var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
      var plan = try await producer.produce(
        FileChange(added: written, removed: folded.removed), operation: .replace)
      plan.attemptFiles += Set(written.map(\.path)).sorted().compactMap { try? ObjectPath($0) }
      return plan
    } catch {
      await base.store.discard(written)
      throw error
    }
  }
}

extension ScanTask {
  /// The delete files that delete rows of the file by position.
  fileprivate var positionDeletes: [DeleteFile] { deletes.filter { $0.kind != .equality } }
}

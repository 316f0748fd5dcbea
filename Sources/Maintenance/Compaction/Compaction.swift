// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import ParquetFiles
package import Scanning
internal import Storage
internal import Writing

/// Rewrites small files, and files with many deleted rows, into few large ones, beside writers: both
/// always succeed.
///
/// Law: the table's rows, their ids and the sequence numbers of their last changes are the same before
/// and after. A run that is broken off leaves what it committed, and files that nothing names; another
/// run goes on from there.
public struct Compaction: Sendable {
  private let table: Table
  private let options: CompactionOptions

  public init(_ table: Table, _ options: CompactionOptions = CompactionOptions()) {
    self.table = table
    self.options = options
  }

  /// What is worth rewriting, the most worthwhile first. Nothing is changed.
  ///
  /// Cost: the planning of a scan.
  public func plan() async throws(MaintenanceError) -> [CompactionGroup] {
    guard let state = try await CompactionState(table, options) else { return [] }
    return state.groups
  }

  /// Rewrites all that is worth it.
  ///
  /// Memory: the encoded row groups of the files that are open, and in a table with a sort order up to
  /// ``CompactionOptions/memoryLimit`` of rows; of each file that waits to be committed, where its
  /// rows went.
  public func run() async throws(MaintenanceError) -> CompactionReport {
    let newest: Table
    do throws(CatalogError) { newest = try await table.refreshed() } catch {
      throw .catalog(error)
    }
    guard let planned = try await CompactionState(newest, options), !planned.groups.isEmpty else {
      return CompactionReport()
    }
    guard let (claim, claimed) = await BranchClaim.take(of: options.branch, on: newest) else {
      return try await run(planned, nil)
    }
    do throws(MaintenanceError) {
      // What came before the claim is part of what is rewritten.
      guard let state = try await CompactionState(claimed, options) else {
        await claim.release(on: claimed)
        return CompactionReport()
      }
      return try await run(state, claim)
    } catch {
      await claim.release(on: claimed)
      throw error
    }
  }

  /// Rewrites the groups of `state`.
  ///
  /// - Parameter claim: on its files; is taken back with the last commit.
  private func run(
    _ state: CompactionState, _ claim: BranchClaim?
  ) async throws(MaintenanceError) -> CompactionReport {
    var report = CompactionReport()
    var claim = claim
    let rewrite = GroupRewrite(
      table: state.table, options: options, targetByteCount: state.targetByteCount,
      sortOrder: state.sortOrder)
    var pending: [RewrittenGroup] = []
    var pendingByteCount: Int64 = 0
    do throws(MaintenanceError) {
      for (number, group) in state.groups.enumerated() {
        if Task.isCancelled { throw .cancelled }
        await claim?.renew(on: state.table)
        do throws(CommitError) {
          pending.append(try await rewrite.run(group))
        } catch {
          // Others may have replaced its files, and deleted them.
          guard try await isGone(group, from: state.table, error) else { throw .commit(error) }
          report.droppedGroups += 1
          continue
        }
        pendingByteCount = pendingByteCount.saturating(group.byteCount)
        if pendingByteCount >= options.commitByteCount, number < state.groups.count - 1 {
          let some = pending
          pending = []
          pendingByteCount = 0
          try await commit(some, state, &report, claim)
        }
      }
    } catch {
      await state.table.store.discard(pending.flatMap(\.added))
      throw error
    }
    // Also where all were dropped: that takes the claim back.
    if !pending.isEmpty || claim != nil {
      try await commit(pending, state, &report, claim, isLast: true)
    }
    return report
  }

  /// Rewrites data files that were chosen, each group to one file or more.
  ///
  /// - Parameters:
  ///   - groups: data files of one partition each, of the state `snapshot`.
  ///   - tasks: those of the groups; where the state has delete files that are about more than one
  ///     data file, all there are in it.
  ///   - isAllowed: is asked of each state that the commit is planned on.
  /// - Returns: the table after the commit; nil if all groups were dropped.
  package func rewrite(
    _ groups: [[ScanTask]], of tasks: [ScanTask], at snapshot: Snapshot,
    if isAllowed: @escaping @Sendable (TableMetadata) async -> Bool
  ) async throws(MaintenanceError) -> (table: Table?, report: CompactionReport) {
    let state = try CompactionState(table, options, groups, of: tasks, at: snapshot)
    let rewrite = GroupRewrite(
      table: table, options: options, targetByteCount: state.targetByteCount,
      sortOrder: state.sortOrder)
    var report = CompactionReport()
    var rewritten: [RewrittenGroup] = []
    do throws(CommitError) {
      for group in state.groups { rewritten.append(try await rewrite.run(group)) }
    } catch {
      await table.store.discard(rewritten.flatMap(\.added))
      throw .commit(error)
    }
    let now = try await commit(rewritten, state, &report, if: isAllowed)
    return (report.groups > 0 ? now : nil, report)
  }

  @discardableResult
  private func commit(
    _ groups: [RewrittenGroup], _ state: CompactionState, _ report: inout CompactionReport,
    _ claim: BranchClaim? = nil, isLast: Bool = false,
    if isAllowed: (@Sendable (TableMetadata) async -> Bool)? = nil
  ) async throws(MaintenanceError) -> Table {
    let outcome = CompactionCommit.Outcome()
    let change = CompactionCommit(
      groups: groups, snapshot: state.snapshot,
      formatVersion: state.table.metadata.formatVersion, data: state.data,
      deletes: state.deletes, users: state.users, branch: options.branch,
      allowsParts: isAllowed == nil && state.table.metadata.formatVersion >= .v2,
      claim: claim, isLast: isLast, isAllowed: isAllowed, outcome: outcome)
    let receipt: CommitReceipt
    var lost = 0
    do throws(CommitError) {
      receipt = try await state.table.commitSoon(change, turnBy: claim, lost: &lost)
    } catch {
      // After an unknown outcome the files may be part of the table.
      if case .stateUnknown = error { throw .commit(error) }
      await state.table.store.discard(groups.flatMap(\.added))
      throw .commit(error)
    }
    let landed = Set(outcome.value.groups)
    let dropped = groups.indices.filter { !landed.contains($0) }
    await state.table.store.discard(dropped.flatMap { groups[$0].added })
    report.droppedGroups += dropped.count
    report.attempts += lost + receipt.attempts
    guard let snapshot = receipt.snapshot else { return receipt.table }
    report.snapshotIDs.append(snapshot.id)
    report.groups += landed.count
    report.movedDeletes += outcome.value.movedDeletes
    let gone = outcome.value.gone
    report.supersededFiles += gone.count
    for number in landed {
      report.rewrittenFiles += groups[number].replaced.count { !gone.contains($0.file.path) }
      report.addedFiles += groups[number].added.count
      for entry in groups[number].replaced where !gone.contains(entry.file.path) {
        report.rewrittenBytes = report.rewrittenBytes.saturating(entry.file.byteCount)
      }
      for file in groups[number].added {
        report.addedBytes = report.addedBytes.saturating(file.byteCount)
      }
    }
    report.removedDeleteFiles +=
      snapshot.summary["removed-delete-files"].flatMap { Int($0) } ?? 0
    return receipt.table
  }

  /// True if a file of the group is no longer part of the branch: a data file, or where `error` is that
  /// a file is not there, a delete file, of which each commit may replace some.
  private func isGone(
    _ group: CompactionGroup, from table: Table, _ error: CommitError
  ) async throws(MaintenanceError) -> Bool {
    let now: Table
    do throws(CatalogError) { now = try await table.refreshed() } catch {
      throw .catalog(error)
    }
    do throws(ScanError) {
      let plan = try await now.scan().at(.reference(options.branch)).plan()
      let paths = Set(plan.tasks.map(\.file.path))
      if !group.tasks.allSatisfy({ paths.contains($0.file.path) }) { return true }
      guard error.isOfMissingFile else { return false }
      let deletes = Set(plan.tasks.flatMap { $0.deletes.map(\.file.identity) })
      return !group.tasks.flatMap(\.deletes).allSatisfy { deletes.contains($0.file.identity) }
    } catch {
      throw .reading(error)
    }
  }
}

extension CommitError {
  fileprivate var isOfMissingFile: Bool {
    switch self {
    case .reading(.storage(let cause, _)), .reading(.dataFile(.storage(let cause))):
      cause.isNotFound
    default: false
    }
  }
}

/// The state that is compacted, and what of it is worth it.
struct CompactionState: Sendable {
  let table: Table
  let snapshot: Snapshot
  let targetByteCount: Int64
  /// What files are sorted by; of a curve, its columns.
  let sortOrder: SortOrder
  /// All data files.
  let data: [ManifestEntry]
  /// All delete files.
  let deletes: [ManifestEntry]
  /// The data files that each of them may delete rows of.
  let users: [DataFile.Identity: [String]]
  let groups: [CompactionGroup]

  /// Of a state some of whose files were chosen.
  ///
  /// - Parameter tasks: the data files that delete files are looked up of.
  init(
    _ table: Table, _ options: CompactionOptions, _ groups: [[ScanTask]], of tasks: [ScanTask],
    at snapshot: Snapshot
  ) throws(MaintenanceError) {
    self.table = table
    self.snapshot = snapshot
    let order = try Self.sortOrder(table, options)
    sortOrder = order
    targetByteCount = try Self.targetByteCount(table, options, order)
    data = tasks.map(\.entry)
    users = Self.users(of: tasks)
    var seen: Set<DataFile.Identity> = []
    deletes = tasks.flatMap(\.deletes).filter { seen.insert($0.file.identity).inserted }
      .map(\.entry)
    self.groups = groups.map { CompactionGroup($0, benefit: 0) }
  }

  private static func users(of tasks: [ScanTask]) -> [DataFile.Identity: [String]] {
    var users: [DataFile.Identity: [String]] = [:]
    for task in tasks {
      for delete in task.deletes { users[delete.file.identity, default: []].append(task.file.path) }
    }
    return users
  }

  /// How large files are to be.
  private static func targetByteCount(
    _ table: Table, _ options: CompactionOptions, _ order: SortOrder
  ) throws(MaintenanceError) -> Int64 {
    do throws(IcebergError) {
      let set = try table.metadata.properties.value(of: .targetFileByteCount)
      let target = options.targetByteCount ?? set
      guard options.strategy == .binpack, !order.isUnsorted || !options.key.isEmpty else {
        return max(1, target)
      }
      // Rows that are sorted are held in memory, where they take about four times the room.
      return max(1, min(target, Int64(max(4, options.memoryLimit) / 4)))
    } catch {
      throw .commit(.rejected(error))
    }
  }

  /// Nil if the branch has no rows yet.
  init?(_ table: Table, _ options: CompactionOptions) async throws(MaintenanceError) {
    self.table = table
    let order = try Self.sortOrder(table, options)
    sortOrder = order
    targetByteCount = try Self.targetByteCount(table, options, order)
    do throws(ScanError) {
      let scan = table.scan().at(.reference(options.branch))
      let plan = try await scan.plan()
      guard let snapshot = plan.snapshot else { return nil }
      self.snapshot = snapshot
      data = plan.tasks.map(\.entry)
      users = Self.users(of: plan.tasks)
      var tasks = plan.tasks
      if options.filter != .alwaysTrue {
        tasks = try await scan.filter(options.filter).plan().tasks
      }
      var metrics: [String: ColumnMetricsList] = [:]
      if options.strategy != .binpack, let id = order.fields.first?.sourceIDs.first {
        metrics = try await table.metrics(of: id, in: snapshot)
      }
      groups = CompactionPlanner(
        options: options, targetByteCount: targetByteCount, sortOrder: order,
        schema: plan.schema, metrics: metrics
      ).groups(of: tasks)
    } catch {
      throw .reading(error)
    }
    do throws(CatalogError) {
      deletes = try await table.deleteEntries(of: snapshot)
    } catch {
      throw .catalog(error)
    }
  }
}

extension CompactionState {
  /// What files are sorted by.
  private static func sortOrder(
    _ table: Table, _ options: CompactionOptions
  ) throws(MaintenanceError) -> SortOrder {
    let own = table.metadata.defaultSortOrder
    guard let text = options.sortBy else {
      switch options.strategy {
      case .binpack: return own
      case .sort:
        guard own.isUnsorted else { return own }
        throw .invalidPolicy(
          "compaction by the sort order", reason: "the table has none (lake alter TABLE sort-by)")
      case .zorder:
        throw .invalidPolicy("compaction by a curve", reason: "no columns were named (--sort-by)")
      }
    }
    guard options.strategy != .binpack else {
      throw .invalidPolicy(
        "sorting by '\(text)'", reason: "binpack keeps the table's order: use sort or zorder")
    }
    let schema = table.metadata.currentSchema
    var order: SortOrder
    do throws(IcebergError) {
      order = try SortOrder(text, schema: schema, id: .unsorted)
      try order.check(for: schema)
    } catch {
      throw .invalidPolicy("sorting by '\(text)'", reason: "\(error)")
    }
    guard options.strategy == .zorder else {
      if order.fields == own.fields { order = own }
      return order
    }
    guard (1...ZOrder.columnLimit).contains(order.fields.count),
      order.fields.allSatisfy({ $0.transform == .identity }),
      Set(order.fields.map(\.sourceIDs)).count == order.fields.count
    else {
      throw .invalidPolicy(
        "a curve through '\(text)'",
        reason: "expected one to \(ZOrder.columnLimit) columns, each once")
    }
    return order
  }
}

/// What a compaction did.
public struct CompactionReport: Hashable, Sendable {
  /// The snapshots it made.
  public internal(set) var snapshotIDs: [SnapshotID] = []
  /// Groups of files that were rewritten and committed.
  public internal(set) var groups = 0
  /// Groups that others changed meanwhile, in a way that can't be carried over.
  public internal(set) var droppedGroups = 0
  public internal(set) var rewrittenFiles = 0
  /// Files of the groups that others replaced meanwhile: what was written of their rows is deleted in
  /// the new files.
  public internal(set) var supersededFiles = 0
  public internal(set) var addedFiles = 0
  public internal(set) var removedDeleteFiles = 0
  public internal(set) var rewrittenBytes: Int64 = 0
  public internal(set) var addedBytes: Int64 = 0
  /// Rows that others deleted by position while they were rewritten.
  public internal(set) var movedDeletes = 0
  /// Of all commits.
  public internal(set) var attempts = 0

  /// Of a run that had nothing to do.
  public init() {}
}

extension Table {
  /// Rewrites small files and files with many deleted rows into few large ones; see ``Compaction``.
  @discardableResult
  public func compact(
    _ options: CompactionOptions = CompactionOptions()
  ) async throws(MaintenanceError) -> CompactionReport {
    try await Compaction(self, options).run()
  }
}

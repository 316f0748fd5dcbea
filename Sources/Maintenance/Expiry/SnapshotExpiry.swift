// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage
internal import Writing

/// Lets a table's old snapshots go, and deletes the files that no other snapshot needs.
///
/// First a commit takes the snapshots out of the metadata; only when it is known to have happened are
/// files deleted, those that nothing of the table's newest state reaches: contents before manifests,
/// manifests before lists. So a run that is broken off anywhere leaves lists that tell the next one
/// what is left to do: it finds the snapshots in the metadata files before, and goes on.
public struct SnapshotExpiry: Sendable {
  private let table: Table
  private let policy: ExpiryPolicy

  public init(_ table: Table, _ policy: ExpiryPolicy = ExpiryPolicy()) {
    self.table = table
    self.policy = policy
  }

  /// What a run would do, as far as this state of the table tells. Nothing is changed.
  ///
  /// Cost: as ``run()``, without deleting.
  public func plan() async throws(MaintenanceError) -> ExpiryReport {
    try checkMayDelete()
    let expiry: Expiry
    var next = table
    do throws(IcebergError) {
      let now = table.environment.now().milliseconds
      expiry = try policy.expiry(of: table.metadata, at: now)
      let updates = await ExpireSnapshots.updates(expiry, of: table)
      if !updates.isEmpty {
        next = table.with(
          metadata: try table.metadata.applying(
            updates, at: now, previousLocation: table.metadataLocation.text))
      }
    } catch {
      throw .commit(.rejected(error))
    }
    var report = ExpiryReport(
      snapshotIDs: expiry.snapshotIDs, references: expiry.references, attempts: 0)
    if let files = try await unreachable(in: next, &report) { report.count(files) }
    return report
  }

  /// Lets the snapshots go, and deletes their files.
  ///
  /// Cost: a commit; a listing of the metadata folder; the manifest lists of all snapshots, and each
  /// manifest once; a request for each file that is deleted.
  /// - Throws: ``MaintenanceError/commit(_:)`` if nothing was committed, or no one can tell: nothing
  ///   was deleted then. What can't be read or deleted after the commit is told in the report.
  public func run() async throws(MaintenanceError) -> ExpiryReport {
    try checkMayDelete()
    let receipt: CommitReceipt
    do throws(CommitError) {
      receipt = try await table.commit(ExpireSnapshots(policy))
    } catch {
      throw .commit(error)
    }
    let before = table.metadata
    let now: Table
    do throws(CatalogError) { now = try await receipt.table.refreshed() } catch {
      throw .catalog(error)
    }
    var report = ExpiryReport(
      snapshotIDs: before.snapshots.map(\.id).filter { now.metadata.snapshot($0) == nil },
      references: before.references.keys.filter { now.metadata.reference($0) == nil }.sorted(),
      attempts: receipt.attempts)
    guard let files = try await unreachable(in: now, &report) else { return report }
    report.count(files)
    try await delete(files, &report)
    return report
  }

  private func checkMayDelete() throws(MaintenanceError) {
    let mayDelete: Bool
    do throws(IcebergError) {
      mayDelete = try table.metadata.properties.value(of: .garbageCollection)
    } catch {
      throw .commit(.rejected(error))
    }
    guard mayDelete else { throw .deletionIsOff(what: "expiry") }
  }

  /// The files of snapshots that `now` no longer has; nil if that can't be told.
  private func unreachable(
    in now: Table, _ report: inout ExpiryReport
  ) async throws(MaintenanceError) -> UnreachableFiles? {
    var former = FormerSnapshots()
    former.note(table.metadata, now: now.metadata)
    do throws(MaintenanceError) {
      try await Leftovers(now).note(in: &former)
      guard !former.snapshots.isEmpty else { return nil }
      let files = try await UnreachableFiles(former, notIn: now)
      report.problems += files.problems
      return files
    } catch {
      guard case .unreadable = error else { throw error }
      report.problems.append("\(error)")
      return nil
    }
  }

  private func delete(
    _ files: UnreachableFiles, _ report: inout ExpiryReport
  ) async throws(MaintenanceError) {
    var deletion = FileDeletion(table.store)
    // What tells of files outlives them: else no one would find them.
    for paths in [files.statistics.union(files.contents), files.manifests, files.lists] {
      guard try await deletion.delete(paths) else { break }
    }
    report.problems += deletion.problems
    report.deletedFiles = deletion.deletedCount
  }
}

/// What an expiry did, or would do.
public struct ExpiryReport: Hashable, Sendable {
  /// The snapshots that went.
  public internal(set) var snapshotIDs: [SnapshotID]
  /// The branches and tags that went.
  public internal(set) var references: [String]
  public internal(set) var attempts: Int
  /// Files that nothing needs any more: of data and deletes,
  public internal(set) var contentFiles = 0
  public internal(set) var manifests = 0
  public internal(set) var manifestLists = 0
  public internal(set) var statisticsFiles = 0
  /// Those of them that were deleted.
  public internal(set) var deletedFiles = 0
  /// What could not be read or deleted; it stays, and the next run tries again.
  public internal(set) var problems: [String] = []

  init(snapshotIDs: [SnapshotID], references: [String], attempts: Int) {
    self.snapshotIDs = snapshotIDs
    self.references = references
    self.attempts = attempts
  }

  mutating func count(_ files: UnreachableFiles) {
    contentFiles = files.contents.count
    manifests = files.manifests.count
    manifestLists = files.lists.count
    statisticsFiles = files.statistics.count
  }

  /// How many files nothing needs any more.
  public var unneededFiles: Int { contentFiles + manifests + manifestLists + statisticsFiles }
}

extension Table {
  /// Lets snapshots go that `policy` keeps no longer, and deletes the files that only they needed.
  @discardableResult
  public func expireSnapshots(
    _ policy: ExpiryPolicy = ExpiryPolicy()
  ) async throws(MaintenanceError) -> ExpiryReport {
    try await SnapshotExpiry(self, policy).run()
  }
}

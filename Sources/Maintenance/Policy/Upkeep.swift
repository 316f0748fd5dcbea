// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Writing

/// Does for a table what is worth doing: compaction, expiry, rewriting of manifests, trimming of old
/// metadata files, orphans, in this order; and says what it did, or let be, and why.
///
/// A step that fails does not keep the others from being done.
public struct Upkeep: Sendable {
  private let table: Table
  private let policy: MaintenancePolicy

  public init(_ table: Table, _ policy: MaintenancePolicy) {
    self.table = table
    self.policy = policy
  }

  public enum Task: String, Hashable, Sendable, CaseIterable {
    case compact, expire, manifests, metadata, orphans
  }

  /// One step.
  public struct Step: Sendable {
    public enum Outcome: String, Hashable, Sendable {
      case done
      /// It is worth doing, but nothing was to be changed.
      case planned
      /// It is not worth it.
      case skipped
      case failed
    }

    public let task: Task
    public let outcome: Outcome
    /// What was done, or why not.
    public let reason: String
    /// Why it failed.
    public let error: MaintenanceError?

    init(_ task: Task, _ outcome: Outcome, _ reason: String, _ error: MaintenanceError? = nil) {
      self.task = task
      self.outcome = outcome
      self.reason = reason
      self.error = error
    }
  }

  /// Whether anything is changed.
  public enum Mode: Hashable, Sendable { case run, plan }

  /// Does what is worth it, or says what would be.
  ///
  /// - Parameter done: is told of each step as it ends.
  /// - Throws: ``MaintenanceError/cancelled`` alone: what fails is told as a step.
  @discardableResult
  public func run(
    _ mode: Mode, _ done: (Step) -> Void = { _ in }
  ) async throws(MaintenanceError) -> [Step] {
    var steps: [Step] = []
    for task in Task.allCases {
      let step: Step
      do throws(MaintenanceError) {
        step = try await run(task, mode)
      } catch {
        if case .cancelled = error { throw error }
        step = Step(task, .failed, "\(error)", error)
      }
      steps.append(step)
      done(step)
    }
    return steps
  }

  private func run(_ task: Task, _ mode: Mode) async throws(MaintenanceError) -> Step {
    switch task {
    case .compact: try await compact(mode)
    case .expire: try await expire(mode)
    case .manifests: try await rewriteManifests(mode)
    case .metadata: try await trimVersions(mode)
    case .orphans: try await sweep(mode)
    }
  }

  private func compact(_ mode: Mode) async throws(MaintenanceError) -> Step {
    guard policy.compacts else { return Step(.compact, .skipped, "the policy says compact=off") }
    var options = CompactionOptions()
    options.targetByteCount = policy.targetByteCount
    options.deletedPercent = policy.deletedPercent
    let groups = try await Compaction(table, options).plan()
    let files = groups.reduce(0) { $0 + $1.fileCount }
    let deleteCount = groups.reduce(0) { $0 + $1.deleteFileCount }
    guard files > 0 else { return try await foldDeletes(mode) }
    let why = "\(files) files that are small or have deleted rows, with \(deleteCount) delete files"
    guard mode == .run else { return Step(.compact, .planned, why) }
    let report = try await table.compact(options)
    let deletes = try await DeleteFolding(table).run()
    return Step(
      .compact, .done,
      "\(why): \(report.rewrittenFiles) rewritten into \(report.addedFiles), "
        + "\(report.removedDeleteFiles + deletes.removedFiles) delete files folded in")
  }

  /// Where no data file is worth rewriting, delete files may be.
  private func foldDeletes(_ mode: Mode) async throws(MaintenanceError) -> Step {
    let folding = DeleteFolding(table)
    let report = mode == .run ? try await folding.run() : try await folding.plan()
    guard report.removedFiles > 0 else {
      return Step(.compact, .skipped, "no files are worth rewriting")
    }
    let why =
      "no data files are worth rewriting; of \(report.removedFiles) delete files "
      + "\(report.danglingFiles) delete nothing, the others are put together"
    return Step(.compact, mode == .run ? .done : .planned, why)
  }

  private func expire(_ mode: Mode) async throws(MaintenanceError) -> Step {
    guard policy.expires else { return Step(.expire, .skipped, "the policy says expire=off") }
    let retention = ExpiryPolicy(
      maxSnapshotAge: policy.keep, minSnapshotsToKeep: policy.keepLast)
    let newest = try await newest()
    let expiry = SnapshotExpiry(newest, retention)
    // What writers let go, and runs that were broken off, leave files too.
    let report = mode == .run ? try await expiry.run() : try await expiry.plan()
    guard !report.snapshotIDs.isEmpty || report.unneededFiles > 0 else {
      return Step(
        .expire, .skipped, "all \(newest.metadata.snapshots.count) snapshots are to be kept")
    }
    let verb = mode == .run ? "went" : "would go"
    let count = mode == .run ? report.deletedFiles : report.unneededFiles
    let text = "\(report.snapshotIDs.count) snapshots \(verb), with \(count) files"
    if let problem = report.problems.first, mode == .run {
      return Step(.expire, .failed, "\(text); \(report.problems.count) problems: \(problem)")
    }
    return Step(.expire, mode == .run ? .done : .planned, text)
  }

  private func rewriteManifests(_ mode: Mode) async throws(MaintenanceError) -> Step {
    guard policy.rewritesManifests else {
      return Step(.manifests, .skipped, "the policy says manifests=off")
    }
    let newest = try await newest()
    guard let snapshot = newest.metadata.currentSnapshot else {
      return Step(.manifests, .skipped, "the table has no rows yet")
    }
    let manifests: [ManifestFile]
    let targetByteCount: Int64
    do throws(CatalogError) {
      manifests = try await ManifestFiles(newest).list(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
    do throws(IcebergError) {
      targetByteCount = try newest.metadata.properties.value(of: .manifestTargetByteCount)
    } catch {
      throw .commit(.rejected(error))
    }
    let kinds = Set(manifests.map { "\($0.partitionSpecID.rawValue) \($0.content)" }).count
    let bytes = manifests.reduce(Int64(0)) { $0.saturating($1.byteCount) }
    let needed = kinds + Int(clamping: bytes / max(1, targetByteCount))
    guard manifests.count >= policy.manifestCount, needed * 2 <= manifests.count else {
      return Step(
        .manifests, .skipped, "\(manifests.count) manifests, about \(needed) are needed")
    }
    let why = "\(manifests.count) manifests where about \(needed) do"
    guard mode == .run else { return Step(.manifests, .planned, why) }
    do throws(CommitError) { _ = try await newest.commit(ManifestRewrite()) } catch {
      throw .commit(error)
    }
    return Step(.manifests, .done, why)
  }

  /// How old a version of metadata has to be, and how many stay however old they are.
  private static let versionAge = Duration.seconds(3600)
  private static let versionCount = 100

  private func trimVersions(_ mode: Mode) async throws(MaintenanceError) -> Step {
    guard policy.trimsMetadata else {
      return Step(.metadata, .skipped, "the policy says metadata=off")
    }
    let newest = try await newest()
    var count = Self.versionCount
    do throws(IcebergError) {
      // What the newest one names as versions before it stays.
      let named = try newest.metadata.properties.value(of: .previousMetadataFileCount)
      count = Swift.max(count, Int(clamping: named.saturating(1)))
    } catch {
      throw .commit(.rejected(error))
    }
    guard mode == .run else {
      return Step(.metadata, .skipped, "versions beyond the newest \(count) go, after an hour")
    }
    do throws(CatalogError) {
      let trimmed = try await newest.trimVersions(keeping: count, olderThan: Self.versionAge)
      guard trimmed > 0 else {
        return Step(.metadata, .skipped, "no old versions beyond the newest \(count)")
      }
      return Step(.metadata, .done, "\(trimmed) old versions deleted, beyond the newest \(count)")
    } catch {
      throw .catalog(error)
    }
  }

  private func sweep(_ mode: Mode) async throws(MaintenanceError) -> Step {
    guard policy.sweeps else { return Step(.orphans, .skipped, "the policy says orphans=off") }
    let report = try await table.sweepOrphans(
      olderThan: policy.orphanAge, mode == .run ? .delete : .report)
    guard !report.orphans.isEmpty else {
      return Step(.orphans, .skipped, "none among \(report.listedFiles) files")
    }
    let what = "\(report.orphans.count) files of \(report.orphanBytes) bytes that nothing names"
    if let problem = report.problems.first {
      return Step(.orphans, .failed, "\(what); \(report.problems.count) problems: \(problem)")
    }
    return Step(.orphans, mode == .run ? .done : .planned, what)
  }

  private func newest() async throws(MaintenanceError) -> Table {
    do throws(CatalogError) { return try await table.refreshed() } catch {
      throw .catalog(error)
    }
  }
}

extension Table {
  /// Does for this table what is worth doing by its own policy (properties `lake.maintain.*`).
  @discardableResult
  public func maintain() async throws(MaintenanceError) -> [Upkeep.Step] {
    try await Upkeep(self, try MaintenancePolicy(metadata.properties)).run(.run)
  }
}

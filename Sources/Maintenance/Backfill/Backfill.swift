// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage
internal import Writing

/// Reads history at one pinned state, computes rows of it and writes them to another table, or back
/// in their places in the same one, while others go on changing both.
///
///     var options = BackfillOptions()
///     options.computation = .selection(
///       try ExpressionParser.parse(selectList: "carrier, dep_delay / 60 AS hours"))
///     options.start = .resume
///     let report = try await Backfill(from: flights, into: delays, options).run()
///
/// The state is read in splits, several at a time. Each lands exactly once, however often the
/// program dies: with its rows goes the note that it is done, a property of the target
/// (``BackfillRecord``).
///
/// Into another table rows are added. Into the same one, which has to have a key, a row takes the
/// place of the very row it was computed from; one that others changed or deleted since is left
/// alone, and counted. Rows keep their `_row_id`.
public struct Backfill: Sendable {
  private let source: Table
  private let target: Table
  private let options: BackfillOptions

  public init(
    from source: Table, into target: Table, _ options: BackfillOptions = BackfillOptions()
  ) {
    self.source = source
    self.target = target
    self.options = options
  }

  /// What would be read. Nothing is changed.
  ///
  /// Cost: the planning of a scan, or of two where there is a filter.
  public func plan() async throws(MaintenanceError) -> BackfillPlan {
    let job = try await BackfillJob(source, target, options)
    if !job.record.isFinished { _ = try SplitWriter(job, parallelism: 1) }
    return job.plan
  }

  /// Does what has not been done yet.
  ///
  /// Memory: of each split that is worked on, some megabytes of the scan and the encoded row groups
  /// of the files that are open; of a table's own rows, where those went that wait to be committed.
  /// - Parameter progress: is told after each split.
  /// - Throws: ``MaintenanceError``; what was committed before stays, and is gone on with.
  @discardableResult
  public func run(
    _ progress: (BackfillProgress) -> Void = { _ in }
  ) async throws(MaintenanceError) -> BackfillReport {
    let job = try await BackfillJob(source, target, options)
    let pin = BackfillPin(job)
    if job.record.isFinished {
      await pin.remove()
      return BackfillReport(job)
    }
    let parallelism = max(1, options.parallelism ?? source.environment.processorCount)
    var run = BackfillRun(job, try SplitWriter(job, parallelism: parallelism))
    await pin.set()
    try await run.run(progress)
    await pin.remove()
    return run.report
  }
}

/// Keeps the state that a backfill reads from expiring, by a tag of the source.
///
/// A source that can't be written to is read all the same.
private struct BackfillPin {
  private let source: Table
  private let name: String
  private let snapshot: SnapshotID

  init(_ job: BackfillJob) {
    source = job.source
    name = "backfill.\(job.record.id)"
    snapshot = job.snapshot
  }

  /// How long a backfill may lie broken off.
  private static let ageMilliseconds: Int64 = 30 * 86_400_000

  func set() async {
    guard source.metadata.reference(name) == nil, let state = source.metadata.snapshot(snapshot)
    else { return }
    let age = max(0, source.environment.now().milliseconds - state.timestampMilliseconds)
    _ = try? await source.commit(
      ReferenceChange.createTag(
        name, at: snapshot,
        retention: .init(maxReferenceAgeMilliseconds: age.saturating(Self.ageMilliseconds)),
        ifThere: .replace))
  }

  func remove() async {
    guard let now = try? await source.refreshed(), now.metadata.reference(name) != nil else {
      return
    }
    _ = try? await now.commit(ReferenceChange.remove(.tag, name))
  }
}

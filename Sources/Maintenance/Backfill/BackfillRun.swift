// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Writing

/// Works through the splits of a backfill: several are read and written at a time, and what is
/// written is committed by one.
struct BackfillRun {
  private let job: BackfillJob
  private let writer: SplitWriter
  private let rows: OwnRows?
  private var table: Table
  private var ready: [WrittenSplit] = []
  private var lastCommit: Duration
  private var record: BackfillRecord
  private(set) var report: BackfillReport

  init(_ job: BackfillJob, _ writer: SplitWriter) {
    self.job = job
    self.writer = writer
    rows = job.isOwn ? OwnRows(job) : nil
    table = job.target
    record = job.record
    report = BackfillReport(job)
    lastCommit = table.environment.uptime()
  }

  mutating func run(_ tell: (BackfillProgress) -> Void) async throws(MaintenanceError) {
    var progress = BackfillProgress()
    progress.splits = job.splits.count
    progress.splitsDone = record.done.count
    progress.expectedRows = job.plan.rows
    let writer = writer
    let failure = await withTaskGroup(
      of: Result<WrittenSplit, MaintenanceError>.self, returning: MaintenanceError?.self
    ) { group in
      var waiting = job.left[...]
      func start() -> Bool {
        guard let split = waiting.popFirst() else { return false }
        group.addTask {
          do throws(MaintenanceError) { return .success(try await writer.write(split)) } catch {
            return .failure(error)
          }
        }
        return true
      }
      for _ in 0..<writer.parallelism where !start() { break }
      var failure: MaintenanceError?
      while let result = await group.next() {
        switch result {
        case .failure(let error):
          if failure == nil { group.cancelAll() }
          failure = failure ?? error
        case .success(let written):
          ready.append(written)
          guard failure == nil else { continue }
          if Task.isCancelled {
            failure = .cancelled
            group.cancelAll()
            continue
          }
          _ = start()
          progress.rows += written.rowCount
          do throws(MaintenanceError) {
            if isDue { try await commit() }
          } catch {
            failure = error
            group.cancelAll()
          }
          progress.splitsDone = record.done.count
          tell(progress)
        }
      }
      return failure
    }
    if let failure {
      await discard(ready)
      throw failure
    }
    try await commit()
    // What had landed may have been taken back meanwhile.
    guard record.isFinished else { throw .backfillWasRolledBack(record.id) }
  }

  private var isDue: Bool {
    let bytes = ready.reduce(Int64(0)) { $0.saturating($1.split.byteCount) }
    return bytes >= job.options.commitByteCount
      || table.environment.uptime() - lastCommit >= job.options.commitInterval
  }

  private func discard(_ splits: [WrittenSplit]) async {
    await table.store.discard(splits.flatMap(\.files))
  }

  // MARK: commits

  /// How often an unknown outcome is looked into before it is told.
  private static let doubtLimit = 3

  private mutating func commit() async throws(MaintenanceError) {
    guard !ready.isEmpty else { return }
    let some = ready
    let commit = BackfillCommit(job: job, splits: some, rows: rows)
    var doubts = 0
    while true {
      do throws(CommitError) {
        let receipt = try await table.commit(commit)
        ready = []
        await finish(some, commit, receipt)
        return
      } catch {
        // Planned again, an attempt is found if it happened; and if it has not by then, the new one
        // has its place.
        if case .stateUnknown = error {
          doubts += 1
          if doubts < Self.doubtLimit { continue }
          // The files may be part of the table.
          ready = []
        }
        if let failure = commit.outcome.failure { throw failure }
        throw .commit(error)
      }
    }
  }

  private mutating func finish(
    _ some: [WrittenSplit], _ commit: BackfillCommit, _ receipt: CommitReceipt
  ) async {
    let landing = commit.outcome.landing
    let landed = Set(landing.splits)
    await discard(some.indices.filter { !landed.contains($0) }.map { some[$0] })
    table = receipt.table
    lastCommit = table.environment.uptime()
    record = landing.record ?? record
    report.attempts += receipt.attempts
    report.splitsLanded += landed.count
    report.splitsOfOthers += some.count - landed.count
    report.rows = report.rows.saturating(landing.rows)
    report.leftAlone = report.leftAlone.saturating(landing.leftAlone)
    for number in landing.splits {
      for file in some[number].files {
        report.addedFiles += 1
        report.addedBytes = report.addedBytes.saturating(file.byteCount)
      }
    }
    if !landed.isEmpty, let last = record.last { report.snapshotIDs.append(last) }
  }
}

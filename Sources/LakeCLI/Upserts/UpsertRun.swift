// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Lake

/// Brings the rows of sources into a table by key, commit by commit.
///
/// Law: an offset is committed in the same commit as the rows up to it, and those kept apart among
/// them are durable before.
final class UpsertRun {
  let writer: UpsertWriter
  private let badRows: BadRows
  private let progress: Progress
  private let rowLimit: Int?
  private let interval: Duration
  private let environment: Environment
  /// Offsets that are not committed yet, and how many rows wait for a commit.
  private var offsets: [String: Int64] = [:]
  /// What the table knows.
  private(set) var committed: [String: Int64]
  private(set) var waiting = 0
  private var firstWaiting: Duration?
  private(set) var tally = UpsertTally()

  init(
    _ writer: UpsertWriter, _ badRows: BadRows, _ progress: Progress, rowLimit: Int?,
    interval: Duration, _ environment: Environment
  ) async {
    self.writer = writer
    committed = await writer.committedOffsets
    self.badRows = badRows
    self.progress = progress
    self.rowLimit = rowLimit
    self.interval = interval
    self.environment = environment
  }

  /// Whether rows or offsets were taken that are not committed.
  var hasWaiting: Bool { waiting > 0 || !offsets.isEmpty }

  /// Takes all rows of `sources`, one source after the other or, where they are followed, in turn.
  ///
  /// - Throws: what the sources or the writer throw; what was taken before waits for a commit.
  func take(_ sources: [UpsertSource], follows: Bool) async throws {
    var open = sources[...]
    while !open.isEmpty, Interruption.exitCode == nil {
      for source in open {
        if try await !takeOnce(source) { open.removeAll { $0 === source } }
        // Without --follow each source comes to its end before the next one.
        if Interruption.exitCode != nil || (!follows && !open.isEmpty) { break }
      }
    }
  }

  /// Takes what `source` has next; false at its end.
  private func takeOnce(_ source: UpsertSource) async throws -> Bool {
    switch try await source.next() {
    case .end: return false
    case .pause:
      try await commitIfDue()
      return true
    case .rows(let rows):
      try await take(rows, of: source)
      return true
    }
  }

  private func take(_ rows: SourceRows, of source: UpsertSource) async throws {
    tally.replayed += Int64(rows.replayedCount)
    var end = rows.batch.rowCount
    var bad = rows.rejected
    var failure: InputError?
    if let first = bad.first, badRows.policy == .fail {
      failure = source.located(first.error)
      end = rows.count(before: first.precedingRowCount)
      bad = []
    }
    var start = 0
    while start < end {
      let room = rowLimit.map { max(1, $0 - waiting) } ?? end - start
      let next = min(start + room, end)
      // Those that come before the rows are durable when they are committed, and no others.
      putAside(&bad, before: rows.origin(next - 1), of: source)
      source.aside.settle()
      try await upsert(rows, start..<next, of: source)
      moveOffset(of: source, to: source.offset(afterRow: next - 1, of: rows))
      start = next
      if start < end { try await commitIfDue() }
    }
    if let failure { throw failure }
    putAside(&bad, before: .max, of: source)
    moveOffset(of: source, to: source.offset(afterAllOf: rows))
    try await commitIfDue()
  }

  /// Puts those of `bad` aside that come before row `row` of those read.
  private func putAside(
    _ bad: inout ArraySlice<RejectedRow>, before row: Int, of source: UpsertSource
  ) {
    while let next = bad.first, next.precedingRowCount <= row {
      badRows.take(source.located(next.error), next.text, header: source.header)
      source.aside.count()
      bad.removeFirst()
    }
    guard source.hasOffsetColumn else { return }
    for (name, value) in source.aside.offsets where committed[name] ?? 0 < value {
      offsets[name] = value
    }
  }

  private func moveOffset(of source: UpsertSource, to offset: Int64?) {
    guard let offset, committed[source.partition] ?? .min < offset else { return }
    offsets[source.partition] = offset
    // Rows that are all bad are committed by time too.
    if firstWaiting == nil { firstWaiting = environment.uptime() }
  }

  /// Hands the writer the rows `range`, but for those that it refuses.
  private func upsert(
    _ rows: SourceRows, _ range: Range<Int>, of source: UpsertSource
  ) async throws {
    var start = range.lowerBound
    var end = range.upperBound
    while start < range.upperBound {
      do throws(IngestError) {
        if start < end { try await writer.upsert(rows.batch.slice(start..<end)) }
        note(end - start)
        start = end
        end = range.upperBound
      } catch {
        guard let row = error.row, start + row < end else { throw error }
        end = start + row
        // What comes before is not refused, and is handed over alone.
        guard row == 0 else { continue }
        try refuse(start, of: rows, error, of: source)
        start += 1
        end = range.upperBound
      }
    }
  }

  private func refuse(
    _ row: Int, of rows: SourceRows, _ error: IngestError, of source: UpsertSource
  ) throws {
    let refusal = InputError.refused(
      file: source.name, line: source.line(of: rows.origin(row), in: rows.placed),
      reason: error.reason)
    guard badRows.policy != .fail else {
      if row > 0 { moveOffset(of: source, to: source.offset(afterRow: row - 1, of: rows)) }
      throw refusal
    }
    var text = MutableBuffer()
    rows.batch.slice(row..<row + 1).appendLines(.json, ending: "", to: &text)
    badRows.take(refusal, text.freeze(), header: nil)
  }

  private func note(_ count: Int) {
    guard count > 0 else { return }
    if firstWaiting == nil { firstWaiting = environment.uptime() }
    waiting += count
    progress.add(rows: count)
  }

  private func commitIfDue() async throws {
    guard hasWaiting else { return }
    let isFull = rowLimit.map { waiting >= $0 } ?? false
    let isOld = firstWaiting.map { environment.uptime() - $0 >= interval } ?? false
    if isFull || isOld { return try await commit() }
    if rowLimit == nil, await writer.isDue { try await commit() }
  }

  /// Commits what was taken.
  func commit() async throws {
    try await badRows.flush(before: writer)
    guard hasWaiting else { return }
    let receipt = try await writer.commit(offsets)
    offsets = [:]
    waiting = 0
    firstWaiting = nil
    committed = await writer.committedOffsets
    guard let receipt else { return }
    tally.add(receipt)
    progress.note("\(tally.commits) commits")
  }
}

/// What the commits of a run came to.
struct UpsertTally {
  private(set) var counts = UpsertCounts()
  private(set) var commits = 0
  private(set) var attempts = 0
  private(set) var last: Snapshot?
  private(set) var addedRows: Int64 = 0
  private(set) var addedFiles: Int64 = 0
  private(set) var removedFiles: Int64 = 0
  /// Rows that were replaced or deleted.
  private(set) var removedRows: Int64 = 0
  /// Rows that were left out, since their offsets were committed before.
  var replayed: Int64 = 0

  mutating func add(_ receipt: UpsertReceipt) {
    let summary = receipt.snapshot.summary
    counts.add(receipt.counts)
    commits += 1
    attempts += receipt.attempts
    last = receipt.snapshot
    addedRows += summary["added-records"].flatMap { Int64($0) } ?? 0
    addedFiles += summary["added-data-files"].flatMap { Int64($0) } ?? 0
    // A file's new vector has the positions of the one it takes the place of too.
    removedRows +=
      (summary["added-position-deletes"].flatMap { Int64($0) } ?? 0)
      - (summary["removed-position-deletes"].flatMap { Int64($0) } ?? 0)
    removedFiles += summary["deleted-data-files"].flatMap { Int64($0) } ?? 0
  }
}

extension UpsertCounts {
  fileprivate mutating func add(_ other: UpsertCounts) {
    received += other.received
    written += other.written
    superseded += other.superseded
    late += other.late
    deleted += other.deleted
    replaced += other.replaced
    resurrected += other.resurrected
  }
}

extension IngestError {
  /// Why a row is refused, without its number in a batch.
  fileprivate var reason: String {
    switch self {
    case .nullKey(let column, _):
      "column '\(column)': expected a value, since it is part of the key, found none"
    case .badOrder(let column, _, let found):
      "column '\(column)': expected a value to order by, found \(found)"
    case .badOperation(let column, _, let found):
      "column '\(column)': expected 'upsert' or 'delete', found \(found)"
    case .rows(.invalidValue(let column, _, let reason)): "column '\(column)': \(reason)"
    default: "\(self)"
    }
  }
}

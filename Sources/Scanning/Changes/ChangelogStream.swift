// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import Storage

/// The changes of a range of commits as batches, read as they are asked for, oldest first.
///
/// A commit that only adds rows, or only deletes some, is read as a scan is; of another its changes
/// are in memory at once, or if they are too many, a part of them.
public struct ChangelogStream: AsyncSequence, Sendable {
  public typealias Element = RecordBatch
  public typealias Failure = ScanError

  private let scan: ChangelogScan

  init(_ scan: ChangelogScan) { self.scan = scan }

  public func makeAsyncIterator() -> Iterator { Iterator(scan) }

  public struct Iterator: AsyncIteratorProtocol {
    private let scan: ChangelogScan
    /// Nil before the first batch.
    private var run: Run?
    private var ready: ArraySlice<RecordBatch> = []
    /// Rows that all became the same.
    private var rows: (batches: BatchStream.Iterator, type: ChangeType, mark: ChangeMark)?
    /// Changes that are too many to be in memory at once.
    private var passes: ChangelogPasses?

    /// What is left to be told.
    fileprivate struct Run {
      var steps: ArraySlice<ChangelogStep>
      var ordinal = 0
      var reader: ChangeReader
      let plain: TableScan
      let paired: TableScan
      let shape: ChangelogShape
      /// Where steps can't be told as one beforehand.
      let isGathering: Bool
      let endID: Int64
    }

    init(_ scan: ChangelogScan) { self.scan = scan }

    public mutating func next() async throws(ScanError) -> RecordBatch? {
      while true {
        if Task.isCancelled { throw .cancelled }
        if let batch = ready.popFirst() { return batch }
        if let (type, mark) = rows.map({ ($0.type, $0.mark) }) {
          if let batch = try await rows?.batches.next() {
            return try scan.whole { () throws(ColumnarError) in try mark.marking(batch, type) }
          }
          rows = nil
        }
        if passes != nil {
          if let batch = try await passes?.next() { return batch }
          passes = nil
        }
        guard try await advance() else { return nil }
      }
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ScanError) -> RecordBatch? { try await next() }

    /// Goes on to the next step; false behind the last.
    private mutating func advance() async throws(ScanError) -> Bool {
      var run: Run
      if let known = self.run { run = known } else { run = try start() }
      defer { self.run = run }
      guard let step = run.steps.popFirst() else { return false }
      var changed = try await run.reader.rows(of: step)
      guard !run.isGathering else {
        while let step = run.steps.popFirst() {
          let more = try await run.reader.rows(of: step)
          changed.deleted += more.deleted
          changed.inserted += more.inserted
        }
        try await tell(changed, run, ChangeMark(ordinal: 0, snapshotID: run.endID))
        return true
      }
      let id = scan.isNet ? run.endID : step.after.id.rawValue
      let mark = ChangeMark(ordinal: run.ordinal, snapshotID: id)
      run.ordinal += 1
      if changed.deleted.isEmpty {
        guard !changed.inserted.isEmpty else { return true }
        let stream = run.plain.of(changed.inserted).batches()
        rows = (stream.makeAsyncIterator(), .insert, mark)
      } else if changed.inserted.isEmpty {
        rows = (run.plain.of(changed.deleted).batches().makeAsyncIterator(), .delete, mark)
      } else {
        try await tell(changed, run, mark)
      }
      return true
    }

    private func start() throws(ScanError) -> Run {
      let range = try scan.range()
      let (paired, shape) = try scan.pairing(range.schema)
      var (plain, keeping) = (scan.selected, paired)
      // Of one step each page is read once.
      let openFiles = OpenFiles(range.steps.count > 1 ? .all : .dictionaries)
      plain.openFiles = openFiles
      keeping.openFiles = openFiles
      return Run(
        steps: range.steps[...], reader: try scan.reader(range.schema), plain: plain,
        paired: keeping, shape: shape, isGathering: scan.isNet && range.steps.count > 1,
        endID: range.end?.id.rawValue ?? -1)
    }

    /// Folds `changed`: at once if it fits into memory.
    private mutating func tell(
      _ changed: ChangedRows, _ run: Run, _ mark: ChangeMark
    ) async throws(ScanError) {
      let meter = ByteMeter(limit: scan.byteLimit / ChangelogPasses.copies)
      let passes = ChangelogPasses(
        scan: scan, paired: run.paired, shape: run.shape, mark: mark, changed)
      guard let (deleted, inserted) = try await passes.readAll(meter) else {
        self.passes = try await passes.sorted(meter)
        return
      }
      ready = try passes.folded(deleted, inserted)[...]
    }
  }
}

extension ChangelogScan {
  /// What `body` gives; an error of columns is one of too many rows at once.
  func whole<Result>(
    _ body: () throws(ColumnarError) -> Result
  ) throws(ScanError) -> Result {
    do throws(ColumnarError) { return try body() } catch {
      throw .unsupported(
        what: "changes of 2 GiB of values of a column in one commit", file: table.name)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// The changes of a range of commits as batches, read as they are asked for, oldest first.
///
/// A commit that only adds rows, or only deletes some, is read as a scan is; of another its changes
/// are in memory at once.
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
        var (deleted, inserted) = try await run.read(changed)
        while let step = run.steps.popFirst() {
          changed = try await run.reader.rows(of: step)
          let more = try await run.read(changed)
          deleted += more.deleted
          inserted += more.inserted
        }
        try fold(deleted, inserted, run, ChangeMark(ordinal: 0, snapshotID: run.endID))
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
        let (deleted, inserted) = try await run.read(changed)
        try fold(deleted, inserted, run, mark)
      }
      return true
    }

    private func start() throws(ScanError) -> Run {
      let range = try scan.range()
      let (paired, shape) = try scan.pairing(range.schema)
      var (plain, keeping) = (scan.selected, paired)
      let openFiles = OpenFiles()
      plain.openFiles = openFiles
      keeping.openFiles = openFiles
      return Run(
        steps: range.steps[...], reader: try scan.reader(range.schema), plain: plain,
        paired: keeping, shape: shape, isGathering: scan.isNet && range.steps.count > 1,
        endID: range.end?.id.rawValue ?? -1)
    }

    private mutating func fold(
      _ deleted: [RecordBatch], _ inserted: [RecordBatch], _ run: Run, _ mark: ChangeMark
    ) throws(ScanError) {
      let fields = try run.paired.outputFields().map(\.columnField)
      let empty = RecordBatch(
        fields: fields, columns: fields.map { .nulls($0.type, count: 0) }, rowCount: 0)
      let preImages = scan.preImages
      ready = try scan.whole { () throws(ColumnarError) in
        try FoldedChanges(
          try RecordBatch.concat([empty] + deleted), try RecordBatch.concat([empty] + inserted),
          run.shape
        ).batches(mark, preImages: preImages)
      }[...]
    }
  }
}

extension ChangelogStream.Iterator.Run {
  /// All rows of either side, with what it takes to know them again, read side by side.
  fileprivate func read(
    _ rows: ChangedRows
  ) async throws(ScanError) -> (deleted: [RecordBatch], inserted: [RecordBatch]) {
    async let deleted = Self.read(rows.deleted, paired)
    async let inserted = Self.read(rows.inserted, paired)
    let both = await (deleted, inserted)
    return (try both.0.get(), try both.1.get())
  }

  @concurrent
  private static func read(
    _ tasks: [ScanTask], _ scan: TableScan
  ) async -> Result<[RecordBatch], ScanError> {
    if tasks.isEmpty { return .success([]) }
    do throws(ScanError) { return .success(try await scan.of(tasks).collect()) } catch {
      return .failure(error)
    }
  }
}

extension ChangelogScan {
  /// What `body` gives; an error of columns is one of too many rows at once.
  fileprivate func whole<Result>(
    _ body: () throws(ColumnarError) -> Result
  ) throws(ScanError) -> Result {
    do throws(ColumnarError) { return try body() } catch {
      throw .unsupported(
        what: "changes of 2 GiB of values of a column in one commit", file: table.name)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Columnar

/// The rows of a scan as batches, read as they are asked for, in the order of the plan.
///
/// Some units are decoded at a time, one a task; between calls nothing runs.
public struct BatchStream: AsyncSequence, Sendable {
  public typealias Element = RecordBatch
  public typealias Failure = ScanError

  private let scan: TableScan

  init(_ scan: TableScan) { self.scan = scan }

  public func makeAsyncIterator() -> Iterator { Iterator(scan) }

  public struct Iterator: AsyncIteratorProtocol {
    private let scan: TableScan
    /// Nil after the last unit, and before the first.
    private var source: UnitSource?
    /// Nil before the first unit, and after the end.
    private var run: ScanRun?
    private var isStarted = false
    private var counts = ScanCounts()
    private var returned = 0
    private var queue: ArraySlice<ReadUnit> = []
    private var ready: ArraySlice<RecordBatch> = []
    private var left: Int
    private let workspaces = WorkspacePool()

    init(_ scan: TableScan) {
      self.scan = scan
      left = scan.rowLimit ?? .max
    }

    public mutating func next() async throws(ScanError) -> RecordBatch? {
      while left > 0 {
        if let batch = ready.popFirst() {
          let kept = batch.slice(0..<Swift.min(batch.rowCount, left))
          left -= kept.rowCount
          returned += kept.rowCount
          return kept
        }
        guard try await decodeMore() else { break }
      }
      if let source { counts += source.counts }
      source = nil
      run?.end(read: counts, rows: returned)
      run = nil
      return nil
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ScanError) -> RecordBatch? { try await next() }

    /// Decodes the next units at once; false after the last.
    private mutating func decodeMore() async throws(ScanError) -> Bool {
      if !isStarted {
        let run = try await scan.begin()
        self.run = run
        var first = UnitSource(
          run.plan.tasks, try scan.reading(run.plan).request(run.plan.schema),
          parallelism: scan.taskLimit)
        queue = (try await first.next() ?? [])[...]
        source = first
        isStarted = true
      }
      guard !queue.isEmpty else { return false }
      let units = Array(queue.prefix(scan.taskLimit))
      queue = queue.dropFirst(units.count)
      // What follows is fetched in the meantime, if it will be needed next time.
      let idle = queue.count < scan.taskLimit ? source : nil
      let round = try await OrderedPipeline.readAll(units, workspaces, preparing: idle)
      ready = round.batches[...]
      counts += round.counts
      if idle != nil {
        if round.next == nil, let last = round.source { counts += last.counts }
        source = round.next == nil ? nil : round.source
        queue += round.next ?? []
      }
      return true
    }
  }
}

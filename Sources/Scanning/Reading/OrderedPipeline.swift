// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Runs the units of a scan, several at a time, and hands on what they give in their order.
///
/// While units are decoded, the bytes of those that follow are fetched: of one part of a row group,
/// and only when fewer units wait than are decoded at a time.
enum OrderedPipeline {
  /// Reads units with up to `parallelism` tasks. `transform` runs in those tasks, `consume` in the
  /// caller's; it says whether to go on.
  ///
  /// At most `parallelism` units are being read or waiting to be consumed.
  /// - Returns: what was read.
  static func run<Output: Sendable>(
    _ source: UnitSource, parallelism: Int,
    transform: @escaping @Sendable ([RecordBatch]) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) -> ScanCounts {
    let workspaces = WorkspacePool()
    let outcome = await withTaskGroup(
      of: Event<Output>.self, returning: Result<ScanCounts, ScanError>.self
    ) { group in
      var progress = Progress<Output>(source)
      do throws(ScanError) {
        while true {
          while progress.started - progress.consumed < parallelism,
            let unit = progress.queue.popFirst()
          {
            let number = progress.started
            progress.started += 1
            group.addTask { await .decoded(number, decode(unit, workspaces, transform)) }
          }
          if progress.queue.count < parallelism, let idle = progress.takeSource() {
            group.addTask { await prepare(idle) }
          }
          if let output = progress.waiting.removeValue(forKey: progress.consumed) {
            progress.consumed += 1
            if try await !consume(output) { break }
            if Task.isCancelled { throw .cancelled }
            continue
          }
          guard let event = await group.next() else { break }
          try progress.take(event)
        }
        group.cancelAll()
        while let event = await group.next() { progress.count(event) }
        return .success(progress.counts)
      } catch {
        group.cancelAll()
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// What a task of the pipeline ends with.
  fileprivate enum Event<Output: Sendable>: Sendable {
    /// The source, and the next units; nil after the last.
    case prepared(UnitSource, Result<[ReadUnit]?, ScanError>)
    case decoded(Int, Result<(Output, ScanCounts), ScanError>)
  }

  private static func prepare<Output>(_ source: UnitSource) async -> Event<Output> {
    var source = source
    do throws(ScanError) {
      let units = try await source.next()
      return .prepared(source, .success(units))
    } catch {
      return .prepared(source, .failure(error))
    }
  }

  private static func decode<Output>(
    _ unit: ReadUnit, _ workspaces: WorkspacePool,
    _ transform: ([RecordBatch]) throws(ScanError) -> Output
  ) async -> Result<(Output, ScanCounts), ScanError> {
    do throws(ScanError) {
      let rows = try await unit.read(workspaces)
      return .success((try transform(rows.batches), rows.counts))
    } catch {
      return .failure(error)
    }
  }

  /// How far a run has got.
  private struct Progress<Output: Sendable> {
    var queue: ArraySlice<ReadUnit> = []
    var waiting: [Int: Output] = [:]
    var started = 0
    var consumed = 0
    /// Nil while a task goes on with it.
    private var source: UnitSource?
    private var isExhausted = false
    /// What was read while the source was away.
    private var notes: [ScanCounts] = []
    private(set) var counts = ScanCounts()

    init(_ source: UnitSource) { self.source = source }

    /// The source, to go on with; nil if that is being done, or there is nothing left.
    mutating func takeSource() -> UnitSource? {
      guard !isExhausted, let taken = source else { return nil }
      source = nil
      return taken
    }

    mutating func take(_ event: Event<Output>) throws(ScanError) {
      count(event)
      switch event {
      case .prepared(_, let units):
        if let units = try units.get() { queue += units } else { isExhausted = true }
      case .decoded(let number, let result): waiting[number] = try result.get().0
      }
    }

    /// Keeps the counts that come with `event`.
    mutating func count(_ event: Event<Output>) {
      switch event {
      case .prepared(var returned, _):
        for note in notes { returned.note(note) }
        notes = []
        counts = returned.counts
        source = returned
      case .decoded(_, .success((_, let read))):
        source?.note(read)
        if let source { counts = source.counts } else { notes.append(read) }
      case .decoded(_, .failure): break
      }
    }
  }
}

extension OrderedPipeline {
  /// The rows of `units`, all of which are read at once, in their order; and beside that the next
  /// units of `source`, which also keeps the counts. Without one they are returned.
  static func readAll(
    _ units: [ReadUnit], _ workspaces: WorkspacePool, preparing source: UnitSource?
  ) async throws(ScanError) -> (
    batches: [RecordBatch], counts: ScanCounts, source: UnitSource?, next: [ReadUnit]?
  ) {
    let events = await withTaskGroup(of: Event<[RecordBatch]>.self) { group in
      for (index, unit) in units.enumerated() {
        group.addTask {
          await .decoded(
            index, decode(unit, workspaces) { (batches) throws(ScanError) in batches })
        }
      }
      if let source { group.addTask { await prepare(source) } }
      var events: [Event<[RecordBatch]>] = []
      for await event in group { events.append(event) }
      return events
    }
    var results = [[RecordBatch]](repeating: [], count: units.count)
    var source: UnitSource?
    var next: [ReadUnit]?
    var notes: [ScanCounts] = []
    for event in events {
      switch event {
      case .decoded(let index, let result):
        let (batches, counts) = try result.get()
        results[index] = batches
        notes.append(counts)
      case .prepared(let returned, let units):
        next = try units.get()
        source = returned
      }
    }
    var counts = ScanCounts()
    for note in notes {
      if source == nil { counts += note } else { source?.note(note) }
    }
    return (results.flatMap { $0 }, counts, source, next)
  }
}

extension OrderedPipeline {
  /// As ``run(_:parallelism:transform:consume:)``, a batch at a time, and no more than `limit` rows.
  ///
  /// - Returns: what was read, and how many rows were handed out.
  static func run<Output: Sendable>(
    _ source: UnitSource, parallelism: Int, limit: Int?,
    transform: @escaping @Sendable (RecordBatch) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) -> (ScanCounts, rowCount: Int) {
    var returned = 0
    guard let limit else {
      let counts = try await run(source, parallelism: parallelism) {
        batches throws(ScanError) -> [(Int, Output)] in
        var outputs: [(Int, Output)] = []
        for batch in batches { outputs.append((batch.rowCount, try transform(batch))) }
        return outputs
      } consume: { outputs throws(ScanError) in
        for (rows, output) in outputs {
          returned += rows
          guard try await consume(output) else { return false }
        }
        return true
      }
      return (counts, returned)
    }
    // Where rows are counted, only the consumer knows which are still wanted.
    let counts = try await run(source, parallelism: parallelism) { batches throws(ScanError) in
      batches
    } consume: { batches throws(ScanError) in
      for batch in batches where returned < limit {
        let kept = batch.slice(0..<min(batch.rowCount, limit - returned))
        returned += kept.rowCount
        guard try await consume(try transform(kept)) else { return false }
      }
      return returned < limit
    }
    return (counts, returned)
  }
}

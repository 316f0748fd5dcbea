// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// Tells the changes of one step that deletes and inserts rows, of which there may be more than are
/// to be in memory.
///
/// Then rows are read several times. At first it is found out what becomes of each, two bits a row:
/// in each stage of ``FoldedChanges`` those that no stage before has settled are parted by a hash of
/// what the stage knows rows again by, and a pass keeps its share; rows that the stage puts together
/// are in one. Then they are told: updates share by share, deletes and inserts as they are read.
///
/// Law: the rows are those of ``FoldedChanges``.
/// Cost: rows are read as often as there are shares, in the first stage and for updates; the others
/// read what they compare.
struct ChangelogPasses {
  let scan: ChangelogScan
  let paired: TableScan
  let shape: ChangelogShape
  let mark: ChangeMark
  private var deleted: Side
  private var inserted: Side
  /// About how many bytes a row takes.
  private var rowByteCount = 1
  private var phase = Phase.deletes
  private var ready: ArraySlice<RecordBatch> = []
  /// The rows of a side, and how many were read.
  private var rows: (batches: BatchStream.Iterator, count: Int)?

  /// How often rows are in memory while they are folded: as read, side by side, and as told.
  static let copies = 3

  /// The rows of one of the states, as often as they are read in the same order.
  fileprivate struct Side: Sendable {
    let tasks: [ScanTask]
    var fates = RowFates()
  }

  private enum Phase {
    case deletes
    case updates(FoldedChanges.Stage, next: Int, of: Int)
    case inserts
    case end
  }

  init(
    scan: ChangelogScan, paired: TableScan, shape: ChangelogShape, mark: ChangeMark,
    _ rows: ChangedRows
  ) {
    self.scan = scan
    self.paired = paired
    self.shape = shape
    self.mark = mark
    deleted = Side(tasks: rows.deleted)
    inserted = Side(tasks: rows.inserted)
  }

  // MARK: all at once

  /// All rows of either side, with what it takes to know them again, read side by side; nil if they
  /// are more than `meter` allows.
  func readAll(
    _ meter: ByteMeter
  ) async throws(ScanError) -> (deleted: [RecordBatch], inserted: [RecordBatch])? {
    let (old, new, paired) = (deleted.tasks, inserted.tasks, paired)
    async let first = Self.readAll(old, paired, meter, isKept: true)
    async let second = Self.readAll(new, paired, meter, isKept: true)
    let both = await (first, second)
    let rows = (deleted: try both.0.get(), inserted: try both.1.get())
    return meter.isOver ? nil : rows
  }

  @concurrent
  private static func readAll(
    _ tasks: [ScanTask], _ scan: TableScan, _ meter: ByteMeter, isKept: Bool
  ) async -> Result<[RecordBatch], ScanError> {
    if tasks.isEmpty { return .success([]) }
    var batches: [RecordBatch] = []
    do throws(ScanError) {
      try await scan.of(tasks).read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        if isKept { batches.append(batch) }
        return meter.add(batch)
      }
      return .success(meter.isOver ? [] : batches)
    } catch {
      return .failure(error)
    }
  }

  /// The changes that these rows come to.
  func folded(
    _ deleted: [RecordBatch], _ inserted: [RecordBatch]
  ) throws(ScanError) -> [RecordBatch] {
    try fold(deleted, inserted, FoldedChanges.Stage.allCases, paired, shape) {
      folded throws(ColumnarError) in
      try folded.batches(mark, preImages: scan.preImages)
    }
  }

  private func fold<Output>(
    _ deleted: [RecordBatch], _ inserted: [RecordBatch], _ stages: [FoldedChanges.Stage],
    _ scan: TableScan, _ shape: ChangelogShape,
    _ body: (FoldedChanges) throws(ColumnarError) -> Output
  ) throws(ScanError) -> Output {
    let fields = try scan.outputFields().map(\.columnField)
    let empty = RecordBatch(
      fields: fields, columns: fields.map { .nulls($0.type, count: 0) }, rowCount: 0)
    return try self.scan.whole { () throws(ColumnarError) in
      try body(
        try FoldedChanges(
          try RecordBatch.concat([empty] + deleted), try RecordBatch.concat([empty] + inserted),
          shape, stages))
    }
  }

  // MARK: what becomes of rows

  /// The same, knowing what becomes of each row. `meter` has read some of them.
  func sorted(_ meter: ByteMeter) async throws(ScanError) -> ChangelogPasses {
    var passes = self
    passes.rowByteCount = meter.rowByteCount
    var count = (deleted.tasks + inserted.tasks).reduce(0) { $0 + $1.rowCount }
    if scan.isFiltered {
      let all = ByteMeter(limit: .max)
      _ = try await Self.readAll(deleted.tasks, paired, all, isKept: false).get()
      _ = try await Self.readAll(inserted.tasks, paired, all, isKept: false).get()
      (count, passes.rowByteCount) = (all.rowCount, all.rowByteCount)
    }
    for stage in FoldedChanges.Stage.allCases where shape.has(stage) {
      try await passes.settle(stage, rowCount: count)
    }
    return passes
  }

  private mutating func settle(
    _ stage: FoldedChanges.Stage, rowCount: Int
  ) async throws(ScanError) {
    let (scan, shape) = narrowed(stage)
    let width = stage == .byRowID ? 48 : rowByteCount
    let count = shareCount(rowCount, width)
    for number in 0..<count {
      let (old, new) = try await read(
        .open, stage, Share(number: number, count: count), scan, shape)
      guard !old.numbers.isEmpty, !new.numbers.isEmpty else { continue }
      let isSettled = try fold(old.batches, new.batches, [stage], scan, shape) { $0.isSettled }
      for (row, number) in old.numbers.enumerated() where isSettled[row] {
        deleted.fates[number] = RowFate(stage)
      }
      for (row, number) in new.numbers.enumerated() where isSettled[old.numbers.count + row] {
        inserted.fates[number] = RowFate(stage)
      }
    }
  }

  /// How many shares rows are parted into.
  private func shareCount(_ rowCount: Int, _ width: Int) -> Int {
    let bytes = Double(rowCount) * Double(width) * Double(Self.copies)
    let most = Double(min(rowCount, Self.mostShares))
    return max(1, Int(min(most, (bytes / Double(scan.byteLimit)).rounded(.up))))
  }

  private static let mostShares = 4096

  /// What reads all that a stage compares, and nothing else.
  private func narrowed(_ stage: FoldedChanges.Stage) -> (TableScan, ChangelogShape) {
    switch stage {
    case .unchanged: return (paired, shape)
    case .byRowID:
      return (
        paired.select([MetadataColumn.rowID.rawValue]),
        ChangelogShape(outputCount: 0, compared: [], rowID: 0, keys: [], keyNames: [])
      )
    case .byKey:
      return (
        paired.select(shape.keyNames),
        ChangelogShape(
          outputCount: 0, compared: [], rowID: nil, keys: shape.keys, keyNames: shape.keyNames)
      )
    }
  }

  /// The rows of either side that have come to `fate`, and of those a share.
  private func read(
    _ fate: RowFate, _ stage: FoldedChanges.Stage, _ share: Share, _ scan: TableScan,
    _ shape: ChangelogShape
  ) async throws(ScanError) -> (deleted: Kept, inserted: Kept) {
    let (old, new) = (deleted, inserted)
    async let first = Self.read(old, fate, stage, share, scan, shape)
    async let second = Self.read(new, fate, stage, share, scan, shape)
    let both = await (first, second)
    return (try both.0.get(), try both.1.get())
  }

  @concurrent
  private static func read(
    _ side: Side, _ fate: RowFate, _ stage: FoldedChanges.Stage, _ share: Share, _ scan: TableScan,
    _ shape: ChangelogShape
  ) async -> Result<Kept, ScanError> {
    if side.tasks.isEmpty { return .success(Kept()) }
    var kept = Kept()
    var next = 0
    do throws(ScanError) {
      try await scan.of(side.tasks).read { batch throws(ScanError) in
        (batch, share.rows(of: batch, stage, shape))
      } consume: { read throws(ScanError) in
        let (batch, rows) = read
        kept.add(batch, rows.and(side.fates.rows(next..<next + batch.rowCount, fate)), next)
        next += batch.rowCount
        return true
      }
      return .success(kept)
    } catch {
      return .failure(error)
    }
  }

  // MARK: telling

  /// The next changes; nil after the last. Requires: it is known what becomes of each row.
  mutating func next() async throws(ScanError) -> RecordBatch? {
    while true {
      if Task.isCancelled { throw .cancelled }
      if let batch = ready.popFirst() { return batch }
      switch phase {
      case .deletes:
        if let batch = try await unpaired(deleted, .delete) { return batch }
        phase = updates(.byRowID)
      case .updates(let stage, let number, let count):
        guard number < count else {
          phase = stage == .byRowID ? updates(.byKey) : .inserts
          continue
        }
        phase = .updates(stage, next: number + 1, of: count)
        let (old, new) = try await read(
          RowFate(stage), stage, Share(number: number, count: count), paired, shape)
        ready = try fold(old.batches, new.batches, [stage], paired, shape) {
          folded throws(ColumnarError) in
          try folded.batches(mark, preImages: scan.preImages)
        }[...]
      case .inserts:
        if let batch = try await unpaired(inserted, .insert) { return batch }
        phase = .end
      case .end: return nil
      }
    }
  }

  private func updates(_ stage: FoldedChanges.Stage) -> Phase {
    let count = deleted.fates.count(of: RowFate(stage))
    return .updates(
      stage, next: 0, of: count == 0 ? 0 : shareCount(2 * count, rowByteCount))
  }

  /// The next rows that no other belongs to.
  private mutating func unpaired(
    _ side: Side, _ type: ChangeType
  ) async throws(ScanError) -> RecordBatch? {
    if side.tasks.isEmpty { return nil }
    if rows == nil { rows = (paired.of(side.tasks).batches().makeAsyncIterator(), 0) }
    while let batch = try await rows?.batches.next() {
      let first = rows?.count ?? 0
      rows?.count = first + batch.rowCount
      let open = batch.filter(by: side.fates.rows(first..<first + batch.rowCount, .open))
      guard open.rowCount > 0 else { continue }
      return try scan.whole { () throws(ColumnarError) in
        try mark.marking(open.selecting(Array(0..<shape.outputCount)), type)
      }
    }
    rows = nil
    return nil
  }
}

/// Rows that a pass keeps, and which of their side they are.
private struct Kept: Sendable {
  var batches: [RecordBatch] = []
  var numbers: [Int] = []

  /// Adds those of `batch`, whose first row is row `first` of its side, where `rows` is 1.
  mutating func add(_ batch: RecordBatch, _ rows: Bitmap, _ first: Int) {
    let selection = RowSelection(rows)
    guard !selection.isEmpty else { return }
    batches.append(batch.filter(by: selection))
    for range in selection.ranges {
      numbers.append(contentsOf: first + range.lowerBound..<first + range.upperBound)
    }
  }
}

/// Which rows a pass keeps.
private struct Share: Sendable {
  let number: Int
  let count: Int

  /// 1 for each row of `batch` that is of this share in `stage`.
  func rows(
    of batch: RecordBatch, _ stage: FoldedChanges.Stage, _ shape: ChangelogShape
  ) -> Bitmap {
    guard let columns = shape.columns(stage, of: batch) else {
      return Bitmap(repeating: false, count: batch.rowCount)
    }
    let hashes = Column.hashes(of: columns, seed: 0)
    let span = hashes.values(as: UInt64.self)
    var bits = BitmapBuilder(capacity: batch.rowCount)
    for row in span.indices { bits.append((span[row] >> 24) % UInt64(count) == UInt64(number)) }
    return bits.finish()
  }
}

extension ScanTask {
  /// The most rows that are read of the file.
  fileprivate var rowCount: Int {
    positions?.count ?? Int(clamping: max(0, file.recordCount))
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Storage
internal import Writing

/// Streams rows into a table by key: of each key the newest row is there, every commit is exactly
/// once, and readers pay next to nothing for it.
///
///     var options = UpsertOptions()
///     options.orderBy = "event_ts"
///     options.writer = "tower"
///     let writer = try await UpsertWriter.open(table, options)
///     for try await (rows, offset) in source where offset > writer.committedOffsets["source"] ?? -1 {
///       try await writer.upsert(rows)
///       if await writer.isDue { try await writer.commit(["source": offset]) }
///     }
///     try await writer.close()
///
/// Rows that take the place of others keep their `_row_id`; what they replace is noted in deletion
/// vectors (v2: position delete files), one for each data file. Any number of writers, and any other
/// engines, may commit to the same branch: each attempt is worked out on what they left.
///
/// Operations are made one at a time, in the order they are asked for.
public actor UpsertWriter {
  package let options: UpsertOptions
  /// The newest state that is known.
  var table: Table
  /// The rows there are in it, and where they are by key.
  var state: TableState { didSet { smallFiles.follow(state) } }
  var index: KeyIndex
  var binding: UpsertBinding
  var buffer: KeyedBuffer
  var pending = PendingCommit()
  /// The data files that may be put together.
  var smallFiles = SmallFiles()
  /// What the table remembers of this writer; nil if it has no name.
  var record: WriterRecord?
  /// What it is to remember after the commit under way, and the offsets that this moves.
  var nextRecord: WriterRecord?
  var pendingOffsets: [String: Int64] = [:]
  /// Deletions of late, so that it is noticed when an older row comes after one.
  var recentDeletions = RecentDeletions()
  /// When the oldest row came that is not committed.
  var firstPending: Duration?
  var counters = IngestProgress()
  var cadence: FlushCadence
  /// True if no one can tell yet what became of the last commit.
  var isInDoubt = false
  /// Why the commit under way can't be planned.
  var failure: IngestError?
  /// The state in which a compaction has asked that the commit under way be held back.
  var turn: Table?
  /// Why the writer has stopped for good.
  var end: IngestError?
  private var lock = AsyncLock()

  init(
    _ table: Table, _ options: UpsertOptions, _ binding: UpsertBinding, _ state: TableState,
    _ index: KeyIndex, _ record: WriterRecord?
  ) {
    self.table = table
    self.options = options
    self.binding = binding
    self.state = state
    self.index = index
    self.record = record
    buffer = KeyedBuffer(isPartial: options.isPartial)
    cadence = FlushCadence(options.flush, table.metadata)
    smallFiles.follow(state)
  }

  /// For each source partition the offset up to which its rows are committed: those at or below it
  /// are to be skipped. Empty for a writer without a name.
  public var committedOffsets: [String: Int64] { record?.offsets ?? [:] }

  /// How often writers of this name have committed; 0 for one without a name.
  package var epoch: Int64 { record?.epoch ?? 0 }

  /// What the table is known by, wherever it is moved.
  package var tableUUID: String { table.metadata.uuid?.rawValue.lowercased() ?? "-" }

  /// Takes rows in: columns of the table, by name, and the operation column.
  ///
  /// They may be written to data files, but nothing is committed.
  /// - Throws: ``IngestError``; nothing of the batch is taken in then.
  public func upsert(_ rows: RecordBatch) async throws(IngestError) {
    try await exclusively { () async throws(IngestError) in
      guard rows.rowCount > 0 else { return }
      try await settle()
      let keyed = try await keyed(rows)
      let hashes = try binding.hashes(keyed.keys, seed: index.seed)
      try await makeRoom()
      buffer.insert(
        keyed.rows, hashes: hashes, orders: keyed.orders, deletions: keyed.deletions)
      if firstPending == nil { firstPending = table.environment.uptime() }
    }
  }

  /// Takes deletions in: columns of the key, and the one that rows are ordered by. Where that is not
  /// given, each deletes what came before it.
  ///
  /// - Throws: ``IngestError``; nothing of the batch is taken in then.
  public func delete(_ keys: RecordBatch) async throws(IngestError) {
    try await exclusively { () async throws(IngestError) in
      guard keys.rowCount > 0 else { return }
      try await settle()
      let (keys, orders) = try binding.deletions(keys)
      buffer.delete(try binding.hashes(keys, seed: index.seed), orders: orders)
      if firstPending == nil { firstPending = table.environment.uptime() }
    }
  }

  /// True if a limit of the flush policy is reached.
  public var isDue: Bool {
    guard !buffer.isEmpty, end == nil else { return false }
    let age = firstPending.map { table.environment.uptime() - $0 } ?? .zero
    return cadence.isDue(
      rowCount: buffer.received, byteCount: buffer.takenByteCount, age: age)
  }

  /// Commits what was taken in, as one snapshot, and with it how far the sources were read.
  ///
  /// - Parameter offsets: for each source partition the offset of the last row given of it.
  /// - Returns: nil if there was nothing to commit.
  /// - Throws: ``IngestError``; the writer has the rows still, and can be asked again.
  @discardableResult
  public func commit(
    _ offsets: [String: Int64] = [:]
  ) async throws(IngestError) -> UpsertReceipt? {
    try await exclusively { () async throws(IngestError) -> UpsertReceipt? in
      try await commitAll(offsets)
    }
  }

  /// The newest rows of `keys`, those not committed yet among them, in the order of the keys; of a
  /// key without a row there is none.
  ///
  /// - Parameter columns: nil: all of the table's.
  public func get(
    _ keys: RecordBatch, columns: [String]? = nil
  ) async throws(IngestError) -> RecordBatch {
    try await exclusively { () async throws(IngestError) -> RecordBatch in
      try await newestRows(keys, columns)
    }
  }

  /// Ends the writer; what was not committed is given up. The index is kept with the table where
  /// that saves the next writer more than a moment.
  public func close() async throws(IngestError) {
    if end != nil { return }
    try await exclusively { () async throws(IngestError) in
      await table.store.discard(pending.attempted.isEmpty ? pending.files.map(\.file) : [])
      end = .closed
      guard counters.commits > 0, index.placeCount >= Self.keptPlaceCount else { return }
      // An index that is not kept costs time, and nothing else.
      var known = index
      _ = try? await known.persist(to: table)
    }
  }

  /// From how many places on an index is kept: fewer are read again in a tenth of a second.
  private static let keptPlaceCount = 1 << 18

  /// What was done so far.
  public var progress: IngestProgress {
    var progress = counters
    progress.pending = buffer.received
    progress.bufferedByteCount = buffer.byteCount
    if let first = firstPending { progress.lag = table.environment.uptime() - first }
    return progress
  }

  // MARK: parts

  /// Runs `body` when no other operation runs.
  private func exclusively<T: Sendable>(
    _ body: () async throws(IngestError) -> T
  ) async throws(IngestError) -> T {
    if !lock.tryTake() {
      await withCheckedContinuation { lock.wait($0) }
    }
    defer { lock.release() }
    if let end { throw end }
    return try await body()
  }

  /// Rows in the table's shape. Where they have columns that the table does not have, as far as is
  /// known, the table may have got them since.
  private func keyed(_ rows: RecordBatch) async throws(IngestError) -> TakenRows {
    do throws(IngestError) {
      return try binding.keyed(rows)
    } catch {
      guard case .rows(.schemaMismatch(_, _, _)) = error, try await adoptSchema() else {
        throw error
      }
      return try binding.keyed(rows)
    }
  }

  /// Takes notice of a newer schema. Rows that are held go to data files first, as they are.
  ///
  /// - Returns: false if there is none.
  private func adoptSchema() async throws(IngestError) -> Bool {
    let now: Table
    do throws(CatalogError) { now = try await table.refreshed() } catch { throw .catalog(error) }
    guard now.metadata.currentSchemaID != table.metadata.currentSchemaID else { return false }
    let newer = try UpsertBinding(now, options)
    try await flush()
    table = now
    binding = newer
    try await moveState(to: now)
    return true
  }
}

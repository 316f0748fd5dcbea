// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
public import Columnar
internal import Iceberg
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
public actor UpsertWriter {
  let options: UpsertOptions
  /// The newest state that is known.
  var table: Table
  var binding: UpsertBinding
  var buffer: KeyedBuffer
  /// When the oldest row came that is not committed.
  var firstPending: Duration?
  var counters = IngestProgress()
  var isClosed = false
  private var lock = AsyncLock()

  init(_ table: Table, _ options: UpsertOptions, _ binding: UpsertBinding) {
    self.table = table
    self.options = options
    self.binding = binding
    buffer = KeyedBuffer(isPartial: options.isPartial)
  }

  /// Opens a writer of `table`.
  ///
  /// One with a name raises its fence, by a commit without files: from then on no other instance of
  /// the name can commit.
  /// - Throws: ``IngestError`` where the options don't fit the table.
  public static func open(
    _ table: Table, _ options: UpsertOptions
  ) async throws(IngestError) -> UpsertWriter {
    guard table.metadata.formatVersion > .v1 else {
      throw .formatVersion(table.metadata.formatVersion, table: table.name)
    }
    return UpsertWriter(table, options, try UpsertBinding(table, options))
  }

  /// For each source partition the offset up to which its rows are committed: those at or below it
  /// are to be skipped. Empty for a writer without a name.
  public private(set) var committedOffsets: [String: Int64] = [:]

  /// Takes rows in: columns of the table, by name, and the operation column.
  ///
  /// They may be written to data files, but nothing is committed.
  /// - Throws: ``IngestError``; nothing of the batch is taken in then.
  public func upsert(_ rows: RecordBatch) async throws(IngestError) {
    try await exclusively { () async throws(IngestError) in
      let keyed = try binding.keyed(rows)
      buffer.insert(
        keyed.rows, hashes: hashes(keyed.keys), orders: keyed.orders, deletions: keyed.deletions)
      notePending()
    }
  }

  /// Takes deletions in: columns of the key, and the one that rows are ordered by. Where that is not
  /// given, each deletes what came before it.
  ///
  /// - Throws: ``IngestError``; nothing of the batch is taken in then.
  public func delete(_ keys: RecordBatch) async throws(IngestError) {
    try await exclusively { () async throws(IngestError) in
      let (keys, orders) = try binding.deletions(keys)
      buffer.delete(hashes(keys), orders: orders)
      notePending()
    }
  }

  /// True if a limit of the flush policy is reached.
  public var isDue: Bool {
    guard !buffer.isEmpty else { return false }
    if let limit = options.flush.rowLimit, buffer.received >= Int64(limit) { return true }
    if let limit = options.flush.byteLimit, buffer.byteCount >= limit { return true }
    guard let limit = options.flush.ageLimit, let first = firstPending else { return false }
    return table.environment.uptime() - first >= limit
  }

  /// Commits what was taken in, as one snapshot, and with it how far the sources were read.
  ///
  /// - Parameter offsets: for each source partition the offset of the last row given of it.
  /// - Returns: nil if there was nothing to commit.
  /// - Throws: ``IngestError``; the writer has the rows still, and can be asked again.
  public func commit(
    _ offsets: [String: Int64] = [:]
  ) async throws(IngestError) -> UpsertReceipt? {
    try await exclusively { () async throws(IngestError) -> UpsertReceipt? in
      guard !buffer.isEmpty else { return nil }
      throw .commit(.unsupported("an upsert into a table whose keys are not indexed"))
    }
  }

  /// The newest rows of `keys`, those not committed yet among them.
  public func get(
    _ keys: RecordBatch, columns: [String]?
  ) async throws(IngestError) -> RecordBatch {
    try await exclusively { () async throws(IngestError) -> RecordBatch in
      throw .commit(.unsupported("a lookup in a table whose keys are not indexed"))
    }
  }

  /// Ends the writer; what was not committed is given up.
  public func close() async throws(IngestError) {
    try await exclusively { () async throws(IngestError) in isClosed = true }
  }

  /// What was done so far.
  public var progress: IngestProgress {
    var progress = counters
    progress.pending = buffer.received
    progress.bufferedByteCount = buffer.byteCount
    if let first = firstPending { progress.lag = table.environment.uptime() - first }
    return progress
  }

  // MARK: one at a time

  /// Runs `body` when no other operation runs.
  private func exclusively<T: Sendable>(
    _ body: () async throws(IngestError) -> T
  ) async throws(IngestError) -> T {
    if !lock.tryTake() {
      await withCheckedContinuation { lock.wait($0) }
    }
    defer { lock.release() }
    if isClosed { throw .closed }
    return try await body()
  }

  private func hashes(_ keys: RecordBatch) -> [KeyHash] {
    let high = Column.hashes(of: keys.columns, seed: 1)
    let low = Column.hashes(of: keys.columns, seed: 2)
    let a = high.values(as: UInt64.self)
    let b = low.values(as: UInt64.self)
    return a.indices.map { KeyHash(high: a[$0], low: b[$0]) }
  }

  private func notePending() {
    if firstPending == nil { firstPending = table.environment.uptime() }
  }
}

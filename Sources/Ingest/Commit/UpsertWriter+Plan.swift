// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Scanning
internal import Storage
internal import Writing

/// The commit of what a writer holds, worked out by the writer for each base.
struct UpsertChange: TableChange {
  let writer: UpsertWriter

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    try await writer.plan(onto: base, attempt: attempt)
  }
}

// What a commit does to a state of the table. Everything is asked anew of each base: whether the
// writer may commit at all, which rows go, and which ids the new ones have.

extension UpsertWriter {
  /// The plan of the commit under way; empty if one of its attempts has happened.
  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    if hasLanded(in: base.metadata) { return ChangePlan(requirements: [], updates: []) }
    if isTurn(in: base.metadata) {
      turn = base
      throw .cancelled
    }
    do throws(IngestError) {
      try check(base.metadata)
      try await moveState(to: base)
      if pending.base != state.snapshot?.id { try await reconcile(on: base) }
    } catch {
      failure = error
      throw .cancelled
    }
    return try await produce(onto: base, attempt)
  }

  /// True if one of the attempts before has happened after all.
  private func hasLanded(in metadata: TableMetadata) -> Bool {
    pending.attempted.contains { metadata.snapshot($0) != nil }
  }

  /// Checks that this writer may commit to such a table.
  func check(_ metadata: TableMetadata) throws(IngestError) {
    for field in binding.key where metadata.currentSchema.field(field.id) == nil {
      throw .badKeyColumn(field.name, reason: "it was dropped")
    }
    if let order = binding.order, metadata.currentSchema.field(order.id) == nil {
      throw .badOrderColumn(order.name, reason: "it was dropped")
    }
    guard let name = options.writer, let mine = record else { return }
    let found: WriterRecord?
    do throws(IcebergError) { found = try metadata.writerRecord(name) } catch {
      throw .badRecord(error)
    }
    guard let found, found.fence == mine.fence else {
      throw .fenced(writer: name, fence: mine.fence, by: found?.fence ?? 0)
    }
    guard found.epoch == mine.epoch, found.snapshot == mine.snapshot,
      !metadata.isRolledBack(mine)
    else { throw .rolledBack(writer: name, snapshot: mine.snapshot) }
  }

  /// Brings what is known of the table's rows to `base`.
  func moveState(to base: Table) async throws(IngestError) {
    let head = base.metadata.reference(options.branch)?.snapshotID
    if head == state.snapshot?.id, base.metadata.currentSchemaID == state.schema.id {
      return
    }
    do throws(KeyIndexError) {
      let newer = try await state.refreshed(to: base)
      var known = index
      try await known.follow(newer)
      (state, index) = (newer, known)
    } catch {
      throw .index(error)
    }
  }

  // MARK: others' commits

  /// Works out again which rows of the table go, and whose ids the new ones take over, where others
  /// committed since that was done.
  private func reconcile(on base: Table) async throws(IngestError) {
    let entries = buffer.entries.indices.map { Int32($0) }
    let matches = try await matches(of: entries)
    let carriesIDs = base.metadata.formatVersion >= .v3
    var dead = DeadPlaces(state)
    var moved: [Int32: Int64] = [:]
    for entry in entries {
      let found = matches.newest(Int(entry))
      let known = buffer.entries[Int(entry)]
      if case .late = known.state { continue }
      if known.isLate(found) {
        buffer.markLate(entry)
        continue
      }
      for place in matches[Int(entry)] { dead.insert(place) }
      buffer.setReplaces(entry, found != nil)
      guard carriesIDs, case .written = known.state, let id = found?.place.rowID, id != known.rowID
      else { continue }
      moved[entry] = id
    }
    try await rewrite(moved, on: base)
    pending.dead = dead.byPath(state)
    pending.base = state.snapshot?.id
  }

  /// Writes rows again with the ids that others' commits gave their keys.
  private func rewrite(_ ids: [Int32: Int64], on base: Table) async throws(IngestError) {
    guard !ids.isEmpty else { return }
    let schema = base.metadata.currentSchema
    var entries: [Int32] = []
    var places: [RowPlace] = []
    for entry in ids.keys.sorted() {
      guard case .written(let file, let position) = buffer.entries[Int(entry)].state else {
        continue
      }
      entries.append(entry)
      places.append(RowPlace(file: Int(file), position: Int64(position)))
    }
    let own = pending.files
    let rows = try await RowReading(table: base, selection: selection).rows(
      at: places, columns: schema.fields.map(\.name)
    ) { own[$0].task }
    let old = entries.map { buffer.entries[Int($0)].state }
    try await write(PendingRows(rows: rows, entries: entries), on: base, schema) { ids[$0] }
    for state in old { buffer.giveUp(state) }
  }

  // MARK: the snapshot

  private func produce(
    onto base: Table, _ attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    let (added, deletes, removed) = try await fileChange(on: base)
    do throws(CommitError) {
      var producer = try SnapshotProducer(base, branch: options.branch, attempt: attempt)
      var properties = buffer.counts(after: recentDeletions).summary
      var updates: [TableUpdate] = []
      if let name = options.writer, var next = record {
        next.epoch += 1
        next.offsets.merge(pendingOffsets) { $1 }
        next.snapshot = producer.snapshotID
        next.sequenceNumber = base.metadata.nextSequenceNumber
        properties.merge(next.summary(of: name, moved: pendingOffsets)) { $1 }
        updates.append(.setProperties([WriterRecord.property(of: name): next.text]))
        nextRecord = next
      }
      pending.attempted.append(producer.snapshotID)
      var plan = try await producer.produce(
        FileChange(added: added + deletes, removed: removed), properties: properties)
      plan.updates += updates + history(of: base, adding: producer.snapshotID)
      plan.updates += index.takingAlong(to: producer.snapshotID, in: base.metadata)
      plan.attemptFiles += Self.paths(of: deletes)
      return plan
    } catch {
      await table.store.discard(deletes)
      throw error
    }
  }

  private static func paths(of files: [DataFile]) -> [ObjectPath] {
    Set(files.map(\.path)).compactMap { try? ObjectPath($0) }
  }

  /// What the commit adds to a state of the table, deletes apart, and what it takes away.
  private func fileChange(
    on base: Table
  ) async throws(CommitError) -> (added: [DataFile], deletes: [DataFile], removed: [DataFile]) {
    var positions: [FilePositions] = []
    var removed: [DataFile] = []
    let touched = pending.dead.keys.sorted()
    let indices = touched.compactMap { state.index(of: $0) }
    guard indices.count == touched.count else {
      throw .conflict(.fileIsGone(touched.first { state.index(of: $0) == nil } ?? ""))
    }
    let old: [DeletionVector]
    do throws(KeyIndexError) { old = try await state.positionDeletes(of: indices) } catch {
      failure = .index(error)
      throw .cancelled
    }
    pending.vectors = []
    for (place, index) in indices.enumerated() {
      let live = state.files[index]
      let new = try Self.vector(pending.dead[touched[place]] ?? [])
      let all = new.union(old[place])
      pending.vectors.append((live.file.path, all))
      let ownDeletes = live.ownDeletes
      // A vector is one for a file. Before v3 many positions are not written again for a few.
      let isApart =
        base.metadata.formatVersion < .v3 && ownDeletes.count < Self.deleteFileLimit
        && old[place].count >= Self.apartFactor * new.count
      positions.append(
        FilePositions(
          path: live.file.path, partition: live.file.partition, positions: isApart ? new : all))
      if !isApart { removed += ownDeletes.map(\.file) }
    }
    var added: [DataFile] = []
    for (number, written) in pending.files.enumerated() {
      let dead = try Self.vector((buffer.supersededPositions[Int32(number)] ?? []).map(Int64.init))
      if Int64(dead.count) == written.file.recordCount { continue }
      added.append(written.file)
      if dead.isEmpty { continue }
      positions.append(
        FilePositions(
          path: written.file.path, partition: written.file.partition, positions: dead))
      pending.vectors.append((written.file.path, dead))
    }
    var writer = try PositionDeleteWriter(
      base.metadata, store: base.store, environment: base.environment, granularity: .file)
    return (added, try await writer.write(positions), removed)
  }

  /// How many position delete files of one data file there are at most, and how many times the
  /// positions that come there have to be for those that come to get a file of their own.
  private static let deleteFileLimit = 8
  private static let apartFactor = 16

  private static func vector(_ positions: [Int64]) throws(CommitError) -> DeletionVector {
    var vector = DeletionVector()
    do throws(IcebergError) {
      try vector.insert(contentsOf: positions.sorted().span)
    } catch {
      throw .rejected(error)
    }
    return vector
  }
}

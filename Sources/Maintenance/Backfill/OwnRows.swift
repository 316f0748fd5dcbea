// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Scanning
internal import Writing

/// Puts rows that were computed anew in the place of the very rows they were computed from.
///
/// Laws: a row is replaced only where it is the one that was read: at the same place of the same
/// data file; or, where that was rewritten, a row of its key with the same `_row_id` and
/// `_last_updated_sequence_number`, before v3 one that equals it. Where it is not there any more,
/// the computed row does not count: others changed or deleted it.
actor OwnRows {
  private let job: BackfillJob
  private var state: TableState?
  private var index: KeyIndex?

  init(_ job: BackfillJob) { self.job = job }

  /// How many rows of files that are no longer there are looked for at a time.
  private static let batchRowCount = 65_536

  /// What it takes to put the rows of `splits` in their places in `base`.
  ///
  /// Cost: the plan of a scan; of files that were rewritten since, the keys of the rows, and an
  /// index of the table's.
  func files(
    of splits: [WrittenSplit], on base: Table
  ) async throws(MaintenanceError) -> NewFiles {
    let state = try await state(of: base)
    var ended = EndedRows()
    for written in splits {
      guard let map = written.map else { continue }
      for source in map.sources {
        if let place = state.index(of: source) {
          try await end(source, at: place, map, state, &ended)
        } else {
          try await endMoved(source, written, map, state, base, &ended)
        }
      }
    }
    return try await files(splits.flatMap(\.files), ended, state, base)
  }

  private func state(of base: Table) async throws(MaintenanceError) -> TableState {
    do throws(KeyIndexError) {
      let newer: TableState
      if let state {
        newer = try await state.refreshed(to: base)
      } else {
        newer = try await TableState(of: base, at: .reference(job.options.branch))
      }
      state = newer
      return newer
    } catch {
      throw .index(error)
    }
  }

  /// Rows that go: of the table's files, and of those that were written for it; by path.
  private struct EndedRows {
    var old: [String: DeletionVector] = [:]
    var new: [String: DeletionVector] = [:]
    var leftAlone: Int64 = 0
  }

  // MARK: files that are still there

  private func end(
    _ source: String, at place: Int, _ map: PositionMap, _ state: TableState,
    _ ended: inout EndedRows
  ) async throws(MaintenanceError) {
    let dead: DeletionVector
    do throws(KeyIndexError) { dead = try await state.deadRows(of: [place])[0] } catch {
      throw .index(error)
    }
    for (path, rows) in map.moved(dead, of: source) {
      ended.leftAlone += Int64(rows.count)
      ended.new[path, default: DeletionVector()].formUnion(rows)
    }
    let rows = map.rows(of: source)
    if rows.isSubset(of: dead) { return }
    ended.old[source, default: DeletionVector()].formUnion(rows)
  }

  // MARK: files that were rewritten

  private func endMoved(
    _ source: String, _ written: WrittenSplit, _ map: PositionMap, _ state: TableState,
    _ base: Table, _ ended: inout EndedRows
  ) async throws(MaintenanceError) {
    guard let task = written.split.tasks.first(where: { $0.file.path == source }) else { return }
    let positions = map.rows(of: source).positions
    for start in stride(from: 0, to: positions.count, by: Self.batchRowCount) {
      let some = Array(positions[start..<min(start + Self.batchRowCount, positions.count)])
      let found = try await places(of: some, in: task, state, base)
      for (position, place) in zip(some, found) {
        if let place {
          let path = state.files[place.file].file.path
          ended.old[path, default: DeletionVector()].insert(place.position)
        } else if let target = map.target(of: position, in: source) {
          ended.leftAlone += 1
          ended.new[target.file, default: DeletionVector()].insert(target.position)
        }
      }
    }
  }

  /// Where the rows at `positions` of a former data file are now; nil for those that are no more.
  private func places(
    of positions: [Int64], in task: ScanTask, _ state: TableState, _ base: Table
  ) async throws(MaintenanceError) -> [KeyPlace?] {
    do throws(KeyIndexError) {
      var known: KeyIndex
      if let index { known = index } else { known = try await KeyIndex.open(state) }
      try await known.cover(state)
      index = known
      let lineage = [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map(\.rawValue)
      let hasLineage = base.metadata.formatVersion >= .v3
      let old = try await rows(
        at: positions, in: task, ["*"] + (hasLineage ? lineage : []), base)
      let places = try await known.lookup(
        known.columns.hashes(of: old, seed: known.seed), in: state)
      guard !places.places.isEmpty else { return positions.map { _ in nil } }
      // Rows from before an upgrade to v3 have no ids.
      let isTold = hasLineage && lineage.allSatisfy { old.column($0)?.nullCount == 0 }
      let compared = isTold ? lineage : base.metadata.currentSchema.fields.map(\.name)
      let now = try await state.rows(at: places.places, columns: compared)
      return try Self.match(old, now, places, compared)
    } catch {
      throw .index(error)
    }
  }

  private func rows(
    at positions: [Int64], in task: ScanTask, _ columns: [String], _ base: Table
  ) async throws(KeyIndexError) -> RecordBatch {
    do throws(ScanError) {
      return try await base.rows(
        at: [(task: task, positions: RowPositions(ascending: positions))], columns: columns,
        of: .reference(job.options.branch))
    } catch {
      throw .reading(error)
    }
  }

  /// Of each row of `old` the place of its key whose row, in `now`, equals it.
  private static func match(
    _ old: RecordBatch, _ now: RecordBatch, _ places: KeyPlaces, _ compared: [String]
  ) throws(KeyIndexError) -> [KeyPlace?] {
    let numbers: [Int32]
    do throws(ColumnarError) {
      var keys: [Column] = []
      for name in compared {
        guard let a = old.column(name), let b = now.column(name) else { continue }
        keys.append(try Column.concat([a, b]))
      }
      numbers = RowGroups(keys: keys).numbers
    } catch {
      throw .reading(.unsupported(what: "2 GiB of values of a column at once", file: "a backfill"))
    }
    var result: [KeyPlace?] = []
    var taken: Set<Int> = []
    for row in 0..<old.rowCount {
      let mine = places[row]
      let match = mine.indices.first {
        numbers[old.rowCount + $0] == numbers[row] && !taken.contains($0)
      }
      if let match { taken.insert(match) }
      result.append(match.map { mine[$0] })
    }
    return result
  }

  // MARK: files

  private func files(
    _ added: [DataFile], _ ended: EndedRows, _ state: TableState, _ base: Table
  ) async throws(MaintenanceError) -> NewFiles {
    var files = NewFiles(added: [])
    files.leftAlone = ended.leftAlone
    var positions: [FilePositions] = []
    let touched = ended.old.keys.sorted()
    let indices = touched.compactMap { state.index(of: $0) }
    let before: [DeletionVector]
    do throws(KeyIndexError) { before = try await state.positionDeletes(of: indices) } catch {
      throw .index(error)
    }
    for (place, index) in indices.enumerated() {
      let live = state.files[index]
      let rows = (ended.old[touched[place]] ?? DeletionVector()).union(before[place])
      positions.append(
        FilePositions(path: live.file.path, partition: live.file.partition, positions: rows))
      files.removed += live.ownDeletes.map(\.file)
    }
    for file in added {
      let dead = ended.new[file.path] ?? DeletionVector()
      if Int64(dead.count) == file.recordCount { continue }
      files.added.append(file)
      if dead.isEmpty { continue }
      positions.append(
        FilePositions(path: file.path, partition: file.partition, positions: dead))
    }
    do throws(CommitError) {
      var writer = try PositionDeleteWriter(
        base.metadata, store: base.store, environment: base.environment, granularity: .file)
      files.deletes = try await writer.write(positions)
    } catch {
      throw .commit(error)
    }
    return files
  }
}

extension DeletionVector {
  /// True if every position in this is in `other`.
  fileprivate func isSubset(of other: DeletionVector) -> Bool { union(other).count == other.count }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
internal import Scanning
internal import Storage
internal import Writing

extension KeyIndex {
  /// Keeps the index with the table, as statistics of the snapshot it was last made to cover: in the
  /// next process ``open(_:key:orderBy:options:)`` finds it.
  ///
  /// What other programs keep as statistics of that snapshot is carried over. Segments that lie in
  /// statistics files of older snapshots stay there, and those files are taken along to newer
  /// snapshots, so that they outlive the expiry of theirs.
  /// Cost: the bytes of segments that were not kept before, and a commit of metadata.
  /// - Returns: the table after the commit; `table` itself where there is nothing to keep.
  /// - Throws: ``KeyIndexError/committing(_:)``; the index is as good as before then.
  @discardableResult
  public mutating func persist(to table: Table) async throws(KeyIndexError) -> Table {
    guard let snapshot = state?.snapshot, fileCount > 0 else { return table }
    var base = table
    for attempt in 1... {
      guard base.metadata.snapshot(snapshot.id) != nil else {
        throw .committing(.conflict(.historyIsGone(snapshot.id)))
      }
      let upload = try await IndexUpload(self, of: snapshot, base)
      do throws(CommitError) {
        let receipt = try await base.commit(upload.change)
        adopt(upload)
        return receipt.table
      } catch .conflict(.statisticsChanged) where attempt < 5 {
        await upload.discard(base)
      } catch {
        // What may have been committed stays.
        if case .stateUnknown = error {} else { await upload.discard(base) }
        throw .committing(error)
      }
      do throws(CatalogError) { base = try await base.refreshed() } catch {
        throw .committing(.catalog(error))
      }
    }
    return base
  }

  /// Which of the files that the index lies in it is to stay in; what is in others is written again.
  ///
  /// Each has more of it than all smaller ones and what is new together. So there are few, however
  /// often an index is kept, and an entry is written again a few times.
  /// - Parameter known: those that the table lists.
  fileprivate func filesToStay(of known: Set<String>) -> Set<String> {
    var smaller: Int64 = 0
    var byteCounts: [String: Int64] = [:]
    for segment in segments {
      if let stored = segment.stored, known.contains(stored.path) {
        byteCounts[stored.path, default: 0] += stored.byteCount
      } else {
        smaller += Int64(segment.byteCount)
      }
    }
    var staying: Set<String> = []
    for (path, byteCount) in byteCounts.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      if byteCount > smaller { staying.insert(path) }
      smaller += byteCount
    }
    return staying
  }

  /// Takes notice of where segments lie now, and lets go of those there is no room for.
  private mutating func adopt(_ upload: IndexUpload) {
    for (number, stored) in upload.stored.enumerated() { segments[number].stored = stored }
    var left = memoryLimit
    // The smallest first, so that the largest are those that are read from where they are kept.
    for number in segments.indices.reversed() {
      let segment = segments[number]
      guard let memory = segment.memory, let stored = segment.stored else { continue }
      if memory.byteCount <= left {
        left -= memory.byteCount
      } else {
        segments[number] = IndexSegment(numbers: segment.numbers, memory: nil, stored: stored)
      }
    }
  }

  /// What is to be told of the index beside its segments.
  fileprivate func directory(
    of snapshot: Snapshot, _ stored: [StoredSegment]
  ) -> IndexDirectory {
    IndexDirectory(
      seed: seed, snapshotID: snapshot.id, fieldIDs: columns.fieldIDs,
      order: order.map { ($0.field.id, $0.field.type.description) },
      files: zip(files.all, files.isGone).map { path, isGone in isGone ? nil : path.path },
      segments: zip(segments, stored).map { segment, stored in
        IndexDirectory.Segment(numbers: segment.numbers, stored: stored)
      })
  }
}

/// A statistics file with an index in it, written and not committed yet.
private struct IndexUpload {
  let change: IndexRegistration
  /// Where the index's segments lie, in their order.
  let stored: [StoredSegment]

  /// Writes the file: the blobs of others that are there, segments that are kept nowhere else, and
  /// the directory.
  init(_ index: KeyIndex, of snapshot: Snapshot, _ base: Table) async throws(KeyIndexError) {
    let metadata = base.metadata
    let use = IndexFiles(key: index.columns.fieldIDs, paths: index.storedPaths)
    let old = metadata.statisticsToCarryOver(of: snapshot.id, but: use.isUseless)
    let kept = index.filesToStay(
      of: Set(
        metadata.statistics.filter { $0.snapshotID != snapshot.id || old == nil }.map(\.path)))
    let path: ObjectPath
    do throws(CommitError) {
      let others = old?.indexKeys.filter { $0 != index.columns.fieldIDs } ?? []
      path = try base.metadataPath(
        StatisticsFile.name(
          snapshot.id, snapshot.sequenceNumber, base.environment.uuid(),
          indexes: others + [index.columns.fieldIDs]))
    } catch {
      throw .committing(error)
    }
    var file = try await StatisticsWriter(path, base, snapshot, index.columns.fieldIDs)
    let writer = file.writer
    var stored: [StoredSegment] = []
    var places: [StoredSegment] = []
    do throws(KeyIndexError) {
      if let old { try await file.carryOver(old, dropping: index.columns.fieldIDs) }
      for segment in index.segments {
        if let place = segment.stored, kept.contains(place.path) {
          stored.append(place)
          places.append(place)
          continue
        }
        let place = try await file.write(segment, base)
        stored.append(place.at(path.text, place.offset))
        places.append(place)
      }
      try await file.write(index.directory(of: snapshot, places), index)
      let statistics = try await file.finish()
      change = IndexRegistration(
        statistics: statistics, replacing: old?.path,
        referenced: Set(stored.map(\.path)).subtracting([path.text]), use: use)
      self.stored = stored
    } catch {
      await writer.abort()
      throw error
    }
  }

  /// Deletes the file, which was not committed.
  func discard(_ table: Table) async {
    guard let path = try? ObjectPath(change.statistics.path) else { return }
    try? await table.store.delete(path)
  }
}

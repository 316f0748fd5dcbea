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
  /// statistics files of older snapshots stay there, and those files are registered again under a
  /// newer snapshot, so that they outlive the expiry of theirs.
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
    let old = metadata.statistics.last { $0.snapshotID == snapshot.id }
    let kept = Set(metadata.statistics.filter { $0.snapshotID != snapshot.id }.map(\.path))
    let path: ObjectPath
    do throws(CommitError) {
      let others = old?.indexKeys.filter { $0 != index.columns.fieldIDs } ?? []
      path = try base.metadataPath(
        StatisticsFile.name(
          snapshot.id, base.environment.uuid(), indexes: others + [index.columns.fieldIDs]))
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
        referenced: Set(stored.map(\.path)).subtracting([path.text]))
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

/// Registers a statistics file, and those it refers to.
struct IndexRegistration: TableChange {
  let statistics: StatisticsFile
  /// The file whose blobs were carried over; nil: there was none.
  let replacing: String?
  /// Other statistics files that segments lie in.
  let referenced: Set<String>

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    let id = statistics.snapshotID
    guard metadata.snapshot(id) != nil else { throw .conflict(.historyIsGone(id)) }
    let known = metadata.statistics
    guard known.last(where: { $0.snapshotID == id })?.path == replacing,
      referenced.isSubset(of: known.map(\.path))
    else { throw .conflict(.statisticsChanged(id)) }
    return ChangePlan(
      requirements: metadata.uuid.map { [.tableUUID($0)] } ?? [],
      updates: [.setStatistics(statistics)] + registrations(metadata))
  }

  /// Puts files that are referred to under the newest snapshots that have no statistics, and takes
  /// them from those they were put under before.
  private func registrations(_ metadata: TableMetadata) -> [TableUpdate] {
    var updates: [TableUpdate] = []
    let taken = Set(metadata.statistics.map(\.snapshotID))
    var free = metadata.ancestry(of: statistics.snapshotID).lazy.map(\.id)
      .filter { $0 != statistics.snapshotID && !taken.contains($0) }.makeIterator()
    for path in referenced.sorted() {
      let entries = metadata.statistics.filter { $0.path == path }
      guard let file = entries.first, let target = free.next() else { continue }
      let newest = entries.compactMap { metadata.snapshot($0.snapshotID)?.sequenceNumber }.max()
      guard let place = metadata.snapshot(target)?.sequenceNumber, newest ?? place < place else {
        continue
      }
      for entry in entries where entry.blobs.allSatisfy({ $0.snapshotID != entry.snapshotID }) {
        updates.append(.removeStatistics(entry.snapshotID))
      }
      updates.append(
        .setStatistics(
          StatisticsFile(
            snapshotID: target, path: path, byteCount: file.byteCount,
            footerByteCount: file.footerByteCount, keyMetadata: file.keyMetadata,
            blobs: file.blobs)))
    }
    return updates
  }
}

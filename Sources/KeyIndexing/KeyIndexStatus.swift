// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import Scanning
internal import Storage
internal import Writing

/// What is known of an index that is kept with a table.
public struct KeyIndexStatus: Sendable {
  /// The names of the key's columns; the id of one that the schema does not have any more.
  public let key: [String]
  /// The column whose values are kept to tell newer rows from older ones.
  public let orderBy: String?
  /// The snapshot it was last made to cover.
  public let snapshotID: SnapshotID
  /// Of the statistics file it is in.
  public let path: String
  /// How many places of keys it has.
  public let placeCount: Int
  public let segmentCount: Int
  /// On disk, in all files.
  public let byteCount: Int64
  /// How many of the table's live data files it covers.
  public let coveredFileCount: Int
  /// How many it does not: their keys are read when it is opened.
  public let uncoveredFileCount: Int
}

extension KeyIndex {
  /// The indexes that are kept with a table, the newest of each key.
  ///
  /// Cost: a plan, and the end of one statistics file a key.
  /// - Throws: ``KeyIndexError/reading(_:)``. An index that can't be read is left out.
  public static func status(
    of table: Table, at selection: SnapshotSelection = .current
  ) async throws(KeyIndexError) -> [KeyIndexStatus] {
    let state = try await TableState(of: table, at: selection)
    return await newest(of: table).map { $0.status(of: state) }.sorted {
      $0.key.lexicographicallyPrecedes($1.key)
    }
  }

  /// The statistics files that the newest index of each key lies in.
  ///
  /// Cost: the end of one statistics file a key. One that can't be read is passed over.
  package static func files(of table: Table) async -> Set<String> {
    var paths: Set<String> = []
    for kept in await newest(of: table) {
      paths.insert(kept.file.path)
      paths.formUnion(kept.segments.map(\.stored.path))
    }
    return paths
  }

  /// The newest index of each key that can be read.
  private static func newest(of table: Table) async -> [KeptIndex] {
    var newest: [[FieldID]: KeptIndex] = [:]
    let files = table.metadata.statistics.compactMap { file in
      file.indexed.map { (number: $0.sequenceNumber, file: file) }
    }
    for (_, file) in files.sorted(by: { $0.number > $1.number }) {
      for ids in Set(file.indexKeys) where newest[ids] == nil {
        newest[ids] = await KeptIndex(file, of: ids, in: table)
      }
    }
    return Array(newest.values)
  }

  /// Takes the indexes that are kept with a table away from it, and deletes their files.
  ///
  /// Statistics of others that lie in the same files are kept.
  /// - Parameter key: nil: of all keys.
  /// - Returns: the table after the commit; nil if there was nothing to take away.
  /// - Throws: ``KeyIndexError``.
  public static func drop(
    from table: Table, key: [String]? = nil
  ) async throws(KeyIndexError) -> Table? {
    var ids: [FieldID]?
    if let key {
      ids = try KeyColumns(schema: table.metadata.currentSchema, names: key).fieldIDs
    }
    guard table.metadata.statistics.contains(where: { $0.hasIndex(of: ids) }) else { return nil }
    let after: Table
    do throws(CommitError) {
      after = try await table.commit(IndexRemoval(fieldIDs: ids)).table
    } catch {
      throw .committing(error)
    }
    let left = Set(after.metadata.statistics.map(\.path))
    for path in Set(table.metadata.statistics.map(\.path)).subtracting(left) {
      guard let path = try? ObjectPath(path) else { continue }
      try? await table.store.delete(path)
    }
    return after
  }
}

extension KeptIndex {
  fileprivate func status(of state: TableState) -> KeyIndexStatus {
    let covered = Set(directory.files.compactMap { $0.map { PathKey($0) } })
    let count = state.files.count { covered.contains(PathKey($0.file.path)) }
    func name(_ id: FieldID) -> String { state.schema.name(of: id) ?? "\(id.rawValue)" }
    return KeyIndexStatus(
      key: directory.fieldIDs.map(name), orderBy: directory.order.map { name($0.id) },
      snapshotID: directory.snapshotID, path: file.path,
      placeCount: segments.reduce(0) { $0 + $1.stored.count }, segmentCount: segments.count,
      byteCount: segments.reduce(0) { $0 + $1.stored.byteCount }, coveredFileCount: count,
      uncoveredFileCount: state.files.count - count)
  }
}

extension StatisticsFile {
  /// - Parameter ids: nil: of any key.
  fileprivate func hasIndex(of ids: [FieldID]?) -> Bool {
    blobs.contains { $0.isIndex && (ids == nil || $0.fieldIDs == ids) }
  }
}

extension StatisticsBlob {
  var isIndex: Bool {
    type == IndexDirectory.blobType || type == IndexDirectory.segmentType
  }
}

/// Takes index blobs out of all statistics files, or the files, where nothing else is in them.
private struct IndexRemoval: TableChange {
  /// Nil: of all keys.
  let fieldIDs: [FieldID]?

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    var updates: [TableUpdate] = []
    var files: [ObjectPath] = []
    for file in metadata.statistics where file.hasIndex(of: fieldIDs) {
      let others = file.blobs.filter { blob in
        !blob.isIndex || fieldIDs.map { $0 != blob.fieldIDs } ?? false
      }
      guard !others.isEmpty, let snapshot = metadata.snapshot(file.snapshotID) else {
        updates.append(.removeStatistics(file.snapshotID))
        continue
      }
      let path = try base.metadataPath(
        StatisticsFile.name(
          file.indexed?.snapshotID ?? snapshot.id,
          file.indexed?.sequenceNumber ?? snapshot.sequenceNumber,
          "\(attempt.commitID)-\(attempt.number)",
          indexes: file.indexKeys.filter { key in fieldIDs.map { $0 != key } ?? false }))
      updates.append(
        .setStatistics(try await file.copied(to: path, base, snapshot, without: fieldIDs)))
      files.append(path)
    }
    return ChangePlan(
      requirements: metadata.uuid.map { [.tableUUID($0)] } ?? [], updates: updates,
      attemptFiles: files)
  }
}

extension StatisticsFile {
  /// Writes the file anew at `path`, without index blobs.
  fileprivate func copied(
    to path: ObjectPath, _ base: Table, _ snapshot: Snapshot, without ids: [FieldID]?
  ) async throws(CommitError) -> StatisticsFile {
    do throws(KeyIndexError) {
      var writer = try await StatisticsWriter(path, base, snapshot, ids ?? [])
      let file = writer.writer
      do throws(KeyIndexError) {
        try await writer.carryOver(self, dropping: ids)
        return try await writer.finish()
      } catch {
        await file.abort()
        throw error
      }
    } catch .committing(let error) {
      throw error
    } catch .storage(let error, let activity) {
      throw .storage(error, while: activity)
    } catch {
      throw .cancelled
    }
  }
}

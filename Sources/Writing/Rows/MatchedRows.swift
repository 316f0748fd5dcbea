// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning

/// The live rows of a state of a table that match a predicate, found for a change of them.
struct MatchedRows: Sendable {
  /// Nil if the branch has no snapshot.
  let snapshot: Snapshot?
  /// Files of which every live row matches.
  let whole: [ScanTask]
  /// Files of which some do.
  let parts: [Part]

  struct Part: Sendable {
    let task: ScanTask
    /// The positions of the live rows that match.
    let matching: DeletionVector
    /// The positions that were deleted before.
    let deleted: DeletionVector
  }

  var isEmpty: Bool { whole.isEmpty && parts.isEmpty }

  /// The files that have matching rows.
  var tasks: [ScanTask] { whole + parts.map(\.task) }

  /// The positions of the rows of ``parts`` that match, by the path of their file.
  var positionsByPath: [String: DeletionVector] {
    Dictionary(parts.map { ($0.task.file.path, $0.matching) }) { _, last in last }
  }

  /// Finds the rows of the head of `branch` that match `filter`.
  ///
  /// Cost: files whose rows all match by their metrics are not read; of others only the columns of
  /// the filter are.
  init(
    of filter: Predicate, in table: Table, branch: String
  ) async throws(CommitError) {
    let scan = table.scan().at(.reference(branch)).filter(filter)
    do throws(ScanError) {
      let plan = try await scan.plan()
      var (whole, open) = try scan.decided(plan)
      let matching = try await Self.positions(scan.of(open))
      let touched = open.filter { matching[$0.file.path] != nil }
      let deleted = try await table.deletedPositions(of: touched)
      var parts: [Part] = []
      for (task, deleted) in zip(touched, deleted) {
        let positions = matching[task.file.path] ?? DeletionVector()
        if !task.hasEqualityDeletes,
          Int64(positions.count) + Int64(deleted.count) == task.file.recordCount
        {
          whole.append(task)
        } else {
          parts.append(Part(task: task, matching: positions, deleted: deleted))
        }
      }
      snapshot = plan.snapshot
      self.whole = whole
      self.parts = parts
    } catch {
      throw .reading(error)
    }
  }

  /// The positions of the live rows that match, by file.
  private static func positions(_ scan: TableScan) async throws(ScanError) -> [String:
    DeletionVector]
  {
    var found: [String: DeletionVector] = [:]
    let columns = [MetadataColumn.file.rawValue, MetadataColumn.position.rawValue]
    try await scan.select(columns).read { batch throws(ScanError) in
      batch
    } consume: { batch throws(ScanError) in
      // A batch is of one file.
      let path = batch.columns[0].string(0)
      let positions = batch.columns[1]
      do throws(IcebergError) {
        try found[path, default: DeletionVector()].insert(
          contentsOf: positions.fixedValues(as: Int64.self))
      } catch {
        throw .invalidManifest(file: path, error)
      }
      return true
    }
    return found
  }

  /// What a change of these rows must be held against.
  func basis(
    _ filter: Predicate, _ isolation: IsolationLevel, otherDeletes: ReadSet.OtherDeletes
  ) -> ReadSet {
    ReadSet(
      snapshot: snapshot?.id, files: tasks.map(\.entry), filter: filter, isolation: isolation,
      otherDeletes: otherDeletes)
  }

  /// Deletes of the rows of ``parts``, and the delete files they stand for.
  ///
  /// From v3 on a data file has one vector, which takes in what was deleted before.
  func deletes(
    _ version: FormatVersion
  ) -> (positions: [FilePositions], replaced: [DataFile]) {
    var replaced: [DataFile] = []
    let positions = parts.map { part in
      let file = part.task.file
      guard version >= .v3 else {
        return FilePositions(path: file.path, partition: file.partition, positions: part.matching)
      }
      for delete in part.task.deletes where delete.isAbout(file) { replaced.append(delete.file) }
      return FilePositions(
        path: file.path, partition: file.partition,
        positions: part.matching.union(part.deleted))
    }
    return (positions, replaced)
  }
}

extension DeleteFile {
  /// True if it deletes rows of `data` by position, and of no other file.
  fileprivate func isAbout(_ data: DataFile) -> Bool {
    kind == .vector || kind == .positions && file.onlyReferencedPath == data.path
  }
}

extension ScanTask {
  var hasEqualityDeletes: Bool { deletes.contains { $0.kind == .equality } }

  /// The data file as conflict checks ask for it.
  var entry: ManifestEntry {
    ManifestEntry(
      status: .existing, snapshotID: SnapshotID(0), sequenceNumber: sequenceNumber,
      fileSequenceNumber: nil, file: file)
  }
}

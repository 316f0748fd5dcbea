// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Storage

/// What has to be read of data files to know which rows two states do not share.
struct ChangedRows: Sendable {
  /// Rows of the earlier state alone, or written again.
  var deleted: [ScanTask] = []
  var inserted: [ScanTask] = []
}

/// Finds the rows in which states of a table differ, one step after the other.
struct ChangeReader: Sendable {
  let table: Table
  /// Whose schema rows are read with.
  let selection: SnapshotSelection
  let planner: ChangePlanner
  /// Who knows where rows of keys are.
  let lookup: (any KeyLookup)?
  /// What is deleted by position of the files that the last step touched.
  private var known: [PathKey: KnownPositions] = [:]

  private struct KnownPositions: Sendable {
    let deletes: Set<DataFile.Identity>
    let rows: DeletionVector
  }

  init(
    _ table: Table, _ selection: SnapshotSelection, _ planner: ChangePlanner,
    _ lookup: (any KeyLookup)?
  ) {
    self.table = table
    self.selection = selection
    self.planner = planner
    self.lookup = lookup
  }

  /// What to read for `step`.
  mutating func rows(of step: ChangelogStep) async throws(ScanError) -> ChangedRows {
    let files = try await planner.plan(from: step.before, to: step.after)
    var rows = ChangedRows(deleted: files.removed, inserted: files.added)
    let isPlain = files.touched.map { $0.before.equalityIDs == $0.after.equalityIDs }
    let byValue = zip(files.touched, isPlain).filter { !$0.1 }.map(\.0)
    let places = try await places(of: byValue)
    for (index, file) in byValue.enumerated() { try await compare(file, places[index], &rows) }
    try await compareByPosition(zip(files.touched, isPlain).filter(\.1).map(\.0), &rows)
    return rows
  }

  /// Where the same rows are deleted by value, positions tell the difference.
  private mutating func compareByPosition(
    _ files: [TouchedFile], _ rows: inout ChangedRows
  ) async throws(ScanError) {
    let before = try await positions(of: files.map(\.before))
    let after = try await positions(of: files.map(\.after))
    known = [:]
    for (index, file) in files.enumerated() {
      let (old, new) = (before[index], after[index])
      rows.deleted.append(
        contentsOf: file.before.reading(new.positions(notIn: old), but: \.isEquality))
      rows.inserted.append(
        contentsOf: file.after.reading(old.positions(notIn: new), but: \.isEquality))
      known[PathKey(file.after.file.path)] = KnownPositions(
        deletes: file.after.positionDeleteIDs, rows: after[index])
    }
  }

  private func positions(of tasks: [ScanTask]) async throws(ScanError) -> [DeletionVector] {
    let isKnown = tasks.map { known[PathKey($0.file.path)]?.deletes == $0.positionDeleteIDs }
    let unknown = zip(tasks, isKnown).filter { !$0.1 }.map(\.0)
    let loader = DeleteLoader(
      unknown, of: table, parallelism: max(1, table.environment.processorCount))
    let read = try await mapConcurrently(unknown, limit: ManifestPlanning.concurrency) {
      task throws(ScanError) in try await loader.positions(of: task)
    }
    var rest = read[...]
    return zip(tasks, isKnown).map { task, isKnown in
      let vector = isKnown ? known[PathKey(task.file.path)]?.rows : rest.popFirst()
      return vector ?? DeletionVector()
    }
  }

  /// Where other rows are deleted by value, those values are read: at `places`, if it is known that
  /// no other rows are concerned.
  private func compare(
    _ file: TouchedFile, _ places: [Int64]?, _ rows: inout ChangedRows
  ) async throws(ScanError) {
    if let places, places.isEmpty { return }
    var (before, after) = (file.before, file.after)
    before.positions = places.map { RowPositions(ascending: $0) }
    after.positions = before.positions
    let old = try await table.livePositions(of: [before], at: selection)[0]
    let new = try await table.livePositions(of: [after], at: selection)[0]
    rows.deleted.append(
      contentsOf: file.before.reading(old.positions(notIn: new)) { _ in false })
    rows.inserted.append(
      contentsOf: file.after.reading(new.positions(notIn: old)) { _ in false })
  }

  /// The only rows of each of `files` in which two states can differ, ascending; nil where no one
  /// knows.
  private func places(of files: [TouchedFile]) async throws(ScanError) -> [[Int64]?] {
    guard let lookup, !files.isEmpty else { return files.map { _ in nil } }
    let before = try await positions(of: files.map(\.before))
    let after = try await positions(of: files.map(\.after))
    var places: [[Int64]?] = files.indices.map { index in
      let (old, new) = (before[index], after[index])
      return old.positions(notIn: new) + new.positions(notIn: old)
    }
    let reader = DeleteFileReader(
      table: table, parallelism: max(1, table.environment.processorCount))
    for (delete, indices) in files.changedEqualityDeletes {
      let ids = (delete.file.equalityIDs ?? []).sorted()
      guard ids == lookup.keyFieldIDs else {
        for index in indices { places[index] = nil }
        continue
      }
      let fields = try reader.keyFields(ids, in: delete.file.path)
      let keys = try await reader.keys(delete.file, ids, fields)
      let found = lookup.positions(of: keys, in: indices.map { files[$0].before.file.path })
      for (index, positions) in zip(indices, found) {
        places[index] = positions.flatMap { positions in places[index].map { $0 + positions } }
      }
    }
    return places.map { $0.map { Set($0).sorted() } }
  }
}

extension [TouchedFile] {
  /// The equality deletes that only one of the states has, each with the indices of the files it may
  /// be about.
  fileprivate var changedEqualityDeletes: [(delete: DeleteFile, files: [Int])] {
    var found: [DataFile.Identity: (delete: DeleteFile, files: [Int])] = [:]
    for (index, file) in enumerated() {
      let (old, new) = (file.before.equalityIDs, file.after.equalityIDs)
      for delete in file.before.deletes + file.after.deletes where delete.isEquality {
        let id = delete.file.identity
        guard old.contains(id) != new.contains(id) else { continue }
        found[id, default: (delete, [])].files.append(index)
      }
    }
    return found.values.map { $0 }
  }
}

extension DeleteFile {
  fileprivate var isEquality: Bool { kind == .equality }
}

extension ScanTask {
  fileprivate var equalityIDs: Set<DataFile.Identity> {
    Set(deletes.filter(\.isEquality).map(\.file.identity))
  }

  fileprivate var positionDeleteIDs: Set<DataFile.Identity> {
    Set(deletes.filter { !$0.isEquality }.map(\.file.identity))
  }

  /// What reads the rows at `positions` that none of the deletes takes which `isApplied` keeps;
  /// nothing if there are none.
  fileprivate func reading(
    _ positions: [Int64], but isApplied: (DeleteFile) -> Bool
  ) -> [ScanTask] {
    if positions.isEmpty { return [] }
    var task = ScanTask(
      file: file, sequenceNumber: sequenceNumber, deletes: deletes.filter(isApplied))
    task.positions = RowPositions(ascending: positions)
    return [task]
  }
}

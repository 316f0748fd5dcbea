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
  /// What is deleted by position of the files that the last step touched.
  private var known: [PathKey: KnownPositions] = [:]

  private struct KnownPositions: Sendable {
    let deletes: Set<DataFile.Identity>
    let rows: DeletionVector
  }

  init(_ table: Table, _ selection: SnapshotSelection, _ planner: ChangePlanner) {
    self.table = table
    self.selection = selection
    self.planner = planner
  }

  /// What to read for `step`.
  mutating func rows(of step: ChangelogStep) async throws(ScanError) -> ChangedRows {
    let files = try await planner.plan(from: step.before, to: step.after)
    var rows = ChangedRows(deleted: files.removed, inserted: files.added)
    var plain: [TouchedFile] = []
    for file in files.touched {
      if file.before.equalityIDs == file.after.equalityIDs {
        plain.append(file)
      } else {
        try await compare(file, &rows)
      }
    }
    try await compareByPosition(plain, &rows)
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
      let (old, new) = (before[index].positions, after[index].positions)
      rows.deleted.append(contentsOf: file.before.reading(new.notIn(old), but: \.isEquality))
      rows.inserted.append(contentsOf: file.after.reading(old.notIn(new), but: \.isEquality))
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

  /// Where other rows are deleted by value, those values are read.
  private func compare(
    _ file: TouchedFile, _ rows: inout ChangedRows
  ) async throws(ScanError) {
    let old = try await table.livePositions(of: [file.before], at: selection)[0].positions
    let new = try await table.livePositions(of: [file.after], at: selection)[0].positions
    rows.deleted.append(contentsOf: file.before.reading(old.notIn(new)) { _ in false })
    rows.inserted.append(contentsOf: file.after.reading(new.notIn(old)) { _ in false })
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

extension [Int64] {
  /// Those that are not among `others`; both ascend.
  fileprivate func notIn(_ others: [Int64]) -> [Int64] {
    var left: [Int64] = []
    var next = 0
    for position in self {
      while next < others.count, others[next] < position { next += 1 }
      if next == others.count || others[next] != position { left.append(position) }
    }
    return left
  }
}

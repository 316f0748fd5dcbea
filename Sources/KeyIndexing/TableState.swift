// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import Scanning
internal import Storage

/// The live rows of one state of a table: its data files, and what is dead in each.
///
/// A value; what was read of delete files is kept, and shared by the states that follow from this.
public struct TableState: Sendable {
  /// The table the state is of.
  public let table: Table
  public let selection: SnapshotSelection
  public let files: [LiveFile]
  private let byPath: PathNumbers
  private let basis: PlanBasis
  /// The data files that rows were read from.
  let openFiles: OpenFiles
  /// Tells this list of files from others.
  package let id = ListID()
  /// The list that this one was made of, and which of ``files`` that one has not; nil if it was made
  /// of none.
  let origin: (list: ListID, new: [Int])?

  package final class ListID: Sendable {}

  /// Finds out which files are live. Cost: that of a plan without a filter.
  public init(
    of table: Table, at selection: SnapshotSelection = .current
  ) async throws(KeyIndexError) {
    try await self.init(planned: table, selection, before: nil)
  }

  private init(
    planned table: Table, _ selection: SnapshotSelection, before: TableState?
  ) async throws(KeyIndexError) {
    let table = table.observed(by: nil)
    let (plan, basis): (ScanPlan, PlanBasis)
    do throws(ScanError) { (plan, basis) = try await table.livePlan(at: selection) } catch {
      throw .reading(error)
    }
    var files: [LiveFile] = []
    var byPath: [PathKey: Int] = [:]
    files.reserveCapacity(plan.tasks.count)
    byPath.reserveCapacity(plan.tasks.count)
    for task in plan.tasks {
      let path = PathKey(task.file.path)
      byPath[path] = files.count
      files.append(LiveFile(task, before: before?.file(at: path)))
    }
    self.table = table
    self.selection = selection
    self.basis = basis
    self.files = files
    self.byPath = PathNumbers(byPath)
    openFiles = before?.openFiles ?? OpenFiles()
    origin = nil
  }

  /// The state that `difference` makes of `before`.
  private init(
    _ table: Table, _ selection: SnapshotSelection, _ difference: PlanDifference,
    of before: TableState
  ) {
    var files = before.files
    var byPath = before.byPath
    var new: Set<PathKey> = []
    for task in difference.changed {
      let path = PathKey(task.file.path)
      if let index = byPath[path] {
        files[index] = LiveFile(task, before: files[index])
      } else {
        byPath[path] = files.count
        files.append(LiveFile(task, before: nil))
        new.insert(path)
      }
    }
    for path in difference.removed {
      guard let index = byPath[path] else { continue }
      byPath[path] = nil
      // The last one takes the place.
      let last = files.removeLast()
      guard index < files.count else { continue }
      files[index] = last
      byPath[PathKey(last.file.path)] = index
    }
    self.table = table
    self.selection = selection
    self.files = files
    self.byPath = byPath
    basis = difference.basis
    openFiles = before.openFiles
    origin = (before.id, new.compactMap { byPath[$0] })
  }

  /// Nil if there is none yet.
  public var snapshot: Snapshot? { basis.snapshot }
  /// What rows are read with.
  public var schema: Schema { basis.schema }
  /// True if there are delete files that are about more than one data file.
  package var hasWideDeletes: Bool { basis.hasWideDeletes }

  /// The state as `table` has it, which is the same table later or earlier.
  ///
  /// Cost: manifests that only one of the states has; a whole plan where the schema changed, or deletes
  /// that are of more than one data file came or went. Delete files are read again only where others
  /// are about a file now.
  public func refreshed(
    to table: Table, at selection: SnapshotSelection? = nil
  ) async throws(KeyIndexError) -> TableState {
    let selection = selection ?? self.selection
    let table = table.observed(by: nil)
    let difference: PlanDifference?
    do throws(ScanError) {
      difference = try await basis.difference(to: table, at: selection) { file(at: $0)?.task }
    } catch {
      throw .reading(error)
    }
    if let difference { return TableState(table, selection, difference, of: self) }
    return try await TableState(planned: table, selection, before: self)
  }

  /// The index in ``files`` of the data file at `path`; nil if it is not live.
  public func index(of path: String) -> Int? { byPath[PathKey(path)] }

  func index(of path: PathKey) -> Int? { byPath[path] }

  private func file(at path: PathKey) -> LiveFile? { byPath[path].map { files[$0] } }

  // MARK: dead rows

  /// What is deleted by position of each of `files`, which are indices in ``files``: what a new
  /// deletion vector has to take in.
  ///
  /// Cost: delete files that were not read before.
  public func positionDeletes(
    of files: [Int]
  ) async throws(KeyIndexError) -> [DeletionVector] {
    try await loadPositions(files)
    return files.map { self.files[$0].byPosition?.rows ?? DeletionVector() }
  }

  /// All that is dead of each of `files`, which are indices in ``files``.
  ///
  /// Cost: as for ``positionDeletes(of:)``; of files that rows are deleted from by value, the
  /// columns of those values are read, once.
  public func deadRows(of files: [Int]) async throws(KeyIndexError) -> [DeletionVector] {
    try await loadPositions(files)
    try await loadValues(files)
    return files.map { index in
      let file = self.files[index]
      let positions = file.byPosition?.rows ?? DeletionVector()
      return file.byValue?.rows.map { $0.union(positions) } ?? positions
    }
  }

  private func loadPositions(_ indices: [Int]) async throws(KeyIndexError) {
    let wanted = Set(indices).sorted().map { files[$0] }.filter {
      $0.byPosition.map { $0.rows == nil } ?? false
    }
    guard !wanted.isEmpty else { return }
    do throws(ScanError) {
      let vectors = try await table.deletedPositions(of: wanted.map(\.task))
      for (file, vector) in zip(wanted, vectors) { file.byPosition?.rows = vector }
    } catch {
      throw .reading(error)
    }
  }

  private func loadValues(_ indices: [Int]) async throws(KeyIndexError) {
    let wanted = Set(indices).sorted().map { files[$0] }.filter {
      $0.byValue.map { $0.rows == nil } ?? false
    }
    guard !wanted.isEmpty else { return }
    let tasks = wanted.map { file in
      ScanTask(
        file: file.file, sequenceNumber: file.sequenceNumber,
        deletes: file.task.deletes.filter { $0.kind == .equality })
    }
    do throws(ScanError) {
      let live = try await table.livePositions(of: tasks, at: selection)
      for (file, live) in zip(wanted, live) {
        file.byValue?.rows = live.complement(of: file.file.recordCount)
      }
    } catch {
      throw .reading(error)
    }
  }

  /// Which of ``files`` the list of files `known` may not have.
  package func indicesUnknown(to known: ListID?) -> [Int] {
    if let known {
      if known === id { return [] }
      if let origin, origin.list === known { return origin.new }
    }
    return Array(files.indices)
  }

  /// Tells what is deleted by position of a file now, where that is known without reading: as a
  /// writer knows the vectors it wrote.
  public func note(_ vector: DeletionVector, of path: String) {
    guard let index = index(of: path) else { return }
    files[index].byPosition?.rows = vector
  }
}

/// Where data files are in a list, by their paths: one that follows from another shares most of it.
private struct PathNumbers: Sendable {
  private var base: [PathKey: Int]
  /// What is otherwise than in ``base``; nil: not there.
  private var changes: [PathKey: Int?] = [:]

  init(_ base: [PathKey: Int]) { self.base = base }

  subscript(path: PathKey) -> Int? {
    get {
      if let change = changes[path] { return change }
      return base[path]
    }
    set {
      changes[path] = .some(newValue)
      // As many that a copy of them and, seldom, one of all cost about the same.
      guard changes.count > 64, changes.count * changes.count > 64 * base.count else { return }
      for (path, number) in changes { base[path] = number }
      changes = [:]
    }
  }
}

extension DeletionVector {
  /// The positions below `count` that are not in this one.
  fileprivate func complement(of count: Int64) -> DeletionVector {
    var result = DeletionVector()
    for range in otherRanges(below: min(count, DeletionVector.highestPosition + 1)) {
      result.insert(range)
    }
    return result
  }
}

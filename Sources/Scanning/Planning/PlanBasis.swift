// SPDX-License-Identifier: Apache-2.0
package import Catalogs
package import Iceberg
internal import Storage

/// What planning without a filter went by in one state of a table, kept so that a later state costs
/// what is different in it.
///
/// Law: the tasks of one state, changed by ``difference(to:at:current:)``, are those of a plan of the
/// other, but for their order.
package struct PlanBasis: Sendable {
  package let snapshot: Snapshot?
  package let schema: Schema
  private let tableUUID: TableUUID?
  /// Those that may have live files.
  private let manifests: [PathKey: ManifestFile]
  /// Delete files that are not of one data file alone.
  private let wide: [DeleteFile]
  package var hasWideDeletes: Bool { !wide.isEmpty }
  /// Delete files of one data file that no task has: the file is gone, or they do not apply to it.
  private let idle: [PathKey: [DeleteFile]]
}

/// How the tasks of one state differ from those of another.
package struct PlanDifference: Sendable {
  package let basis: PlanBasis
  /// Of data files that the other state has not, or has other deletes of.
  package let changed: [ScanTask]
  /// Data files that only the other state has.
  package let removed: [PathKey]
}

extension Table {
  /// All live files of the state `selection`, and what later states are compared with.
  package func livePlan(
    at selection: SnapshotSelection
  ) async throws(ScanError) -> (plan: ScanPlan, basis: PlanBasis) {
    let (snapshot, schema) = try metadata.state(selection)
    let planner = ScanPlanner(table: self, snapshot: snapshot, schema: schema, filter: .alwaysTrue)
    let (plan, manifests, deletes) = try await planner.planAll()
    return (plan, PlanBasis(plan, of: self, manifests, deletes))
  }
}

extension PlanBasis {
  fileprivate init(
    _ plan: ScanPlan, of table: Table, _ manifests: [ManifestFile], _ deletes: [DeleteFile]
  ) {
    var applied: Set<ObjectIdentifier> = []
    for task in plan.tasks {
      for delete in task.deletes { applied.insert(ObjectIdentifier(delete)) }
    }
    var idle: [PathKey: [DeleteFile]] = [:]
    for delete in deletes where !applied.contains(ObjectIdentifier(delete)) {
      if let path = delete.ownPath { idle[path, default: []].append(delete) }
    }
    self.init(
      snapshot: plan.snapshot, schema: plan.schema, tableUUID: table.metadata.uuid,
      manifests: Self.byPath(manifests), wide: deletes.filter { $0.ownPath == nil }, idle: idle)
  }

  private static func byPath(_ manifests: [ManifestFile]) -> [PathKey: ManifestFile] {
    var byPath: [PathKey: ManifestFile] = [:]
    for manifest in manifests where manifest.mayHaveLiveFiles {
      byPath[PathKey(manifest.path)] = manifest
    }
    return byPath
  }

  /// How the state `selection` of `table` differs; nil if it has to be planned: where its schema is
  /// another one, or deletes that are of more than one data file came or went.
  ///
  /// Cost: the manifest list, and the manifests that only one of the states has.
  /// - Parameter current: the task of a data file in this state.
  package func difference(
    to table: Table, at selection: SnapshotSelection, current: (PathKey) -> ScanTask?
  ) async throws(ScanError) -> PlanDifference? {
    let (snapshot, schema) = try table.metadata.state(selection)
    guard let snapshot, schema == self.schema, table.metadata.uuid == tableUUID else { return nil }
    if snapshot.id == self.snapshot?.id {
      return PlanDifference(basis: self, changed: [], removed: [])
    }
    let list: [ManifestFile]
    do throws(CatalogError) {
      list = try await ManifestFiles(table).knownList(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
    let now = Self.byPath(list)
    let came = list.filter { $0.mayHaveLiveFiles && manifests[PathKey($0.path)] != $0 }
    let went = manifests.filter { now[$0.key] != $0.value }.map(\.value)
    let specs = try SpecPlans(came + went, table.metadata, .alwaysTrue)
    let reader = EntryReader(table: table, specs: specs)
    guard let deletes = try await ownDeletes(came, went, reader) else { return nil }
    let ids = Set(wide.flatMap { $0.file.equalityIDs ?? [] })
    let projection = ManifestProjection.planning(ids)
    let old = try await reader.entries(of: went, .data, projection)
    let new = try await reader.entries(of: came, .data, projection)
    var change = TaskChange(basis: self, deletes: deletes)
    try change.note(old: old, new: new, current)
    return PlanDifference(
      basis: PlanBasis(
        snapshot: snapshot, schema: schema, tableUUID: tableUUID, manifests: now, wide: wide,
        idle: change.idle),
      changed: change.changed, removed: change.removed)
  }

  /// The deletes of single data files that came and went; nil if others did, too.
  private func ownDeletes(
    _ came: [ManifestFile], _ went: [ManifestFile], _ reader: EntryReader
  ) async throws(ScanError) -> [PathKey: OwnDeletes]? {
    let projection = ScanPlanner.deleteProjection
    let old = try await reader.entries(of: went, .deletes, projection)
    let new = try await reader.entries(of: came, .deletes, projection)
    var left: [DataFile.Identity: ManifestEntry] = [:]
    for entry in new { left[entry.file.identity] = entry }
    var deletes: [PathKey: OwnDeletes] = [:]
    for entry in old {
      let identity = entry.file.identity
      if let same = left[identity], same.isSame(as: entry) {
        left[identity] = nil
        continue
      }
      guard let path = entry.file.onlyReferencedPath else { return nil }
      deletes[PathKey(path), default: OwnDeletes()].removed.insert(identity)
    }
    for entry in new where left[entry.file.identity] != nil {
      let isGlobal = reader.isGlobal(entry)
      guard let delete = DeleteFile(entry, isGlobal: isGlobal), let path = delete.ownPath else {
        return nil
      }
      deletes[path, default: OwnDeletes()].added.append(delete)
    }
    return deletes
  }

  /// The task of a data file, of which `own` are the deletes that are of it alone; and those of them
  /// that it does not have.
  fileprivate func task(
    _ entry: ManifestEntry, _ own: [DeleteFile]
  ) throws(ScanError) -> (ScanTask, idle: [DeleteFile]) {
    let deletes = try DeleteIndex(own + wide).deletes(of: entry, schema: schema)
    let task = ScanTask(file: entry.file, sequenceNumber: entry.sequenceNumber, deletes: deletes)
    return (task, own.filter { delete in !deletes.contains { $0 === delete } })
  }

  fileprivate func idleDeletes(of path: PathKey) -> [DeleteFile] { idle[path] ?? [] }
  fileprivate var allIdle: [PathKey: [DeleteFile]] { idle }
}

/// Deletes of one data file that came and went.
private struct OwnDeletes {
  var removed: Set<DataFile.Identity> = []
  var added: [DeleteFile] = []
}

/// Works out the tasks that are others than before.
private struct TaskChange {
  let basis: PlanBasis
  let deletes: [PathKey: OwnDeletes]
  var idle: [PathKey: [DeleteFile]]
  var changed: [ScanTask] = []
  var removed: [PathKey] = []

  init(basis: PlanBasis, deletes: [PathKey: OwnDeletes]) {
    self.basis = basis
    self.deletes = deletes
    idle = basis.allIdle
  }

  /// - Parameters:
  ///   - old: entries of data files that only the state before lists where it does.
  ///   - new: those that only the state after does.
  mutating func note(
    old: [ManifestEntry], new: [ManifestEntry], _ current: (PathKey) -> ScanTask?
  ) throws(ScanError) {
    var left: [PathKey: ManifestEntry] = [:]
    for entry in new { left[PathKey(entry.file.path)] = entry }
    var gone: Set<PathKey> = []
    for entry in old {
      let path = PathKey(entry.file.path)
      if let same = left[path] {
        if same.isSame(as: entry) { left[path] = nil }
      } else {
        gone.insert(path)
      }
    }
    for path in gone {
      removed.append(path)
      keepIdle(own(path, current(path)), path)
    }
    for (path, entry) in left { try place(entry, path, current(path)) }
    for path in deletes.keys where left[path] == nil && !gone.contains(path) {
      let task = current(path)
      guard let task else {
        keepIdle(own(path, nil), path)
        continue
      }
      try place(task.entry, path, task)
    }
  }

  private mutating func place(
    _ entry: ManifestEntry, _ path: PathKey, _ task: ScanTask?
  ) throws(ScanError) {
    let (changed, idle) = try basis.task(entry, own(path, task))
    self.changed.append(changed)
    keepIdle(idle, path)
  }

  /// The deletes that are of the data file at `path` alone.
  private func own(_ path: PathKey, _ task: ScanTask?) -> [DeleteFile] {
    let known = basis.idleDeletes(of: path) + (task?.deletes.filter { $0.ownPath != nil } ?? [])
    guard let change = deletes[path] else { return known }
    return known.filter { !change.removed.contains($0.file.identity) } + change.added
  }

  private mutating func keepIdle(_ deletes: [DeleteFile], _ path: PathKey) {
    idle[path] = deletes.isEmpty ? nil : deletes
  }
}

/// Reads manifests of a table, each once.
private struct EntryReader {
  let table: Table
  let specs: SpecPlans

  func entries(
    of manifests: [ManifestFile], _ content: ManifestFile.Content, _ projection: ManifestProjection
  ) async throws(ScanError) -> [ManifestEntry] {
    let files = ManifestFiles(table)
    let wanted = manifests.filter { $0.content == content }
    let read = try await mapConcurrently(wanted, limit: ManifestPlanning.concurrency) {
      manifest throws(ScanError) in
      try await files.entries(of: manifest, specs[manifest].layout, projection)
    }
    return read.flatMap { $0 }
  }

  func isGlobal(_ entry: ManifestEntry) -> Bool {
    table.metadata.partitionSpec(entry.file.partition.specID)?.isUnpartitioned ?? true
  }
}

extension DeleteFile {
  /// The one data file that this is about; nil if there may be others.
  fileprivate var ownPath: PathKey? {
    kind == .equality ? nil : file.onlyReferencedPath.map { PathKey($0) }
  }
}

extension ManifestEntry {
  /// True if both tell the same of a file, in whatever manifest.
  fileprivate func isSame(as other: ManifestEntry) -> Bool {
    sequenceNumber == other.sequenceNumber && file == other.file
  }
}

extension ScanTask {
  /// The data file as a live entry of a manifest.
  fileprivate var entry: ManifestEntry {
    ManifestEntry(
      status: .existing, snapshotID: SnapshotID(0), sequenceNumber: sequenceNumber,
      fileSequenceNumber: nil, file: file)
  }
}

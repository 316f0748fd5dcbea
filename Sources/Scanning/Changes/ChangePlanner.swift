// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

/// Finds the data files in which two states of a table differ, from the manifests that only one of
/// them has.
///
/// Law: a row that only one of the states has is in one of the files found.
/// Cost: both manifest lists and the manifests that are not in both. Where deletes changed, beyond
/// that the manifests that may have the data files they are about; where files were removed or
/// deletes changed, the manifests of deletes that may be about those. What was read is kept.
struct ChangePlanner: Sendable {
  let table: Table
  let schema: Schema
  let filter: BoundPredicate

  func plan(
    from before: Snapshot?, to after: Snapshot
  ) async throws(ScanError) -> ChangedFiles {
    let old = try await manifests(before)
    let new = try await manifests(after)
    let oldPaths = Set(old.map { PathKey($0.path) })
    let newPaths = Set(new.map { PathKey($0.path) })
    let left = old.filter { !newPaths.contains(PathKey($0.path)) }
    let came = new.filter { !oldPaths.contains(PathKey($0.path)) }
    let stayed = new.filter { oldPaths.contains(PathKey($0.path)) }

    let oldDeletes = try await deletes(left)
    let newDeletes = try await deletes(came)
    let changed = oldDeletes.notIn(newDeletes) + newDeletes.notIn(oldDeletes)
    let metrics = ManifestProjection.planning(
      changed.reduce(into: Set(filter.columns.map(\.id))) {
        $0.formUnion($1.file.equalityIDs ?? [])
      })
    let oldFiles = try await entries(left.filter { $0.content == .data }, metrics)
    let newFiles = try await entries(came.filter { $0.content == .data }, metrics)
    let oldNames = Set(oldFiles.map { PathKey($0.file.path) })
    let newNames = Set(newFiles.map { PathKey($0.file.path) })

    var found = Found()
    found.removed = oldFiles.filter { !newNames.contains(PathKey($0.file.path)) && mightMatch($0) }
    found.added = newFiles.filter { !oldNames.contains(PathKey($0.file.path)) && mightMatch($0) }
    if !changed.isEmpty {
      let kept = newFiles.filter { oldNames.contains(PathKey($0.file.path)) }
      found.touched = try await touched(by: changed, kept, stayed, metrics).filter(mightMatch)
    }
    return try await tasks(found, oldDeletes, newDeletes, stayed.filter { $0.content == .deletes })
  }

  /// What was found of data files, before it is known what is deleted of them.
  private struct Found {
    var removed: [ManifestEntry] = []
    var added: [ManifestEntry] = []
    var touched: [ManifestEntry] = []

    var all: [ManifestEntry] { removed + added + touched }
  }

  // MARK: touched files

  /// The data files of both states that `changed` may be about: among `kept`, and in `stayed`.
  private func touched(
    by changed: [DeleteFile], _ kept: [ManifestEntry], _ stayed: [ManifestFile],
    _ projection: ManifestProjection
  ) async throws(ScanError) -> [ManifestEntry] {
    let reader = DeleteFileReader(
      table: table, parallelism: max(1, table.environment.processorCount))
    let reach = try await DeleteReach(changed, reader, schema)
    var found: [ManifestEntry] = []
    for entry in kept where try reach.mayReach(entry) { found.append(entry) }
    var manifests: [ManifestFile] = []
    for manifest in stayed where manifest.content == .data && manifest.mayHaveLiveFiles {
      if reach.mayReach(manifest, try layout(manifest)) { manifests.append(manifest) }
    }
    var next = 0
    while next < manifests.count {
      if let count = reach.count, found.count >= count { break }
      let some = manifests[next..<min(next + ManifestPlanning.concurrency, manifests.count)]
      next += some.count
      for entry in try await entries(Array(some), projection) where try reach.mayReach(entry) {
        found.append(entry)
      }
    }
    return found
  }

  // MARK: deletes

  private func tasks(
    _ found: Found, _ oldDeletes: [DeleteFile], _ newDeletes: [DeleteFile],
    _ stayed: [ManifestFile]
  ) async throws(ScanError) -> ChangedFiles {
    let all = found.all
    guard let oldest = all.map(\.sequenceNumber).min() else { return ChangedFiles() }
    let partitions = Set(all.map(\.file.partition))
    let paths = Set(all.map { PathKey($0.file.path) })
    func isRelevant(_ delete: DeleteFile) -> Bool {
      if let path = delete.file.onlyReferencedPath { return paths.contains(PathKey(path)) }
      return delete.kind == .equality && delete.isGlobal
        || partitions.contains(delete.file.partition)
    }
    // A delete is never older than what it deletes, nor younger than its manifest.
    var manifests: [ManifestFile] = []
    for manifest in stayed where manifest.sequenceNumber >= oldest && manifest.mayHaveLiveFiles {
      let layout = try layout(manifest)
      if layout.spec.isUnpartitioned
        || partitions.contains(where: {
          manifest.mayHoldFiles(in: $0, layout)
        })
      {
        manifests.append(manifest)
      }
    }
    let common = try await deletes(manifests).filter(isRelevant)
    let before = try DeleteIndex(common + oldDeletes.filter(isRelevant))
    let after = try DeleteIndex(common + newDeletes.filter(isRelevant))
    var files = ChangedFiles()
    for entry in found.removed { files.removed.append(try task(entry, before)) }
    for entry in found.added { files.added.append(try task(entry, after)) }
    for entry in found.touched {
      let file = TouchedFile(before: try task(entry, before), after: try task(entry, after))
      if file.before.deleteIDs != file.after.deleteIDs { files.touched.append(file) }
    }
    return files
  }

  private func task(
    _ entry: ManifestEntry, _ deletes: DeleteIndex
  ) throws(ScanError) -> ScanTask {
    ScanTask(
      file: entry.file, sequenceNumber: entry.sequenceNumber,
      deletes: try deletes.deletes(of: entry, schema: schema))
  }

  /// False only if no row of the file matches the filter.
  private func mightMatch(_ entry: ManifestEntry) -> Bool {
    if filter == .alwaysTrue { return true }
    let partition = entry.file.partition
    if let spec = table.metadata.partitionSpec(partition.specID),
      !spec.inclusiveProjection(of: filter).mightMatch(PartitionFacts(partition.values, of: spec))
    {
      return false
    }
    return filter.mightMatch(DataFileFacts(file: entry.file))
  }

  // MARK: manifests

  private func manifests(_ snapshot: Snapshot?) async throws(ScanError) -> [ManifestFile] {
    guard let snapshot else { return [] }
    do throws(CatalogError) {
      return try await ManifestFiles(table).knownList(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
  }

  private func layout(_ manifest: ManifestFile) throws(ScanError) -> PartitionLayout {
    do throws(IcebergError) {
      return try table.metadata.partitionLayout(manifest.partitionSpecID)
    } catch {
      throw .invalidRequest(error)
    }
  }

  /// The live files of `manifests`.
  private func entries(
    _ manifests: [ManifestFile], _ projection: ManifestProjection
  ) async throws(ScanError) -> [ManifestEntry] {
    let files = ManifestFiles(table)
    let found = try await mapConcurrently(
      manifests.filter(\.mayHaveLiveFiles), limit: ManifestPlanning.concurrency
    ) { manifest throws(ScanError) in
      try await files.entries(of: manifest, try layout(manifest), projection)
    }
    return found.flatMap { $0 }
  }

  /// The delete files of those of `manifests` that have some.
  private func deletes(_ manifests: [ManifestFile]) async throws(ScanError) -> [DeleteFile] {
    let entries = try await entries(
      manifests.filter { $0.content == .deletes }, ManifestProjection(metrics: .all, liveOnly: true)
    )
    var deletes: [DeleteFile] = []
    for entry in entries {
      let spec = table.metadata.partitionSpec(entry.file.partition.specID)
      if let delete = DeleteFile(entry, isGlobal: spec?.isUnpartitioned ?? false) {
        deletes.append(delete)
      }
    }
    return deletes
  }
}

extension [DeleteFile] {
  /// Those that are not among `others`.
  fileprivate func notIn(_ others: [DeleteFile]) -> [DeleteFile] {
    let known = Set(others.map(\.file.identity))
    return filter { !known.contains($0.file.identity) }
  }
}

extension ScanTask {
  var deleteIDs: Set<DataFile.Identity> { Set(deletes.map(\.file.identity)) }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Catalogs
package import Iceberg
package import Storage

/// Makes a snapshot on top of a branch: its manifests, its manifest list, its summary, and the
/// updates and requirements that make it the branch's head.
///
/// Manifests that lose files are written again without them, in this snapshot noted as deleted;
/// others are listed as they are. A commit costs what it changes. All attempts at a commit make the
/// snapshot under one id, so that the manifests of what it adds are of use to all of them.
package struct SnapshotProducer {
  let base: Table
  let branch: String
  let attempt: CommitAttempt
  /// Of the snapshot that is made.
  package let snapshotID: SnapshotID
  private var writing: ManifestWriting
  private var summary = SnapshotSummary()

  package init(_ base: Table, branch: String, attempt: CommitAttempt) throws(CommitError) {
    self.base = base
    self.branch = branch
    self.attempt = attempt
    if let earlier = attempt.added?.basis.snapshotID, base.metadata.snapshot(earlier) == nil {
      snapshotID = earlier
    } else {
      snapshotID = base.metadata.newSnapshotID { base.environment.random.next() }
    }
    writing = try ManifestWriting(base, attempt: attempt, snapshotID: snapshotID)
  }

  /// The snapshot that `change` makes of the branch's head.
  ///
  /// - Parameters:
  ///   - operation: nil: what the change turns out to be, `append`, `delete` or `overwrite`.
  ///   - properties: for the summary, beside what is counted.
  /// - Throws: ``CommitError/conflict(_:)`` if a file that is to go is not there.
  package mutating func produce(
    _ change: FileChange, operation: SnapshotOperation? = nil, properties: [String: String] = [:]
  ) async throws(CommitError) -> ChangePlan {
    do throws(CommitError) {
      try await base.checkPresence(of: change.added)
      let parent = try base.head(of: branch)
      let list = try await base.manifestList(of: parent)
      let manifests = try await manifests(change, list)
      return try await plan(
        parent, list, manifests, operation ?? summary.operation, properties)
    } catch {
      await base.store.discard(writing.files)
      throw error
    }
  }

  /// The snapshot that lists the same files in other manifests.
  mutating func rewriteManifests(
    _ replaced: [ManifestFile], by rewrite: ManifestRewrite
  ) async throws(CommitError) -> ChangePlan {
    do throws(CommitError) {
      let parent = try base.head(of: branch)
      let list = try await base.manifestList(of: parent)
      var manifests = ManifestChange()
      manifests.removed = Set(replaced.map(\.path))
      manifests.added = try await writing.write(rewrite, of: replaced)
      summary.setManifests(created: manifests.added.count, kept: 0, replaced: replaced.count)
      let entries = manifests.added.reduce(0) { $0 + ($1.counts.existingFiles ?? 0) }
      return try await plan(
        parent, list, manifests, .replace, ["entries-processed": "\(entries)"])
    } catch {
      await base.store.discard(writing.files)
      throw error
    }
  }

  // MARK: manifests

  private mutating func manifests(
    _ change: FileChange, _ list: ManifestList?
  ) async throws(CommitError) -> ManifestChange {
    try check(change)
    var manifests = ManifestChange()
    if !change.isAppend, let list {
      manifests = try await withoutRemoved(change, list)
    } else if let missing = change.removed.first {
      throw .conflict(.fileIsGone(missing.path))
    }
    for file in change.added { summary.add(file) }
    manifests.added += try await writing.write(change.added, at: change.sequenceNumber)
    let merging = try ManifestMerging(base.metadata)
    // The list's blocks are only taken apart where that may be of use.
    guard merging.mayMerge((list?.count ?? 0) + manifests.added.count) else { return manifests }
    let kept = list?.manifests.filter { !manifests.removed.contains($0.path) } ?? []
    for group in merging.groups(kept + manifests.added) {
      let merged = try await writing.merge(group)
      let gone = Set(group.map(\.path))
      await writing.discard(gone)
      manifests.removed.formUnion(kept.lazy.map(\.path).filter(gone.contains))
      manifests.added.removeAll { gone.contains($0.path) }
      manifests.added += merged
    }
    return manifests
  }

  /// Refuses files that a table of this version can't have.
  private func check(_ change: FileChange) throws(CommitError) {
    let version = base.metadata.formatVersion
    for file in change.added {
      guard let kind = DeleteKind(file) else { continue }
      guard kind.mayBeAdded(in: version) else {
        throw .conflict(.formatVersion(version, what: "\(kind)"))
      }
    }
  }

  /// The manifests that lose files, and those that stand for them.
  private mutating func withoutRemoved(
    _ change: FileChange, _ list: ManifestList
  ) async throws(CommitError) -> ManifestChange {
    var removal = FileRemoval(change)
    var manifests = ManifestChange()
    // A manifest without live files has told what it had to.
    let all = list.manifests
    for manifest in all where !manifest.mayHaveLiveFiles { manifests.removed.insert(manifest.path) }
    for content in [ManifestFile.Content.data, .deletes] {
      var concerned: [ManifestFile] = []
      for manifest in all where manifest.content == content {
        if removal.mayConcern(manifest, try base.layout(manifest.partitionSpecID)) {
          concerned.append(manifest)
        }
      }
      for (manifest, entries) in try await base.entries(of: concerned) {
        var gone: Set<DataFile.Identity> = []
        for entry in entries where entry.isLive && removal.takes(entry) {
          gone.insert(entry.file.identity)
          summary.remove(entry.file)
        }
        guard !gone.isEmpty else { continue }
        manifests.removed.insert(manifest.path)
        manifests.added.append(
          try await writing.rewrite(manifest, entries.filter(\.isLive), removing: gone))
      }
    }
    if let missing = removal.firstMissing { throw .conflict(.fileIsGone(missing.path)) }
    return manifests
  }

  // MARK: the snapshot

  private mutating func plan(
    _ parent: Snapshot?, _ list: ManifestList?, _ manifests: ManifestChange,
    _ operation: SnapshotOperation, _ properties: [String: String]
  ) async throws(CommitError) -> ChangePlan {
    let writer = ManifestListWriter(for: snapshotID, on: parent?.id, of: base.metadata)
    let output: ManifestListWriter.Output
    do throws(IcebergError) {
      output = try writer.write(
        base: list, removing: manifests.removed, adding: manifests.added)
    } catch {
      throw .rejected(error)
    }
    let path = try base.metadataPath(
      "snap-\(snapshotID.rawValue)-\(attempt.number)-\(attempt.commitID).avro")
    try await writing.write(output.list.bytes, to: path)
    ManifestFiles(base).keep(output.list, at: path.text)
    let snapshot = Snapshot(
      id: snapshotID, parentID: parent?.id, sequenceNumber: writer.sequenceNumber,
      timestampMilliseconds: base.metadata.snapshotTimestamp(
        now: base.environment.now().milliseconds, parent: parent?.id),
      manifestList: path.text, operation: operation,
      summary: summary.values(
        parent: parent?.summary, commitID: attempt.commitID, properties: properties),
      schemaID: base.metadata.currentSchemaID, rowLineage: output.rowLineage)
    var plan = ChangePlan(
      requirements: base.requirements(branch, parent),
      updates: [.addSnapshot(snapshot), .setSnapshotReference(name: branch, reference(snapshot))],
      attemptFiles: writing.attemptFiles)
    plan.carryover = Carryover(writing.added, of: attempt.part)
    return plan
  }

  private func reference(_ snapshot: Snapshot) -> SnapshotReference {
    base.metadata.reference(branch)?.moved(to: snapshot.id) ?? .branch(snapshot.id)
  }
}

/// Which manifests a snapshot lists in place of which of the one before.
struct ManifestChange {
  /// By path.
  var removed: Set<String> = []
  var added: [ManifestFile] = []
}

extension SnapshotSummary {
  /// What a change is called that adds and removes these files.
  ///
  /// Others' conflict checks go by it: what took rows away must not be called an append.
  fileprivate var operation: SnapshotOperation {
    if addsDataFiles { return removesFiles || addsDeleteFiles ? .overwrite : .append }
    return removesFiles || addsDeleteFiles ? .delete : .append
  }
}

extension Table {
  /// The snapshot a commit to `branch` follows; nil if the branch has none yet.
  ///
  /// - Throws: ``CommitError/rejected(_:)`` if there is no such branch.
  package func head(of branch: String) throws(CommitError) -> Snapshot? {
    if let reference = metadata.reference(branch) {
      guard reference.kind == .branch else {
        throw .rejected(.invalid("a commit to '\(branch)'", reason: "it is a tag"))
      }
      return metadata.snapshot(reference.snapshotID)
    }
    guard branch == SnapshotReference.mainBranch else {
      throw .rejected(.unknownField("branch '\(branch)'", in: "the table's references"))
    }
    return nil
  }

  /// What must still hold for a plan made on `head` to be committed to `branch`.
  func requirements(_ branch: String, _ head: Snapshot?) -> [TableRequirement] {
    [.referenceSnapshot(name: branch, head?.id)] + metadata.sameTable
  }

  /// Where a metadata file called `name` goes: in `write.metadata.path`, else in `metadata` of the
  /// table's location.
  package func metadataPath(_ name: String) throws(CommitError) -> ObjectPath {
    do throws(StorageError) {
      if let path = metadata.properties["write.metadata.path"] {
        return try ObjectPath(path).appending(name)
      }
      return try ObjectPath(metadata.location).appending("metadata").appending(name)
    } catch {
      throw .storage(error, while: "naming '\(name)'")
    }
  }

  func layout(_ id: PartitionSpecID) throws(CommitError) -> PartitionLayout {
    do throws(IcebergError) { return try metadata.partitionLayout(id) } catch {
      throw .rejected(error)
    }
  }

  func manifestList(of snapshot: Snapshot?) async throws(CommitError) -> ManifestList? {
    guard let snapshot else { return nil }
    do throws(CatalogError) {
      return try await ManifestFiles(self).knownList(of: snapshot)
    } catch {
      throw .catalog(error)
    }
  }

  /// All entries of `manifests`, everything told of them; eight are fetched at a time.
  func entries(
    of manifests: [ManifestFile]
  ) async throws(CommitError) -> [(ManifestFile, [ManifestEntry])] {
    let files = ManifestFiles(self)
    let entries = try await mapConcurrently(manifests, limit: 8) {
      manifest throws(CommitError) -> [ManifestEntry] in
      do throws(CatalogError) {
        return try await files.entries(of: manifest, .all)
      } catch {
        throw CommitError.catalog(error)
      }
    }
    return Array(zip(manifests, entries))
  }
}

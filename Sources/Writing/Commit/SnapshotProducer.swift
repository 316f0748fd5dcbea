// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage

/// Makes a snapshot on top of a branch: its manifests, its manifest list, its summary, and the
/// updates and requirements that make it the branch's head.
///
///     <metadata folder>/<commit id>-<attempt>-m<n>.avro           manifests
///     <metadata folder>/snap-<snapshot>-<attempt>-<commit id>.avro   the list
///
/// The folder is `write.metadata.path`, else `metadata` in the table's location.
struct SnapshotProducer {
  let base: Table
  let branch: String
  let attempt: CommitAttempt
  private let snapshotID: SnapshotID
  private let folder: ObjectPath
  private var files: [ObjectPath] = []

  init(_ base: Table, branch: String, attempt: CommitAttempt) throws(CommitError) {
    self.base = base
    self.branch = branch
    self.attempt = attempt
    snapshotID = base.metadata.newSnapshotID { base.environment.random.next() }
    do throws(StorageError) {
      if let path = base.metadata.properties["write.metadata.path"] {
        folder = try ObjectPath(path)
      } else {
        folder = try ObjectPath(base.metadata.location).appending("metadata")
      }
    } catch {
      throw .storage(error, while: "naming manifests of \(base.name)")
    }
  }

  /// The snapshot the new one follows; nil if the branch has none.
  ///
  /// - Throws: ``CommitError/rejected(_:)`` if there is no such branch.
  func parent() throws(CommitError) -> Snapshot? {
    if let reference = base.metadata.reference(branch) {
      guard reference.kind == .branch else {
        throw .rejected(.invalid("a commit to '\(branch)'", reason: "it is a tag"))
      }
      return base.metadata.snapshot(reference.snapshotID)
    }
    guard branch == SnapshotReference.mainBranch else {
      throw .rejected(.unknownField("branch '\(branch)'", in: "the table's references"))
    }
    return nil
  }

  /// Adds `added` files to what the branch has: a fast append.
  mutating func append(
    _ added: [DataFile], operation: SnapshotOperation, properties: [String: String]
  ) async throws(CommitError) -> ChangePlan {
    do throws(CommitError) {
      return try await plan(added, operation: operation, properties: properties)
    } catch {
      for file in files { try? await base.store.delete(file) }
      throw error
    }
  }

  private mutating func plan(
    _ added: [DataFile], operation: SnapshotOperation, properties: [String: String]
  ) async throws(CommitError) -> ChangePlan {
    let parent = try parent()
    let manifests = try await writeManifests(added)
    let base = try await self.list(of: parent)
    let writer = ManifestListWriter(for: snapshotID, on: parent?.id, of: self.base.metadata)
    let output: ManifestListWriter.Output
    do throws(IcebergError) {
      output = try writer.write(base: base, adding: manifests)
    } catch {
      throw .rejected(error)
    }
    let name = "snap-\(snapshotID.rawValue)-\(attempt.number)-\(attempt.commitID).avro"
    let path = try await write(output.list.bytes, as: name)
    var summary = SnapshotSummary()
    for file in added { summary.add(file) }
    let snapshot = Snapshot(
      id: snapshotID, parentID: parent?.id, sequenceNumber: writer.sequenceNumber,
      timestampMilliseconds: self.base.metadata.snapshotTimestamp(
        now: self.base.environment.now().milliseconds, parent: parent?.id),
      manifestList: path.text, operation: operation,
      summary: summary.values(
        parent: parent?.summary, commitID: attempt.commitID, properties: properties),
      schemaID: self.base.metadata.currentSchemaID, rowLineage: output.rowLineage)
    return ChangePlan(
      requirements: requirements(parent),
      updates: [.addSnapshot(snapshot), .setSnapshotReference(name: branch, reference(snapshot))],
      attemptFiles: files)
  }

  private func requirements(_ parent: Snapshot?) -> [TableRequirement] {
    var requirements: [TableRequirement] = [.referenceSnapshot(name: branch, parent?.id)]
    if let uuid = base.metadata.uuid { requirements.append(.tableUUID(uuid)) }
    return requirements
  }

  private func reference(_ snapshot: Snapshot) -> SnapshotReference {
    base.metadata.reference(branch)?.moved(to: snapshot.id) ?? .branch(snapshot.id)
  }

  private func list(of parent: Snapshot?) async throws(CommitError) -> ManifestList? {
    guard let parent else { return nil }
    do throws(CatalogError) {
      return try await ManifestFiles(base).list(of: parent)
    } catch {
      throw .catalog(error)
    }
  }

  /// One manifest for each partition spec that `added` files have.
  private mutating func writeManifests(
    _ added: [DataFile]
  ) async throws(CommitError) -> [ManifestFile] {
    var manifests: [ManifestFile] = []
    for specID in Set(added.map(\.partition.specID)).sorted() {
      let name = "\(attempt.commitID)-\(attempt.number)-m\(manifests.count).avro"
      let manifest = try manifest(
        added.filter { $0.partition.specID == specID }, specID, try path(name))
      _ = try await write(manifest.bytes, as: name)
      let sequenceNumber =
        base.metadata.formatVersion == .v1
        ? SequenceNumber(0) : base.metadata.nextSequenceNumber
      manifests.append(manifest.file(at: sequenceNumber))
    }
    return manifests
  }

  private func manifest(
    _ added: [DataFile], _ specID: PartitionSpecID, _ path: ObjectPath
  ) throws(CommitError) -> NewManifest {
    do throws(IcebergError) {
      var writer = try ManifestWriter(
        path: path.text, layout: try base.metadata.partitionLayout(specID),
        schema: base.metadata.currentSchema, formatVersion: base.metadata.formatVersion,
        content: .data, snapshotID: snapshotID)
      for file in added { try writer.add(file) }
      return try writer.finish()
    } catch {
      throw .rejected(error)
    }
  }

  private func path(_ name: String) throws(CommitError) -> ObjectPath {
    do throws(StorageError) {
      return try folder.appending(name)
    } catch {
      throw .storage(error, while: "naming manifests of \(base.name)")
    }
  }

  private mutating func write(
    _ bytes: Buffer, as name: String
  ) async throws(CommitError) -> ObjectPath {
    let path = try path(name)
    // Noted before it is written: what comes of a failed write is not known to be nothing.
    files.append(path)
    do throws(StorageError) {
      _ = try await base.store.put(bytes, to: path, if: .absent)
    } catch {
      throw .storage(error, while: "writing \(path)")
    }
    return path
  }
}

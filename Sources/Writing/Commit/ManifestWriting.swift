// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage

/// Writes the manifests of one attempt at a commit, but those that an attempt before has written.
///
///     <metadata folder>/<commit id>-<attempt>[-<part>]-m<n>.avro     manifests
///     <metadata folder>/snap-<snapshot>-<attempt>-<commit id>.avro   the list
///
/// The folder is `write.metadata.path`, else `metadata` in the table's location.
struct ManifestWriting {
  /// All that was written, and what a failed write may have left.
  private(set) var files: [ObjectPath] = []
  /// The manifests of what the change adds.
  private(set) var added: AddedManifests?
  private let base: Table
  private let attempt: CommitAttempt
  private let snapshotID: SnapshotID
  private let targetByteCount: Int
  private var count = 0

  init(
    _ base: Table, attempt: CommitAttempt, snapshotID: SnapshotID
  ) throws(CommitError) {
    self.base = base
    self.attempt = attempt
    self.snapshotID = snapshotID
    do throws(IcebergError) {
      targetByteCount = Int(
        clamping: try base.metadata.properties.value(of: .manifestTargetByteCount))
    } catch {
      throw .rejected(error)
    }
  }

  /// The commit's; 0 in v1.
  private var sequenceNumber: SequenceNumber {
    base.metadata.formatVersion == .v1 ? SequenceNumber(0) : base.metadata.nextSequenceNumber
  }

  /// Manifests that add `added`: for each spec and content one, or as many as the target size
  /// makes of them.
  ///
  /// - Parameter age: the sequence number of the data files' rows, if it is not the commit's.
  mutating func write(
    _ added: [DataFile], at age: SequenceNumber?
  ) async throws(CommitError) -> [ManifestFile] {
    guard !added.isEmpty else { return [] }
    let basis = try basis(added, age)
    if let earlier = attempt.added, earlier.basis == basis {
      self.added = AddedManifests(
        basis: basis, manifests: earlier.manifests, paths: earlier.paths)
    } else {
      let start = files.count
      let manifests = try await write(basis)
      self.added = AddedManifests(
        basis: basis, manifests: manifests, paths: Array(files[start...]))
    }
    return self.added?.manifests.map { $0.file(at: sequenceNumber) } ?? []
  }

  private func basis(
    _ files: [DataFile], _ age: SequenceNumber?
  ) throws(CommitError) -> AddedManifests.Basis {
    let metadata = base.metadata
    return AddedManifests.Basis(
      snapshotID: snapshotID, files: files, age: age, formatVersion: metadata.formatVersion,
      schema: metadata.currentSchema,
      layouts: try Set(files.map(\.partition.specID)).sorted().map {
        id throws(CommitError) in try base.layout(id)
      },
      targetByteCount: targetByteCount)
  }

  private mutating func write(
    _ basis: AddedManifests.Basis
  ) async throws(CommitError) -> [NewManifest] {
    var manifests: [NewManifest] = []
    for content in [ManifestFile.Content.data, .deletes] {
      let files = basis.files.filter { ($0.content == .data) == (content == .data) }
      for layout in basis.layouts {
        let specID = layout.spec.id
        let files = files.filter { $0.partition.specID == specID }
        manifests += try await write(files, specID, content) {
          (writer, file) throws(IcebergError) in
          try writer.add(file, sequenceNumber: content == .data ? basis.age : nil)
        }
      }
    }
    return manifests
  }

  /// `manifest` again, its live entries `entries`, of which the files `removed` are noted as
  /// deleted.
  mutating func rewrite(
    _ manifest: ManifestFile, _ entries: [ManifestEntry], removing removed: Set<DataFile.Identity>
  ) async throws(CommitError) -> ManifestFile {
    let new = try await write(manifest.partitionSpecID, manifest.content) {
      (writer) throws(IcebergError) in
      for entry in entries {
        if removed.contains(entry.file.identity) {
          try writer.delete(entry)
        } else {
          try writer.keep(entry)
        }
      }
    }
    return new.file(at: sequenceNumber)
  }

  /// One manifest for all of `group`, which are of one spec and content.
  mutating func merge(_ group: [ManifestFile]) async throws(CommitError) -> [ManifestFile] {
    guard let first = group.first else { return [] }
    let entries = try await base.entries(of: group).flatMap { $0.1 }
    let (snapshotID, sequenceNumber) = (snapshotID, sequenceNumber)
    let merged = try await write(first.partitionSpecID, first.content) {
      (writer) throws(IcebergError) in
      for entry in entries {
        switch entry.status {
        case .added where entry.snapshotID == snapshotID:
          // Its number is the commit's, which only the list tells.
          let own = entry.sequenceNumber == sequenceNumber ? nil : entry.sequenceNumber
          try writer.add(entry.file, sequenceNumber: own)
        case .deleted:
          // What earlier snapshots removed, their own manifests tell.
          if entry.snapshotID == snapshotID { try writer.delete(entry) }
        case .added, .existing: try writer.keep(entry)
        }
      }
    }
    return [merged.file(at: sequenceNumber)]
  }

  /// Live entries of `replaced` in the manifests that `rewrite` wants.
  mutating func write(
    _ rewrite: ManifestRewrite, of replaced: [ManifestFile]
  ) async throws(CommitError) -> [ManifestFile] {
    let entries = try await base.entries(of: replaced)
    var manifests: [NewManifest] = []
    for (specID, content, sorted) in rewrite.groups(entries) {
      manifests += try await write(sorted, specID, content) {
        (writer, entry) throws(IcebergError) in try writer.keep(entry)
      }
    }
    return manifests.map { $0.file(at: sequenceNumber) }
  }

  /// `items` in as many manifests as the target size makes of them.
  private mutating func write<Item>(
    _ items: [Item], _ specID: PartitionSpecID, _ content: ManifestFile.Content,
    _ put: (inout ManifestWriter, Item) throws(IcebergError) -> Void
  ) async throws(CommitError) -> [NewManifest] {
    let targetByteCount = targetByteCount
    var manifests: [NewManifest] = []
    var rest = items[...]
    while !rest.isEmpty {
      let manifest = try await write(specID, content) { (writer) throws(IcebergError) in
        while let item = rest.popFirst() {
          try put(&writer, item)
          if writer.byteCount >= targetByteCount { return }
        }
      }
      manifests.append(manifest)
    }
    return manifests
  }

  private mutating func write(
    _ specID: PartitionSpecID, _ content: ManifestFile.Content,
    _ fill: (inout ManifestWriter) throws(IcebergError) -> Void
  ) async throws(CommitError) -> NewManifest {
    let path = try base.metadataPath("\(attempt.fileName)-m\(count).avro")
    count += 1
    let manifest: NewManifest
    do throws(IcebergError) {
      var writer = try ManifestWriter(
        path: path.text, layout: try base.metadata.partitionLayout(specID),
        schema: base.metadata.currentSchema, formatVersion: base.metadata.formatVersion,
        content: content, snapshotID: snapshotID)
      try fill(&writer)
      manifest = try writer.finish()
    } catch {
      throw .rejected(error)
    }
    try await write(manifest.bytes, to: path)
    return manifest
  }

  /// Writes a file of the attempt.
  mutating func write(_ bytes: Buffer, to path: ObjectPath) async throws(CommitError) {
    // Noted before it is written: what comes of a failed write is not known to be nothing.
    files.append(path)
    do throws(StorageError) {
      _ = try await base.store.put(bytes, to: path, if: .absent)
    } catch {
      throw .storage(error, while: "writing \(path)")
    }
  }

  /// Lets go of what was written at `paths` and is not listed: it is deleted, but for the manifests
  /// of what is added, which the next attempt may list.
  mutating func discard(_ paths: Set<String>) async {
    let merged = added?.paths.filter { paths.contains($0.text) } ?? []
    added?.merged += merged
    let gone = attemptFiles.filter { paths.contains($0.text) }
    files.removeAll(where: gone.contains)
    await base.store.discard(gone)
  }

  /// The files that no other attempt can use.
  var attemptFiles: [ObjectPath] {
    let kept = added?.paths ?? []
    return files.filter { !kept.contains($0) }
  }
}

// SPDX-License-Identifier: Apache-2.0
import Catalogs
import Iceberg
import Lake
import Storage

/// Files of any kind added and removed in one snapshot, as another engine might commit them: what
/// is asked for is done, and nothing is checked.
public struct TableEdit: TableChange {
  /// Files, and how old their content is; nil leaves that to the commit.
  public var added: [(file: DataFile, sequenceNumber: SequenceNumber?)] = []
  public var removed: Set<DataFile.Identity> = []

  public init() {}

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    do throws(CatalogError) { return try await edit(base) } catch { throw .catalog(error) }
  }

  private func edit(_ base: Table) async throws(CatalogError) -> ChangePlan {
    let metadata = base.metadata
    let parent = metadata.currentSnapshot
    let id = metadata.newSnapshotID { base.environment.random.next() }
    let writer = ManifestListWriter(for: id, on: parent?.id, of: metadata)
    let folder = metadata.location + "/metadata/\(id.rawValue)"
    var list: ManifestList?
    if let parent { list = try await ManifestFiles(base).list(of: parent) }
    var manifests: [NewManifest] = []
    var replaced: Set<String> = []
    do throws(IcebergError) {
      func manifest(
        _ specID: PartitionSpecID, _ content: ManifestFile.Content
      ) throws(IcebergError) -> ManifestWriter {
        try ManifestWriter(
          path: folder + "-m\(manifests.count).avro", layout: metadata.partitionLayout(specID),
          schema: metadata.currentSchema, formatVersion: metadata.formatVersion, content: content,
          snapshotID: id)
      }
      for content in [ManifestFile.Content.data, .deletes] {
        for specID in Set(added.map(\.file.partition.specID)).sorted() {
          let some = added.filter {
            $0.file.partition.specID == specID && ($0.file.content == .data) == (content == .data)
          }
          guard !some.isEmpty else { continue }
          var writer = try manifest(specID, content)
          for (file, number) in some { try writer.add(file, sequenceNumber: number) }
          manifests.append(try writer.finish())
        }
      }
      for old in removed.isEmpty ? [] : list?.manifests ?? [] {
        let entries: [ManifestEntry]
        do throws(CatalogError) {
          entries = try await ManifestFiles(base).entries(of: old, .all)
        } catch {
          throw .invalid(old.path, reason: "\(error)")
        }
        guard entries.contains(where: { removed.contains($0.file.identity) }) else { continue }
        replaced.insert(old.path)
        var writer = try manifest(old.partitionSpecID, old.content)
        for entry in entries where entry.isLive {
          if removed.contains(entry.file.identity) {
            try writer.delete(entry)
          } else {
            try writer.keep(entry)
          }
        }
        manifests.append(try writer.finish())
      }
    } catch {
      throw .rejected(error)
    }
    let output: ManifestListWriter.Output
    do throws(IcebergError) {
      output = try writer.write(
        base: list, removing: replaced, adding: manifests.map { $0.file(at: writer.sequenceNumber) }
      )
    } catch {
      throw .rejected(error)
    }
    let listPath = folder + "-list.avro"
    do throws(StorageError) {
      for new in manifests {
        _ = try await base.store.put(new.bytes, to: try ObjectPath(new.path), if: .absent)
      }
      _ = try await base.store.put(output.list.bytes, to: try ObjectPath(listPath), if: .absent)
    } catch {
      throw .storage(error, while: "editing a table")
    }
    let snapshot = Snapshot(
      id: id, parentID: parent?.id, sequenceNumber: writer.sequenceNumber,
      timestampMilliseconds: metadata.snapshotTimestamp(
        now: base.environment.now().milliseconds, parent: parent?.id),
      manifestList: listPath, operation: .overwrite, summary: [:],
      schemaID: metadata.currentSchemaID, rowLineage: output.rowLineage)
    let main = SnapshotReference.mainBranch
    let reference = metadata.reference(main)?.moved(to: id) ?? .branch(id)
    return ChangePlan(
      requirements: [],
      updates: [.addSnapshot(snapshot), .setSnapshotReference(name: main, reference)])
  }
}

/// Any updates of metadata.
public struct MetadataEdit: TableChange {
  public let updates: [TableUpdate]

  public init(_ updates: TableUpdate...) { self.updates = updates }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    ChangePlan(requirements: [], updates: updates)
  }
}

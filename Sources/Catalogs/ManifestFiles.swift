// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Iceberg
internal import Storage

/// Fetches the manifests of a table's snapshots.
public struct ManifestFiles: Sendable {
  let table: Table

  public init(_ table: Table) { self.table = table }

  /// The largest manifest or manifest list that is read.
  private static let byteCountLimit: Int64 = 1 << 30

  /// The manifests of `snapshot`, as listed.
  ///
  /// Cost: one request; for a v1 snapshot that names its manifests itself, one for each.
  public func list(of snapshot: Snapshot) async throws(CatalogError) -> ManifestList {
    switch snapshot.manifests {
    case .list(let path):
      let (bytes, location) = try await read(path)
      do throws(IcebergError) {
        return try ManifestList(bytes)
      } catch {
        throw .invalidMetadata(file: location, error)
      }
    case .embedded(let paths):
      var files: [ManifestFile] = []
      for path in paths {
        let (bytes, location) = try await read(path)
        do throws(IcebergError) {
          files.append(try ManifestFile(embedded: path, bytes, of: snapshot.id))
        } catch {
          throw .invalidMetadata(file: location, error)
        }
      }
      return try list(files, of: snapshot)
    }
  }

  private func list(
    _ files: [ManifestFile], of snapshot: Snapshot
  ) throws(CatalogError) -> ManifestList {
    do throws(IcebergError) {
      return try ManifestListWriter(
        formatVersion: .v1, snapshotID: snapshot.id, parentID: snapshot.parentID,
        sequenceNumber: SequenceNumber(0), nextRowID: 0
      ).write(adding: files).list
    } catch {
      throw .rejected(error)
    }
  }

  /// The entries of `manifest`, as far as `projection` asks for them.
  ///
  /// Cost: one request.
  public func entries(
    of manifest: ManifestFile, _ projection: ManifestProjection
  ) async throws(CatalogError) -> [ManifestEntry] {
    let (bytes, location) = try await read(manifest.path)
    do throws(IcebergError) {
      let layout = try table.metadata.partitionLayout(manifest.partitionSpecID)
      var reader = try ManifestReader(
        bytes, of: manifest, layout: layout, projection: projection,
        decoders: table.manifestCache.decoders)
      return try reader.readAll()
    } catch {
      throw .invalidMetadata(file: location, error)
    }
  }

  private func read(_ path: String) async throws(CatalogError) -> (Buffer, ObjectPath) {
    do throws(StorageError) {
      let location = try ObjectPath(path)
      return (try await table.store.get(location, limit: Self.byteCountLimit), location)
    } catch {
      throw .storage(error, while: "reading a manifest of \(table.name)")
    }
  }
}

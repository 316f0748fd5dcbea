// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning

extension Table {
  /// The live delete files of `snapshot`.
  func deleteEntries(of snapshot: Snapshot) async throws(CatalogError) -> [ManifestEntry] {
    let files = ManifestFiles(self)
    var deletes: [ManifestEntry] = []
    for manifest in try await files.list(of: snapshot).manifests
    where manifest.content == .deletes && manifest.mayHaveLiveFiles {
      deletes += try await files.entries(of: manifest, .planning([.deleteFilePath]))
    }
    return deletes
  }
}

extension Table {
  /// What manifests tell of the column `id`, by the paths of the data files of `snapshot`.
  func metrics(
    of id: FieldID, in snapshot: Snapshot
  ) async throws(ScanError) -> [String: ColumnMetricsList] {
    let files = ManifestFiles(self)
    var metrics: [String: ColumnMetricsList] = [:]
    do throws(CatalogError) {
      for manifest in try await files.list(of: snapshot).manifests
      where manifest.content == .data && manifest.mayHaveLiveFiles {
        for entry in try await files.entries(of: manifest, .planning([id])) {
          metrics[entry.file.path] = entry.file.metrics
        }
      }
    } catch {
      throw .catalog(error)
    }
    return metrics
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import Storage

/// A data file that two states have, of which other rows are deleted.
struct TouchedFile: Sendable {
  let before: ScanTask
  let after: ScanTask
}

/// The data files in which two states of a table may differ.
struct ChangedFiles: Sendable {
  /// Those that only the earlier state has, with what is deleted of them there.
  var removed: [ScanTask] = []
  /// Those that only the later state has.
  var added: [ScanTask] = []
  var touched: [TouchedFile] = []
}

/// Which data files some delete files may be about.
struct DeleteReach: Sendable {
  /// By position.
  private var paths: Set<PathKey> = []
  private var partitions: Set<PartitionValues> = []
  /// By value.
  private var equality: [DeleteFile] = []
  private let schema: Schema

  /// - Parameter schema: with the columns that metrics are compared of.
  init(_ deletes: [DeleteFile], _ reader: DeleteFileReader, _ schema: Schema)
    async throws(ScanError)
  {
    self.schema = schema
    var unknown: [DeleteFile] = []
    for delete in deletes {
      if delete.kind == .equality {
        equality.append(delete)
        continue
      }
      partitions.insert(delete.file.partition)
      if let path = delete.file.onlyReferencedPath {
        paths.insert(PathKey(path))
      } else {
        unknown.append(delete)
      }
    }
    // Only its rows tell which files it is about.
    let found = try await mapConcurrently(unknown, limit: ManifestPlanning.concurrency) {
      delete throws(ScanError) in
      Array(try await reader.positions(delete.file).keys)
    }
    for some in found { paths.formUnion(some) }
  }

  /// False only if no data file of `manifest` can be one of them.
  func mayReach(_ manifest: ManifestFile, _ layout: PartitionLayout) -> Bool {
    if partitions.contains(where: { manifest.mayHoldFiles(in: $0, layout) }) { return true }
    return equality.contains {
      manifest.minSequenceNumber < $0.sequenceNumber
        && ($0.isGlobal || manifest.mayHoldFiles(in: $0.file.partition, layout))
    }
  }

  /// False only if the data file of `entry` is none of them.
  func mayReach(_ entry: ManifestEntry) throws(ScanError) -> Bool {
    if paths.contains(PathKey(entry.file.path)) { return true }
    for delete in equality {
      do throws(IcebergError) {
        guard try delete.entry.mayDeleteRows(of: entry, isGlobal: delete.isGlobal) else { continue }
      } catch {
        throw .invalidManifest(file: delete.file.path, error)
      }
      if entry.file.mayShareKeys(with: delete.file, schema: schema) { return true }
    }
    return false
  }

  /// How many files there are at most; nil if that can't be told.
  var count: Int? { equality.isEmpty ? paths.count : nil }
}

// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// Decides which small manifests are written together, so that there are never many of them.
///
/// Of each spec and content, when there are `commit.manifest.min-count-to-merge` below the target
/// size, the newest are merged, and older ones as long as they are not much larger than all that
/// follow them. So a file's entry is written again O(log n) times over n commits, and a table of n
/// commits has O(log n) manifests and less than the minimum count of single ones.
struct ManifestMerging {
  private let isEnabled: Bool
  private let minCount: Int
  private let targetByteCount: Int64

  init(_ metadata: TableMetadata) throws(CommitError) {
    do throws(IcebergError) {
      isEnabled = try metadata.properties.value(of: .manifestMergeEnabled)
      minCount = max(2, Int(clamping: try metadata.properties.value(of: .manifestMinCountToMerge)))
      targetByteCount = try metadata.properties.value(of: .manifestTargetByteCount)
    } catch {
      throw .rejected(error)
    }
  }

  /// False if of `count` manifests none are written together, whatever they are.
  func mayMerge(_ count: Int) -> Bool { isEnabled && count >= minCount }

  /// The manifests to write together, of those of a snapshot, oldest first.
  func groups(_ manifests: [ManifestFile]) -> [[ManifestFile]] {
    guard mayMerge(manifests.count) else { return [] }
    let kinds = Dictionary(grouping: manifests.filter { $0.byteCount < targetByteCount / 2 }) {
      ManifestKind($0)
    }
    return kinds.values.filter { $0.count >= minCount }.map(newest).filter { $0.count > 1 }
  }

  /// The last of `manifests`, for as long as each has at most twice the files of all after it.
  private func newest(_ manifests: [ManifestFile]) -> [ManifestFile] {
    var taken: [ManifestFile] = []
    var files: Int64 = 0
    var bytes: Int64 = 0
    for manifest in manifests.reversed() {
      let count = manifest.liveFileCount
      guard taken.isEmpty || count <= 2 * files, bytes + manifest.byteCount <= targetByteCount
      else { break }
      taken.append(manifest)
      files += max(1, count)
      bytes += manifest.byteCount
    }
    return taken.reversed()
  }
}

extension ManifestFile {
  /// How many live files it has; 1 where that is not known.
  fileprivate var liveFileCount: Int64 {
    guard let added = counts.addedFiles, let existing = counts.existingFiles else { return 1 }
    return added + existing
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A file that table metadata, a manifest list or a manifest names.
public struct FileReference: Hashable, Sendable {
  /// What kind of file it is.
  public enum Kind: Hashable, Sendable, CaseIterable {
    case metadata, manifestList, manifest, data, deletes, statistics, partitionStatistics
  }

  public let kind: Kind
  public let path: String

  public init(_ kind: Kind, _ path: String) {
    self.kind = kind
    self.path = path
  }
}

// What is not named by any of these is an orphan: so each kind of file the format has is here.

extension TableMetadata {
  /// The files this metadata names itself: manifest lists (v1: manifests), statistics and the
  /// metadata files before it. What manifest lists and manifests name is theirs to tell.
  ///
  /// Cost: O(n) in snapshots.
  public func referencedFiles() -> [FileReference] {
    var files = metadataLog.map { FileReference(.metadata, $0.location) }
    for snapshot in snapshots { files += snapshot.referencedFiles() }
    files += statistics.map { FileReference(.statistics, $0.path) }
    files += partitionStatistics.map { FileReference(.partitionStatistics, $0.path) }
    return files
  }
}

extension Snapshot {
  /// The manifest list, or the manifests a v1 snapshot names itself.
  public func referencedFiles() -> [FileReference] {
    switch manifests {
    case .list(let path): [FileReference(.manifestList, path)]
    case .embedded(let paths): paths.map { FileReference(.manifest, $0) }
    }
  }
}

extension ManifestList {
  /// The manifests of this list.
  public func referencedFiles() -> [FileReference] {
    manifests.map { FileReference(.manifest, $0.path) }
  }
}

extension ManifestEntry {
  /// The file of this entry; nil if the entry says that it was removed.
  ///
  /// A file is needed as long as an entry of a kept snapshot has it as live: entries of removed
  /// files say nothing of whether another snapshot still has it.
  public var referencedFile: FileReference? {
    isLive ? FileReference(file.content == .data ? .data : .deletes, file.path) : nil
  }
}

// SPDX-License-Identifier: Apache-2.0
package import Iceberg

/// What a snapshot adds to the files of a branch, and what it takes away.
package struct FileChange: Sendable {
  /// Data and delete files.
  package var added: [DataFile] = []
  /// How old the rows of added data files are, if they are older than the commit: what compaction
  /// wrote stays subject to the deletes that came after the rows.
  package var sequenceNumber: SequenceNumber?
  /// Files that are there, and go. With a data file go the deletion vectors and position delete
  /// files of it alone.
  package var removed: [DataFile] = []
  /// Of which every file goes.
  package var emptied = Emptied.partitions([])

  package enum Emptied: Hashable, Sendable {
    case partitions(Set<PartitionValues>)
    case everything
  }

  package init(
    added: [DataFile] = [], sequenceNumber: SequenceNumber? = nil, removed: [DataFile] = [],
    emptied: Emptied = .partitions([])
  ) {
    self.added = added
    self.sequenceNumber = sequenceNumber
    self.removed = removed
    self.emptied = emptied
  }

  /// True if the change takes nothing away.
  var isAppend: Bool { removed.isEmpty && emptied == .partitions([]) }
}

/// Which entries of manifests a change takes away, and which of them were found.
struct FileRemoval {
  private var missing: [DataFile.Identity: DataFile] = [:]
  private let emptied: FileChange.Emptied
  private var removedPaths: Set<String> = []
  /// The partitions that may lose files; nil: any.
  private let partitions: Set<PartitionValues>?
  /// True if only delete files go.
  private let isOfDeletes: Bool

  init(_ change: FileChange) {
    for file in change.removed {
      missing[file.identity] = file
      if file.content == .data { removedPaths.insert(file.path) }
    }
    emptied = change.emptied
    isOfDeletes = removedPaths.isEmpty && emptied == .partitions([])
    switch emptied {
    case .everything: partitions = nil
    case .partitions(let emptied): partitions = emptied.union(change.removed.map(\.partition))
    }
  }

  /// A file that was to go and was not there.
  var firstMissing: DataFile? { missing.values.min { $0.path < $1.path } }

  /// False only if no file of the manifest goes.
  func mayConcern(_ manifest: ManifestFile, _ layout: PartitionLayout) -> Bool {
    guard manifest.mayHaveLiveFiles else { return false }
    if isOfDeletes, manifest.content == .data { return false }
    guard let partitions else { return true }
    return partitions.contains { manifest.mayHoldFiles(in: $0, layout) }
  }

  /// True if the live file of `entry` goes.
  ///
  /// Requires: data manifests are asked about before delete manifests.
  mutating func takes(_ entry: ManifestEntry) -> Bool {
    let file = entry.file
    if missing.removeValue(forKey: file.identity) != nil { return true }
    if isEmptied(file.partition) {
      if file.content == .data { removedPaths.insert(file.path) }
      return true
    }
    guard file.content == .positionDeletes, let path = file.onlyReferencedPath else { return false }
    return removedPaths.contains(path)
  }

  private func isEmptied(_ partition: PartitionValues) -> Bool {
    switch emptied {
    case .everything: true
    case .partitions(let partitions): partitions.contains(partition)
    }
  }
}

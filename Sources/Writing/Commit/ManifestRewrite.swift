// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Writes the manifests of a branch again, their files by partition: what was appended over time in
/// many manifests, each with files of all partitions, becomes few, of which a filter on partitions
/// rules out most. No data file is touched.
///
/// Laws: the live files are the same, with the same sequence numbers and row ids.
public struct ManifestRewrite: TableChange {
  public let branch: String

  public init(branch: String = SnapshotReference.mainBranch) { self.branch = branch }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    let head = try base.head(of: branch)
    guard let list = try await base.manifestList(of: head), list.count > 1 else {
      return .nothing
    }
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    return try await producer.rewriteManifests(list.manifests, by: self)
  }

  /// The live entries of `manifests`, by spec and content, files of one partition beside each other.
  func groups(
    _ manifests: [(ManifestFile, [ManifestEntry])]
  ) -> [(PartitionSpecID, ManifestFile.Content, [ManifestEntry])] {
    var entries: [ManifestKind: [PartitionValues: [ManifestEntry]]] = [:]
    var kinds: [ManifestKind] = []
    var partitions: [ManifestKind: [PartitionValues]] = [:]
    for (manifest, list) in manifests {
      let kind = ManifestKind(manifest)
      if entries.updateValue(entries[kind] ?? [:], forKey: kind) == nil { kinds.append(kind) }
      for entry in list where entry.isLive {
        let partition = entry.file.partition
        if entries[kind, default: [:]][partition] == nil {
          partitions[kind, default: []].append(partition)
        }
        entries[kind, default: [:]][partition, default: []].append(entry)
      }
    }
    return kinds.map { kind in
      let sorted = (partitions[kind] ?? []).sorted { $0.values.precedes($1.values) }
      return (kind.specID, kind.content, sorted.flatMap { entries[kind]?[$0] ?? [] })
    }
  }
}

extension [Value?] {
  /// An order of partitions in which those with like first values are neighbours; nulls first.
  fileprivate func precedes(_ other: [Value?]) -> Bool {
    for (a, b) in zip(self, other) {
      switch (a, b) {
      case (nil, nil): continue
      case (nil, _): return true
      case (_, nil): return false
      case (let a?, let b?):
        if let order = Value.compare(a, b), order != 0 { return order < 0 }
      }
    }
    return false
  }
}

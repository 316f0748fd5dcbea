// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Makes the change of a snapshot again on top of a branch: of one that was written to be looked at
/// first (`wap.id`), or of another branch.
///
/// A snapshot that follows the branch's head is simply moved to. Else what it added is added and
/// what it removed is removed, if that is still there and no one changed it since the two lines
/// parted.
public struct CherryPick: TableChange {
  public let snapshot: SnapshotID
  public let branch: String

  public init(_ snapshot: SnapshotID, onto branch: String = SnapshotReference.mainBranch) {
    self.snapshot = snapshot
    self.branch = branch
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    let what = "picking snapshot \(snapshot.rawValue)"
    guard let picked = base.metadata.snapshot(snapshot) else {
      throw .rejected(.unknownField("snapshot \(snapshot.rawValue)", in: "the table"))
    }
    let head = try base.head(of: branch)
    if let head, base.metadata.isAncestor(picked.id, of: head.id) {
      throw .rejected(.invalid(what, reason: "branch '\(branch)' has it already"))
    }
    try checkNotPublished(picked, head, base.metadata, what)
    if picked.parentID == head?.id {
      let reference =
        base.metadata.reference(branch)?.moved(to: picked.id) ?? .branch(picked.id)
      return ChangePlan(
        requirements: base.requirements(branch, head),
        updates: [.setSnapshotReference(name: branch, reference)])
    }
    return try await replay(picked, head, base, attempt)
  }

  /// Refuses what was picked before, under its own id or that of its audit.
  private func checkNotPublished(
    _ picked: Snapshot, _ head: Snapshot?, _ metadata: TableMetadata, _ what: String
  ) throws(CommitError) {
    let audit = picked.summary[Self.auditKey]
    for snapshot in head.map({ Array(metadata.ancestry(of: $0.id)) }) ?? [] {
      let summary = snapshot.summary
      if summary[Self.sourceKey] == "\(picked.id.rawValue)" {
        throw .rejected(
          .invalid(what, reason: "snapshot \(snapshot.id.rawValue) was made of it before"))
      }
      guard let audit else { continue }
      if summary[Self.publishedKey] == audit || summary[Self.auditKey] == audit {
        throw .rejected(.invalid(what, reason: "'\(audit)' was published before"))
      }
    }
  }

  private func replay(
    _ picked: Snapshot, _ head: Snapshot?, _ base: Table, _ attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    let changes = try await ConcurrentChanges(
      of: base, since: picked.parentID, until: picked)
    var properties = [Self.sourceKey: "\(picked.id.rawValue)"]
    if let audit = picked.summary[Self.auditKey] { properties[Self.publishedKey] = audit }
    if picked.summary["replace-partitions"] == "true" { properties["replace-partitions"] = "true" }
    for deletes in changes.addedDeletes
    where DeleteKind(deletes.file) == .positions && deletes.file.onlyReferencedPath == nil {
      throw .rejected(
        .unsupported(
          "picking snapshot \(picked.id.rawValue), which has position deletes of several files,"))
    }
    let parted = head.flatMap { Self.commonAncestor($0.id, picked.id, base.metadata) }
    let removed = changes.removedFiles + changes.removedDeletes
    let touched = try await touchedFiles(changes, picked, base)
    if !touched.isEmpty || !removed.isEmpty {
      try await ReadSet(snapshot: parted, files: touched, isolation: .snapshot)
        .check(base, branch: branch)
    }
    // Their rows get new ids: those of the other line may be given there again.
    let added = (changes.addedRows + changes.replacedRows + changes.addedDeletes).map { entry in
      var file = entry.file
      file.firstRowID = nil
      return file
    }
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    return try await producer.produce(
      FileChange(added: added, removed: removed.map(\.file)), operation: picked.operation,
      properties: properties)
  }

  /// The data files of the picked snapshot's parent that it removed or deleted rows of by position.
  private func touchedFiles(
    _ changes: ConcurrentChanges, _ picked: Snapshot, _ base: Table
  ) async throws(CommitError) -> [ManifestEntry] {
    let paths = Set(changes.addedDeletes.compactMap(\.file.onlyReferencedPath))
    var files = changes.removedFiles
    guard !paths.isEmpty else { return files }
    let manifests = try await base.manifestList(of: picked)?.manifests ?? []
    for (_, entries) in try await base.entries(of: manifests.filter { $0.content == .data }) {
      files += entries.filter { $0.isLive && paths.contains($0.file.path) }
    }
    return files
  }

  private static func commonAncestor(
    _ a: SnapshotID, _ b: SnapshotID, _ metadata: TableMetadata
  ) -> SnapshotID? {
    let ancestors = Set(metadata.ancestry(of: a).map(\.id))
    return metadata.ancestry(of: b).first { ancestors.contains($0.id) }?.id
  }

  private static let sourceKey = "source-snapshot-id"
  private static let auditKey = "wap.id"
  private static let publishedKey = "published-wap-id"
}

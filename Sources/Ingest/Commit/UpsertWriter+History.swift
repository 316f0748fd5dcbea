// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

// A commit every few seconds makes a history that no one can keep: what is not tagged goes.

extension UpsertWriter {
  /// What keeps the history of `base` small when snapshot `new` is added to it.
  func history(of base: Table, adding new: SnapshotID) -> [TableUpdate] {
    let metadata = base.metadata
    var updates: [TableUpdate] = []
    let expired = expiredSnapshots(metadata)
    if !expired.isEmpty { updates.append(.removeSnapshots(expired)) }
    guard let kept = options.keptHistory else { return updates }
    let now = base.environment.now().milliseconds
    let interval = max(1_000, kept.interval.milliseconds)
    let start = now - (now % interval + interval) % interval
    let name = Self.tagPrefix + "\(Timestamp(milliseconds: start))"
    let duration = max(1, kept.duration.milliseconds)
    if metadata.reference(name) == nil,
      let tag = try? SnapshotReference(
        .tag, new, retention: .init(maxReferenceAgeMilliseconds: duration))
    {
      updates.append(.setSnapshotReference(name: name, tag))
    }
    for (name, reference) in metadata.references where name.hasPrefix(Self.tagPrefix) {
      guard reference.kind == .tag, let snapshot = metadata.snapshot(reference.snapshotID),
        now - snapshot.timestampMilliseconds > duration
      else { continue }
      updates.append(.removeSnapshotReference(name: name))
    }
    return updates
  }

  /// What tags of kept snapshots start with.
  static let tagPrefix = "history."
  /// What tags of those start with who read changes: from the oldest on, all is kept.
  private static let consumerPrefix = "consumer."

  /// The snapshots of the branch that go: beyond those that are kept, and named by no one.
  private func expiredSnapshots(_ metadata: TableMetadata) -> [SnapshotID] {
    guard let limit = options.keptSnapshots, metadata.snapshots.count >= max(1, limit),
      let head = metadata.reference(options.branch)?.snapshotID
    else { return [] }
    var named: Set<SnapshotID> = []
    var consumed: Set<SnapshotID> = []
    for (name, reference) in metadata.references where name != options.branch {
      named.insert(reference.snapshotID)
      if name.hasPrefix(Self.consumerPrefix) { consumed.insert(reference.snapshotID) }
      guard reference.kind == .branch else { continue }
      for snapshot in metadata.ancestry(of: reference.snapshotID) { named.insert(snapshot.id) }
    }
    var expired: [SnapshotID] = []
    var count = 1  // the one that is added
    for snapshot in metadata.ancestry(of: head) {
      // Whoever reads changes needs all from where they are.
      if consumed.contains(snapshot.id) { expired = [] }
      if named.contains(snapshot.id) { continue }
      count += 1
      if count > max(2, limit) { expired.append(snapshot.id) }
    }
    return expired
  }
}

extension Duration {
  /// Whole milliseconds.
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    return overflow ? .max / 2 : scaled &+ attoseconds / 1_000_000_000_000_000
  }
}

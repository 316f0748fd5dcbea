// SPDX-License-Identifier: Apache-2.0

extension TableMetadata {
  /// The snapshot that was current at `timestamp`: the one of the latest log entry not after it.
  ///
  /// The log need not be in order of time; of two entries with one time the later one counts.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if the log does not reach back that far, or the
  ///   snapshot is gone. The chain of parents says nothing about what was current when, so it is no
  ///   way out.
  public func snapshot(asOf timestampMilliseconds: Int64) throws(IcebergError) -> Snapshot {
    var best: SnapshotLogEntry?
    for entry in snapshotLog where entry.timestampMilliseconds <= timestampMilliseconds {
      if best.map({ entry.timestampMilliseconds >= $0.timestampMilliseconds }) ?? true {
        best = entry
      }
    }
    guard let best else {
      throw .invalid(
        "a read as of \(timestampMilliseconds) ms",
        reason: "the table's snapshot log has no entry that old")
    }
    guard let snapshot = snapshot(best.snapshotID) else {
      throw .invalid(
        "a read as of \(timestampMilliseconds) ms",
        reason: "snapshot \(best.snapshotID.rawValue) is no longer there")
    }
    return snapshot
  }

  /// The snapshot with `id` and its ancestors, newest first, as far as they are there.
  ///
  /// Ends also if parents form a cycle. Cost: O(n), made as it is walked.
  public func ancestry(of id: SnapshotID) -> some Sequence<Snapshot> {
    sequence(state: AncestryWalk(next: id, left: snapshots.count)) { walk -> Snapshot? in
      guard walk.left > 0, let id = walk.next, let snapshot = self.snapshot(id) else { return nil }
      walk.left -= 1
      walk.next = snapshot.parentID
      return snapshot
    }
  }

  private struct AncestryWalk {
    var next: SnapshotID?
    var left: Int
  }

  /// True if `ancestor` is `id` or one of its ancestors.
  public func isAncestor(_ ancestor: SnapshotID, of id: SnapshotID) -> Bool {
    ancestry(of: id).contains { $0.id == ancestor }
  }

  /// The time a new child of `parent` gets when the clock shows `now`.
  ///
  /// Clocks of writers differ: time never goes back along a branch, in the log, or in the table, so
  /// that no commit is refused for a slow clock.
  public func snapshotTimestamp(now: Int64, parent: SnapshotID?) -> Int64 {
    let afterParent = parent.flatMap { snapshot($0) }.map {
      max($0.timestampMilliseconds, $0.timestampMilliseconds &+ 1)
    }
    return max(
      now, afterParent ?? now, snapshotLog.last?.timestampMilliseconds ?? now,
      lastUpdatedMilliseconds)
  }

  /// A snapshot id that is not in use: positive, of the random numbers `next` gives.
  public func newSnapshotID(_ next: () -> UInt64) -> SnapshotID {
    while true {
      let id = SnapshotID(Int64(truncatingIfNeeded: (next() ^ next()) & UInt64(Int64.max)))
      if id.rawValue > 0, snapshot(id) == nil { return id }
    }
  }
}

// MARK: - Retention

/// What a table's retention policy lets go.
public struct Expiry: Hashable, Sendable {
  /// In the order of the table's snapshots.
  public let snapshotIDs: [SnapshotID]
  /// In alphabetical order.
  public let references: [String]

  public init(snapshotIDs: [SnapshotID], references: [String]) {
    self.snapshotIDs = snapshotIDs
    self.references = references
  }
}

/// How long snapshots and references are kept that do not say so themselves.
public struct RetentionDefaults: Hashable, Sendable {
  public var maxSnapshotAgeMilliseconds: Int64
  /// Of a branch.
  public var minSnapshotsToKeep: Int64
  public var maxReferenceAgeMilliseconds: Int64

  /// What the table's properties say.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if one is not a number.
  public init(_ properties: TableProperties) throws(IcebergError) {
    maxSnapshotAgeMilliseconds = try properties.value(of: .maxSnapshotAgeMilliseconds)
    minSnapshotsToKeep = try properties.value(of: .minSnapshotsToKeep)
    maxReferenceAgeMilliseconds = try properties.value(of: .maxReferenceAgeMilliseconds)
  }
}

extension TableMetadata {
  /// The references and snapshots that the policy of references and properties no longer keeps.
  ///
  /// A branch keeps its newest snapshots: as many as it must, and on while they are young enough. A
  /// snapshot no reference leads to (a staged one, for example) is kept while it is young enough
  /// by the table's properties, as the reference implementation does.
  ///
  /// Cost: O(n) a branch.
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a property is not a number.
  /// - Source: Iceberg spec, "Snapshot Retention Policy".
  public func expiry(at now: Int64) throws(IcebergError) -> Expiry {
    expiry(at: now, by: try RetentionDefaults(properties))
  }

  /// As ``expiry(at:)``, with `defaults` in the place of the table's properties.
  public func expiry(at now: Int64, by defaults: RetentionDefaults) -> Expiry {
    let defaultAge = defaults.maxSnapshotAgeMilliseconds
    let defaultCount = defaults.minSnapshotsToKeep
    let defaultReferenceAge = defaults.maxReferenceAgeMilliseconds

    var kept: Set<SnapshotID> = []
    var reached: Set<SnapshotID> = []
    var expired: [String] = []
    for (name, reference) in references {
      let retention = reference.retention
      let age = retention.maxReferenceAgeMilliseconds ?? defaultReferenceAge
      let isOld = isOlder(reference.snapshotID, than: age, at: now)
      if name != SnapshotReference.mainBranch, isOld {
        expired.append(name)
        continue
      }
      guard reference.kind == .branch else {
        kept.insert(reference.snapshotID)
        reached.insert(reference.snapshotID)
        continue
      }
      let maxAge = retention.maxSnapshotAgeMilliseconds ?? defaultAge
      var left = retention.minSnapshotsToKeep.map(Int64.init) ?? defaultCount
      var isKeeping = true
      for snapshot in ancestry(of: reference.snapshotID) {
        reached.insert(snapshot.id)
        isKeeping = isKeeping && (left > 0 || !isOlder(snapshot.id, than: maxAge, at: now))
        left -= 1
        if isKeeping { kept.insert(snapshot.id) }
      }
      kept.insert(reference.snapshotID)
    }
    let gone = snapshots.filter { snapshot in
      if kept.contains(snapshot.id) { return false }
      return reached.contains(snapshot.id) || isOlder(snapshot.id, than: defaultAge, at: now)
    }
    return Expiry(snapshotIDs: gone.map(\.id), references: expired.sorted())
  }

  /// True if the snapshot was made more than `age` before `now`.
  private func isOlder(_ id: SnapshotID, than age: Int64, at now: Int64) -> Bool {
    guard let snapshot = snapshot(id) else { return true }
    let (difference, overflow) = now.subtractingReportingOverflow(snapshot.timestampMilliseconds)
    // It overflows only for a time that is absurdly far back or ahead.
    return overflow ? snapshot.timestampMilliseconds < now : difference > age
  }
}

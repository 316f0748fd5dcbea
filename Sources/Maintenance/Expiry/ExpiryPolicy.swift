// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Iceberg
internal import Writing

/// Which snapshots are let go: those that branches, tags and the table's properties keep no longer.
public struct ExpiryPolicy: Hashable, Sendable {
  /// In the place of `history.expire.max-snapshot-age-ms`; nil: what that says.
  public var maxSnapshotAge: Duration?
  /// In the place of `history.expire.min-snapshots-to-keep`; nil: what that says.
  public var minSnapshotsToKeep: Int?

  public init(maxSnapshotAge: Duration? = nil, minSnapshotsToKeep: Int? = nil) {
    self.maxSnapshotAge = maxSnapshotAge
    self.minSnapshotsToKeep = minSnapshotsToKeep
  }

  /// Tags whose names begin so are places of consumers: all that came after them is kept.
  public static let consumerPrefix = "consumer."

  /// What goes of `metadata` at the time `now`.
  ///
  /// Beyond what the format's retention policy keeps, these stay:
  /// - every snapshot from the oldest consumer's place on, along each branch that it is on;
  /// - what tells how far a writer was whose rows were rolled back: its record would come to be
  ///   taken for true of rows that are gone.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a property is not a number.
  public func expiry(
    of metadata: TableMetadata, at now: Int64
  ) throws(IcebergError) -> Expiry {
    var defaults = try RetentionDefaults(metadata.properties)
    if let maxSnapshotAge { defaults.maxSnapshotAgeMilliseconds = maxSnapshotAge.milliseconds }
    if let minSnapshotsToKeep { defaults.minSnapshotsToKeep = Int64(minSnapshotsToKeep) }
    let expiry = metadata.expiry(at: now, by: defaults)
    var gone = Set(expiry.snapshotIDs)
    guard !gone.isEmpty else { return expiry }
    keepConsumers(metadata, Set(expiry.references), &gone)
    keepWriters(metadata, &gone)
    return Expiry(
      snapshotIDs: expiry.snapshotIDs.filter(gone.contains), references: expiry.references)
  }

  private func keepConsumers(
    _ metadata: TableMetadata, _ expired: Set<String>, _ gone: inout Set<SnapshotID>
  ) {
    var places: Set<SnapshotID> = []
    for (name, reference) in metadata.references
    where name.hasPrefix(Self.consumerPrefix) && !expired.contains(name) {
      places.insert(reference.snapshotID)
    }
    guard !places.isEmpty else { return }
    for (name, reference) in metadata.references
    where reference.kind == .branch && !expired.contains(name) {
      // What lies between the branch's head and the last place that is met.
      var pending: [SnapshotID] = []
      for snapshot in metadata.ancestry(of: reference.snapshotID) {
        pending.append(snapshot.id)
        if places.contains(snapshot.id) {
          gone.subtract(pending)
          pending = []
        }
      }
    }
  }

  private func keepWriters(_ metadata: TableMetadata, _ gone: inout Set<SnapshotID>) {
    for record in metadata.writerRecords.values {
      guard let head = metadata.reference(record.branch)?.snapshotID else { continue }
      if metadata.isRolledBack(record) {
        gone.remove(record.snapshot)
        gone.subtract(metadata.ancestry(of: head).map(\.id))
        continue
      }
      // One that a tag keeps must not come to look as if it had been taken off its branch.
      guard metadata.snapshot(record.snapshot) != nil, !gone.contains(record.snapshot) else {
        continue
      }
      for snapshot in metadata.ancestry(of: head) {
        if snapshot.id == record.snapshot { break }
        gone.remove(snapshot.id)
      }
    }
  }
}

extension Duration {
  /// Whole milliseconds, at least 1; the most there is if they do not fit.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflow else { return seconds < 0 ? 1 : .max }
    let (sum, tooMuch) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return tooMuch ? .max : Swift.max(1, sum)
  }
}

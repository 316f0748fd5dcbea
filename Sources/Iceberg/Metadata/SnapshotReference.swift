// SPDX-License-Identifier: Apache-2.0

/// A name for a snapshot: a branch, which commits move, or a tag, which stays.
///
/// Source: Iceberg spec, "Snapshot References".
public struct SnapshotReference: Hashable, Sendable {
  public enum Kind: Hashable, Sendable { case branch, tag }

  public let kind: Kind
  /// The tagged snapshot, or the newest one of the branch.
  public let snapshotID: SnapshotID
  public let retention: Retention

  /// How long what a reference names is kept; nil leaves it to the table's properties.
  public struct Retention: Hashable, Sendable {
    /// Branches only; at least 1.
    public let minSnapshotsToKeep: Int?
    /// Branches only; milliseconds, positive.
    public let maxSnapshotAgeMilliseconds: Int64?
    /// How old the named snapshot gets before the reference goes; never for `main`. Positive.
    public let maxReferenceAgeMilliseconds: Int64?

    public init(
      minSnapshotsToKeep: Int? = nil, maxSnapshotAgeMilliseconds: Int64? = nil,
      maxReferenceAgeMilliseconds: Int64? = nil
    ) {
      self.minSnapshotsToKeep = minSnapshotsToKeep
      self.maxSnapshotAgeMilliseconds = maxSnapshotAgeMilliseconds
      self.maxReferenceAgeMilliseconds = maxReferenceAgeMilliseconds
    }

    public static let byProperties = Retention()
  }

  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a number of `retention` is not positive, or
  ///   is one that only branches have and this is a tag.
  public init(
    _ kind: Kind, _ snapshotID: SnapshotID, retention: Retention = .byProperties
  ) throws(IcebergError) {
    try retention.check(for: kind)
    self.kind = kind
    self.snapshotID = snapshotID
    self.retention = retention
  }

  /// A branch whose retention the table's properties tell.
  public static func branch(_ snapshotID: SnapshotID) -> SnapshotReference {
    SnapshotReference(unchecked: .branch, snapshotID)
  }

  /// A tag whose retention the table's properties tell.
  public static func tag(_ snapshotID: SnapshotID) -> SnapshotReference {
    SnapshotReference(unchecked: .tag, snapshotID)
  }

  private init(unchecked kind: Kind, _ snapshotID: SnapshotID) {
    self.kind = kind
    self.snapshotID = snapshotID
    self.retention = .byProperties
  }

  /// The branch every table has as soon as it has a snapshot.
  public static let mainBranch = "main"

  /// The same reference, moved.
  public func moved(to snapshotID: SnapshotID) -> SnapshotReference {
    SnapshotReference(kind: kind, snapshotID: snapshotID, retention: retention)
  }

  private init(kind: Kind, snapshotID: SnapshotID, retention: Retention) {
    self.kind = kind
    self.snapshotID = snapshotID
    self.retention = retention
  }
}

extension SnapshotReference.Retention {
  func check(for kind: SnapshotReference.Kind) throws(IcebergError) {
    if kind == .tag, minSnapshotsToKeep != nil || maxSnapshotAgeMilliseconds != nil {
      throw .invalid("the retention of snapshots of a tag", reason: "only branches have it")
    }
    for number in [
      minSnapshotsToKeep.map(Int64.init), maxSnapshotAgeMilliseconds, maxReferenceAgeMilliseconds,
    ] {
      guard let number, number <= 0 else { continue }
      throw .invalid("a retention of \(number)", reason: "it must be positive")
    }
  }
}

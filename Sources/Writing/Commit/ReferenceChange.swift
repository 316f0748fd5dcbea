// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Makes, moves and removes branches and tags.
public struct ReferenceChange: TableChange {
  private let kind: Kind

  private enum Kind: Sendable {
    case create(
      name: String, SnapshotReference.Kind, SnapshotID?, SnapshotReference.Retention, Replacing)
    case remove(name: String, SnapshotReference.Kind)
    case fastForward(branch: String, to: String)
    case rollback(branch: String, to: SnapshotID)
  }

  /// What to do if the name is in use.
  public enum Replacing: Hashable, Sendable { case refuse, replace }

  /// Makes branch `name` at `snapshot` (nil: where `main` is).
  public static func createBranch(
    _ name: String, at snapshot: SnapshotID? = nil,
    retention: SnapshotReference.Retention = .byProperties, ifThere: Replacing = .refuse
  ) -> ReferenceChange {
    ReferenceChange(kind: .create(name: name, .branch, snapshot, retention, ifThere))
  }

  /// Makes tag `name` at `snapshot` (nil: where `main` is).
  public static func createTag(
    _ name: String, at snapshot: SnapshotID? = nil,
    retention: SnapshotReference.Retention = .byProperties, ifThere: Replacing = .refuse
  ) -> ReferenceChange {
    ReferenceChange(kind: .create(name: name, .tag, snapshot, retention, ifThere))
  }

  /// Removes branch or tag `name`; its snapshots stay until they expire.
  public static func remove(_ kind: SnapshotReference.Kind, _ name: String) -> ReferenceChange {
    ReferenceChange(kind: .remove(name: name, kind))
  }

  /// Moves `branch` to where branch or tag `other` is, which must descend from it.
  public static func fastForward(_ branch: String, to other: String) -> ReferenceChange {
    ReferenceChange(kind: .fastForward(branch: branch, to: other))
  }

  /// Moves `branch` back to one of its own ancestors.
  ///
  /// The offsets of writers that had committed to it since go back with their rows
  /// (``WriterRecord``), so that their sources are read again from there.
  public static func rollback(
    _ branch: String = SnapshotReference.mainBranch, to snapshot: SnapshotID
  ) -> ReferenceChange {
    ReferenceChange(kind: .rollback(branch: branch, to: snapshot))
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    do throws(IcebergError) {
      switch kind {
      case .create(let name, let kind, let snapshot, let retention, let replacing):
        return try create(name, kind, snapshot, retention, replacing, base.metadata)
      case .remove(let name, let kind): return try remove(name, kind, base.metadata)
      case .fastForward(let branch, let other):
        return try fastForward(branch, other, base.metadata)
      case .rollback(let branch, let snapshot):
        return try rollback(branch, snapshot, base.metadata)
      }
    } catch {
      throw .rejected(error)
    }
  }

  private func create(
    _ name: String, _ kind: SnapshotReference.Kind, _ snapshot: SnapshotID?,
    _ retention: SnapshotReference.Retention, _ replacing: Replacing, _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    let what = "a \(kind) called '\(name)'"
    guard !name.isEmpty else { throw .invalid(what, reason: "it needs a name") }
    let old = metadata.reference(name)
    if let old {
      guard replacing == .replace else {
        throw .invalid(what, reason: "there is a \(old.kind) of that name")
      }
      guard old.kind == kind else {
        throw .invalid(what, reason: "a \(old.kind) can't be replaced by a \(kind)")
      }
    }
    guard let id = snapshot ?? metadata.currentSnapshotID else {
      throw .invalid(what, reason: "the table has no snapshot yet")
    }
    guard metadata.snapshot(id) != nil else {
      throw .unknownField("snapshot \(id.rawValue)", in: "the table")
    }
    let reference = try SnapshotReference(kind, id, retention: retention)
    return plan(metadata, name, old, .setSnapshotReference(name: name, reference))
  }

  private func remove(
    _ name: String, _ kind: SnapshotReference.Kind, _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    guard let old = metadata.reference(name), old.kind == kind else {
      throw .unknownField("\(kind) '\(name)'", in: "the table's references")
    }
    guard name != SnapshotReference.mainBranch else {
      throw .invalid("removing branch 'main'", reason: "every table has one")
    }
    return plan(metadata, name, old, .removeSnapshotReference(name: name))
  }

  private func fastForward(
    _ branch: String, _ other: String, _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    guard let target = metadata.reference(other) else {
      throw .unknownField("'\(other)'", in: "the table's references")
    }
    let old = metadata.reference(branch)
    if let old {
      guard old.kind == .branch else {
        throw .invalid("moving '\(branch)'", reason: "it is a tag")
      }
      guard metadata.isAncestor(old.snapshotID, of: target.snapshotID) else {
        throw .invalid(
          "moving branch '\(branch)' forward to '\(other)'",
          reason: "it has commits that '\(other)' does not have")
      }
    } else if branch != SnapshotReference.mainBranch {
      throw .unknownField("branch '\(branch)'", in: "the table's references")
    }
    let moved = old?.moved(to: target.snapshotID) ?? .branch(target.snapshotID)
    return plan(metadata, branch, old, .setSnapshotReference(name: branch, moved))
  }

  private func rollback(
    _ branch: String, _ snapshot: SnapshotID, _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    guard let old = metadata.reference(branch), old.kind == .branch else {
      throw .unknownField("branch '\(branch)'", in: "the table's references")
    }
    guard metadata.snapshot(snapshot) != nil else {
      throw .unknownField("snapshot \(snapshot.rawValue)", in: "the table")
    }
    guard metadata.isAncestor(snapshot, of: old.snapshotID) else {
      throw .invalid(
        "rolling '\(branch)' back to snapshot \(snapshot.rawValue)",
        reason: "it is not one of its ancestors")
    }
    let moved = plan(
      metadata, branch, old, .setSnapshotReference(name: branch, old.moved(to: snapshot)))
    let records = metadata.writerRecords(of: branch, backTo: snapshot)
    guard !moved.updates.isEmpty, !records.isEmpty else { return moved }
    return ChangePlan(
      requirements: moved.requirements, updates: moved.updates + [.setProperties(records)])
  }

  /// The plan that makes `update` if the reference is still what it was.
  private func plan(
    _ metadata: TableMetadata, _ name: String, _ old: SnapshotReference?, _ update: TableUpdate
  ) -> ChangePlan {
    let requirements = [.referenceSnapshot(name: name, old?.snapshotID)] + metadata.sameTable
    if case .setSnapshotReference(_, let reference) = update, reference == old {
      return ChangePlan(requirements: requirements, updates: [])
    }
    return ChangePlan(requirements: requirements, updates: [update])
  }
}

extension SnapshotReference.Kind: CustomStringConvertible {
  public var description: String {
    switch self {
    case .branch: "branch"
    case .tag: "tag"
    }
  }
}

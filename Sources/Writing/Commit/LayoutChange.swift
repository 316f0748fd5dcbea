// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage

/// Changes how new files are laid out: by which partitions, and in which order. Files that are there
/// stay as they are, and are read as before.
public struct LayoutChange: TableChange {
  private let kind: Kind

  private enum Kind: Sendable {
    case partitions(@Sendable (inout [PartitionTerm], Schema) throws(IcebergError) -> Void)
    case sortOrder(@Sendable (Schema) throws(IcebergError) -> SortOrder)
  }

  /// Changes the terms that new files are partitioned by.
  public static func partitions(
    _ edit: @escaping @Sendable (inout [PartitionTerm], Schema) throws(IcebergError) -> Void
  ) -> LayoutChange {
    LayoutChange(kind: .partitions(edit))
  }

  /// Sets the order that rows of new files are written in.
  public static func sortOrder(
    _ make: @escaping @Sendable (Schema) throws(IcebergError) -> SortOrder
  ) -> LayoutChange {
    LayoutChange(kind: .sortOrder(make))
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    do throws(IcebergError) {
      switch kind {
      case .partitions(let edit): return try partitions(edit, base.metadata)
      case .sortOrder(let make): return try order(make, base.metadata)
      }
    } catch {
      throw .rejected(error)
    }
  }

  private func partitions(
    _ edit: (inout [PartitionTerm], Schema) throws(IcebergError) -> Void,
    _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    let old = metadata.defaultPartitionSpec
    var terms = old.fields.filter { $0.transform != .void }.map(PartitionTerm.init)
    try edit(&terms, metadata.currentSchema)
    let spec = try metadata.partitionSpec(of: terms)
    try spec.check(for: metadata.currentSchema)
    guard spec.fields != old.fields else { return .nothing }
    return plan(
      metadata,
      [
        .defaultPartitionSpec(old.id),
        .lastAssignedPartitionFieldID(metadata.lastPartitionFieldID),
      ],
      [.addPartitionSpec(spec), .setDefaultPartitionSpec(.lastAdded)])
  }

  private func order(
    _ make: (Schema) throws(IcebergError) -> SortOrder, _ metadata: TableMetadata
  ) throws(IcebergError) -> ChangePlan {
    let order = try make(metadata.currentSchema)
    try order.check(for: metadata.currentSchema)
    guard order.fields != metadata.defaultSortOrder.fields else {
      return .nothing
    }
    return plan(
      metadata, [.defaultSortOrder(metadata.defaultSortOrderID)],
      [.addSortOrder(order), .setDefaultSortOrder(.lastAdded)])
  }

  private func plan(
    _ metadata: TableMetadata, _ relied: [TableRequirement], _ updates: [TableUpdate]
  ) -> ChangePlan {
    // Terms name columns by their ids in this schema.
    let schema = TableRequirement.currentSchema(metadata.currentSchemaID)
    return ChangePlan(
      requirements: relied + [schema] + metadata.sameTable, updates: updates)
  }
}

/// Makes a table one of a later format version. There is no way back.
///
/// An empty snapshot is committed with it: a commit that was planned on the older version asserts
/// where its branch is, and would else be made on a table whose rules it does not keep.
public struct FormatUpgrade: TableChange {
  public let version: FormatVersion

  public init(to version: FormatVersion) { self.version = version }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    guard version != base.metadata.formatVersion else {
      return .nothing
    }
    let upgraded = try base.applying([.upgradeFormatVersion(version)])
    let main = SnapshotReference.mainBranch
    guard try base.head(of: main) != nil else {
      return ChangePlan(
        requirements: base.requirements(main, nil), updates: [.upgradeFormatVersion(version)])
    }
    var producer = try SnapshotProducer(upgraded, branch: main, attempt: attempt)
    var plan = try await producer.produce(
      FileChange(), operation: .replace, properties: ["lake.upgraded-to": "\(version.rawValue)"])
    plan.updates.insert(.upgradeFormatVersion(version), at: 0)
    return plan
  }
}

extension Table {
  /// The table as it would be after `updates`, not committed.
  func applying(_ updates: [TableUpdate]) throws(CommitError) -> Table {
    do throws(IcebergError) {
      return with(
        metadata: try metadata.applying(updates, at: environment.now().milliseconds))
    } catch {
      throw .rejected(error)
    }
  }
}

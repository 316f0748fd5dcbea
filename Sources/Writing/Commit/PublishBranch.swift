// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg

/// Brings the commits of one branch onto another: write, audit, publish.
///
/// If the target has not moved since the branch left it, it moves to the branch. Else each of the
/// branch's commits is made again on top, in their order (see ``CherryPick``), all of them or none.
public struct PublishBranch: TableChange {
  public let branch: String
  public let target: String

  public init(_ branch: String, onto target: String = SnapshotReference.mainBranch) {
    self.branch = branch
    self.target = target
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    guard let source = try base.head(of: branch) else {
      return .nothing
    }
    let head = try base.head(of: target)
    guard let head, !base.metadata.isAncestor(head.id, of: source.id) else {
      return try await ReferenceChange.fastForward(target, to: branch)
        .plan(onto: base, attempt: attempt)
    }
    let there = Set(base.metadata.ancestry(of: head.id).map(\.id))
    let own = base.metadata.ancestry(of: source.id).prefix { !there.contains($0.id) }
    let picks = own.reversed().map { CherryPick($0.id, onto: target) }
    return try await Transaction(picks).plan(onto: base, attempt: attempt)
  }
}

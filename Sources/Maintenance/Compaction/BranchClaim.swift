// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Writing

/// The ``CompactionClaim`` that one run of a compaction holds.
struct BranchClaim: Sendable {
  let id: String
  let branch: String
  /// When it is to be renewed, in milliseconds since 1970.
  private var renewal: Int64

  private init(_ id: String, of branch: String, at now: Int64) {
    self.id = id
    self.branch = branch
    renewal = now.saturating(CompactionClaim.lifetime / 2)
  }

  /// Asks the writers of `branch` to leave its files alone, where there are writers who put files
  /// together themselves.
  ///
  /// - Returns: the table with the claim, which covers the branch as it is there; nil if there are no
  ///   such writers, or it could not be had: no one needs it for the rows to stay what they are.
  static func take(
    of branch: String, on table: Table
  ) async -> (claim: BranchClaim, table: Table)? {
    guard table.metadata.hasUpsertWriter(of: branch) else { return nil }
    let environment = table.environment
    let claim = BranchClaim(
      environment.uuid(), of: branch, at: environment.now().milliseconds)
    do throws(CommitError) {
      return (claim, try await table.commitSoon(Taking(claim: claim)).table)
    } catch {
      guard case .stateUnknown = error, let now = try? await table.refreshed(),
        now.metadata.compactionClaim?.id == claim.id
      else { return nil }
      return (claim, now)
    }
  }

  /// Makes it hold for longer, where half of its time is over.
  mutating func renew(on table: Table) async {
    let now = table.environment.now().milliseconds
    guard now >= renewal, (try? await table.commitSoon(Change(claim: self, step: .renewal))) != nil
    else { return }
    renewal = now.saturating(CompactionClaim.lifetime / 2)
  }

  /// Takes it back. Where that fails it ends by its time.
  func release(on table: Table) async {
    _ = try? await table.commitSoon(Change(claim: self, step: .release))
  }

  /// Asks writers to hold their commits back for a moment.
  ///
  /// - Returns: the table after that; nil if it could not be asked for.
  func takeTurn(on table: Table) async -> Table? {
    try? await table.commitSoon(Change(claim: self, step: .turn)).table
  }

  /// What becomes of the claim.
  enum Step: Sendable { case renewal, turn, release }

  /// What a commit onto `base` does to it: nothing where another run's has taken its place.
  func updates(on base: Table, _ step: Step) -> [TableUpdate] {
    guard let held = base.metadata.compactionClaim, held.id == id else { return [] }
    let now = base.environment.now().milliseconds
    switch step {
    case .renewal: return [.setProperties([CompactionClaim.property: held.renewed(at: now).text])]
    case .turn: return [.setProperties([CompactionClaim.property: held.takingTurn(at: now).text])]
    case .release: return [.removeProperties([CompactionClaim.property])]
    }
  }

  private struct Taking: TableChange {
    let claim: BranchClaim

    func plan(
      onto base: Table, attempt: CommitAttempt
    ) async throws(CommitError) -> ChangePlan {
      guard let head = try base.head(of: claim.branch) else {
        return ChangePlan(requirements: [], updates: [])
      }
      let text = CompactionClaim(
        id: claim.id, branch: claim.branch, sequenceNumber: head.sequenceNumber,
        from: base.environment.now().milliseconds
      ).text
      return ChangePlan(
        requirements: base.metadata.sameTable
          + [.referenceSnapshot(name: claim.branch, head.id)],
        updates: [.setProperties([CompactionClaim.property: text])])
    }
  }

  private struct Change: TableChange {
    let claim: BranchClaim
    let step: Step

    func plan(
      onto base: Table, attempt: CommitAttempt
    ) async throws(CommitError) -> ChangePlan {
      ChangePlan(
        requirements: base.metadata.sameTable, updates: claim.updates(on: base, step))
    }
  }
}

extension Table {
  /// How many attempts are lost to others before they are asked for a turn.
  private static let patience = 3

  /// Commits `change` as ``commitSoon(_:)`` does, and in turn with writers.
  ///
  /// - Parameters:
  ///   - claim: what writers are asked by to hold back, where they came first a few times; nil: they are
  ///     not.
  ///   - lost: is added how many attempts there were before those of the receipt.
  func commitSoon(
    _ change: some TableChange, turnBy claim: BranchClaim?, lost: inout Int
  ) async throws(CommitError) -> CommitReceipt {
    guard let claim else { return try await commitSoon(change) }
    let limit = try CommitLoop.RetryPolicy(for: metadata).attemptLimit
    let start = environment.uptime()
    var table = self
    while true {
      var policy = try soon()
      let left = limit.map { $0 - lost } ?? .max
      policy.attemptLimit = min(left, Self.patience)
      do throws(CommitError) {
        return try await CommitLoop(policy: policy).commit(change, to: table)
      } catch {
        guard case .conflictsPersist = error, left > Self.patience,
          environment.uptime() - start < policy.totalTime
        else { throw error }
        lost += Self.patience
        table = await claim.takeTurn(on: table) ?? table
      }
    }
  }

  /// Commits `change` without long waits between its attempts: who waits while a stream of others'
  /// commits goes on finds more to take in each time, and loses to the next one again.
  func commitSoon(_ change: some TableChange) async throws(CommitError) -> CommitReceipt {
    try await CommitLoop(policy: soon()).commit(change, to: self)
  }

  private func soon() throws(CommitError) -> CommitLoop.RetryPolicy {
    var policy = try CommitLoop.RetryPolicy(for: metadata)
    policy.longestDelay = min(policy.longestDelay, .milliseconds(50))
    return policy
  }
}

extension TableMetadata {
  /// How far back a branch is searched for commits of upserts.
  private static let searchedSnapshots = 100

  /// True if there is, or lately was, an upsert writer of `branch`: one with a name is remembered,
  /// another shows in what it committed.
  fileprivate func hasUpsertWriter(of branch: String) -> Bool {
    if writerRecords.values.contains(where: { $0.branch == branch }) { return true }
    guard let head = reference(branch)?.snapshotID else { return false }
    return ancestry(of: head).prefix(Self.searchedSnapshots).contains {
      $0.summary[SnapshotSummary.upsertReceivedKey] != nil
    }
  }
}

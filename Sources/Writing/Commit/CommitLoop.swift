// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage

/// Commits changes by optimistic concurrency: plan on the newest state, ask for the swap, and if
/// someone else was first, plan again on theirs.
///
/// Law: of the three ways a swap can end, only two clean up. After `committed` nothing of the
/// attempt is left over; after `conflict` the attempt's own files go, and with the last attempt those
/// that the next one could have used; after `unknown` nothing does.
public struct CommitLoop: Sendable {
  private let policy: RetryPolicy

  /// How long conflicts are retried.
  public struct RetryPolicy: Sendable {
    public var firstDelay: Duration
    public var longestDelay: Duration
    /// No attempt begins later than this after the first.
    public var totalTime: Duration
    /// The most attempts; nil if only time bounds them.
    public var attemptLimit: Int?

    public init(
      firstDelay: Duration = .milliseconds(10), longestDelay: Duration = .seconds(2),
      totalTime: Duration = .seconds(600), attemptLimit: Int? = nil
    ) {
      self.firstDelay = firstDelay
      self.longestDelay = longestDelay
      self.totalTime = totalTime
      self.attemptLimit = attemptLimit
    }

    /// What the table's `commit.retry.*` properties say, each where it is set.
    ///
    /// Unset, conflicts are retried by time and not by count: four tries, the reference's default,
    /// starve one of eight writers.
    public init(for metadata: TableMetadata) throws(CommitError) {
      self.init()
      do throws(IcebergError) {
        let properties = metadata.properties
        if let count = try properties.setValue(of: .commitRetryCount) {
          attemptLimit = Int(clamping: count) + 1
        }
        if let wait = try properties.setValue(of: .commitRetryMinWaitMilliseconds) {
          firstDelay = .milliseconds(wait)
        }
        if let wait = try properties.setValue(of: .commitRetryMaxWaitMilliseconds) {
          longestDelay = .milliseconds(wait)
        }
        if let total = try properties.setValue(of: .commitRetryTotalMilliseconds) {
          totalTime = .milliseconds(total)
        }
      } catch {
        throw .rejected(error)
      }
    }
  }

  public init(policy: RetryPolicy) { self.policy = policy }

  /// Commits `change` to `table`, starting from the state it has in hand.
  ///
  /// - Throws: ``CommitError/stateUnknown(_:commitID:)`` if no one can tell whether it landed. No
  ///   file of the attempt is deleted then: a later sweep may, and a retry could write rows twice.
  public func commit(
    _ change: some TableChange, to table: Table
  ) async throws(CommitError) -> CommitReceipt {
    let start = table.environment.uptime()
    var number = 1
    do throws(CommitError) {
      let receipt = try await commit(change, to: table, since: start, counting: &number)
      table.reportCommit(.success(receipt), attempts: number, since: start)
      return receipt
    } catch {
      table.reportCommit(.failure(error), attempts: number, since: start)
      throw error
    }
  }

  private func commit(
    _ change: some TableChange, to table: Table, since start: Duration, counting number: inout Int
  ) async throws(CommitError) -> CommitReceipt {
    var carried = Carryover()
    do throws(CommitError) {
      return try await commit(
        change, to: table, since: start, counting: &number, carrying: &carried)
    } catch {
      if case .stateUnknown = error { throw error }
      await table.store.discard(carried.paths)
      throw error
    }
  }

  /// - Parameter carried: what is left of the last attempt that the next one can use.
  private func commit(
    _ change: some TableChange, to table: Table, since start: Duration, counting number: inout Int,
    carrying carried: inout Carryover
  ) async throws(CommitError) -> CommitReceipt {
    let environment = table.environment
    let commitID = environment.uuid()
    var base = table
    while true {
      if Task.isCancelled { throw .cancelled }
      let attempt = CommitAttempt(commitID: commitID, number: number, carried: carried)
      let plan = try await change.plan(onto: base, attempt: attempt)
      let unused = Set(carried.paths).subtracting(plan.carryover.paths)
      carried = plan.carryover
      await base.store.discard(Array(unused))
      if plan.updates.isEmpty { return receipt(base, plan, attempts: number) }
      switch try await send(plan, on: base) {
      case .committed(let table):
        return await finish(plan, on: table, attempts: number)
      case .conflict(let reason):
        await discard(plan, in: base)
        let elapsed = environment.uptime() - start
        let isLast = number >= policy.attemptLimit ?? .max || elapsed >= policy.totalTime
        if isLast { throw .conflictsPersist(attempts: number, last: reason) }
        try await pause(after: number, environment)
        base = try await refresh(base)
        number += 1
      case .unknown(let cause):
        let landed = try await resolve(cause, plan, base: base, commitID: commitID)
        return await finish(plan, on: landed, attempts: number)
      }
    }
  }

  /// What to tell of the plan that made `table` what it is.
  private func finish(_ plan: ChangePlan, on table: Table, attempts: Int) async -> CommitReceipt {
    await table.store.discard(plan.carryover.mergedPaths)
    return receipt(table, plan, attempts: attempts)
  }

  private func send(
    _ plan: ChangePlan, on base: Table
  ) async throws(CommitError) -> CommitOutcome {
    let commit = TableCommit(base: base, requirements: plan.requirements, updates: plan.updates)
    do throws(CatalogError) {
      return try await base.commit(commit)
    } catch {
      if case .outcomeUnknown(_, let cause) = error { return .unknown(cause) }
      await discard(plan, in: base)
      throw .catalog(error)
    }
  }

  /// Decides an unknown outcome by looking for our snapshot, which no other commit can carry: also
  /// for who is cancelled, which may be why the answer is missing.
  /// Its absence proves nothing: the request may still arrive.
  private func resolve(
    _ cause: StorageError, _ plan: ChangePlan, base: Table, commitID: String
  ) async throws(CommitError) -> Table {
    let now = await uncancelled { try? await base.refreshed() }
    if let now, let snapshot = plan.newSnapshotID, now.metadata.snapshot(snapshot) != nil {
      return now
    }
    throw .stateUnknown(cause, commitID: commitID)
  }

  /// Deletes what an attempt wrote that is known not to have happened.
  private func discard(_ plan: ChangePlan, in table: Table) async {
    await table.store.discard(plan.attemptFiles)
  }

  private func refresh(_ table: Table) async throws(CommitError) -> Table {
    do throws(CatalogError) {
      return try await table.refreshed()
    } catch {
      throw .catalog(error)
    }
  }

  /// Waits a random time of a range that doubles with each attempt, so that writers spread.
  private func pause(after attempt: Int, _ environment: Environment) async throws(CommitError) {
    let ceiling = min(policy.longestDelay, policy.firstDelay * (1 << min(attempt - 1, 16)))
    let (seconds, attoseconds) = ceiling.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    let chosen = environment.random(below: UInt64(max(1, microseconds)))
    do throws(CancellationError) {
      try await environment.sleep(for: .microseconds(Int64(chosen)))
    } catch {
      throw .cancelled
    }
  }

  private func receipt(_ table: Table, _ plan: ChangePlan, attempts: Int) -> CommitReceipt {
    let snapshot = plan.newSnapshotID.flatMap { table.metadata.snapshot($0) }
    return CommitReceipt(table: table, snapshot: snapshot, attempts: attempts)
  }
}

extension ChangePlan {
  /// The snapshot the plan adds, if it adds one.
  var newSnapshotID: SnapshotID? {
    for case .addSnapshot(let snapshot) in updates { return snapshot.id }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Storage

/// Several changes, each made on what the one before leaves, committed as one: all or none of them.
///
///     try await table.commit(Transaction([SchemaChange { … }, AppendFiles(files)]))
public struct Transaction: TableChange {
  private let changes: [any TableChange]

  public init(_ changes: [any TableChange]) { self.changes = changes }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var table = base
    var requirements: [TableRequirement] = []
    var updates: [TableUpdate] = []
    var files: [ObjectPath] = []
    var carryover = Carryover()
    do throws(CommitError) {
      for (i, change) in changes.enumerated() {
        let plan = try await change.plan(onto: table, attempt: attempt.step(i))
        files += plan.attemptFiles
        carryover.merge(plan.carryover)
        // Only what was relied on of the state before all of them can be required of the newest.
        requirements += plan.requirements.filter { requirement in
          requirement.violation(on: base.metadata) == nil && !requirements.contains(requirement)
        }
        updates += plan.updates
        table = try table.applying(plan.updates)
      }
    } catch {
      await base.store.discard(files + carryover.paths)
      throw error
    }
    var plan = ChangePlan(requirements: requirements, updates: updates, attemptFiles: files)
    plan.carryover = carryover
    return plan
  }
}

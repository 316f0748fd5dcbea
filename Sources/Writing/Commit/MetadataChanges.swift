// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg

/// Sets and removes properties of a table.
public struct PropertyChange: TableChange {
  public let set: [String: String]
  public let removed: [String]

  public init(set: [String: String] = [:], removing removed: [String] = []) {
    self.set = set
    self.removed = removed
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var updates: [TableUpdate] = []
    if !set.isEmpty { updates.append(.setProperties(set)) }
    if !removed.isEmpty { updates.append(.removeProperties(removed)) }
    return ChangePlan(requirements: base.metadata.sameTable, updates: updates)
  }
}

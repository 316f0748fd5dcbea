// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Scanning

/// Moves the place of a consumer from where its reader knows it to be.
struct ConsumerMove: TableChange {
  let name: String
  /// Nil: nowhere yet.
  let from: SnapshotID?
  let to: SnapshotID
  /// What the consumer's property says.
  let state: String
  let maxAgeMilliseconds: Int64

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    let tag = ChangelogConsumer.tag(name)
    let property = ChangelogConsumer.property(name)
    let now = metadata.reference(tag)?.snapshotID
    let isStated = metadata.properties[property] == state
    // As an attempt left it whose answer was lost.
    if now == to, isStated { return .nothing }
    guard now == from else {
      if let now { throw .consumerMoved(name: name, to: now) }
      throw .consumerLost(name: name)
    }
    guard metadata.snapshot(to) != nil else {
      throw .reading(.snapshotNotFound("snapshot \(to.rawValue)"))
    }
    let reference: SnapshotReference
    do throws(IcebergError) {
      reference = try SnapshotReference(
        .tag, to, retention: .init(maxReferenceAgeMilliseconds: maxAgeMilliseconds))
    } catch {
      throw .rejected(error)
    }
    var updates: [TableUpdate] = [.setSnapshotReference(name: tag, reference)]
    if !isStated { updates.append(.setProperties([property: state])) }
    return ChangePlan(
      requirements: [.referenceSnapshot(name: tag, from)] + metadata.sameTable, updates: updates)
  }
}

/// Takes away what a table keeps of a consumer.
struct ConsumerRemoval: TableChange {
  let name: String

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    let tag = ChangelogConsumer.tag(name)
    let property = ChangelogConsumer.property(name)
    var updates: [TableUpdate] = []
    if metadata.reference(tag) != nil { updates.append(.removeSnapshotReference(name: tag)) }
    if metadata.properties[property] != nil { updates.append(.removeProperties([property])) }
    if updates.isEmpty {
      throw .rejected(.unknownField("consumer '\(name)'", in: "the table"))
    }
    return ChangePlan(requirements: metadata.sameTable, updates: updates)
  }
}

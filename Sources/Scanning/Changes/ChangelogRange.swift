// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import Storage

/// One difference of two states, which a changelog tells as a commit's.
struct ChangelogStep: Sendable {
  /// Nil: the empty table.
  let before: Snapshot?
  let after: Snapshot
}

/// The commits of a range, oldest first.
struct ChangelogRange: Sendable {
  /// Those that changed rows.
  let steps: [ChangelogStep]
  /// Where the range ends; nil if there is no snapshot yet.
  let end: Snapshot?
  /// What rows are read with.
  let schema: Schema

  /// The commits after `from` up to `to`; all of them, if `from` is nil.
  ///
  /// Where `from` is no ancestor of `to`, or commits between them have expired, one step: the
  /// difference of the two states.
  ///
  /// - Throws: ``ScanError/snapshotNotFound(_:)``; ``ScanError/emptyRange(from:to:)`` if `from` comes
  ///   after `to`, which names one state and not a branch that was moved back.
  init(
    of metadata: TableMetadata, from: SnapshotSelection?, to: SnapshotSelection
  ) throws(ScanError) {
    let start = try Self.start(metadata, from)
    let (end, schema) = try metadata.state(to)
    self.end = end
    self.schema = schema
    guard let end, end.id != start?.id else {
      steps = []
      return
    }
    if let start, to.isFixed, metadata.isAncestor(end.id, of: start.id) {
      throw .emptyRange(from: start.id, to: end.id)
    }
    var chain: [Snapshot] = []
    var isLinked = start == nil
    for snapshot in metadata.ancestry(of: end.id) {
      if snapshot.id == start?.id {
        isLinked = true
        break
      }
      chain.append(snapshot)
    }
    guard isLinked else {
      steps = [ChangelogStep(before: start, after: end)]
      return
    }
    var steps: [ChangelogStep] = []
    var before = start
    for snapshot in chain.reversed() {
      // What it was made on may be gone: then it is the first state that is known.
      let isFirst = before == nil
      if snapshot.operation != .replace || isFirst {
        steps.append(ChangelogStep(before: before, after: snapshot))
      }
      before = snapshot
    }
    self.steps = steps
  }

  private init(_ range: ChangelogRange, steps: [ChangelogStep]) {
    self.steps = steps
    end = range.end
    schema = range.schema
  }

  /// The whole range as one step, if its states can be compared at the cost of its changes: where
  /// files were replaced between, they can't.
  func folded(
    of metadata: TableMetadata, from: SnapshotSelection?
  ) throws(ScanError) -> ChangelogRange? {
    guard let end, !steps.isEmpty else { return self }
    let start = try Self.start(metadata, from)
    if let start, steps.count > 1 || steps[0].before?.id != start.id || steps[0].after.id != end.id
    {
      for snapshot in metadata.ancestry(of: end.id) {
        if snapshot.id == start.id { break }
        if snapshot.operation == .replace { return nil }
      }
    }
    return ChangelogRange(self, steps: [ChangelogStep(before: start, after: end)])
  }

  /// The state that changes are told from. A time before the table's first commit is the empty table.
  private static func start(
    _ metadata: TableMetadata, _ from: SnapshotSelection?
  ) throws(ScanError) -> Snapshot? {
    guard let from else { return nil }
    if case .asOf(let time) = from, let first = metadata.snapshotLog.first,
      time.milliseconds < first.timestampMilliseconds,
      let snapshot = metadata.snapshot(first.snapshotID), snapshot.parentID == nil
    {
      return nil
    }
    return try metadata.state(from).snapshot
  }
}

extension SnapshotSelection {
  /// True if it names one state for good.
  fileprivate var isFixed: Bool {
    switch self {
    case .id, .asOf: true
    case .current, .reference: false
    }
  }
}

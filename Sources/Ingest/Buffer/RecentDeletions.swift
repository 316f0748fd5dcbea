// SPDX-License-Identifier: Apache-2.0
internal import KeyIndexing

/// The deletions that were committed last, with their order values: some hundred thousand of them.
struct RecentDeletions: Sendable {
  private static let limit = 1 << 17
  /// Two generations, of which the older one goes when the newer one is full.
  private var older: [KeyHash: OrderValue] = [:]
  private var newer: [KeyHash: OrderValue] = [:]

  var isEmpty: Bool { older.isEmpty && newer.isEmpty }

  /// Notes the deletions among `entries`, which were committed; a row that was ends one.
  mutating func note(_ entries: [KeyedEntry]) {
    for entry in entries {
      switch entry.state {
      case .deletion where entry.isOrdered:
        if newer.count >= Self.limit { (older, newer) = (newer, [:]) }
        newer[entry.hash] = entry.order
      case .row, .written:
        if isEmpty { continue }
        newer[entry.hash] = nil
        older[entry.hash] = nil
      case .deletion, .late: break
      }
    }
  }

  /// True if the key of `entry` was deleted at a higher order.
  func isAbove(_ entry: KeyedEntry) -> Bool {
    guard let order = newer[entry.hash] ?? older[entry.hash] else { return false }
    return entry.order < order
  }
}

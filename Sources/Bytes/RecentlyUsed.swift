// SPDX-License-Identifier: Apache-2.0

/// What was used last of what never changes, within a number of bytes.
///
/// Law: beyond the limit what was not used for longest goes first, a quarter of the limit at once, so
/// that it is seldom looked for.
/// Cost: one lookup in a dictionary; O(n log n) now and then for what goes.
package struct RecentlyUsed<Key: Hashable & Sendable, Content: Sendable>: Sendable {
  @usableFromInline
  struct Entry: Sendable {
    @usableFromInline var content: Content
    @usableFromInline var byteCount: Int
    @usableFromInline var lastUse: UInt64

    @inlinable
    init(content: Content, byteCount: Int, lastUse: UInt64) {
      self.content = content
      self.byteCount = byteCount
      self.lastUse = lastUse
    }
  }

  @usableFromInline let byteLimit: Int
  @usableFromInline var entries: [Key: Entry] = [:]
  @usableFromInline var clock: UInt64 = 0
  /// Of all that is kept, as was told.
  package var byteCount: Int { total }
  @usableFromInline var total = 0

  @inlinable
  package init(byteLimit: Int) { self.byteLimit = byteLimit }

  /// What is kept for `key`, which is used by this.
  @inlinable
  package mutating func use(_ key: Key) -> Content? {
    guard let index = entries.index(forKey: key) else { return nil }
    clock += 1
    entries.values[index].lastUse = clock
    return entries.values[index].content
  }

  /// What is kept for `key`, which is not used by this.
  @inlinable
  package func peek(_ key: Key) -> Content? { entries[key]?.content }

  /// Keeps `content` for `key`, in the place of what was kept before.
  ///
  /// - Parameter byteCount: about how much memory it takes.
  @inlinable
  package mutating func keep(_ content: Content, byteCount: Int, for key: Key) {
    clock += 1
    let entry = Entry(content: content, byteCount: byteCount, lastUse: clock)
    let old = entries.updateValue(entry, forKey: key)
    total += byteCount - (old?.byteCount ?? 0)
    shrink()
  }

  /// Changes what is kept for `key`, if anything is; `change` says by how many bytes it grew.
  @inlinable
  package mutating func change(_ key: Key, _ change: (inout Content) -> Int) {
    guard let index = entries.index(forKey: key) else { return }
    let growth = change(&entries.values[index].content)
    entries.values[index].byteCount += growth
    total += growth
    shrink()
  }

  @usableFromInline
  mutating func shrink() {
    guard total > byteLimit else { return }
    for (key, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      if total <= byteLimit / 4 * 3 { return }
      entries[key] = nil
      total -= entry.byteCount
    }
  }
}

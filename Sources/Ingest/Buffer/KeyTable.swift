// SPDX-License-Identifier: Apache-2.0
internal import KeyIndexing

/// Finds entries by their keys: an open-addressed table of numbers, at most half full.
struct KeyTable: Sendable {
  /// The number of an entry, or -1.
  private var slots: [Int32] = [Int32](repeating: -1, count: 1024)
  private(set) var count = 0

  @inline(__always)
  private func home(_ hash: KeyHash) -> Int {
    Int(truncatingIfNeeded: hash.high) & (slots.count &- 1)
  }

  /// The entry of `hash`; nil if there is none.
  func find(_ hash: KeyHash, in entries: [KeyedEntry]) -> Int? {
    var slot = home(hash)
    while true {
      let entry = Int(slots[slot])
      if entry < 0 { return nil }
      if entries[entry].hash == hash { return entry }
      slot = (slot &+ 1) & (slots.count &- 1)
    }
  }

  /// Notes that the last of `entries` is the one of its hash, which has none yet.
  mutating func insertLast(of entries: [KeyedEntry]) {
    count &+= 1
    if count &* 2 > slots.count { grow(entries) } else { place(entries.count &- 1, entries) }
  }

  private mutating func place(_ entry: Int, _ entries: [KeyedEntry]) {
    var slot = home(entries[entry].hash)
    while slots[slot] >= 0 { slot = (slot &+ 1) & (slots.count &- 1) }
    slots[slot] = Int32(truncatingIfNeeded: entry)
  }

  private mutating func grow(_ entries: [KeyedEntry]) {
    slots = [Int32](repeating: -1, count: slots.count * 4)
    for entry in entries.indices { place(entry, entries) }
  }

  /// Forgets all entries, and keeps the memory.
  mutating func removeAll() {
    guard count > 0 else { return }
    count = 0
    slots = [Int32](repeating: -1, count: slots.count)
  }
}

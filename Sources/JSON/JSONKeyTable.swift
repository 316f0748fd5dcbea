// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A fixed list of keys that finds a key's index without allocating.
///
/// For rows that repeat the same keys: ask with the index that followed last time, which is mostly
/// right. Cost: one comparison if the guess was right, a hash and one comparison if not.
public struct JSONKeyTable: Sendable {
  /// The keys, in the order given.
  public let keys: [String]
  private let slots: [Int32]
  private let mask: Int

  /// - Parameter keys: all different.
  public init(_ keys: [String]) {
    self.keys = keys
    var size = 4
    while size < keys.count * 2 { size *= 2 }
    var slots = [Int32](repeating: -1, count: size)
    for (index, key) in keys.enumerated() {
      var slot = Self.hash(key) & (size - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(truncatingIfNeeded: index)
    }
    self.slots = slots
    self.mask = size - 1
  }

  private static func hash(_ key: String) -> Int {
    Int(truncatingIfNeeded: key.utf8Span.span.rawBytes.keyHash())
  }

  /// The index of `key`, nil if it is not in the list.
  public func index(of key: borrowing JSONText, expecting guess: Int = 0) -> Int? {
    if guess >= 0, guess < keys.count, key == keys[guess] { return guess }
    var slot = (key.isEscaped ? Self.hash(key.string) : Int(key.rawBytes.keyHash())) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if key == keys[index] { return index }
      slot = (slot &+ 1) & mask
    }
    return nil
  }
}

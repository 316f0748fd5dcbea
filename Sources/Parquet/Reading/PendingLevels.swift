// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Levels of a nested leaf that are decoded and not yet used, a byte each.
///
/// A row goes on until a repetition level of 0, so levels are decoded ahead of the rows.
struct PendingLevels: ~Copyable {
  private var definition = MutableBuffer()
  /// Empty for leaves that are in no list.
  private var repetition = MutableBuffer()
  private var next = 0

  /// How many levels are decoded at a time.
  private static let step = 4096

  var isEmpty: Bool { next == definition.count }
  var count: Int { definition.count - next }

  mutating func removeAll() {
    definition.removeAll()
    repetition.removeAll()
    next = 0
  }

  /// Decodes the next levels of `page`, of which there are some, once all before are used.
  mutating func refill(
    from page: inout LeafDecoder.DataPage, _ leaf: ParquetLeaf
  ) throws(ByteError) {
    let count = min(page.levelsLeft, Self.step)
    removeAll()
    if leaf.maxRepetitionLevel > 0 {
      repetition.resize(to: count)
      var levels = repetition.mutableValues(as: UInt8.self)
      try page.repetition.decode(into: &levels, maximum: leaf.maxRepetitionLevel)
    }
    definition.resize(to: count)
    var levels = definition.mutableValues(as: UInt8.self)
    try page.definition.decode(into: &levels, maximum: leaf.maxDefinitionLevel)
    page.levelsLeft -= count
  }

  /// How many levels come before the end of the rows that are wanted, of which `started` were
  /// begun before; that counts the ones begun in them.
  ///
  /// - Returns: nil if the first level goes on with a row when none was begun.
  func countOfRows(_ wanted: Int, started: inout Int) -> Int? {
    let available = definition.count - next
    guard !repetition.isEmpty else {
      let taken = min(wanted - started, available)
      started += taken
      return taken
    }
    let levels = repetition.values(as: UInt8.self).extracting(next..<definition.count)
    guard available > 0, started > 0 || levels[0] == 0 else { return nil }
    var zeros = 0
    for i in levels.indices where levels[i] == 0 { zeros &+= 1 }
    if started + zeros <= wanted {
      started += zeros
      return available
    }
    for i in levels.indices where levels[i] == 0 {
      if started == wanted { return i }
      started += 1
    }
    return available
  }

  /// How many of the next `count` definition levels are `top`: values that are there.
  func countOfValues(_ count: Int, top: Int) -> Int {
    let levels = definition.values(as: UInt8.self).extracting(next..<next + count)
    let top = UInt8(clamping: top)
    var found = 0
    for i in levels.indices where levels[i] == top { found &+= 1 }
    return found
  }

  /// Moves the next `count` levels to `batch`, or leaves them out if there is none.
  mutating func take(_ count: Int, into batch: LeafBatch?) {
    if let batch {
      batch.definition.append(definition.bytes.extracting(next..<next + count))
      if !repetition.isEmpty {
        batch.repetition.append(repetition.bytes.extracting(next..<next + count))
      }
    }
    next += count
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage

// A table's files come and go for as long as a stream goes on, and with them the places in them. What
// an index knows of files that are gone is left out where segments are merged; but the largest segment
// may not be merged for long, and a lookup goes through all places that a key ever had.

extension KeyIndex {
  /// Covers `state`, which comes after the one that was covered last, and lets go of what is of no use
  /// any more.
  ///
  /// - Throws: as ``cover(_:)``.
  package mutating func follow(_ state: TableState) async throws(KeyIndexError) {
    try await cover(state)
    await tidy(in: state)
  }

  /// Lets go of the data files that `state` does not have, and of their places where those have come
  /// to be more than the others: an index that follows a table this way is never much larger than
  /// one that is built from it.
  ///
  /// Cost: nothing most times; a pass over the files once in ``tidyInterval`` new ones; a pass over
  /// the places after as many others have come. Segments that are not in memory are read for it; all
  /// stays as it is where that fails, or where what is left would take more than ``memoryLimit``.
  /// - Parameter state: one all of whose files are covered.
  mutating func tidy(in state: TableState) async {
    guard files.all.count - tidiedCount >= Self.tidyInterval else { return }
    tidiedCount = files.all.count
    forgetFiles(notIn: [state])
    note(state)
    let isGone = files.isGone
    segments.removeAll { $0.numbers.allSatisfy { isGone[Int($0)] } }
    let rowCount = state.files.reduce(0) { $0 + max(0, $1.file.recordCount) }
    guard
      Int64(placeCount) > 2 * rowCount + Self.uselessPlaceLimit
        || files.all.count > 2 * files.count + Self.uselessNumberLimit
    else { return }
    guard rowCount <= memoryLimit / Self.placeByteCount else { return }
    await dropUselessPlaces(of: state)
  }

  /// Makes the index anew of its places in files that it did not let go of.
  ///
  /// - Parameter state: one all of whose files are covered.
  package mutating func dropUselessPlaces(of state: TableState) async {
    guard let entries = await entriesOfLiveFiles(state.table.store) else { return }
    rebuild(of: entries)
    note(state)
  }

  /// After how many new files it is looked what has become useless.
  private static let tidyInterval = 64
  /// How many places of no use there may be in any case, and how many numbers of files.
  private static let uselessPlaceLimit: Int64 = 1 << 14
  private static let uselessNumberLimit = 1 << 16
  /// How many bytes a place takes at most.
  private static let placeByteCount = 40

  /// The entries of segments without those of files that are gone; nil if some can't be read.
  private func entriesOfLiveFiles(_ store: any ObjectStore) async -> [SegmentColumns]? {
    var live: [SegmentColumns] = []
    for segment in segments {
      if let memory = segment.memory {
        live.append(SegmentColumns.merged([memory.columns], isGone: files.isGone))
      } else if let stored = segment.stored {
        guard let kept = await stored.entries(from: store, isGone: files.isGone) else { return nil }
        live.append(kept)
      }
    }
    return live
  }

  /// Makes the index of `entries` alone, which are sorted, and gives its files new numbers.
  private mutating func rebuild(of entries: [SegmentColumns]) {
    var live = FileNumbers()
    var numbers = [UInt32](repeating: .max, count: files.all.count)
    for (old, path) in files.all.enumerated() where !files.isGone[old] {
      numbers[old] = UInt32(truncatingIfNeeded: live.add(path))
    }
    // By hash, and of one hash by file: numbers that keep their order keep that of entries.
    let merged = SegmentColumns.merged(entries.map { $0.renumbered(numbers) }, isGone: [])
    files = live
    tidiedCount = live.all.count
    segments = []
    let all = live.all.indices.map { UInt32(truncatingIfNeeded: $0) }
    if !all.isEmpty { add(IndexSegment(merged, of: all)) }
  }
}

extension SegmentColumns {
  /// The entries with other numbers of their files.
  fileprivate func renumbered(_ numbers: [UInt32]) -> SegmentColumns {
    let old = files.values(as: UInt32.self)
    var target = MutableBuffer(byteCount: count * 4)
    var new = target.mutableValues(as: UInt32.self)
    for i in new.indices { new[i] = numbers[Int(old[i])] }
    return SegmentColumns(
      count: count, highs: highs, lows: lows, files: target.freeze(), positions: positions,
      rowIDs: rowIDs, orders: orders)
  }
}

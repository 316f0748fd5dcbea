// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning

/// Where a live row of a key is.
public struct KeyPlace: Hashable, Sendable {
  /// The index of the data file in ``TableState/files``.
  public let file: Int
  public let position: Int64
  /// `_row_id`; nil where rows have none.
  public let rowID: Int64?
  /// The number of the order column's value (``OrderColumn/numbers(of:)``); nil: not known, or null,
  /// to be read by position.
  public let order: Int64?
}

/// Where the live rows of some keys are.
public struct KeyPlaces: Sendable {
  /// All of them, by key.
  public let places: [KeyPlace]
  /// Where those of each key begin, and behind the last key their number.
  private let starts: [Int]

  /// - Parameter starts: where the places of each key begin, and behind the last their number.
  fileprivate init(places: [KeyPlace], starts: [Int]) {
    self.places = places
    self.starts = starts
  }

  public var keyCount: Int { starts.count - 1 }

  /// The places of the key at `key`, the newest row first: by order value, one that is not known last,
  /// then by the sequence number of the file, then by position.
  public subscript(key: Int) -> ArraySlice<KeyPlace> { places[starts[key]..<starts[key + 1]] }

  /// Where the newest row of the key is; nil if no row is live.
  public func newest(_ key: Int) -> KeyPlace? { self[key].first }
}

extension KeyIndex {
  /// The live places of each of `keys` in `state`, as far as the index covers its files.
  ///
  /// Cost: some cache misses a key and segment; what is deleted of a file is read when the first key
  /// is found in it.
  /// - Throws: ``KeyIndexError/reading(_:)`` if delete files can't be read.
  public func lookup(
    _ keys: KeyHashes, in state: TableState
  ) async throws(KeyIndexError) -> KeyPlaces {
    var entries: [FoundEntry] = []
    for segment in segments {
      if let memory = segment.memory {
        memory.find(keys, into: &entries)
      } else if let stored = segment.stored {
        try await stored.find(keys, in: chunks, state.table.store, into: &entries)
      }
    }
    if let validity = keys.validity { entries.removeAll { !validity[$0.key] } }
    var touched = TouchedFiles(entryCount: entries.count, numberCount: files.all.count)
    for i in entries.indices {
      entries[i].file = touched.slot(of: entries[i].file) { number in
        guard number < files.all.count, !files.isGone[number] else { return nil }
        return state.index(of: files.all[number])
      }
    }
    let dead = try await state.deadRows(of: touched.files)
    let tests = zip(dead, touched.counts.indices).map { vector, slot in
      DeadTest(
        vector, asked: touched.counts[slot],
        rowCount: state.files[touched.files[slot]].file.recordCount)
    }
    // What is live is told first: of a key that is often written, nearly every place is dead.
    entries.removeAll { $0.file < 0 || tests[$0.file].contains($0.position) }
    return places(entries, touched.files, keyCount: keys.count, in: state)
  }

  /// Live entries, by key, newest first.
  private func places(
    _ entries: [FoundEntry], _ touched: [Int], keyCount: Int, in state: TableState
  ) -> KeyPlaces {
    var starts = [Int](repeating: 0, count: keyCount + 1)
    for entry in entries { starts[entry.key + 1] += 1 }
    for key in 0..<keyCount { starts[key + 1] += starts[key] }
    var next = starts
    let none = KeyPlace(file: 0, position: 0, rowID: nil, order: nil)
    var places = [KeyPlace](repeating: none, count: entries.count)
    for entry in entries {
      let file = touched[entry.file]
      places[next[entry.key]] = KeyPlace(
        file: file, position: entry.position,
        rowID: state.files[file].rowID(stored: entry.rowID, at: entry.position),
        order: entry.order)
      next[entry.key] += 1
    }
    for key in 0..<keyCount where starts[key + 1] - starts[key] > 1 {
      places[starts[key]..<starts[key + 1]].sort { isNewer($0, $1, in: state) }
    }
    return KeyPlaces(places: places, starts: starts)
  }

  /// The order of ``KeyPlaces``: a total one.
  private func isNewer(_ a: KeyPlace, _ b: KeyPlace, in state: TableState) -> Bool {
    if a.order != b.order { return (a.order ?? .min) > (b.order ?? .min) }
    let (x, y) = (state.files[a.file], state.files[b.file])
    if x.sequenceNumber != y.sequenceNumber { return x.sequenceNumber > y.sequenceNumber }
    if a.position != b.position { return a.position > b.position }
    return y.file.path.utf8.lexicographicallyPrecedes(x.file.path.utf8)
  }
}

/// The data files that entries are of, numbered as they are met.
private struct TouchedFiles {
  /// Of each, its index in the state.
  private(set) var files: [Int] = []
  /// Of each, how many entries.
  private(set) var counts: [Int] = []
  /// The slot of each file's number: -1 if it is not live, -2 if that was not asked yet.
  private var slots: [Int32]
  /// The same, where few of many files are touched.
  private var fewSlots: [Int: Int32] = [:]

  init(entryCount: Int, numberCount: Int) {
    let isMany = entryCount * 8 >= numberCount
    slots = isMany ? [Int32](repeating: -2, count: numberCount) : []
  }

  /// The slot of the file with `number`, of which there is an entry; -1 if it is not live.
  mutating func slot(of number: Int, _ index: (Int) -> Int?) -> Int {
    var slot = number < slots.count ? slots[number] : fewSlots[number] ?? -2
    if slot == -2 {
      slot = -1
      if let index = index(number) {
        slot = Int32(truncatingIfNeeded: files.count)
        files.append(index)
        counts.append(0)
      }
      if number < slots.count { slots[number] = slot } else { fewSlots[number] = slot }
    }
    if slot >= 0 { counts[Int(slot)] += 1 }
    return Int(slot)
  }
}

/// Tells of the rows of a file whether they are dead: by their bits where many are asked about.
private struct DeadTest {
  private let vector: DeletionVector
  private let bits: Bitmap?

  init(_ vector: DeletionVector, asked count: Int, rowCount: Int64) {
    self.vector = vector
    guard !vector.isEmpty, rowCount > 0, rowCount < 1 << 30, Int64(count) * 512 >= rowCount else {
      bits = nil
      return
    }
    var target = MutableBuffer(zeroed: (Int(rowCount) + 63) / 64 * 8)
    var words = target.mutableValues(as: UInt64.self)
    vector.mark(0..<rowCount, in: &words)
    bits = Bitmap(target.freeze(), count: Int(rowCount))
  }

  func contains(_ position: Int64) -> Bool {
    if let bits { return position < Int64(bits.count) && bits[Int(position)] }
    return vector.contains(position)
  }
}

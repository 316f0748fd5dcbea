// SPDX-License-Identifier: Apache-2.0
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

  /// - Parameter found: by ascending key.
  fileprivate init(_ found: [(key: Int, place: KeyPlace)], keyCount: Int) {
    places = found.map(\.place)
    var starts: [Int] = []
    starts.reserveCapacity(keyCount + 1)
    for (index, (key, _)) in found.enumerated() {
      while starts.count <= key { starts.append(index) }
    }
    while starts.count <= keyCount { starts.append(found.count) }
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
    var found = candidates(entries, of: keys, in: state)
    let touched = Set(found.map(\.place.file)).sorted()
    let dead = try await state.deadRows(of: touched)
    let vectors = Dictionary(zip(touched, dead)) { first, _ in first }
    found.removeAll { vectors[$0.place.file]?.contains($0.place.position) ?? false }
    return KeyPlaces(found, keyCount: keys.count)
  }

  /// The places of keys in files that are live, by key, newest first.
  private func candidates(
    _ entries: [FoundEntry], of keys: KeyHashes, in state: TableState
  ) -> [(key: Int, place: KeyPlace)] {
    var live: [Int: Int] = [:]
    var found: [(key: Int, place: KeyPlace)] = []
    found.reserveCapacity(entries.count)
    for entry in entries {
      if let validity = keys.validity, !validity[entry.key] { continue }
      let number = entry.file
      guard number < files.all.count, !files.isGone[number] else { continue }
      let index: Int
      if let known = live[number] {
        index = known
      } else {
        index = state.index(of: files.all[number]) ?? -1
        live[number] = index
      }
      guard index >= 0 else { continue }
      let rowID = state.files[index].rowID(stored: entry.rowID, at: entry.position)
      found.append(
        (
          entry.key,
          KeyPlace(file: index, position: entry.position, rowID: rowID, order: entry.order)
        ))
    }
    found.sort { a, b in
      a.key != b.key ? a.key < b.key : isNewer(a.place, b.place, in: state)
    }
    return found
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

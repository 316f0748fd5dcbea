// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import KeyIndexing

/// Rows of the table that go, by data file.
struct DeadPlaces {
  private var positions: [[Int64]]

  init(_ state: TableState) { positions = [[Int64]](repeating: [], count: state.files.count) }

  mutating func insert(_ place: KeyPlace) { positions[place.file].append(place.position) }

  /// By the path of the data file.
  func byPath(_ state: TableState) -> [String: [Int64]] {
    var byPath: [String: [Int64]] = [:]
    for (file, positions) in positions.enumerated() where !positions.isEmpty {
      byPath[state.files[file].file.path] = positions
    }
    return byPath
  }
}

/// The table's newest rows of entries.
struct NewestPlaces {
  private var places: [KeyPlace?]

  init(entryCount: Int) { places = [KeyPlace?](repeating: nil, count: entryCount) }

  subscript(entry: Int32) -> KeyPlace? {
    get { places[Int(entry)] }
    set { places[Int(entry)] = newValue }
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Tells which bad rows of a source were put aside by a run before, where offsets are a column: a row
/// that does not fit has none.
///
/// What comes before the row that was committed last was put aside before it was. Of what follows it,
/// the table knows how many were: it keeps two numbers with the offsets, which only grow.
struct AsideRows {
  private let names: (all: String, settled: String)
  /// The offset that was committed; nil: none.
  private let start: Int64?
  /// Whether a row was met that is at it, or behind.
  private var isReached: Bool
  /// How many bad rows right behind it were put aside before.
  private var known: Int64
  /// Bad rows of which only the next good one tells where they are.
  private var undecided: [RejectedRow] = []
  /// How many were put aside, ever; and of them, before the last good row.
  private var all: Int64
  private var settled: Int64

  init(of partition: String, _ offsets: [String: Int64]) {
    names = (partition + " (put aside)", partition + " (put aside before)")
    start = offsets[partition]
    all = offsets[names.all] ?? 0
    settled = offsets[names.settled] ?? 0
    known = all - settled
    isReached = start == nil
  }

  /// Takes notice of a bad row, which is appended to `new` if it was not put aside before.
  mutating func meet(_ row: RejectedRow, _ new: inout [RejectedRow]) {
    guard isReached else { return undecided.append(row) }
    if known > 0 { known -= 1 } else { new.append(row) }
  }

  /// Takes notice of a good row.
  mutating func meet(offset: Int64, _ new: inout [RejectedRow]) {
    if let start, !isReached {
      let bad = undecided
      undecided = []
      guard offset >= start else { return }
      isReached = true
      if offset > start {
        for row in bad {
          meet(row.moved(to: 0), &new)
        }
      }
    }
    if offset > start ?? .min { known = 0 }
  }

  /// Counts a row that was put aside now.
  mutating func count() { all += 1 }

  /// Takes notice that a good row behind all that was put aside was taken.
  mutating func settle() { settled = all }

  /// What the table is to keep with the offsets.
  var offsets: [(name: String, value: Int64)] {
    all > 0 ? [(names.all, all), (names.settled, settled)] : []
  }
}

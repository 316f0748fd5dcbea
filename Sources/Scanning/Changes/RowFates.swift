// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Synchronization

/// What became of a row of one of two states.
enum RowFate: UInt64, Sendable {
  /// No row of the other state belongs to it.
  case open
  /// The other state has an equal row.
  case unchanged
  /// The other state has the row of its id …
  case updatedByRowID
  /// … or of its key.
  case updatedByKey

  /// Of rows that `stage` settles.
  init(_ stage: FoldedChanges.Stage) {
    self =
      switch stage {
      case .unchanged: .unchanged
      case .byRowID: .updatedByRowID
      case .byKey: .updatedByKey
      }
  }
}

/// What became of rows, by their numbers: two bits for each.
struct RowFates: Sendable {
  private var words: [UInt64] = []

  /// Open where nothing else was said.
  subscript(row: Int) -> RowFate {
    get {
      guard row >> 5 < words.count else { return .open }
      return RowFate(rawValue: words[row >> 5] >> UInt64((row & 31) * 2) & 3) ?? .open
    }
    set {
      while words.count <= row >> 5 { words.append(0) }
      let shift = UInt64((row & 31) * 2)
      words[row >> 5] = words[row >> 5] & ~(3 << shift) | newValue.rawValue << shift
    }
  }

  /// 1 for each row of `range` that came to `fate`.
  func rows(_ range: Range<Int>, _ fate: RowFate) -> Bitmap {
    var bits = BitmapBuilder(capacity: range.count)
    for row in range { bits.append(self[row] == fate) }
    return bits.finish()
  }

  /// How many rows came to `fate`, which is not open.
  func count(of fate: RowFate) -> Int {
    (0..<words.count * 32).count { self[$0] == fate }
  }
}

/// Counts rows that several tasks read, and what they take.
final class ByteMeter: Sendable {
  private let limit: Int
  private let state = Mutex<(rows: Int, bytes: Int)>((0, 0))

  /// - Parameter limit: how many bytes there may be.
  init(limit: Int) { self.limit = limit }

  /// Counts `batch`; false if there are too many bytes.
  func add(_ batch: RecordBatch) -> Bool {
    let byteCount = batch.byteCount
    return state.withLock {
      $0.rows += batch.rowCount
      $0.bytes += byteCount
      return $0.bytes <= limit
    }
  }

  var isOver: Bool { state.withLock { $0.bytes > limit } }
  var rowCount: Int { state.withLock { $0.rows } }
  /// About how many bytes a row has.
  var rowByteCount: Int { state.withLock { $0.bytes / max(1, $0.rows) + 1 } }
}

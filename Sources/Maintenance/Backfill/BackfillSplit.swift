// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import Scanning

/// Some rows of the state that a backfill reads: whole files, or a range of the rows of one.
///
/// Law: the splits of a state are the same ones whenever and wherever they are worked out: they
/// depend on its data files and on the size asked for, and on no filter.
struct BackfillSplit: Sendable {
  let index: Int
  let tasks: [ScanTask]
  let rowCount: Int64
  let byteCount: Int64

  /// The splits of the files of `tasks`, each row in one of them.
  static func all(of tasks: [ScanTask], byteCount limit: Int64, rowLimit: Int64) -> [BackfillSplit]
  {
    let limit = max(1, limit)
    var splits: [BackfillSplit] = []
    var some: [ScanTask] = []
    var (rows, bytes) = (Int64(0), Int64(0))
    func end() {
      guard !some.isEmpty else { return }
      splits.append(
        BackfillSplit(index: splits.count, tasks: some, rowCount: rows, byteCount: bytes))
      (some, rows, bytes) = ([], 0, 0)
    }
    for task in tasks.sorted(by: { $0.file.path.utf8.lexicographicallyPrecedes($1.file.path.utf8) })
    {
      let file = task.file
      let size = max(0, file.byteCount)
      let count = max(0, file.recordCount)
      let pieces = min(
        max(1, count), max(size / limit, count / max(1, rowLimit)).saturating(1))
      guard pieces > 1 else {
        if bytes.saturating(size) > limit || rows.saturating(count) > rowLimit { end() }
        some.append(task)
        bytes = bytes.saturating(size)
        rows = rows.saturating(count)
        continue
      }
      end()
      var first: Int64 = 0
      for piece in 1...pieces {
        // By 128 bits: a count of rows and one of pieces may be any number.
        let last = Int64(Int128(count) * Int128(piece) / Int128(pieces))
        some = [task.reading(first..<last)]
        (rows, bytes) = (last - first, size / pieces)
        end()
        first = last
      }
    }
    end()
    return splits
  }
}

// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import KeyIndexing
internal import Scanning
internal import Writing

/// Where a row is: in a data file, live or not, of the table or of a commit to come.
struct RowPlace: Hashable, Comparable, Sendable {
  /// The index of the file among those that are read.
  let file: Int
  let position: Int64

  static func < (a: RowPlace, b: RowPlace) -> Bool {
    a.file != b.file ? a.file < b.file : a.position < b.position
  }
}

/// Reads single rows of data files.
struct RowReading {
  let table: Table
  let selection: SnapshotSelection

  /// The rows at `places` of the files that `task` gives, with `columns`, in the order of `places`.
  ///
  /// Cost: of each file its footer, and the pages that have the rows.
  func rows(
    at places: [RowPlace], columns: [String], _ task: (Int) -> ScanTask
  ) async throws(IngestError) -> RecordBatch {
    let sorted = Set(places).sorted()
    var wanted: [(task: ScanTask, positions: RowPositions)] = []
    var start = 0
    while start < sorted.count {
      let file = sorted[start].file
      let end = sorted[start...].firstIndex { $0.file != file } ?? sorted.count
      wanted.append(
        (task(file), RowPositions(ascending: sorted[start..<end].map(\.position))))
      start = end
    }
    let found: RecordBatch
    do throws(ScanError) {
      found = try await table.observed(by: nil).rows(
        at: wanted, columns: columns, of: selection, OpenFiles())
    } catch {
      throw .reading(error)
    }
    var rows: [RowPlace: Int32] = [:]
    for (row, place) in sorted.enumerated() { rows[place] = Int32(truncatingIfNeeded: row) }
    do throws(ColumnarError) { return try found.gather(places.map { rows[$0] ?? 0 }) } catch {
      throw .rows(.unsupported("rows of more than 2 GiB of text"))
    }
  }
}

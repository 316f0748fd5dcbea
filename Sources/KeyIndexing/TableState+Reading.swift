// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
public import Columnar
internal import Iceberg
internal import Scanning

extension TableState {
  /// The rows at `places`, in their order.
  ///
  /// Cost: of each data file its footer and where its pages are, once, and then the pages that hold
  /// those rows, of the columns asked for.
  /// - Parameter columns: as for ``TableScan/select(_:)-([String])``; nil: all.
  /// - Throws: ``KeyIndexError/reading(_:)``, also for a place where there is no row.
  public func rows(
    at places: some Collection<KeyPlace>, columns: [String]? = nil
  ) async throws(KeyIndexError) -> RecordBatch {
    let places = places.map { PlaceInFile(file: $0.file, position: $0.position) }
    do throws(ScanError) {
      return try await table.rows(
        at: places, of: selection, columns: columns, openFiles: openFiles
      ) { files[$0].task }
    } catch {
      throw .reading(error)
    }
  }
}

/// A row by the number of its file, of whatever list of files there is.
struct PlaceInFile: Hashable, Comparable, Sendable {
  let file: Int
  let position: Int64

  static func < (a: PlaceInFile, b: PlaceInFile) -> Bool {
    a.file != b.file ? a.file < b.file : a.position < b.position
  }
}

extension Table {
  /// The rows at `places`, in their order; `task` gives the file of a number.
  func rows(
    at places: [PlaceInFile], of selection: SnapshotSelection, columns: [String]?,
    openFiles: OpenFiles, _ task: (Int) -> ScanTask
  ) async throws(ScanError) -> RecordBatch {
    var isAscending = true
    for i in places.indices.dropFirst() where places[i - 1] >= places[i] { isAscending = false }
    let sorted = isAscending ? places : Set(places).sorted()
    var wanted: [(task: ScanTask, positions: RowPositions)] = []
    var start = 0
    while start < sorted.count {
      var end = start
      while end < sorted.count, sorted[end].file == sorted[start].file { end += 1 }
      wanted.append(
        (
          task(sorted[start].file),
          RowPositions(ascending: sorted[start..<end].map(\.position))
        ))
      start = end
    }
    let found = try await rows(at: wanted, columns: columns, of: selection, openFiles)
    if isAscending { return found }
    var rows: [PlaceInFile: Int32] = [:]
    for (row, place) in sorted.enumerated() { rows[place] = Int32(truncatingIfNeeded: row) }
    do throws(ColumnarError) { return try found.gather(places.map { rows[$0] ?? 0 }) } catch {
      throw .unsupported(what: "2 GiB of values of a column at once", file: name)
    }
  }
}

extension RecordBatch {
  /// The rows `rows`, in that order.
  func gather(_ rows: [Int32]) throws(ColumnarError) -> RecordBatch {
    var gathered: [Column] = []
    for column in columns { gathered.append(try column.gather(rows)) }
    return RecordBatch(fields: fields, columns: gathered, rowCount: rows.count)
  }
}

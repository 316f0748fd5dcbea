// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Parquet
internal import ParquetFiles

/// Decodes one unit, a window of rows at a time: the columns of the filter, and of the rows that
/// match those of the rest.
struct UnitReader {
  private let unit: ScanUnit
  private let bytes: FileBytes
  private let workspace: DecodeWorkspace

  init(_ unit: ScanUnit, _ bytes: FileBytes, _ workspace: DecodeWorkspace) {
    self.unit = unit
    self.bytes = bytes
    self.workspace = workspace
  }

  private var file: OpenDataFile { unit.part.file }
  private var tuning: ReadTuning { unit.part.tuning }

  /// The rows of the unit where all of those selected are wanted.
  func rows() throws(ScanError) -> UnitRows {
    let cursor = try cursor(file.rest)
    var result = UnitRows(batches: [], counts: ScanCounts())
    for window in windows([cursor]) {
      let selected = unit.selection.slice(window)
      let batch = file.rest.named(try cursor.read(selected, at: window.lowerBound))
      result.counts.rowsDecoded += Int64(selected.count)
      let places = places(selected, window)
      var rows = try file.rows(nil, batch, at: places)
      if let live = file.deletes.live(places) { rows = rows.filter(by: live) }
      result.counts.rowsMatched += Int64(rows.rowCount)
      if rows.rowCount > 0 { result.batches.append(rows) }
    }
    return result
  }

  /// The rows of the unit that match `filter`, where all columns were fetched.
  func rows(_ filter: FileFilter) throws(ScanError) -> UnitRows {
    let cursors = (try cursor(filter.part), try cursor(file.rest))
    var result = UnitRows(batches: [], counts: ScanCounts())
    for window in windows([cursors.0, cursors.1]) {
      guard let found = try match(window, filter, cursors.0, &result.counts) else { continue }
      result.batches.append(try rows(found, cursors.1))
    }
    return result
  }

  /// What matches `filter`, the columns of the rest left for later.
  func matches(_ filter: FileFilter) throws(ScanError) -> UnitMatches {
    let cursor = try cursor(filter.part)
    var result = UnitMatches(rowCount: unit.part.rowCount)
    for window in windows([cursor]) {
      guard let found = try match(window, filter, cursor, &result.counts) else { continue }
      result.append(found)
    }
    return result
  }

  /// The rows of the unit that are known to match.
  func rows(of matches: UnitMatches) throws(ScanError) -> [RecordBatch] {
    let cursor = try cursor(file.rest)
    var batches: [RecordBatch] = []
    for found in matches.windows { batches.append(try rows(found, cursor)) }
    return batches
  }

  /// Decodes the columns of the filter in `window`; nil if no row of it matches.
  private func match(
    _ window: Range<Int>, _ filter: FileFilter, _ cursor: Cursor, _ counts: inout ScanCounts
  ) throws(ScanError) -> WindowMatches? {
    let selected = unit.selection.slice(window)
    let named = filter.part.named(try cursor.read(selected, at: window.lowerBound))
    let mask = try filter.matching(named, at: places(selected, window), file.deletes)
    let matching = mask.countOfOnes
    counts.rowsDecoded += Int64(selected.count)
    counts.rowsMatched += Int64(matching)
    guard matching > 0 else { return nil }
    return WindowMatches(
      window: window,
      rows: matching == selected.count ? selected : selected.refined(by: mask),
      columns: filter.isHandedOut ? named.filter(by: mask) : nil)
  }

  private func rows(
    _ found: WindowMatches, _ cursor: Cursor
  ) throws(ScanError) -> RecordBatch {
    let decoded = try cursor.read(found.rows, at: found.window.lowerBound)
    return try file.rows(
      found.columns, file.rest.named(decoded), at: places(found.rows, found.window))
  }

  /// Where the rows `selected` of `window` are in the file.
  private func places(_ selected: RowSelection, _ window: Range<Int>) -> RowPlaces {
    RowPlaces(first: unit.part.firstRow + Int64(window.lowerBound), rows: selected)
  }

  // MARK: Windows

  /// Parts of the unit with as many rows to decode as a batch may have.
  private func windows(_ cursors: [Cursor]) -> [Range<Int>] {
    let selection = tuning.widened(unit.selection)
    let most = cursors.reduce(tuning.batchRowCount) { min($0, $1.mostRows) }
    var windows: [Range<Int>] = []
    var start = unit.rows.lowerBound
    while start < unit.rows.upperBound {
      let window = selection.window(from: start, holding: most).clamped(to: unit.rows)
      if selection.overlaps(window) { windows.append(window) }
      start = window.upperBound
    }
    return windows
  }

  private func cursor(_ part: FilePart) throws(ScanError) -> Cursor {
    try Cursor(part.projection, unit.part, bytes, workspace)
  }
}

/// Goes forward in some columns of a row group.
private final class Cursor {
  private let decoder: RowGroupDecoder
  private let file: ParquetFile
  private let tuning: ReadTuning

  init(
    _ projection: ParquetProjection, _ part: RowGroupPart, _ bytes: FileBytes,
    _ workspace: DecodeWorkspace
  ) throws(ScanError) {
    file = part.file.parquet
    tuning = part.tuning
    do throws(ParquetError) {
      let plan = ReadPlan(
        rowGroup: part.rowGroup, projection: projection, pageIndexes: part.pageIndexes)
      decoder = try RowGroupDecoder(
        file.footer, plan: plan, bytes: bytes, workspace: workspace, known: part.file.knownPages)
    } catch {
      throw .dataFile(.parquet(error, file: file.path))
    }
  }

  var mostRows: Int { decoder.mostRowsPerBatch }

  /// Reads the rows `selected`, which counts from row `start` on.
  func read(_ selected: RowSelection, at start: Int) throws(ScanError) -> RecordBatch {
    do throws(ParquetError) {
      decoder.skip(start - decoder.row)
      // Where rows lie close together, those in between cost less than going around them.
      let wider = tuning.widened(selected)
      let batch = try decoder.read(wider)
      return wider == selected ? batch : batch.filter(by: selected.bitmap(within: wider))
    } catch {
      throw .dataFile(.parquet(error, file: file.path))
    }
  }
}

/// The rows of a window that match.
struct WindowMatches: Sendable {
  let window: Range<Int>
  /// Of the window's rows; they count from its first on.
  let rows: RowSelection
  /// The filter's columns, if they are handed out.
  let columns: RecordBatch?
}

/// The rows of a unit that match, window by window.
struct UnitMatches: Sendable {
  private(set) var windows: [WindowMatches] = []
  private var builder: RowSelectionBuilder
  var counts = ScanCounts()

  init(rowCount: Int) { builder = RowSelectionBuilder(rowCount: rowCount) }

  mutating func append(_ found: WindowMatches) {
    windows.append(found)
    for range in found.rows.ranges {
      builder.append(
        found.window.lowerBound + range.lowerBound..<found.window.lowerBound + range.upperBound)
    }
  }

  /// All of them, of the row group.
  var selection: RowSelection { builder.finish() }
}

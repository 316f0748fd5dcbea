// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Parquet
internal import ParquetFiles

/// The part of a row group that is read at once: its rows, and what was fetched of them.
struct RowGroupPart: Sendable {
  let file: OpenDataFile
  let rowGroup: Int
  /// Where the row group's first row is in the file.
  let firstRow: Int64
  /// By leaf; where rows are left out, pages may not have been fetched.
  let pageIndexes: [Int: PageIndex]
  /// The pages of the filter's columns, and if nothing is deferred, all.
  let bytes: FileBytes
  /// True if the pages of the rest are fetched when it is known which rows match.
  let isDeferred: Bool
  /// True if page indexes left rows of the row group out.
  let isPruned: Bool
  let tuning: ReadTuning

  var rowCount: Int { Int(clamping: file.parquet.footer.rowCount(ofRowGroup: rowGroup)) }

  /// The part with everything fetched and no page index relied on.
  fileprivate func whole() async throws(ScanError) -> RowGroupPart {
    let all = ParquetProjection(
      shapes: (file.filter?.part.projection.shapes ?? []) + file.rest.projection.shapes)
    do throws(ParquetFileError) {
      let (_, bytes) = try await file.parquet.fetch(rowGroup, projection: all)
      return RowGroupPart(
        file: file, rowGroup: rowGroup, firstRow: firstRow, pageIndexes: [:], bytes: bytes,
        isDeferred: false, isPruned: isPruned, tuning: tuning)
    } catch {
      throw .dataFile(error)
    }
  }
}

/// What one task decodes.
enum ReadUnit: Sendable {
  case rows(ScanUnit)
  case records(AvroUnit)

  /// The rows that match, in order.
  func read(_ workspaces: WorkspacePool) async throws(ScanError) -> UnitRows {
    switch self {
    case .rows(let unit): try await unit.read(workspaces)
    case .records(let unit): try unit.read()
    }
  }
}

/// Some rows of one row group of a data file: what one task decodes.
///
/// Row groups are taken apart so that a unit is some megabytes, whatever sizes the file's writer
/// chose: memory is bounded, and a single row group keeps all processors busy.
struct ScanUnit: Sendable {
  let part: RowGroupPart
  /// Of the row group; what is before and behind is other units'.
  let rows: Range<Int>
  /// Those of `rows` that may match and are live; of all rows of the row group.
  let selection: RowSelection

  /// The rows that match, in order.
  ///
  /// An index that does not fit its pages is one that can't be relied on: do without. But rows that
  /// it had others leave out are theirs, who need not come to know: then the row group can't be read
  /// with what was asked for.
  func read(_ workspaces: WorkspacePool) async throws(ScanError) -> UnitRows {
    do throws(ScanError) {
      return try await decode(workspaces)
    } catch .dataFile(.parquet(let error, let file))
      where !part.pageIndexes.isEmpty && !putsOthersInDoubt(error)
    {
      do throws(ScanError) {
        var live = RowSelection(ranges: [rows], rowCount: part.rowCount)
        if let positions = part.file.positions {
          let all = part.firstRow..<part.firstRow + Int64(part.rowCount)
          live = live.intersection(positions.selection(in: all, rowCount: part.rowCount))
        }
        return try await ScanUnit(part: part.whole(), rows: rows, selection: live)
          .decode(workspaces)
      } catch .dataFile(.parquet) {
        throw .dataFile(.parquet(error, file: file))
      }
    }
  }

  /// True if `error` is of a page index, and by page indexes rows were left out that are not of this
  /// unit: whoever wrote one wrong may have written those of the filter's columns wrong as well.
  private func putsOthersInDoubt(_ error: ParquetError) -> Bool {
    part.isPruned && rows.count < part.rowCount && error.leafOfPageIndex != nil
  }

  private func decode(_ workspaces: WorkspacePool) async throws(ScanError) -> UnitRows {
    guard let filter = part.file.filter else {
      return try workspaces.use { workspace throws(ScanError) in
        try UnitReader(self, part.bytes, workspace).rows()
      }
    }
    guard part.isDeferred else {
      return try workspaces.use { workspace throws(ScanError) in
        try UnitReader(self, part.bytes, workspace).rows(filter)
      }
    }
    let matches = try workspaces.use { workspace throws(ScanError) in
      try UnitReader(self, part.bytes, workspace).matches(filter)
    }
    let (bytes, counts) = try await fetchRest(matches.selection)
    guard let bytes else { return UnitRows(batches: [], counts: matches.counts + counts) }
    return try workspaces.use { workspace throws(ScanError) in
      UnitRows(
        batches: try UnitReader(self, bytes, workspace).rows(of: matches),
        counts: matches.counts + counts)
    }
  }

  /// Fetches the pages of the rest that have rows which match; nothing if none does.
  private func fetchRest(
    _ matches: RowSelection
  ) async throws(ScanError) -> (FileBytes?, ScanCounts) {
    let (parquet, projection) = (part.file.parquet, part.file.rest.projection)
    var counts = ScanCounts()
    do throws(ParquetFileError) {
      counts.deferredBytes = try part.byteCount(projection, in: selection)
      if matches.isEmpty { return (nil, counts) }
      let wanted = part.tuning.widened(matches)
      let (plan, bytes) = try await parquet.fetch(
        part.rowGroup, projection: projection, selection: wanted, pageIndexes: part.pageIndexes)
      counts.deferredBytesRead = plan.byteCount
      counts.bytesRead = plan.byteCount
      counts.pagesRead = part.pageCount(projection, in: wanted)
      return (bytes, counts)
    } catch {
      throw .dataFile(error)
    }
  }
}

extension RowGroupPart {
  /// How many pages of some columns have rows that `selection` selects.
  func pageCount(_ projection: ParquetProjection, in selection: RowSelection) -> Int {
    projection.leafIndices.reduce(0) {
      $0 + (pageIndexes[$1]?.pageCount(in: selection) ?? 0)
    }
  }

  /// About how many bytes, inflated, are decoded of `leaves` to have the rows of `selection`: whole
  /// pages, where it is known which rows they hold, however few of those are wanted.
  func encodedByteCount(_ leaves: [Int], in selection: RowSelection) -> Int64 {
    let rows = Double(selection.count) / Double(max(1, selection.rowCount))
    var total = 0.0
    for leaf in leaves {
      let (encoded, _) = file.parquet.footer.byteCounts(ofRowGroup: rowGroup, [leaf])
      var share = rows
      if let index = pageIndexes[leaf], !index.rows.isEmpty {
        share = Double(index.pageCount(in: selection)) / Double(index.rows.count)
      }
      total += Double(encoded) * share
    }
    // What a file says of its size may be beyond all bounds.
    return Int64(min(total, 0x1p60))
  }

  /// How many bytes the pages of some columns have that hold rows of `selection`.
  fileprivate func byteCount(
    _ projection: ParquetProjection, in selection: RowSelection
  ) throws(ParquetFileError) -> Int64 {
    do throws(ParquetError) {
      return try file.parquet.footer.readPlan(
        rowGroup: rowGroup, projection: projection, selection: selection, pageIndexes: pageIndexes
      ).byteCount
    } catch {
      throw .parquet(error, file: file.parquet.path)
    }
  }
}

/// What was read of a unit.
struct UnitRows: Sendable {
  var batches: [RecordBatch]
  var counts: ScanCounts
}

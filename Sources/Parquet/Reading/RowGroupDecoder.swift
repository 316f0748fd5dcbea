// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar

/// Decodes the columns of one row group, from its first row to its last, a batch at a time.
///
/// Laws: batches come in the order of the rows; each has a column for each field of the projection;
/// a column may be a dictionary in one batch and none in the next. Whatever the bytes are, it
/// yields rows or throws, in memory bounded by the limits.
///
/// A class because it is long-lived, mutable state of one owner; it is not `Sendable`: a row group
/// is decoded by one task.
public final class RowGroupDecoder {
  public let fields: [ColumnField]
  /// How many rows the row group has.
  public let rowCount: Int
  /// The row that comes next, of the row group.
  public private(set) var row = 0

  private let rowGroup: Int
  private let limits: DecodeLimits
  private let columns: [(shape: ColumnShape, leaves: [LeafDecoder])]
  /// More rows at once would take more memory than a batch should, where they are large.
  public let mostRowsPerBatch: Int

  /// - Parameters:
  ///   - bytes: what ``ReadPlan/ranges`` of `plan` ask for, at least.
  ///   - workspace: one that is used for one row group after the other.
  /// - Throws: as ``ParquetFooter/readPlan(rowGroup:projection:)``, and for codecs that are not
  ///   supported.
  public convenience init(
    _ footer: ParquetFooter, plan: ReadPlan, bytes: FileBytes,
    options: ReadOptions = ReadOptions(), workspace: DecodeWorkspace = DecodeWorkspace()
  ) throws(ParquetError) {
    try self.init(
      footer, plan: plan, bytes: bytes, options: options, workspace: workspace, known: nil)
  }

  /// As ``init(_:plan:bytes:options:workspace:)``.
  ///
  /// - Parameter known: pages of the file that were read before, and where those read now are kept.
  package init(
    _ footer: ParquetFooter, plan: ReadPlan, bytes: FileBytes,
    options: ReadOptions = ReadOptions(), workspace: DecodeWorkspace, known: KnownPages.OfFile?
  ) throws(ParquetError) {
    fields = plan.projection.fields
    let rowGroup = plan.rowGroup
    self.rowGroup = rowGroup
    limits = options.limits
    let rows = footer.rowCount(ofRowGroup: rowGroup)
    guard let rowCount = Int(exactly: rows) else {
      throw .inconsistent(.rowGroup(rowGroup), what: "rows", expected: 0, found: rows)
    }
    self.rowCount = rowCount
    var columns: [(ColumnShape, [LeafDecoder])] = []
    var batch = BatchSize(rowCount: rows)
    for shape in plan.projection.shapes {
      var leaves: [LeafDecoder] = []
      for leaf in ParquetProjection(shapes: [shape]).leafIndices {
        let place = try footer.chunkPlace(rowGroup: rowGroup, leaf: leaf)
        batch.include(place)
        leaves.append(
          try LeafDecoder(
            place, isFlat: shape.isFlat(place.leaf), bytes: bytes,
            pageIndex: plan.pageIndexes[leaf], options: options, workspace: workspace,
            known: known))
      }
      columns.append((shape, leaves))
    }
    self.columns = columns
    mostRowsPerBatch = batch.rows
  }

  /// How many rows there are from ``row`` on.
  public var remaining: Int { rowCount - row }

  /// Leaves out the next `count` rows. Cost: pages that hold none of the rows read later are not
  /// decompressed.
  public func skip(_ count: Int) {
    precondition(count >= 0 && count <= remaining, "more rows than there are")
    for column in columns {
      for leaf in column.leaves { leaf.skip(count) }
    }
    row += count
  }

  /// Decodes the next rows, at most `limit`; nil at the end.
  ///
  /// There are fewer where rows are so large that a batch of them would be.
  public func next(limit: Int = 1 << 15) throws(ParquetError) -> RecordBatch? {
    precondition(limit > 0)
    if remaining == 0 { return nil }
    return try read(.all(min(limit, remaining, mostRowsPerBatch)))
  }

  /// Decodes those of the next rows that `selection` selects, and goes on behind them all.
  public func read(_ selection: RowSelection) throws(ParquetError) -> RecordBatch {
    precondition(selection.rowCount <= remaining, "more rows than there are")
    var decoded: [Column] = []
    for column in columns {
      decoded.append(try read(selection, column.shape, column.leaves))
    }
    row += selection.rowCount
    return RecordBatch(fields: fields, columns: decoded, rowCount: selection.count)
  }

  private func read(
    _ selection: RowSelection, _ shape: ColumnShape, _ leaves: [LeafDecoder]
  ) throws(ParquetError) -> Column {
    var batches: [LeafBatch] = []
    for decoder in leaves {
      let batch = LeafBatch(
        decoder.leaf, isFlat: decoder.isFlat, rowCount: selection.count,
        byteCount: decoder.expectedByteCount, limit: limits.blockByteCount)
      try decoder.decode(selection, into: batch)
      batch.freezeLevels()
      decoder.noteByteCount(batch)
      batches.append(batch)
    }
    return try assemble(shape, batches, rowCount: selection.count)
  }

  private func assemble(
    _ shape: ColumnShape, _ batches: [LeafBatch], rowCount: Int
  ) throws(ParquetError) -> Column {
    let part = ParquetPart.columnChunk(path: shape.field.name, rowGroup: rowGroup)
    let column: Column
    do throws(RecordAssembly.Failure) {
      if let batch = batches.first, shape.isFlat(batch.leaf) {
        column = try flat(batch, rowCount)
      } else {
        column = try RecordAssembly(batches: batches).column(shape)
      }
    } catch {
      switch error {
      case .values(let error): throw .malformed(part, error)
      case .counts(let expected, let found):
        throw .inconsistent(
          part, what: "values beside each other", expected: Int64(expected), found: Int64(found))
      }
    }
    guard column.count == rowCount else {
      throw .inconsistent(
        part, what: "rows", expected: Int64(rowCount), found: Int64(column.count))
    }
    return column
  }

  private func flat(
    _ batch: LeafBatch, _ rowCount: Int
  ) throws(RecordAssembly.Failure) -> Column {
    do throws(ByteError) {
      return try batch.finishFlat(rowCount: rowCount)
    } catch {
      throw .values(error)
    }
  }
}

extension ColumnShape {
  /// True if the column is `leaf` itself, with a value or a null for each row.
  fileprivate func isFlat(_ leaf: ParquetLeaf) -> Bool {
    guard case .leaf = kind else { return false }
    return leaf.maxRepetitionLevel == 0 && leaf.maxDefinitionLevel <= 1
  }
}

/// How many rows a batch can have, so that what is decoded of each leaf stays small.
///
/// What the footer says is taken as a hint: the limits hold whatever it says.
private struct BatchSize {
  private(set) var rows = Int.max
  private let rowCount: Int64

  private static let bytesPerLeaf: Int64 = 64 << 20
  private static let valuesPerLeaf: Int64 = 4 << 20

  init(rowCount: Int64) { self.rowCount = max(1, rowCount) }

  mutating func include(_ place: ChunkPlace) {
    let values = max(1, place.metadata.valueCount / rowCount)
    var width: Int64 = 16
    if case .fixed(let fixed) = place.leaf.columnType.layout { width = Int64(fixed) }
    let stored = max(0, place.metadata.totalUncompressedSize) / rowCount
    let (spread, overflow) = values.multipliedReportingOverflow(by: max(1, width))
    let bytes = max(1, stored, overflow ? .max : spread)
    rows = min(
      rows, max(1, Int(Self.bytesPerLeaf / bytes)), max(1, Int(Self.valuesPerLeaf / values)))
  }
}

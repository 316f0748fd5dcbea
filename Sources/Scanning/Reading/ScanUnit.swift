// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Storage

/// Some rows of one row group of a data file: what one task decodes.
///
/// Row groups are taken apart so that a unit is some megabytes, whatever sizes the file's writer
/// chose: memory is bounded, and a single row group keeps all processors busy.
struct ScanUnit: Sendable {
  let file: OpenDataFile
  let plan: ReadPlan
  /// Of the row group.
  let rows: Range<Int>
  /// The position of the row group's first row in the file.
  let firstPosition: Int64
  /// The pages of the row group, shared by all its units.
  let bytes: FileBytes

  /// The live rows that match, as batches.
  func read(_ workspace: DecodeWorkspace) throws(ScanError) -> [RecordBatch] {
    var batches: [(position: Int64, rows: RecordBatch)] = []
    do throws(ParquetError) {
      let decoder = try RowGroupDecoder(
        file.parquet.footer, plan: plan, bytes: bytes, workspace: workspace)
      decoder.skip(rows.lowerBound)
      while decoder.row < rows.upperBound {
        let position = firstPosition + Int64(decoder.row)
        let limit = min(Self.batchRowCount, rows.upperBound - decoder.row)
        guard let batch = try decoder.next(limit: limit) else { break }
        batches.append((position, batch))
      }
    } catch {
      throw .dataFile(.parquet(error, file: file.parquet.path))
    }
    var results: [RecordBatch] = []
    for (position, batch) in batches {
      let rows = try file.finish(batch, at: position)
      if rows.rowCount > 0 { results.append(rows) }
    }
    return results
  }

  /// The most rows of a batch.
  static let batchRowCount = 65_536
  /// About how many bytes of encoded pages a unit has.
  static let byteCount: Int64 = 8 << 20
}

/// A data file that is being read: its footer, and what is made of its rows.
struct OpenDataFile: Sendable {
  let parquet: ParquetFile
  let projection: ParquetProjection
  let mapping: ColumnMapping
  let deletes: FileDeletes
  /// Nil where every row is wanted.
  let filter: RowFilter?
  /// How many of the mapping's columns were asked for; those after them only the filter needs.
  let outputCount: Int
  /// With ids given, where the file has none.
  let fieldsWithIDs: [ColumnField]?
  /// What the file's partition leaves of the filter.
  let residual: BoundPredicate
  /// The leaf of each field that lies in no list or map.
  let leaves: [FieldID: Int]

  /// False only if no row of the row group matches.
  func mightMatch(rowGroup: Int) -> Bool {
    residual.mightMatch(
      RowGroupFacts(footer: parquet.footer, rowGroup: rowGroup, leaves: leaves))
  }

  /// The rows wanted of what was decoded, as the schema has them.
  ///
  /// - Parameter position: of the first of these rows in the file; the others follow it.
  func finish(_ decoded: RecordBatch, at position: Int64) throws(ScanError) -> RecordBatch {
    var batch = decoded
    if let fieldsWithIDs {
      let columns = zip(decoded.columns, fieldsWithIDs).map { $0.retyped(as: $1.type) }
      batch = RecordBatch(fields: fieldsWithIDs, columns: columns, rowCount: decoded.rowCount)
    }
    var rows = try mapping.apply(batch, at: position)
    var kept = deletes.live(position..<position + Int64(rows.rowCount))
    if let filter {
      let matching = filter.matching(rows)
      kept = kept.map { $0.and(matching) } ?? matching
    }
    if !deletes.keys.isEmpty {
      if let some = kept, some.countOfOnes * 4 < rows.rowCount {
        rows = rows.filter(by: some)
        kept = nil
      }
      if let left = deletes.unmatched(rows) { kept = kept.map { $0.and(left) } ?? left }
    }
    if outputCount < rows.columns.count { rows = rows.selecting(Array(0..<outputCount)) }
    return kept.map { rows.filter(by: $0) } ?? rows
  }
}
